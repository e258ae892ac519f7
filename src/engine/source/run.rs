//! One run of a capture thread: what it and its source share.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::{
    metrics::stages::thread_nanoseconds,
    source::{
        capture::CaptureControl,
        pacer::{Demand, RateShares},
    },
};

/// What a capture thread and its source share. A thread that has not yet heard that it is to end keeps its own run, so
/// that what it does meanwhile reaches nobody.
#[derive(Default)]
pub struct Run {
    pub control: CaptureControl,
    pub demand: Demand,
    /// Frames that were passed over on purpose.
    skipped: AtomicU64,
    /// CPU time of the thread, in nanoseconds.
    cpu: AtomicU64,
}

impl Run {
    /// A run of a source that may be paused already, or watched, or throttled.
    pub fn new(paused: bool, watched: bool, shares: RateShares) -> Self {
        let run = Self::default();
        run.control.pause(paused);
        run.demand.set_watched(watched);
        run.demand.set_shares(shares);
        run
    }

    /// Ends the thread at its next turn.
    pub fn stop(&self) {
        self.control.stop();
        self.demand.close();
    }

    /// Frames that were passed over on purpose.
    pub fn skipped(&self) -> u64 {
        self.skipped.load(Ordering::Relaxed)
    }

    /// CPU time of the thread so far, in nanoseconds.
    pub fn cpu(&self) -> u64 {
        self.cpu.load(Ordering::Relaxed)
    }

    /// So many frames more were passed over.
    pub fn skip(&self, frames: u64) {
        self.skipped.fetch_add(frames, Ordering::Relaxed);
    }

    /// Books the CPU time of the capture thread, which is the one that calls.
    pub fn book(&self) {
        self.cpu.store(thread_nanoseconds(), Ordering::Relaxed);
    }
}
