//! Settings of a webhook.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Secret;

/// A server that is told of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookConfig {
    /// Its name, unique.
    pub name: String,
    /// Where events are sent. Kept from being printed: many servers know their customers by what stands behind the host.
    pub url: Secret,
    /// Scheme, host and port of [`Self::url`], to be shown.
    pub place: String,
    /// What is sent, each once.
    pub events: Vec<WebhookEvent>,
    /// File of the secret that signs what is sent.
    pub secret_file: PathBuf,
    /// File of the certificates that are trusted in place of the system's.
    pub ca: Option<PathBuf>,
}

/// What a webhook may be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum WebhookEvent {
    /// Somebody crossed a line.
    Crossing,
    /// Counts were set to zero.
    Reset,
    /// A source changed state.
    State,
    /// A limit was reached, or is no more.
    Threshold,
    /// The number inside an area was corrected.
    Correction,
}

impl WebhookEvent {
    /// The words of the configuration.
    pub const NAMES: [(&'static str, Self); 5] = [
        ("crossing", Self::Crossing),
        ("reset", Self::Reset),
        ("state", Self::State),
        ("threshold", Self::Threshold),
        ("correction", Self::Correction),
    ];
}

impl WebhookConfig {
    /// Whether it is told of `event`.
    #[must_use]
    pub fn wants(&self, event: WebhookEvent) -> bool {
        self.events.contains(&event)
    }
}
