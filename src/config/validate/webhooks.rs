//! What the configuration says of webhooks.

use url::{Host, Url};

use crate::config::{
    Secret, WebhookConfig, WebhookEvent, defaults,
    keys::{WEBHOOK, WebhookKeys},
    section::{Field, Section},
};

/// All webhooks. Their secrets are read when the first event is sent, so that a file may come later.
pub(super) fn webhooks(field: &Field<'_>) -> Vec<WebhookConfig> {
    let mut found: Vec<WebhookConfig> = Vec::new();
    for item in field.items().unwrap_or_default() {
        let Some(section) = item.section::<WebhookKeys>() else { continue };
        let Some(webhook) = webhook(&section) else { continue };
        if found.iter().any(|other| other.name == webhook.name) {
            item.problem(&format!(
                "there is a webhook '{}' already; give this one a 'name' of its own",
                webhook.name
            ));
        } else {
            found.push(webhook);
        }
    }
    found
}

fn webhook(section: &Section<'_>) -> Option<WebhookConfig> {
    let url = section.required(&WEBHOOK.url).and_then(|field| address(&field));
    let secret_file = section.required(&WEBHOOK.secret_file).and_then(|field| field.path());
    let name = section.read(&WEBHOOK.name);
    let ca = section.read(&WEBHOOK.ca);
    let mut events = Vec::new();
    match section.field(&WEBHOOK.events) {
        None => events.push(WebhookEvent::Crossing),
        Some(field) => {
            let items = field.items()?;
            if items.is_empty() {
                field.problem("names no event; name some, such as [\"crossing\"]");
            }
            for item in items {
                let Some(event) = item.choice(&WebhookEvent::NAMES) else { continue };
                if events.contains(&event) {
                    item.problem("stands here already; name each event once");
                } else {
                    events.push(event);
                }
            }
        }
    }
    let (url, secret_file) = (url?, secret_file?);
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(WebhookConfig {
        // Not its host: the name is a label of metrics, and these hold no addresses.
        name: name.unwrap_or_else(|| defaults::WEBHOOK.to_owned()),
        place: format!("{}://{host}{port}", url.scheme()),
        url: Secret::new(url.as_str()),
        events,
        secret_file,
        ca,
    })
}

/// The address of a server. No message quotes it: it may hold a password.
fn address(field: &Field<'_>) -> Option<Url> {
    let text = field.text()?;
    let wanted = "an address such as \"https://example.org/hooks/people\"";
    let Some(url) = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https")) else {
        field.problem(&format!("is no address of a server; write {wanted}"));
        return None;
    };
    if !url.username().is_empty() || url.password().is_some() {
        field.problem("holds a user name or password; remove it, the signature is what proves who sends");
        return None;
    }
    let is_here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if url.scheme() == "http" && !is_here {
        field.warning(
            "what is sent there crosses the network unencrypted; write https:// if the server knows it",
        );
    }
    Some(url)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::{Config, ConfigErrors, WebhookEvent};

    fn parse(webhooks: &str) -> Result<Config, ConfigErrors> {
        let text = format!(
            r#"{{ "parallel_config": {{ "webhooks": [{webhooks}] }}, "cameras": [
                {{ "camera_id": "gate", "source": "rtsp://h/1" }}] }}"#
        );
        Config::parse(text.as_bytes(), "cams.json", Path::new("/etc/pc"), &|_| None)
    }

    #[test]
    fn a_webhook_has_a_name_without_an_address_and_is_told_of_crossings() {
        let config =
            parse(r#"{ "url": "https://till.example:8443/in?key=hunter2", "secret_file": "s" }"#).unwrap();
        assert!(config.warnings.is_empty(), "{:?}", config.warnings);
        let hook = &config.parallel.webhooks[0];
        assert_eq!((hook.name.as_str(), hook.place.as_str()), ("webhook", "https://till.example:8443"));
        assert_eq!(
            (&hook.events[..], &*hook.secret_file),
            (&[WebhookEvent::Crossing][..], Path::new("/etc/pc/s"))
        );
        assert!(!format!("{hook:?}").contains("hunter2"));
    }

    #[test]
    fn what_is_wrong_with_a_webhook_is_said_without_its_address() {
        for (webhook, said) in [
            (r#"{ "secret_file": "s" }"#, "'url' is missing"),
            (r#"{ "url": "https://h/" }"#, "'secret_file' is missing"),
            (r#"{ "url": "ftp://h/hunter2", "secret_file": "s" }"#, "is no address of a server"),
            (r#"{ "url": "https://u:hunter2@h/", "secret_file": "s" }"#, "holds a user name or password"),
            (r#"{ "url": "https://h/", "secret_file": "s", "events": [] }"#, "names no event"),
            (r#"{ "url": "https://h/", "secret_file": "s", "events": ["crossing", "crossing"] }"#, "once"),
            (
                r#"{ "url": "https://h/1", "secret_file": "s" }, { "url": "https://h/2", "secret_file": "s" }"#,
                "there is a webhook 'webhook' already",
            ),
        ] {
            let errors = parse(webhook).unwrap_err().to_string();
            assert!(errors.contains(said) && !errors.contains("hunter2"), "{webhook}: {errors}");
        }
    }

    #[test]
    fn without_encryption_another_machine_is_a_warning_and_this_one_is_not() {
        let said =
            |url: &str| parse(&format!(r#"{{ "url": "{url}", "secret_file": "s" }}"#)).unwrap().warnings;
        assert!(said("http://till.example/")[0].contains("unencrypted"));
        for url in ["http://127.0.0.1:9/", "http://[::1]/", "http://localhost/", "https://till.example/"] {
            assert!(said(url).is_empty(), "{url}: {:?}", said(url));
        }
    }
}
