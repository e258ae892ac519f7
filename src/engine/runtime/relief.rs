//! What is done for a source that cannot go on as it is: threads that hang are left behind, sources without a thread get
//! another one, some are closed for want of memory.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use super::{Command, Run, SourceRuntime};
use crate::{
    config::SourceKind,
    engine::{hung, memory},
    source::SourceError,
    store::SourceState,
};

impl SourceRuntime {
    /// Leaves a capture thread behind that hangs in native code, and opens the source with another one unless
    /// too many hang already; called about twice a second.
    pub fn relieve(self: &Arc<Self>) {
        let run = self.run.load_full();
        if run.native.leave_behind(self.core.clock.now()) {
            let stuck = self.count_stuck();
            // Otherwise somebody has just taken the source from this run, and opens it or wants it no more.
            if run.abandon() {
                self.hung.fetch_add(1, Ordering::SeqCst);
                if self.config().kind == SourceKind::Video {
                    self.command(Command::End(None, Some(SourceError::Hung)));
                    return;
                }
                self.command(Command::Disconnect(None));
                self.waits_for_threads.store(true, Ordering::SeqCst);
                let why = if self.may_hang_again() { SourceError::Hung.to_string() } else { too_many(stuck) };
                self.set_state(SourceState::Stalled, Some(&why));
            }
        }
        let due = |at| self.core.clock.now() >= at;
        let is_due = self.set_back.lock().is_some_and(due);
        if is_due || (self.waits_for_threads.load(Ordering::SeqCst) && self.may_hang_again()) {
            self.begin();
        }
    }

    /// Whether the thread of a run that was abandoned hangs is still to be seen; `false` when it has ended or was
    /// counted.
    pub fn watch_abandoned(&self, run: &Run) -> bool {
        if run.native.leave_behind(self.core.clock.now()) {
            self.count_stuck();
        }
        run.native.is_undecided()
    }

    fn count_stuck(&self) -> usize {
        let stuck = self.stuck.fetch_add(1, Ordering::SeqCst) + 1;
        self.core.stuck.fetch_add(1, Ordering::SeqCst);
        self.cell.update(|shown| shown.stuck_threads = stuck);
        tracing::warn!(camera = %self.id, "A thread hangs in the decoder and is left behind; {stuck} of this source");
        stuck
    }

    /// A thread that was left behind has ended after all.
    pub(super) fn count_back(&self) {
        let left = self.stuck.fetch_sub(1, Ordering::SeqCst) - 1;
        self.core.stuck.fetch_sub(1, Ordering::SeqCst);
        self.cell.update(|shown| shown.stuck_threads = left);
        tracing::info!(camera = %self.id, "A thread that hung in the decoder has come back and ended");
    }

    pub(super) fn may_hang_again(&self) -> bool {
        self.stuck.load(Ordering::SeqCst) < hung::MAX_OF_SOURCE
            && self.core.stuck.load(Ordering::SeqCst) < hung::MAX_OF_ALL
    }

    /// Says that the source is not opened because too many threads hang; a camera is opened when one comes back.
    pub(super) fn refuse_to_begin(&self) -> String {
        let why = too_many(self.stuck.load(Ordering::SeqCst));
        if self.config().kind == SourceKind::Video {
            self.set_state(SourceState::Failed { next: None }, Some(&why));
            self.report();
        } else {
            self.waits_for_threads.store(true, Ordering::SeqCst);
            self.set_state(SourceState::Stalled, Some(&why));
        }
        why
    }

    /// Takes the source from its thread because of `error`, unless `run` was abandoned meanwhile. A camera whose
    /// trouble `may_pass` is opened again after its longest delay; else the source is over.
    pub(super) fn give_up(self: &Arc<Self>, run: &Run, error: &str, may_pass: bool) {
        let config = self.config();
        if may_pass && config.kind == SourceKind::Camera && !config.retry.give_up {
            let at = self.core.clock.now() + config.retry.max;
            self.set_back(run, at, SourceState::Failed { next: Some(at) }, error);
            return;
        }
        if run.abandon() {
            self.command(Command::Release);
            self.set_state(SourceState::Failed { next: None }, Some(error));
            self.report();
            self.core.release_place(self);
        }
    }

    /// Leaves the source without a thread until `at`, shown as `state` because of `error`, unless `run` was abandoned
    /// meanwhile.
    pub(super) fn set_back(self: &Arc<Self>, run: &Run, at: Instant, state: SourceState, error: &str) {
        if run.abandon() {
            self.command(Command::Release);
            *self.set_back.lock() = Some(at);
            self.set_state(state, Some(error));
            self.report();
        }
    }

    /// Whether it waits for another thread; see [`Self::relieve`].
    pub fn is_set_back(&self) -> bool {
        self.set_back.lock().is_some()
    }

    /// What the memory guard needs to know. `None` for what holds nothing.
    pub fn memory(&self) -> Option<memory::Holder> {
        let shown = self.cell.load();
        let is_file = shown.kind == SourceKind::Video;
        let closed = self.closed_for_memory.load(Ordering::SeqCst);
        // Time since it was last opened or began to be.
        let changed = *self.changed.lock();
        let sends = shown.last_frame.is_some_and(|frame| changed.is_none_or(|changed| frame >= changed));
        let (open, silent) = match shown.state {
            SourceState::Connecting | SourceState::Stalled | SourceState::Failed { next: Some(_) } => {
                (true, true)
            }
            SourceState::Running => (true, !sends),
            _ => (false, false),
        };
        (closed || open).then_some(memory::Holder {
            number: self.number,
            priority: shown.priority,
            occupied: shown.visible > 0,
            is_file,
            closed,
            is_silent: silent,
            changed,
        })
    }

    /// Closes a camera because the process holds too much memory; [`Self::begin`] opens it again. A file that took so
    /// much is over.
    pub fn close_for_memory(self: &Arc<Self>, limit: u64) {
        let limit = limit >> 20;
        self.core.give_over(self, self.run.load_full());
        if self.config().kind == SourceKind::Video {
            let why = format!("closed: the memory limit of {limit} MiB is reached, and this file needs more");
            self.command(Command::End(None, Some(SourceError::System(why))));
            return;
        }
        self.command(Command::Disconnect(None));
        self.closed_for_memory.store(true, Ordering::SeqCst);
        let why = format!("closed: the memory limit of {limit} MiB is reached; waits for room");
        self.set_state(SourceState::Queued, Some(&why));
        self.report();
    }
}

fn too_many(stuck: usize) -> String {
    match stuck {
        0 => "too many threads of other sources hang in the decoder; it is opened when one comes back".into(),
        1 => "its thread hangs in the decoder, as do many others; it is opened when one comes back".into(),
        _ => format!("{stuck} threads of this source hang in the decoder; it is opened when one comes back"),
    }
}
