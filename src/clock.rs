//! Time, injected: hours of camera life are tested in milliseconds.
//!
//! Time in which the program stood still (SIGSTOP, a frozen container, a suspended machine) is nobody's: it runs down
//! no deadline and belongs to no rate. [`now`] leaves it out; [`watch`] notices it.

#[cfg(any(test, feature = "internals"))]
mod manual;
mod standstill;

use std::time::{Duration, Instant, SystemTime};

use crate::model::Moment;

#[cfg(any(test, feature = "internals"))]
pub use self::manual::ManualClock;
pub use self::standstill::{awoke, now, passed, watch};

/// Where the program takes its time from.
pub trait Clock: Send + Sync {
    /// Monotonic time in which the program ran.
    fn now(&self) -> Instant;

    /// Wall time, for stamps only.
    fn wall(&self) -> SystemTime;

    /// Time since the machine started, sleep included: nobody sets it, and it goes on while the machine is
    /// suspended, which [`Self::now`] does not.
    fn uptime(&self) -> Duration;

    /// When, on the scale of [`Self::now`], the program last went on after it had stood still.
    fn awoke(&self) -> Option<Instant> {
        None
    }

    /// Waits as `wait` does, for at most `timeout`. May wake early; the caller checks its condition.
    ///
    /// For a thread that waits for nothing but time or an order. A thread that waits for work waits for that itself, at
    /// most until its deadline on the scale of [`Self::now`]: a clock that a test moves must not run away from it.
    fn wait(&self, timeout: Duration, wait: &mut dyn FnMut(Duration));

    /// Lets `time` pass; blocks, and nothing wakes it.
    fn rest(&self, time: Duration) {
        self.wait(time, &mut |time| std::thread::sleep(time));
    }
}

/// Where an engine counts its moments from: its start, on the scale of [`Clock::now`].
#[derive(Debug, Clone, Copy)]
pub struct Start(Instant);

impl Start {
    /// Moments are counted from `at`.
    #[must_use]
    pub const fn new(at: Instant) -> Self {
        Self(at)
    }

    /// The moment of `at`; the start for what was before it.
    #[must_use]
    pub fn moment(self, at: Instant) -> Moment {
        Moment::new(at.saturating_duration_since(self.0))
    }
}

/// The operating system's clocks, with [`now`] for the monotonic one.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        now()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    fn uptime(&self) -> Duration {
        passed()
    }

    fn awoke(&self) -> Option<Instant> {
        awoke()
    }

    fn wait(&self, timeout: Duration, wait: &mut dyn FnMut(Duration)) {
        wait(timeout);
    }
}
