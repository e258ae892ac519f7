//! What the answers are made of.

use std::{sync::Arc, time::SystemTime};

use serde_json::Value;
use tokio::sync::{Semaphore, watch};

use super::{Served, metrics::MetricsPage, previews::Previews, snapshots::Snapshots};

/// Requests at a time that may wait, for a disk or a camera, and only look.
pub const LOOKING: usize = 3;

/// The same of those that act.
pub const ACTING: usize = 6;

/// What all requests share.
pub struct State {
    pub served: Arc<dyn Served>,
    pub snapshots: Snapshots,
    pub metrics: MetricsPage,
    pub previews: Previews,
    /// Slots for blocking requests that only read.
    pub looking: Arc<Semaphore>,
    /// Slots for blocking requests that change something; reads never take them.
    pub acting: Arc<Semaphore>,
    /// What describes the API.
    pub document: Value,
    /// Which run of the engine this is: event numbers start again with each.
    pub run: String,
    pub ended: watch::Receiver<bool>,
}

impl State {
    /// The state at the beginning. To be called inside the runtime.
    pub fn start(served: Arc<dyn Served>, document: Value, ended: watch::Receiver<bool>) -> Arc<Self> {
        let begun = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let previews = Previews::start(&served, ended.clone());
        Arc::new(Self {
            snapshots: Snapshots::new(Arc::clone(&served)),
            metrics: MetricsPage::new(Arc::clone(&served)),
            served,
            document,
            previews,
            looking: Arc::new(Semaphore::new(LOOKING)),
            acting: Arc::new(Semaphore::new(ACTING)),
            run: format!("{:x}{:x}", begun.as_secs(), std::process::id()),
            ended,
        })
    }

    /// Whether the program is shutting down.
    pub fn is_ending(&self) -> bool {
        *self.ended.borrow()
    }
}
