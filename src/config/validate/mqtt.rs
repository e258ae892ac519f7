//! What the configuration says of the MQTT broker.

use url::Url;

use super::sources::{certificates, login};
use crate::config::{
    MqttConfig, defaults,
    keys::{MQTT, MqttKeys},
    section::Field,
};

/// Longest prefix, so that no topic is longer than brokers take.
const LONGEST: usize = 200;

/// A broker that can be connected to, with topics that it takes.
pub(super) fn mqtt(field: &Field<'_>) -> Option<MqttConfig> {
    let section = field.section::<MqttKeys>()?;
    let address = section.required(&MQTT.url).and_then(|field| address(&field));
    let given = section.field(&MQTT.credentials);
    let credentials = given.as_ref().and_then(|field| login(field));
    let has_faulty_login = given.is_some() && credentials.is_none();
    let prefix = match section.field(&MQTT.prefix) {
        Some(field) => prefix(&field),
        None => Some(defaults::MQTT_PREFIX.to_owned()),
    };
    let ca = section.field(&MQTT.ca);
    let file = ca.as_ref().and_then(certificates);
    let home_assistant = section.read(&MQTT.home_assistant).unwrap_or(true);
    let commands = section.read(&MQTT.commands).unwrap_or(false);
    let (encrypted, host, port) = address?;
    if let (false, Some(ca)) = (encrypted, ca) {
        ca.problem("is used by an encrypted connection only; write mqtts:// in 'url', or remove it");
        return None;
    }
    if has_faulty_login {
        return None;
    }
    let config = MqttConfig {
        host,
        port,
        encrypted,
        credentials,
        ca: file,
        prefix: prefix?,
        home_assistant,
        commands,
    };
    if !config.encrypted && config.credentials.is_some() && !config.is_loopback() {
        field.warning(&format!(
            "user name and password cross the network to '{}' unencrypted; use mqtts:// if the broker offers it",
            config.address()
        ));
    }
    Some(config)
}

/// Whether it is encrypted, the host, and the port.
fn address(field: &Field<'_>) -> Option<(bool, String, u16)> {
    let text = field.text()?;
    // No message quotes the text before it is known to hold no password.
    if text.contains('@') {
        field.report.holds_secret();
        field.problem("holds a user name or password; write them as 'credentials'");
        return None;
    }
    let Ok(url) = Url::parse(text.trim()) else {
        return field.expected("an address such as \"mqtts://broker.lan\" or \"mqtt://127.0.0.1:1883\"");
    };
    let (encrypted, usual) = match url.scheme() {
        "mqtt" => (false, 1883),
        "mqtts" => (true, 8883),
        _ => {
            field.problem(&format!(
                "'{}' is no address of an MQTT broker; write mqtts:// (encrypted) or mqtt://",
                field.quoted(&text)
            ));
            return None;
        }
    };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let is_bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    if host.is_empty() || !is_bare || url.port() == Some(0) {
        field.problem(&format!(
            "'{}' is no address of an MQTT broker; write scheme, host and port alone, such as mqtts://broker.lan:8883",
            field.quoted(&text)
        ));
        return None;
    }
    Some((encrypted, host, url.port().unwrap_or(usual)))
}

/// Levels of which each holds something, and no wildcard. A topic that begins with `$` is the broker's own.
fn prefix(field: &Field<'_>) -> Option<String> {
    let text = field.line(LONGEST)?;
    let is_plain = text.split('/').all(|level| !level.trim().is_empty()) && !text.contains(['+', '#']);
    if is_plain && !text.starts_with('$') {
        return Some(text);
    }
    field.problem(&format!(
        "'{}' is no beginning of topics; write words with '/' between them, without '+', '#' and '$' at the start",
        field.quoted(&text)
    ));
    None
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::{Config, ConfigErrors, MqttConfig};

    fn parse(mqtt: &str) -> Result<(MqttConfig, Vec<String>), Vec<String>> {
        let text = format!("{{\"parallel_config\": {{\"mqtt\": {mqtt}}}, \"cameras\": []}}");
        let env = |name: &str| (name == "LOGIN").then(|| "user:hunter2".to_owned());
        match Config::parse(text.as_bytes(), "c", Path::new("/etc"), &env) {
            Ok(config) => Ok((config.parallel.mqtt.unwrap(), config.warnings)),
            Err(ConfigErrors { problems, .. }) => {
                Err(problems.iter().map(|problem| problem.message.clone()).collect())
            }
        }
    }

    #[test]
    fn a_broker_has_the_usual_port_and_prefix_unless_others_are_written() {
        let (broker, warnings) = parse(r#"{"url": "mqtts://broker.lan"}"#).unwrap();
        assert_eq!((broker.address().as_str(), broker.encrypted), ("broker.lan:8883", true));
        assert_eq!((broker.prefix.as_str(), broker.home_assistant, broker.commands), ("pcount", true, false));
        assert!(warnings.is_empty(), "{warnings:?}");
        let (broker, _) = parse(r#"{"url": "mqtt://[::1]/", "prefix": "shop/door 1"}"#).unwrap();
        assert_eq!((broker.address().as_str(), broker.is_loopback()), ("[::1]:1883", true));
        assert_eq!(broker.prefix, "shop/door 1");
    }

    #[test]
    fn a_password_that_would_cross_the_network_in_the_open_is_a_warning() {
        for (url, warned) in
            [("mqtt://broker.lan", true), ("mqtt://127.0.0.1:1884", false), ("mqtts://broker.lan", false)]
        {
            let (broker, warnings) =
                parse(&format!(r#"{{"url": "{url}", "credentials": {{"env": "LOGIN"}}}}"#)).unwrap();
            assert_eq!(warnings.iter().any(|said| said.contains("unencrypted")), warned, "{url}");
            assert!(!format!("{broker:?} {warnings:?}").contains("hunter2"));
            assert_eq!(broker.credentials.unwrap().password.reveal(), "hunter2");
        }
    }

    #[test]
    fn what_is_no_broker_is_refused_in_a_sentence_without_a_password() {
        for (mqtt, said) in [
            (r#"{"url": "mqtt://user:hunter2@h"}"#, "as 'credentials'"),
            (r#"{"url": "http://h"}"#, "is no address of an MQTT broker"),
            (r#"{"url": "mqtt://h/topic"}"#, "host and port alone"),
            (r#"{"url": "broker"}"#, "expected an address"),
            (r"{}", "'url' is missing"),
            (r#"{"url": "mqtt://h", "ca": "/no/ca.pem"}"#, "encrypted connection only"),
            (r#"{"url": "mqtt://h", "prefix": "a//b"}"#, "no beginning of topics"),
            (r#"{"url": "mqtt://h", "prefix": "/a"}"#, "no beginning of topics"),
            (r#"{"url": "mqtt://h", "prefix": "a/+"}"#, "no beginning of topics"),
            (r#"{"url": "mqtt://h", "prefix": "a#"}"#, "no beginning of topics"),
            (r#"{"url": "mqtt://h", "prefix": "$SYS"}"#, "no beginning of topics"),
            (r#"{"url": "mqtt://h", "credentials": {"file": "/no/login"}}"#, "cannot be read"),
            (r#"{"url": "mqtt://h", "credentials": {"env": "NOTHING_HERE"}}"#, "is not set"),
        ] {
            let problems = parse(mqtt).unwrap_err().join("\n");
            assert!(problems.contains(said) && !problems.contains("hunter2"), "{mqtt}: {problems}");
        }
    }
}
