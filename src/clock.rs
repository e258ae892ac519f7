//! Time, injected: hours of camera life are tested in milliseconds.

use std::time::{Duration, Instant, SystemTime};

use parking_lot::{Condvar, MutexGuard};

/// Where the program takes its time from.
pub trait Clock: Send + Sync {
    /// Monotonic time.
    fn now(&self) -> Instant;

    /// Wall time, for stamps only.
    fn wall(&self) -> SystemTime;

    /// Waits on `condvar` for at most `timeout`. May wake early; the caller checks its condition.
    fn wait(
        &self,
        condvar: &Condvar,
        guard: &mut MutexGuard<'_, crate::source::capture::Wishes>,
        timeout: Duration,
    );
}

/// The operating system's clocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    fn wait(
        &self,
        condvar: &Condvar,
        guard: &mut MutexGuard<'_, crate::source::capture::Wishes>,
        timeout: Duration,
    ) {
        condvar.wait_for(guard, timeout);
    }
}

/// A clock that only moves when it is told to, or when somebody waits on it: a wait of an hour returns at
/// once with the clock an hour later.
#[derive(Debug)]
pub struct ManualClock {
    start: Instant,
    wall_start: SystemTime,
    elapsed: parking_lot::Mutex<Duration>,
}

impl Default for ManualClock {
    fn default() -> Self {
        Self { start: Instant::now(), wall_start: SystemTime::now(), elapsed: parking_lot::Mutex::default() }
    }
}

impl ManualClock {
    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        *self.elapsed.lock() += by;
    }

    /// How far it was moved since it was made.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        *self.elapsed.lock()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        self.start + self.elapsed()
    }

    fn wall(&self) -> SystemTime {
        self.wall_start + self.elapsed()
    }

    fn wait(&self, _: &Condvar, _: &mut MutexGuard<'_, crate::source::capture::Wishes>, timeout: Duration) {
        self.advance(timeout);
    }
}
