//! Capture threads that hang in native code: left behind, counted, and never so many that they exhaust the
//! process.
//!
//! FFmpeg and drivers are asked to return within a time; now and then one does not. Such a thread cannot be
//! ended. It is left to itself, its source goes on with another one, and should it ever come back it ends.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// A call may take this much longer than it was allowed: finding out why an opening failed takes time too.
pub const GRACE: Duration = Duration::from_secs(5);

/// Threads of one source that may hang before it is no longer opened.
pub const MAX_OF_SOURCE: usize = 3;

/// Threads of all sources that may hang before no source that hangs is opened again.
pub const MAX_OF_ALL: usize = 24;

/// What is known of a capture thread's call into native code.
#[derive(Debug, Default)]
pub struct NativeCall(Mutex<Call>);

#[derive(Debug, Default)]
struct Call {
    due: Option<Instant>,
    alive: bool,
    left_behind: bool,
}

impl NativeCall {
    /// The thread that makes the calls begins.
    pub fn thread_begins(&self) {
        self.0.lock().alive = true;
    }

    /// A call begins that must be back by `due`.
    pub fn begin(&self, due: Instant) {
        self.0.lock().due = Some(due);
    }

    /// The call is back.
    pub fn end(&self) {
        self.0.lock().due = None;
    }

    /// Leaves the thread behind when its call is overdue at `now`; `true` when this was decided just now.
    pub fn leave_behind(&self, now: Instant) -> bool {
        let mut call = self.0.lock();
        let overdue = call.alive && !call.left_behind && call.due.is_some_and(|due| now > due);
        call.left_behind |= overdue;
        overdue
    }

    /// Whether nobody can say yet how the thread ends: it lives and was not left behind.
    pub fn is_undecided(&self) -> bool {
        let call = self.0.lock();
        call.alive && !call.left_behind
    }

    /// The thread ends; `true` when it had been left behind.
    pub fn thread_ends(&self) -> bool {
        let mut call = self.0.lock();
        call.alive = false;
        call.left_behind
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_left_behind_once_and_only_when_its_call_is_overdue() {
        let (call, now) = (NativeCall::default(), Instant::now());
        assert!(!call.is_undecided(), "no thread yet");
        call.thread_begins();
        assert!(!call.leave_behind(now) && call.is_undecided());
        call.begin(now + GRACE);
        assert!(!call.leave_behind(now + GRACE));
        assert!(call.leave_behind(now + GRACE * 2));
        assert!(!call.leave_behind(now + GRACE * 3), "once");
        assert!(!call.is_undecided());
        assert!(call.thread_ends());

        let call = NativeCall::default();
        call.thread_begins();
        call.begin(now);
        call.end();
        assert!(!call.leave_behind(now + GRACE));
        call.begin(now);
        assert!(!call.thread_ends());
        assert!(!call.leave_behind(now + GRACE), "it is gone already");
    }
}
