//! Time, injected: hours of camera life are tested in milliseconds.

use std::time::{Duration, Instant, SystemTime};

use parking_lot::{Condvar, MutexGuard};

/// Where the program takes its time from.
pub trait Clock: Send + Sync {
    /// Monotonic time.
    fn now(&self) -> Instant;

    /// Wall time, for stamps only.
    fn wall(&self) -> SystemTime;

    /// Time since the machine started, sleep included: nobody sets it, and it goes on while the machine is
    /// suspended, which [`Self::now`] does not.
    fn uptime(&self) -> Duration;

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

    fn uptime(&self) -> Duration {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let part = |value: i64| u64::try_from(value).unwrap_or(0);
        Duration::from_secs(part(time.tv_sec)) + Duration::from_nanos(part(time.tv_nsec))
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
    wall_start: parking_lot::Mutex<SystemTime>,
    elapsed: parking_lot::Mutex<Duration>,
}

impl Default for ManualClock {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            wall_start: parking_lot::Mutex::new(SystemTime::now()),
            elapsed: parking_lot::Mutex::default(),
        }
    }
}

impl ManualClock {
    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        *self.elapsed.lock() += by;
    }

    /// Sets the wall clock, as an administrator or a time server does; the other clocks do not notice.
    pub fn set_wall(&self, wall: SystemTime) {
        *self.wall_start.lock() = wall - self.elapsed();
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
        *self.wall_start.lock() + self.elapsed()
    }

    fn uptime(&self) -> Duration {
        self.elapsed()
    }

    fn wait(&self, _: &Condvar, _: &mut MutexGuard<'_, crate::source::capture::Wishes>, timeout: Duration) {
        self.advance(timeout);
    }
}
