//! What a source does on its way from one state of its life to the next.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use super::{
    actor::Actor,
    around::Around,
    job::panic_text,
    lifecycle::{Event, Lifecycle},
    run::Run,
};
use crate::{
    engine::{
        error::EngineError,
        message::Message,
        pipeline::{Pipeline, Step},
        reply::Outcome,
    },
    model::{EventKind, SourceKind, SourceState},
    source::refusal,
};

/// A source for which the system refuses a thread asks for one again after this long.
const THREAD_RETRY: Duration = Duration::from_secs(5);

impl Actor {
    /// Takes the source to where `event` leads and does what that asks for; `false` where it leads nowhere. `error` is
    /// shown with the new state.
    pub(super) fn go(&mut self, around: &dyn Around, event: Event, error: Option<&str>) -> bool {
        let Some(after) = self.life.next(event, self.kind) else { return false };
        let before = std::mem::replace(&mut self.life, after);
        let core = Arc::clone(&self.shared.core);
        if before.has_thread() && (!after.has_thread() || after == Lifecycle::Starting) {
            around.admit(None);
            let run = std::mem::take::<Arc<Run>>(&mut self.run);
            self.rates.leave(&run);
            match after {
                Lifecycle::Over(_) | Lifecycle::Suspended { .. } | Lifecycle::Closed(_) => self.release(),
                Lifecycle::Evicted => self.disconnect(),
                _ => {}
            }
        }
        let begins_again = event == Event::Restart && self.kind == SourceKind::Video;
        let shown = match after {
            Lifecycle::Closed(until) => Some(self.closed_state(until)),
            _ => after.shown(core.start).or_else(|| begins_again.then_some(SourceState::Queued)),
        };
        if let Some(state) = shown {
            self.show_state(state, error);
        }
        if before == Lifecycle::Waiting && after == Lifecycle::Gone {
            core.tell(Message::SlotUnwanted(self.shared.number));
        }
        if before.holds_slot(self.kind) && !after.holds_slot(self.kind) {
            core.tell(Message::SlotFree);
        }
        match after {
            Lifecycle::Starting => self.begin(around),
            Lifecycle::Waiting => core.tell(Message::SlotWanted(self.shared.number)),
            _ => {}
        }
        true
    }

    /// Starts a capture thread.
    pub(super) fn begin(&mut self, around: &dyn Around) {
        let core = Arc::clone(&self.shared.core);
        self.hours.is_closing = false;
        let run = Arc::new(Run::new(self.is_paused, self.viewers > 0, self.shares));
        self.run = Arc::clone(&run);
        around.admit(Some(Arc::clone(&run)));
        if let Err(error) = around.read(run) {
            let until = core.clock.now() + THREAD_RETRY;
            self.go(around, Event::ThreadRefused(until), Some(&refusal::thread(&error).to_string()));
            self.report();
        }
    }

    /// The answer to a request to open the source.
    pub(super) fn opened(&self) -> Outcome {
        if let Lifecycle::Suspended { failed: false, .. } = self.life {
            let why = self.shown.last_error.as_deref().unwrap_or_default();
            let problem = format!("{why}; retrying in {} s", THREAD_RETRY.as_secs());
            return Err(EngineError::NotOpened { id: self.shared.id.clone(), problem });
        }
        Ok(())
    }

    /// A reset is never lost, so none is made while there is no room to note it.
    pub(super) fn refuse_while_full(&self) -> Outcome {
        if self.shared.core.outbox.is_full() { Err(EngineError::Backlog) } else { Ok(()) }
    }

    /// Ends the run because of `error`. A camera whose error `may_pass` is reconnected after its longest delay; else
    /// the source is over.
    pub(super) fn give_up(&mut self, around: &dyn Around, error: &str, may_pass: bool) {
        let retry = self.shared.config.load().retry;
        let again = may_pass && self.kind == SourceKind::Camera && !retry.give_up;
        let at = again.then(|| self.shared.core.clock.now() + retry.max);
        self.end(around, Event::Failed(at), Some(error));
    }

    /// The run is over, by `event` and because of `error`.
    pub(super) fn end(&mut self, around: &dyn Around, event: Event, error: Option<&str>) {
        if self.go(around, event, error) {
            if matches!(self.life, Lifecycle::Over(_)) {
                self.show_whole_rate();
            }
            self.report();
        }
    }

    /// Closes the source because the process holds as much memory as it may, `limit` bytes.
    pub(super) fn evict(&mut self, around: &dyn Around, limit: u64) {
        let then = match self.kind {
            SourceKind::Camera => "; waiting for memory",
            SourceKind::Video => ", and this file needs more",
        };
        let why = format!("closed: the memory limit of {} MiB is reached{then}", limit >> 20);
        self.end(around, Event::Evicted, Some(&why));
    }

    /// Releases everybody who is followed; what that decides is counted.
    pub(super) fn disconnect(&mut self) {
        self.let_go(Pipeline::disconnect);
    }

    /// [`Self::disconnect`], and lets go of the detector.
    pub(super) fn release(&mut self) {
        self.let_go(Pipeline::release);
    }

    /// Publishes what `end` decides. Should it panic, the source goes on to where it was going all the same.
    fn let_go(&mut self, end: fn(&mut Pipeline, &mut Vec<EventKind>)) {
        self.notice_scene();
        let mut events = Vec::new();
        let ended = || self.pipeline.iter_mut().for_each(|pipeline| end(pipeline, &mut events));
        if let Err(panic) = catch_unwind(AssertUnwindSafe(ended)) {
            let what = format!("internal error: {}", panic_text(panic.as_ref()));
            tracing::error!(camera = %self.shared.id, "{what}");
            self.errors.push(what);
        }
        self.publish(&Step { events, ..Step::default() }, None);
    }

    /// Counts what is decided by the end of watching, and reports the final result of a source that is stopped before its
    /// own end. Nothing of the source begins any more.
    pub(super) fn finish(&mut self, around: &dyn Around) {
        around.admit(None);
        if self.go(around, Event::Removed, None) && !self.shown.state.is_over() {
            self.release();
            self.report();
        }
    }

    /// Forgets the source.
    pub(super) fn remove(&mut self, around: &dyn Around) {
        self.finish(around);
        let core = &self.shared.core;
        core.outbox.forget(&self.shared.id);
        tracing::info!(camera = %self.shared.id, "Removed");
        // Counts belong to the id: a source that is added with it goes on from them, as after a restart.
        core.tell(Message::Left(self.shared.number, self.shown.lines.clone()));
        around.close();
    }
}
