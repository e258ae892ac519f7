//! What is done when there is too much to do: rarer detections, fewer frames, sources closed for want of memory.

pub mod memory;
pub mod throttle;

use std::time::Duration;

/// Share of the time between two measurements that went into something, from its sum of nanoseconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct TimeShare {
    before: u64,
    /// 0..=1.
    pub share: f32,
}

impl TimeShare {
    /// Takes the sum `now`, after the `time` since it was taken last.
    pub fn measure(&mut self, now: u64, time: Duration) {
        self.share = (now.saturating_sub(self.before) as f32 / time.as_nanos() as f32).min(1.0);
        self.before = now;
    }
}

/// How much one worker works.
#[derive(Debug, Clone, Copy, Default)]
pub struct WorkerLoad {
    /// With something in hand.
    pub busy: TimeShare,
    /// With a processor.
    pub cpu: TimeShare,
}
