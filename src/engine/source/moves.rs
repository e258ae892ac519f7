//! What a source does on its way from one state of its life to the next.

use std::{sync::Arc, time::Duration};

use super::{
    actor::{Actor, Around},
    lifecycle::{Event, Lifecycle},
    run::Run,
};
use crate::{
    engine::{error::EngineError, message::Message, pipeline::Step, reply::Outcome},
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
                Lifecycle::Over(_) | Lifecycle::Suspended { .. } => self.release(),
                Lifecycle::Evicted => self.disconnect(),
                _ => {}
            }
        }
        let begins_again = event == Event::Restart && self.kind == SourceKind::Video;
        if let Some(state) = after.shown(core.start).or_else(|| begins_again.then_some(SourceState::Queued)) {
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
        let run = Arc::new(Run::new(self.is_paused, self.is_previewed, self.shares));
        self.run = Arc::clone(&run);
        around.admit(Some(Arc::clone(&run)));
        if let Err(error) = around.read(run) {
            let until = core.clock.now() + THREAD_RETRY;
            self.go(around, Event::ThreadRefused(until), Some(&refusal::thread(&error).to_string()));
            self.report();
        }
    }

    pub(super) fn restart(&mut self, around: &dyn Around) {
        self.is_paused = false;
        if self.kind == SourceKind::Video {
            // Nothing of what was read before is counted, nor what its thread still passes over.
            around.admit(None);
            self.rates.leave(&std::mem::take::<Arc<Run>>(&mut self.run));
            self.rates.forget();
            self.shown.frames = 0;
            self.with_pipeline(|pipeline| {
                pipeline.disconnect(&mut Vec::new());
                pipeline.reset_counts();
            });
            self.emit(EventKind::Reset);
        }
        if !self.go(around, Event::Restart, None) {
            self.run.control.pause(false);
            self.run.control.restart();
        }
    }

    /// What an opening says to those who asked for it.
    pub(super) fn opened(&self) -> Outcome {
        if let Lifecycle::Suspended { failed: false, .. } = self.life {
            let why = self.shown.last_error.as_deref().unwrap_or_default();
            let problem = format!("{why}; it is tried again in {} s", THREAD_RETRY.as_secs());
            return Err(EngineError::NotOpened { id: self.shared.id.clone(), problem });
        }
        Ok(())
    }

    /// A reset is never lost, so none is made while there is no room to note it.
    pub(super) fn refuse_while_full(&self) -> Outcome {
        if self.shared.core.outbox.is_full() { Err(EngineError::Backlog) } else { Ok(()) }
    }

    /// Ends the run because of `error`. A camera whose trouble `may_pass` is opened again after its longest delay; else
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
        let (limit, end) = match self.kind {
            SourceKind::Camera => (limit >> 20, "waits for room"),
            SourceKind::Video => (limit >> 20, "and this file needs more"),
        };
        let link = if self.kind == SourceKind::Camera { ";" } else { "," };
        let why = format!("closed: the memory limit of {limit} MiB is reached{link} {end}");
        self.end(around, Event::Evicted, Some(&why));
    }

    /// Releases everybody who is followed; what that decides is counted.
    pub(super) fn disconnect(&mut self) {
        let mut events = Vec::new();
        self.pipeline.iter_mut().for_each(|pipeline| pipeline.disconnect(&mut events));
        self.publish(&Step { events, ..Step::default() }, None);
    }

    /// [`Self::disconnect`], and lets go of the detector.
    pub(super) fn release(&mut self) {
        let mut events = Vec::new();
        self.pipeline.iter_mut().for_each(|pipeline| pipeline.release(&mut events));
        self.publish(&Step { events, ..Step::default() }, None);
    }

    /// Counts what is decided by the end of watching, and reports the final result. For sources that are stopped before
    /// their own end.
    pub(super) fn finish(&mut self) {
        if !std::mem::replace(&mut self.is_finished, true) && !self.shown.state.is_over() {
            self.release();
            self.report();
        }
    }

    pub(super) fn remove(&mut self, around: &dyn Around) {
        around.admit(None);
        self.finish();
        self.go(around, Event::Removed, None);
        let core = &self.shared.core;
        core.outbox.forget(&self.shared.id);
        tracing::info!(camera = %self.shared.id, "Removed");
        // Counts belong to the id: a source that is added with it goes on from them, as after a restart.
        core.tell(Message::Left(self.shared.number, self.shown.lines.clone()));
        around.close();
    }
}
