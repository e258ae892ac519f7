//! Servers that are told: whether they are reached. Nobody logs in, and nothing is sent but what encryption needs.

use std::{path::Path, time::Duration};

use serde::Deserialize;
use url::Url;

use super::{finding::Finding, site::Site};
use crate::{
    config::TlsConfig,
    fleet::{self, FleetKey},
    outputs::webhooks,
    source::{
        SourceError,
        network::{certificate, client_config, greeting, reach},
    },
};

/// A server is reached within this time.
const PATIENCE: Duration = Duration::from_secs(5);

/// Port of NATS servers that name none.
const NATS_PORT: u16 = 4222;

/// Longest greeting of a NATS server, in bytes.
const LONGEST_GREETING: u64 = 64 << 10;

/// What an address that cannot be used is called.
const UNUSABLE: &str = "its address cannot be used";

/// The MQTT broker.
pub fn mqtt(site: &Site) -> Vec<Finding> {
    let Some(mqtt) = &site.config.parallel.mqtt else {
        return vec![Finding::ok("no broker in the configuration")];
    };
    if let Some(finding) = not_tried(site) {
        return vec![finding];
    }
    let scheme = if mqtt.encrypted { "https" } else { "http" };
    let reached = reached(&format!("{scheme}://{}", mqtt.address()), mqtt.ca.as_deref());
    vec![told(
        site,
        "the broker",
        reached,
        "check 'mqtt.url', 'mqtt.ca' and the network; counting goes on without it",
    )]
}

/// The server of each webhook, and the secret that signs for it.
pub fn webhooks(site: &Site) -> Vec<Finding> {
    let hooks = &site.config.parallel.webhooks;
    if hooks.is_empty() {
        return vec![Finding::ok("none in the configuration")];
    }
    let mut findings = Vec::new();
    for hook in hooks {
        if let Err(problem) = webhooks::check_secret(hook) {
            let fix = "name a 'secret_file' of this user; until then nothing is sent";
            findings.push(Finding::fail(site.veil.said(&problem), fix).about(&hook.name));
        }
        let finding = not_tried(site).unwrap_or_else(|| {
            let fix = "check 'url', 'ca' and the network; events wait in the ledger. 'pcount-tui ctl webhooks test' \
                       sends one";
            told(site, "its server", reached(&hook.place, hook.ca.as_deref()), fix)
        });
        findings.push(finding.about(&hook.name));
    }
    findings
}

/// The NATS servers of a fleet, and the files by which this node is known.
pub fn fleet(site: &Site) -> Vec<Finding> {
    let Some(config) = &site.config.parallel.fleet else {
        return vec![Finding::ok("none in the configuration")];
    };
    let mut findings = Vec::new();
    let files = [
        config.credentials.as_deref().map(fleet::check_login),
        config.key_file.as_deref().map(|path| FleetKey::read(path).map(drop)),
    ];
    for problem in files.into_iter().flatten().filter_map(Result::err) {
        let fix = "correct 'fleet' in the configuration: the node does not join without it";
        findings.push(Finding::fail(site.veil.said(&problem), fix));
    }
    if let Some(finding) = not_tried(site) {
        findings.push(finding);
        return findings;
    }
    for (host, port) in config.url.hosts(NATS_PORT) {
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        findings.push(nats(site, &format!("http://{host}:{port}")));
    }
    findings
}

fn nats(site: &Site, address: &str) -> Finding {
    let greeted = Url::parse(address)
        .map_err(|_| UNUSABLE.to_owned())
        .and_then(|url| greeting(&url, PATIENCE, LONGEST_GREETING).map_err(|error| error.to_string()));
    let shown =
        if site.veil.shows() { format!(" at {}", site.veil.address(&address[7..])) } else { String::new() };
    let greeting = match greeted {
        Ok(greeting) => greeting,
        Err(problem) => {
            let fix = "check 'fleet.url' and the network; a node counts nothing new meanwhile";
            return Finding::fail(format!("no NATS server{shown}: {}", site.veil.said(&problem)), fix);
        }
    };
    let Some(info) = Info::of(&greeting) else {
        let fix = "check 'fleet.url': another program answers there";
        return Finding::fail(format!("what answers{shown} is no NATS server"), fix);
    };
    let version = info.version;
    if info.jetstream {
        Finding::ok(format!("NATS {version} with JetStream answers{shown}; the login is not tried"))
    } else {
        let fix = "start it with 'nats-server -js'";
        Finding::fail(format!("NATS {version} answers{shown}, and has no JetStream"), fix)
    }
}

/// What a NATS server says of itself first.
#[derive(Deserialize)]
struct Info {
    version: String,
    #[serde(default)]
    jetstream: bool,
}

impl Info {
    fn of(greeting: &str) -> Option<Self> {
        let found: Self = serde_json::from_str(greeting.strip_prefix("INFO ")?.trim()).ok()?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-+".contains(c);
        (found.version.len() < 40 && found.version.chars().all(is_plain)).then_some(found)
    }
}

fn not_tried(site: &Site) -> Option<Finding> {
    if !site.is_valid() {
        Some(Finding::ok("not tried: the configuration has problems"))
    } else if site.options.connects {
        None
    } else {
        Some(Finding::ok("not tried"))
    }
}

/// Connects to a server, and encrypts where its scheme says so; gives whether its certificate was checked.
fn reached(address: &str, ca: Option<&Path>) -> Result<bool, String> {
    let url = Url::parse(address).map_err(|_| UNUSABLE.to_owned())?;
    let said = |error: SourceError| error.to_string();
    if url.scheme() != "https" {
        return reach(&url, PATIENCE).map(|()| false).map_err(said);
    }
    let tls = TlsConfig { ca: ca.map(Path::to_owned), verify: true };
    // A file that cannot be read is said here.
    client_config(&tls).map_err(said)?;
    match certificate(&url, &tls, PATIENCE).map_err(said)? {
        (_, true) => Ok(true),
        (_, false) => {
            Err("no authority that is trusted here has signed its certificate, or it is another host's"
                .into())
        }
    }
}

fn told(site: &Site, server: &str, reached: Result<bool, String>, fix: &str) -> Finding {
    match reached {
        Ok(true) => Finding::ok(format!("{server} answers, encrypted and trusted; the login is not tried")),
        Ok(false) => Finding::ok(format!("{server} accepts connections; the login is not tried")),
        Err(problem) => Finding::fail(format!("{server} is not reached: {}", site.veil.said(&problem)), fix),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_tells_its_version_before_anything_is_sent() {
        let info =
            Info::of("INFO {\"server_id\":\"X\",\"version\":\"2.14.3\",\"jetstream\":true} \r\n").unwrap();
        assert_eq!((&*info.version, info.jetstream), ("2.14.3", true));
        assert!(Info::of("HTTP/1.1 400 Bad Request\r\n").is_none());
        assert!(Info::of("INFO {\"version\":\"\u{1b}[2J\"}").is_none(), "it is shown");
    }
}
