//! How webhooks do, and what becomes of a test.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a webhook does. Holds nothing of its address but scheme, host and port.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookStatus {
    /// Its name.
    pub name: String,
    /// Scheme, host and port of the server.
    pub server: String,
    /// Events that were accepted since the start of the program.
    pub accepted: u64,
    /// Attempts that failed since the start of the program.
    pub failed: u64,
    /// Events that it has not been told, as of the last few seconds.
    pub pending: u64,
    /// Crossings that were removed from the ledger before it could be told.
    pub skipped: u64,
    /// When the last event was accepted, in milliseconds since the Unix epoch.
    pub last_success: Option<i64>,
    /// Since when nothing is accepted, in milliseconds since the Unix epoch.
    pub failing_since: Option<i64>,
    /// Why.
    pub problem: Option<String>,
    /// Seconds until the next attempt.
    pub next_attempt: Option<u64>,
    /// Whether nothing is sent until the next start, because the server said that it is gone for ever.
    pub stopped: bool,
}

/// What became of a test of a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookTest {
    /// Its name.
    pub name: String,
    /// Whether the server has accepted it.
    pub accepted: bool,
    /// What it answered, in words.
    pub answer: String,
}
