//! What the threads of webhooks are given.

use std::{path::PathBuf, sync::Arc, time::Duration};

use crate::{clock::Clock, config::WebhookEvent, model::SourceId, outputs::ledger::Ledger};

/// What is said of a source beside its id: alias and location.
pub type Labels = Arc<dyn Fn(&SourceId) -> Option<(String, Option<String>)> + Send + Sync>;

/// How far a ledger is.
pub trait LedgerProgress: Send + Sync {
    /// Waits until everything noted so far is on disk; `false` when that failed or `timeout` passed first.
    fn sync(&self, timeout: Duration) -> bool;
    /// Rises with each commit.
    fn durable(&self) -> u64;
}

impl LedgerProgress for Ledger {
    fn sync(&self, timeout: Duration) -> bool {
        Self::sync(self, timeout)
    }

    fn durable(&self) -> u64 {
        Self::durable(self)
    }
}

/// What the threads of webhooks are given.
#[derive(Clone)]
pub struct WebhookOptions {
    /// The ledger that is being written.
    pub ledger: Arc<dyn LedgerProgress>,
    /// Its file.
    pub path: PathBuf,
    /// Tells alias and location of sources.
    pub labels: Labels,
    /// All webhooks, by name, with what each wants.
    pub webhooks: Arc<[(String, Vec<WebhookEvent>)]>,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
}
