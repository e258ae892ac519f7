//! How fast a source goes, what it costs, and what share of its rates it gets under overload.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::{rhythm::Rhythm, run::Run};

/// Time spent running, for the frame rate of a whole run.
#[derive(Debug, Default)]
struct RunningTime {
    since: Option<Instant>,
    before: Duration,
}

impl RunningTime {
    fn total(&self, now: Instant) -> Duration {
        self.before + self.since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }
}

/// A moment of the counters from which rates are taken.
pub(super) struct Sample {
    pub at: Instant,
    pub handled: u64,
    pub detected: u64,
    /// Nanoseconds.
    pub cpu: u64,
}

/// What is measured of one source.
#[derive(Default)]
pub(super) struct Rates {
    /// Frames that a worker has handled, and those that were passed over by runs that are over.
    pub handled: u64,
    /// Frames with a detection run.
    pub detected: u64,
    /// CPU time spent on it by workers and by runs that are over, in nanoseconds.
    pub cpu: u64,
    /// When frames of a live source are due.
    pub rhythm: Rhythm,
    /// When the last result was reported.
    pub last_result: Option<Instant>,
    running: RunningTime,
    pub samples: VecDeque<Sample>,
    pub last_logged: Option<Instant>,
    /// When it was last opened, began to be, or its frames grew.
    pub changed: Option<Instant>,
}

impl Rates {
    /// From `now` on the source is running, or is not.
    pub fn run(&mut self, running: bool, now: Instant) {
        self.running = RunningTime { before: self.running.total(now), since: running.then_some(now) };
    }

    /// Time spent running until `now`.
    pub fn running(&self, now: Instant) -> Duration {
        self.running.total(now)
    }

    /// Frames handled or passed over.
    pub fn frames(&self, run: &Run) -> u64 {
        self.handled + run.skipped()
    }

    /// The source may take more memory from `now` on.
    pub fn change(&mut self, now: Instant) {
        self.changed = Some(now);
    }

    /// `run` is over.
    pub fn leave(&mut self, run: &Run) {
        self.handled += run.skipped();
        self.cpu += run.cpu();
    }

    /// Nothing was measured yet; CPU time goes on.
    pub fn forget(&mut self) {
        (self.handled, self.detected, self.running) = (0, 0, RunningTime::default());
        self.samples.clear();
    }
}
