//! What may be read of a source at any time.

use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use parking_lot::Mutex;

use super::{counts::timestamp, vitals::Vitals};
use crate::{
    config::SourceConfig,
    count::replay::Paths,
    engine::{core::Core, counters::SourceCounters},
    metrics::stages::Meter,
    model::{Lease, Preview, SourceId, TaskResult},
    store::{cell::SourceCell, history::History},
};

/// What may be read of a source at any time, without waiting for its actor.
pub struct Shared {
    pub id: SourceId,
    pub number: usize,
    pub task_id: String,
    pub cell: SourceCell,
    pub config: ArcSwap<SourceConfig>,
    pub history: Mutex<History>,
    pub preview: ArcSwapOption<Preview>,
    /// The tracks of the last minutes.
    pub paths: Arc<Mutex<Paths>>,
    /// CPU time by stage, of this source alone.
    pub stages: Arc<Meter>,
    pub vitals: ArcSwap<Vitals>,
    /// Those of its id, also of the sources that had it before.
    pub counters: Arc<SourceCounters>,
    pub core: Arc<Core>,
}

impl Shared {
    /// Whether it may be counted here: not once the lease of a fleet's source is over.
    pub fn may_count(&self) -> bool {
        self.config.load().lease.as_ref().is_none_or(Lease::holds)
    }

    /// Hands the result as of now to the result handler.
    pub fn report(&self, worker: usize, errors: Vec<String>) {
        let timestamp = timestamp(self.core.clock.wall());
        self.core.outbox.result(TaskResult::of(&self.cell.load(), worker, &self.task_id, timestamp, errors));
    }
}
