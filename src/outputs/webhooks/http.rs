//! One request to the server of a webhook. Everything has its bound: time, what is read, whom it is sent to.

use std::{io::Read as _, sync::Arc, time::Duration};

use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use ureq::{
    Agent,
    tls::{Certificate, RootCerts, TlsConfig},
};

use super::{message::Message, sign::SigningKey};
use crate::config::{Secret, WebhookConfig};

/// Longest time of a whole request.
const PATIENCE: Duration = Duration::from_secs(15);

/// Longest time until there is a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// Most bytes that are read of an answer, so that its connection serves the next request as well. Nothing in it matters.
const MOST_READ: u64 = 16 << 10;

/// What became of a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Accepted: any status from 200 to 299.
    Accepted(u16),
    /// Refused with this status; the server may have asked for a wait.
    Refused(u16, Option<Duration>),
    /// There was no answer, in words without the address.
    Unanswered(String),
}

/// A client of one server.
pub struct Caller {
    agent: Agent,
    url: Secret,
    key: SigningKey,
}

impl Caller {
    /// A client that signs with `key`. Blocks for the files of certificates.
    ///
    /// # Errors
    /// When certificates cannot be read, in a sentence.
    pub fn new(webhook: &WebhookConfig, key: SigningKey) -> Result<Self, String> {
        let certificates: Vec<CertificateDer<'static>> = match &webhook.ca {
            Some(path) => {
                let place = path.display();
                let found =
                    CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
                let found = found
                    .map_err(|error| format!("the certificates in '{place}' cannot be read: {error}"))?;
                if found.is_empty() {
                    return Err(format!("'{place}' holds no certificate; write some as PEM"));
                }
                found
            }
            None => rustls_native_certs::load_native_certs().certs,
        };
        let certificates: Vec<Certificate<'static>> =
            certificates.iter().map(|found| Certificate::from_der(found).to_owned()).collect();
        let tls = TlsConfig::builder()
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .root_certs(RootCerts::new_with_certs(&certificates))
            .build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            // A signed message goes to the server that is configured, and to no other.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .user_agent(concat!("pcount-tui/", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(PATIENCE))
            .timeout_connect(Some(CONNECT))
            .max_response_header_size(32 << 10)
            .build()
            .new_agent();
        Ok(Self { agent, url: webhook.url.clone(), key })
    }

    /// Sends `message`. `timestamp`: now, in seconds since the Unix epoch. Blocks for up to 15 seconds.
    pub fn send(&self, message: &Message, timestamp: i64) -> Outcome {
        let request = self
            .agent
            .post(self.url.reveal())
            .header("content-type", "application/json")
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", timestamp.to_string())
            .header("webhook-signature", self.key.sign(&message.id, timestamp, &message.body));
        let mut answer = match request.send(&message.body) {
            Ok(answer) => answer,
            Err(error) => return Outcome::Unanswered(words(&error)),
        };
        let status = answer.status().as_u16();
        let asked =
            answer.headers().get("retry-after").and_then(|value| value.to_str().ok()).and_then(wait_of);
        // What is left of a longer answer is cut off with its connection.
        let _ = std::io::copy(&mut answer.body_mut().as_reader().take(MOST_READ), &mut std::io::sink());
        if (200..300).contains(&status) { Outcome::Accepted(status) } else { Outcome::Refused(status, asked) }
    }
}

/// Sends a message of the type `test` to the server of `webhook` at `wall`, in milliseconds since the Unix epoch; gives what it
/// answered. Blocks for files, and up to 15 seconds for the server.
///
/// # Errors
/// What it answered where that is no acceptance, or why there is no answer.
pub fn test(webhook: &WebhookConfig, wall: i64) -> Result<String, String> {
    let caller = Caller::new(webhook, SigningKey::read(webhook)?)?;
    match caller.send(&Message::test(wall), wall.div_euclid(1000)) {
        Outcome::Accepted(status) => Ok(format!("accepted ({status})")),
        Outcome::Refused(status, _) => Err(format!("refused ({status})")),
        Outcome::Unanswered(problem) => Err(problem),
    }
}

/// Seconds to wait. The other form, a date, is left to the usual waits.
fn wait_of(text: &str) -> Option<Duration> {
    text.trim().parse().ok().map(Duration::from_secs)
}

/// Why there was no answer, without anything of the address.
fn words(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(_) => "no answer in time".to_owned(),
        ureq::Error::HostNotFound => "the host is not known".to_owned(),
        ureq::Error::ConnectionFailed => "no connection".to_owned(),
        ureq::Error::Io(error) => match error.kind() {
            std::io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
            std::io::ErrorKind::ConnectionReset => "the connection was closed".to_owned(),
            _ => error.to_string(),
        },
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => "the address cannot be used".to_owned(),
        other => other.to_string(),
    }
}
