//! What all sources of an engine share.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use crossbeam_channel::Sender;

use super::{
    aggregator::Outbox,
    areas::ShownAreas,
    counters::Counters,
    heartbeat::Rounds,
    load::WorkerLoad,
    message::Message,
    pool::{models::Models, scheduler::Scheduler},
    threads::Threads,
};
use crate::{
    clock::{Clock, Start},
    config::Hwaccel,
    evidence::Evidence,
    metrics::{buckets::Buckets, histogram::Histogram},
    model::{Acknowledgment, Moment},
    source::{Opener, decode_scheduler::DecodeScheduler},
};

/// What all sources share.
pub struct Core {
    pub opener: Arc<dyn Opener>,
    pub clock: Arc<dyn Clock>,
    /// Where moments are counted from.
    pub start: Start,
    pub models: Models,
    pub scheduler: Scheduler,
    pub decode_scheduler: DecodeScheduler,
    pub outbox: Arc<Outbox>,
    pub coordinator: Sender<Message>,
    pub usage: ArcSwap<Usage>,
    /// Who has seen which alerts. The coordinator alone writes it.
    pub acknowledged: ArcSwap<Vec<Acknowledgment>>,
    /// The areas as they are now. The result handler alone writes it.
    pub areas: Arc<ShownAreas>,
    /// Files that wait for an open slot.
    pub waiting_files: AtomicUsize,
    pub generation: Arc<AtomicU64>,
    pub threads: Arc<Threads>,
    pub rounds: Arc<Rounds>,
    pub history: Duration,
    /// Time zone of opening hours.
    pub timezone: jiff::tz::TimeZone,
    /// Kind of device that decodes sources which name none.
    pub hwaccel: Hwaccel,
    pub frame_age: Histogram,
    /// The same in the bounds of [`Metrics`](super::Metrics), since the start.
    pub frame_ages: Buckets,
    /// How long detection took in each frame that had a detection run.
    pub detection: Buckets,
    /// What was counted since the start.
    pub counters: Arc<Counters>,
    /// Takes snapshots of crossings, where they are kept.
    pub evidence: Option<Evidence>,
}

impl Core {
    /// The moment of `at`.
    pub fn moment(&self, at: Instant) -> Moment {
        self.start.moment(at)
    }

    /// Whether the program went on less than `time` ago after it had stood still.
    pub fn is_awakening(&self, time: Duration) -> bool {
        let since = |at| self.clock.now().saturating_duration_since(at);
        self.clock.awoke().is_some_and(|at| since(at) < time)
    }

    /// Leaves a message for the coordinator; it is dropped where there is none any more.
    pub fn tell(&self, message: Message) {
        drop(self.coordinator.send(message));
    }

    /// Something that is shown has changed.
    pub fn note_change(&self) {
        self.generation.fetch_add(1, Ordering::Release);
    }
}

/// What the process and its workers use, as of the last tick.
#[derive(Debug, Clone, Default)]
pub struct Usage {
    /// In cores (1.0 = one core busy).
    pub cpu: f32,
    /// Resident memory, in bytes.
    pub rss: u64,
    pub loads: Vec<WorkerLoad>,
}
