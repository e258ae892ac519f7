//! How long a call into FFmpeg may take.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::super::{Interrupt, SourceError};
use crate::clock::Clock;

/// The deadline of the call that is on, asked by FFmpeg itself whenever it waits. It is over, or the user wants something
/// else of the source. Time in which the program stood still is not part of it.
#[derive(Clone)]
pub struct Patience(Arc<Inner>);

struct Inner {
    clock: Arc<dyn Clock>,
    deadline: Mutex<Instant>,
    is_over: AtomicBool,
    interrupt: Interrupt,
    was_interrupted: AtomicBool,
}

impl Patience {
    /// None yet.
    pub fn new(interrupt: Interrupt, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Inner {
            deadline: Mutex::new(clock.now()),
            clock,
            is_over: AtomicBool::new(false),
            interrupt,
            was_interrupted: AtomicBool::new(false),
        }))
    }

    /// Calls from now on may take `time` altogether.
    pub fn allow(&self, time: Duration) {
        *self.0.deadline.lock() = self.0.clock.now() + time;
        self.0.is_over.store(false, Ordering::Relaxed);
    }

    /// Whether the call that is on is to end.
    pub fn gives_up(&self) -> bool {
        if self.0.interrupt.is_set() {
            self.0.was_interrupted.store(true, Ordering::Relaxed);
            return true;
        }
        let over = self.0.clock.now() >= *self.0.deadline.lock();
        self.0.is_over.fetch_or(over, Ordering::Relaxed);
        over
    }

    /// Whether a call was ended because it took too long.
    pub fn is_over(&self) -> bool {
        self.0.is_over.load(Ordering::Relaxed)
    }

    /// Whether a call was ended because the user wants something else.
    pub fn was_interrupted(&self) -> bool {
        self.0.was_interrupted.load(Ordering::Relaxed)
    }

    /// Waits for `time`.
    ///
    /// # Errors
    /// [`SourceError::Interrupted`] when the user wants something else meanwhile.
    pub fn rest(&self, time: Duration) -> Result<(), SourceError> {
        let clock = self.0.clock.as_ref();
        self.0.interrupt.rest_until(clock, clock.now() + time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn a_call_ends_at_its_deadline_or_when_something_else_is_wanted() {
        let interrupt = Interrupt::default();
        let patience = Patience::new(interrupt.clone(), Arc::new(ManualClock::default()));
        patience.allow(Duration::from_hours(1));
        assert!(!patience.gives_up() && !patience.is_over());
        patience.allow(Duration::ZERO);
        assert!(patience.gives_up() && patience.is_over() && !patience.was_interrupted());
        patience.allow(Duration::from_hours(1));
        assert!(!patience.is_over(), "each call has a deadline of its own");
        interrupt.set(true);
        assert!(patience.gives_up() && patience.was_interrupted());
        assert_eq!(patience.rest(Duration::from_hours(1)), Err(SourceError::Interrupted));
        interrupt.set(false);
        assert!(!patience.gives_up());
    }
}
