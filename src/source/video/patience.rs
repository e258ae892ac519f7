//! How long a call into FFmpeg may take.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::super::{Interrupt, SourceError};
use crate::clock;

/// How often an order to stop is looked for while nothing is done.
const LOOK: Duration = Duration::from_millis(50);

/// The deadline of the call that is on, asked by FFmpeg itself whenever it waits. It is over, or the user wants something
/// else of the source. Time in which the program stood still is not part of it.
#[derive(Clone)]
pub struct Patience(Arc<Inner>);

struct Inner {
    deadline: Mutex<Instant>,
    is_over: AtomicBool,
    interrupt: Interrupt,
    was_interrupted: AtomicBool,
}

impl Patience {
    /// None yet.
    pub fn new(interrupt: Interrupt) -> Self {
        Self(Arc::new(Inner {
            deadline: Mutex::new(clock::now()),
            is_over: AtomicBool::new(false),
            interrupt,
            was_interrupted: AtomicBool::new(false),
        }))
    }

    /// Calls from now on may take `time` altogether.
    pub fn allow(&self, time: Duration) {
        *self.0.deadline.lock() = clock::now() + time;
        self.0.is_over.store(false, Ordering::Relaxed);
    }

    /// Whether the call that is on is to end.
    pub fn gives_up(&self) -> bool {
        if self.0.interrupt.is_set() {
            self.0.was_interrupted.store(true, Ordering::Relaxed);
            return true;
        }
        let over = clock::now() >= *self.0.deadline.lock();
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

    /// Sleeps for `time`.
    ///
    /// # Errors
    /// [`SourceError::Interrupted`] when the user wants something else meanwhile.
    pub fn rest(&self, time: Duration) -> Result<(), SourceError> {
        let until = clock::now() + time;
        loop {
            if self.0.interrupt.is_set() {
                return Err(SourceError::Interrupted);
            }
            match until.saturating_duration_since(clock::now()) {
                Duration::ZERO => return Ok(()),
                left => thread::sleep(left.min(LOOK)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_ends_at_its_deadline_or_when_something_else_is_wanted() {
        let interrupt = Interrupt::default();
        let patience = Patience::new(interrupt.clone());
        patience.allow(Duration::from_secs(3600));
        assert!(!patience.gives_up() && !patience.is_over());
        patience.allow(Duration::ZERO);
        assert!(patience.gives_up() && patience.is_over() && !patience.was_interrupted());
        patience.allow(Duration::from_secs(3600));
        assert!(!patience.is_over(), "each call has a deadline of its own");
        interrupt.set(true);
        assert!(patience.gives_up() && patience.was_interrupted());
        assert_eq!(patience.rest(Duration::from_secs(3600)), Err(SourceError::Interrupted));
        interrupt.set(false);
        assert!(!patience.gives_up());
    }
}
