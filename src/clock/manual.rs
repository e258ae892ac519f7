//! A clock for tests.

use std::time::{Duration, Instant, SystemTime};

use super::Clock;

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
