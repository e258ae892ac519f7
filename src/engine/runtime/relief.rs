//! What is done for a source that cannot go on as it is: sources without a thread get another one, some are closed for
//! want of memory.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use super::{Command, Run, SourceRuntime};
use crate::{
    engine::memory,
    model::{SourceKind, SourceState},
    source::SourceError,
};

impl SourceRuntime {
    /// Gives another thread to a source that was left without one and whose time has come; called about twice a second.
    pub fn relieve(self: &Arc<Self>) {
        if self.set_back.lock().is_some_and(|at| self.core.clock.now() >= at) {
            self.begin();
        }
    }

    /// Takes the source from its thread because of `error`, unless `run` was abandoned meanwhile. A camera whose
    /// trouble `may_pass` is opened again after its longest delay; else the source is over.
    pub(super) fn give_up(self: &Arc<Self>, run: &Run, error: &str, may_pass: bool) {
        let config = self.config();
        if may_pass && config.kind == SourceKind::Camera && !config.retry.give_up {
            let at = self.core.clock.now() + config.retry.max;
            self.set_back(run, at, SourceState::Failed { next: Some(self.core.moment(at)) }, error);
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
        let sends = shown
            .last_frame
            .is_some_and(|frame| changed.is_none_or(|changed| frame >= self.core.moment(changed)));
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
        self.run.load().abandon();
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
