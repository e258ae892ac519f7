//! Time, injected: hours of camera life are tested in milliseconds.
//!
//! Time in which the program stood still (SIGSTOP, a frozen container, a suspended machine) is nobody's: it runs down
//! no deadline and belongs to no rate. [`now`] leaves it out; [`watch`] notices it.

mod standstill;

use std::time::{Duration, Instant, SystemTime};

use crate::model::Moment;

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

/// A clock that only moves when it is told to, or when somebody waits on it: a wait of an hour returns at
/// once with the clock an hour later.
#[derive(Debug)]
pub struct ManualClock {
    start: Instant,
    wall_start: parking_lot::Mutex<SystemTime>,
    elapsed: parking_lot::Mutex<Duration>,
    awoke: parking_lot::Mutex<Option<Instant>>,
}

impl Default for ManualClock {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            wall_start: parking_lot::Mutex::new(SystemTime::now()),
            elapsed: parking_lot::Mutex::default(),
            awoke: parking_lot::Mutex::default(),
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

    /// The program has just gone on after it had stood still.
    pub fn awake(&self) {
        *self.awoke.lock() = Some(self.now());
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

    fn awoke(&self) -> Option<Instant> {
        *self.awoke.lock()
    }

    fn wait(&self, timeout: Duration, _: &mut dyn FnMut(Duration)) {
        self.advance(timeout);
    }
}
