//! What the threads of webhooks are given.

use std::{path::PathBuf, sync::Arc};

use crate::{clock::Clock, model::SourceId, outputs::ledger::Ledger};

/// What is said of a source beside its id: alias and location.
pub type Labels = Arc<dyn Fn(&SourceId) -> Option<(String, Option<String>)> + Send + Sync>;

/// What the threads of webhooks are given.
#[derive(Clone)]
pub struct WebhookOptions {
    /// The ledger that is being written.
    pub ledger: Arc<Ledger>,
    /// Its file.
    pub path: PathBuf,
    /// Tells alias and location of sources.
    pub labels: Labels,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
}
