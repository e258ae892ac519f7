//! The whole program, as shown.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Acknowledgment, AreaSnapshot, Event, Moment, NodeSnapshot, SourceId, SourceSnapshot};

/// How workers and sources go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Strategy {
    /// A fixed pool whose workers all sources share.
    #[default]
    Shared,
    /// One worker for each source.
    Dedicated,
}

impl Strategy {
    /// The words of the configuration.
    pub const NAMES: [(&'static str, Self); 2] = [("shared", Self::Shared), ("dedicated", Self::Dedicated)];
}

/// One worker as shown.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct WorkerSnapshot {
    /// From 1.
    pub number: usize,
    /// Whether it is within the live `worker_count`.
    pub enabled: bool,
    /// Source it works for at this moment.
    pub source: Option<SourceId>,
    /// Frames it has handled.
    pub frames: u64,
    /// Share of the last seconds spent working, 0..=1.
    pub busy: f32,
    /// CPU it uses, in cores (1.0 = one core busy). Below [`Self::busy`] where it waits for the processor.
    pub cpu: f32,
    /// Detection runs.
    pub looks: u64,
    /// Frames that could not be processed.
    pub errors: u64,
    /// Times it panicked over a frame and went on with the next one.
    pub restarts: u64,
}

/// Everything the front ends show, gathered without waiting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct EngineSnapshot {
    /// One per source, in the order they were added.
    pub sources: Vec<Arc<SourceSnapshot>>,
    /// One per thread of the pool.
    pub workers: Vec<WorkerSnapshot>,
    /// Workers that may run now.
    pub worker_count: usize,
    /// Upper bound.
    pub max_workers: usize,
    /// Tasks that wait for a worker, and files not opened yet.
    pub queue_pending: usize,
    /// Sources of the tasks that wait for a worker, in the order in which they will be taken.
    pub queue: Vec<SourceId>,
    /// How workers and sources go together.
    pub strategy: Strategy,
    /// Detector in use by default, with its engine.
    pub detector: String,
    /// What endangers counts or files at this moment, such as a full disk.
    pub problems: Vec<String>,
    /// Fall-backs and the like that the user should know of.
    pub notices: Vec<String>,
    /// Who acknowledged which of the alerts that stand.
    #[serde(default)]
    pub acknowledged: Arc<Vec<Acknowledgment>>,
    /// One per area, in the order of the configuration.
    #[serde(default)]
    pub areas: Arc<Vec<AreaSnapshot>>,
    /// The nodes, by name, where this is of a whole fleet; else none.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub nodes: Arc<Vec<NodeSnapshot>>,
    /// The latest events, oldest first, at most a few hundred.
    pub events: Arc<Vec<Arc<Event>>>,
    /// Events not yet handled that were lost (0 unless the disk cannot follow).
    pub events_lost: u64,
    /// Log lines lost because the writer could not follow.
    pub log_lines_lost: u64,
    /// CPU of the whole process, in cores (1.0 = one core busy).
    pub cpu: f32,
    /// Resident memory, in bytes.
    pub rss: u64,
    /// What [`Self::rss`] is kept below, when configured.
    pub memory_limit: Option<u64>,
    /// When it was gathered: ages and countdowns of all that it holds are as of this moment.
    pub taken: Moment,
    /// Rises whenever something that is shown has changed.
    pub generation: u64,
}

/// Left out where there is no fleet.
fn is_empty(nodes: &Arc<Vec<NodeSnapshot>>) -> bool {
    nodes.is_empty()
}

impl EngineSnapshot {
    /// Whether this is of a whole fleet.
    #[must_use]
    pub fn is_fleet(&self) -> bool {
        !self.nodes.is_empty()
    }

    /// In, out and signed net over all sources.
    #[must_use]
    pub fn totals(&self) -> (u64, u64, i64) {
        let (total_in, total_out) =
            self.sources.iter().fold((0, 0), |(i, o), s| (i + s.total_in, o + s.total_out));
        (total_in, total_out, total_in as i64 - total_out as i64)
    }

    /// Workers that did anything in the last seconds, at most [`Self::worker_count`]: those that have just been
    /// turned off finish what they have begun.
    #[must_use]
    pub fn active_workers(&self) -> usize {
        let active = |worker: &&WorkerSnapshot| worker.source.is_some() || worker.busy > 0.0;
        self.workers.iter().filter(active).count().min(self.worker_count)
    }
}

/// Health of the outputs, which write down what is counted.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[non_exhaustive]
pub struct Health {
    /// What endangers counts or files at this moment, in words for the user.
    pub problems: Vec<String>,
    /// What the user should know besides.
    pub notices: Vec<String>,
    /// Events lost so far.
    pub lost: u64,
}
