//! What a source is asked to do, in the order in which it was asked.
//!
//! The pipeline of a source belongs to the worker that handles a frame, possibly for seconds. Nobody else waits for it:
//! who wants something of it leaves a [`Command`] here. The worker obeys after its frame; while no worker is at it, the
//! thread that has left the command does.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, atomic::Ordering},
};

use parking_lot::Mutex;

use super::{Begun, Run, SourceRuntime, panic_text, show::show_counts};
use crate::{
    config::SourceConfig,
    engine::{
        EngineError,
        pipeline::Pipeline,
        reply::{Answer, Outcome},
    },
    model::{EventKind, SourceState},
    source::SourceError,
};

/// Commands that may wait for one detection run; more are refused.
const ROOM: usize = 1024;

/// One thing to do.
pub enum Command {
    /// Stop reading, or go on.
    Pause(bool),
    /// Open again; a file from its start and with its counts at zero.
    Restart,
    /// Counts back to zero.
    Reset,
    /// Count with these lines and zones.
    Lines(Arc<SourceConfig>),
    /// The stream broke off, unless this run was abandoned meanwhile: nobody is followed any more.
    Disconnect(Option<Arc<Run>>),
    /// The source will send nothing more, unless this run was abandoned meanwhile.
    End(Option<Arc<Run>>, Option<SourceError>),
    /// Count what is decided by the end of watching, let go of the detector and report.
    Release,
    /// Count what is decided by the end of watching and report, unless that was done.
    Finish,
    /// Stop and forget.
    Remove,
    /// What is to come after a removal.
    Then(Box<dyn FnOnce() + Send>),
}

/// The commands that wait.
#[derive(Default)]
pub(super) struct Inbox {
    commands: Mutex<VecDeque<(Command, Option<Answer>)>>,
    /// Held while a command is obeyed: one at a time.
    obeying: Mutex<()>,
}

impl SourceRuntime {
    /// Does what the engine wants as soon as no worker is at the pipeline, after what was wanted before. Never waits.
    pub fn command(self: &Arc<Self>, command: Command) {
        self.enqueue(command, None);
        self.obey_all();
    }

    /// [`Self::command`] for those who want to know what becomes of it.
    pub fn ask(self: &Arc<Self>, command: Command, answer: Answer) {
        if let Command::Restart = command
            && self.is_video()
        {
            // Before the file is taken from its run: nobody would open it again.
            let refused = if self.has_room() { self.refuse_while_full() } else { Err(self.busy()) };
            if refused.is_err() {
                return answer.give(refused);
            }
            // Over no more, before anybody looks; and nothing more of the old run is counted.
            self.core.places.forget(self);
            self.run.load().abandon();
            self.set_state(SourceState::Queued, None);
        }
        // What does not need the pipeline is done at once, unless something is to be done before it.
        let at_once = match command {
            Command::Pause(_) => true,
            Command::Restart => !self.is_video(),
            _ => false,
        };
        if at_once
            && let Some(_obeying) = self.inbox.obeying.try_lock()
            && !self.is_asked()
        {
            answer.give(self.obey_without_pipeline(&command));
        } else if let Some(answer) = self.enqueue(command, Some(answer)) {
            answer.give(Err(self.busy()));
        }
        self.obey_all();
    }

    /// Puts a command in without obeying it; gives the answer back where there is no room. There is always room for the
    /// end, and for what nobody waits for.
    pub fn enqueue(&self, command: Command, answer: Option<Answer>) -> Option<Answer> {
        let mut commands = self.inbox.commands.lock();
        let may_be_refused = !matches!(command, Command::Restart | Command::Finish | Command::Remove);
        if answer.is_some() && may_be_refused && commands.len() >= ROOM {
            return answer;
        }
        if let Command::Lines(config) = &command {
            // At once, and in the order of the commands: it is what counts from the next frame on.
            self.config.store(Arc::clone(config));
        }
        commands.push_back((command, answer));
        None
    }

    /// Whether more commands may wait.
    pub fn has_room(&self) -> bool {
        self.inbox.commands.lock().len() < ROOM
    }

    /// Whether commands wait.
    pub fn is_asked(&self) -> bool {
        !self.inbox.commands.lock().is_empty()
    }

    /// Obeys everything that waits, unless somebody is at it who will look again when they are done.
    pub fn obey_all(self: &Arc<Self>) {
        while self.is_asked() {
            let Some(mut pipeline) = self.pipeline.try_lock() else { return };
            loop {
                let Some(_obeying) = self.inbox.obeying.try_lock() else { return };
                let Some((command, answer)) = self.inbox.commands.lock().pop_front() else { break };
                let obey = || self.obey(&mut pipeline, command);
                let outcome = catch_unwind(AssertUnwindSafe(obey)).unwrap_or_else(|panic| {
                    let what = panic_text(panic.as_ref());
                    tracing::error!(camera = %self.id, "A command panicked: {what}");
                    Err(EngineError::Internal(what))
                });
                self.core.generation.fetch_add(1, Ordering::Release);
                if let Some(answer) = answer {
                    answer.give(outcome);
                }
            }
        }
    }

    fn obey(self: &Arc<Self>, pipeline: &mut Pipeline, command: Command) -> Outcome {
        match command {
            Command::Restart if self.is_video() => return self.restart_file(pipeline),
            Command::Pause(_) | Command::Restart => return self.obey_without_pipeline(&command),
            Command::Reset => {
                self.refuse_while_full()?;
                pipeline.reset_counts();
                self.cell.update(|shown| show_counts(shown, pipeline));
                // While nobody else counts, so that no crossing gets between the counts and their reset.
                self.emit(EventKind::Reset);
            }
            Command::Lines(config) => {
                pipeline.set_source(config);
                self.cell.update(|shown| show_counts(shown, pipeline));
            }
            Command::Disconnect(run) => self.disconnect(pipeline, run.as_deref()),
            Command::End(run, error) => self.end(pipeline, run.as_deref(), error.as_ref()),
            Command::Release => self.release(pipeline),
            Command::Finish => self.finish(pipeline),
            Command::Remove => {
                self.finish(pipeline);
                self.core.release_place(self);
                // Counts belong to the id: a source that is added with it goes on from them, as after a restart.
                self.core.restored.lock().push((self.id.clone(), self.cell.load().lines.clone()));
                self.core.outbox.forget(&self.id);
                tracing::info!(camera = %self.id, "Removed");
            }
            Command::Then(work) => work(),
        }
        Ok(())
    }

    fn obey_without_pipeline(self: &Arc<Self>, command: &Command) -> Outcome {
        let (shown, run) = (self.cell.load(), self.run.load_full());
        match command {
            Command::Pause(_) if shown.state.is_over() => return Err(EngineError::Over(self.id.clone())),
            Command::Pause(paused) => run.control.pause(*paused),
            Command::Restart => {
                run.control.pause(false);
                if shown.state.is_over() || shown.state == SourceState::Queued || self.is_set_back() {
                    return self.opened(self.open());
                }
                run.control.restart();
            }
            _ => {}
        }
        Ok(())
    }

    /// Begins a file again: nothing of what was read before is counted.
    fn restart_file(self: &Arc<Self>, pipeline: &mut Pipeline) -> Outcome {
        let run = self.run.load_full();
        run.control.pause(false);
        self.core.places.forget(self);
        run.abandon();
        pipeline.disconnect(&mut Vec::new());
        pipeline.reset_counts();
        self.handled.store(0, Ordering::Relaxed);
        self.looked.store(0, Ordering::Relaxed);
        self.rates.forget();
        self.cell.update(|shown| {
            show_counts(shown, pipeline);
            shown.frames = 0;
        });
        self.emit(EventKind::Reset);
        self.set_state(SourceState::Queued, None);
        self.opened(self.open())
    }

    /// What an opening says to those who asked for it.
    pub fn opened(&self, begun: Begun) -> Outcome {
        match begun {
            Begun::Yes => Ok(()),
            Begun::Later(problem) | Begun::No(problem) => {
                Err(EngineError::NotOpened { id: self.id.clone(), problem })
            }
        }
    }

    fn busy(&self) -> EngineError {
        EngineError::Busy(self.id.clone())
    }

    /// A reset is never lost, so none is made while there is no room to note it.
    fn refuse_while_full(&self) -> Outcome {
        if self.core.outbox.is_full() { Err(EngineError::Backlog) } else { Ok(()) }
    }
}
