//! The inbox of a source: everything that comes to it, in the order in which it is to be handled.
//!
//! It also keeps the [`Actor`] of the source while nobody is at it. Taking the actor out and finding the inbox empty are
//! one step, so that nothing is left lying: what is put in while the actor is out is seen by the thread that brings it
//! back.

use std::{collections::VecDeque, sync::Arc, time::Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::{
    actor::{Actor, Command},
    command::ROOM,
    job::{Done, Work},
    run::Run,
};
use crate::{
    engine::reply::Answer,
    source::{Frame, capture::Notice},
};

/// What is to be done about something that was put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Call {
    /// Nothing: the thread that handles it, or is about to, sees it.
    Nobody,
    /// A worker is to be asked for.
    Worker,
    /// The actor is at home and is to be given its commands.
    Actor,
}

#[derive(Default)]
struct State {
    /// The actor, while nobody is at it.
    actor: Option<Box<Actor>>,
    commands: VecDeque<(Command, Option<Answer>)>,
    /// The run whose frames and notices are let in.
    run: Option<Arc<Run>>,
    frame: Option<Frame>,
    notices: VecDeque<Notice>,
    dropped: u64,
    /// Whether a worker was asked for and has not come yet, or is at it.
    worker_comes: bool,
    /// Nothing is let in any more.
    closed: bool,
}

impl State {
    fn admits(&self, run: &Arc<Run>) -> bool {
        self.run.as_ref().is_some_and(|admitted| Arc::ptr_eq(admitted, run))
    }

    fn has_work(&self) -> bool {
        self.frame.is_some() || !self.notices.is_empty()
    }

    /// Asks for a worker, unless one comes already.
    fn call_worker(&mut self) -> Call {
        if !self.has_work() || std::mem::replace(&mut self.worker_comes, true) {
            Call::Nobody
        } else {
            Call::Worker
        }
    }

    fn admit(&mut self, run: Option<Arc<Run>>) {
        if let Some(run) = std::mem::replace(&mut self.run, run) {
            run.stop();
        }
        self.frame = None;
        self.notices.clear();
    }
}

/// See the module's documentation.
#[derive(Default)]
pub struct Inbox {
    state: Mutex<State>,
    /// The frame that waited was taken, or is not wanted any more.
    taken: Condvar,
}

impl Inbox {
    /// An inbox with the actor at home.
    pub fn new(actor: Box<Actor>) -> Self {
        let state = State { actor: Some(actor), ..State::default() };
        Self { state: Mutex::new(state), taken: Condvar::new() }
    }

    /// A command for the actor. There is always room for what nobody waits for and for what must not be refused.
    ///
    /// # Errors
    /// The command, where there is no room for it or nobody to obey it any more.
    pub fn post(&self, command: Command, answer: Option<Answer>) -> Result<Call, (Command, Option<Answer>)> {
        let mut state = self.state.lock();
        if state.closed || answer.is_some() && command.may_be_refused() && state.commands.len() >= ROOM {
            return Err((command, answer));
        }
        // One at a time: they do not pile up behind a long detection run.
        let is_tick = |(waiting, _): &(Command, _)| matches!(waiting, Command::Tick);
        if !(matches!(command, Command::Tick) && state.commands.iter().any(is_tick)) {
            state.commands.push_back((command, answer));
        }
        Ok(if state.actor.is_some() { Call::Actor } else { Call::Nobody })
    }

    /// The frame of a live source, in place of an older one, which is counted as lost; whether there was one.
    pub fn replace(&self, run: &Arc<Run>, frame: Frame) -> (Call, bool) {
        let mut state = self.state.lock();
        if !state.admits(run) {
            return (Call::Nobody, false);
        }
        let has_dropped = state.frame.replace(frame).is_some();
        state.dropped += u64::from(has_dropped);
        (state.call_worker(), has_dropped)
    }

    /// A frame that must not be lost: waits until the one before it was taken, or `run` is not admitted any more.
    pub fn put(&self, run: &Arc<Run>, frame: Frame) -> Call {
        let mut state = self.state.lock();
        while state.admits(run) && state.frame.is_some() {
            self.taken.wait(&mut state);
        }
        if !state.admits(run) {
            return Call::Nobody;
        }
        state.frame = Some(frame);
        state.call_worker()
    }

    /// When the frame was captured that waits for a worker.
    pub fn waiting_since(&self) -> Option<Instant> {
        self.state.lock().frame.as_ref().map(|frame| frame.captured)
    }

    /// A newer frame in place of the one that waits, if it still does.
    pub fn renew(&self, run: &Arc<Run>, frame: Frame) {
        let mut state = self.state.lock();
        if state.admits(run)
            && let Some(waiting) = &mut state.frame
        {
            *waiting = frame;
        }
    }

    /// A notice, to be handled after the frame that waits.
    pub fn notify(&self, run: &Arc<Run>, notice: Notice) -> Call {
        let mut state = self.state.lock();
        if !state.admits(run) {
            return Call::Nobody;
        }
        state.notices.push_back(notice);
        state.call_worker()
    }

    /// From now on only what `run` brings is let in. The run before is stopped, and nothing of it is handled any more.
    pub fn admit(&self, run: Option<Arc<Run>>) {
        self.state.lock().admit(run);
        self.taken.notify_all();
    }

    /// Nothing is let in any more, and nothing that waits is done.
    pub fn close(&self) {
        let mut state = self.state.lock();
        state.admit(None);
        state.closed = true;
        let commands = std::mem::take(&mut state.commands);
        drop(state);
        self.taken.notify_all();
        // Answers that are dropped may be read at once.
        drop(commands);
    }

    /// The actor, or nothing while somebody is at it: they see to everything that waits when they bring it home.
    pub fn take_actor(&self) -> Option<Box<Actor>> {
        self.state.lock().actor.take()
    }

    /// For the worker who was asked for: the actor, and what it is to do unless commands are to be obeyed first.
    pub fn begin_work(&self) -> Option<(Box<Actor>, Option<Work>)> {
        let mut state = self.state.lock();
        let Some(actor) = state.actor.take() else {
            state.worker_comes = false;
            return None;
        };
        let work = state.commands.is_empty().then(|| self.next_of(state)).flatten();
        Some((actor, work))
    }

    /// A worker is through with a frame: the actor, to be given what was done; or nothing while somebody is at it, who
    /// gives it.
    pub fn hand_in(&self, mut done: Box<Done>) -> Option<(Box<Actor>, Box<Done>)> {
        let mut state = self.state.lock();
        done.dropped = state.dropped;
        if let Some(actor) = state.actor.take() {
            return Some((actor, done));
        }
        state.commands.push_front((Command::Done(done), None));
        state.worker_comes = false;
        None
    }

    /// The next command, for the one who is at the actor.
    pub fn next_command(&self) -> Option<(Command, Option<Answer>)> {
        self.state.lock().commands.pop_front()
    }

    /// The next piece of work for the worker who is at the actor, when all commands are obeyed.
    pub fn next_work(&self) -> Option<Work> {
        self.next_of(self.state.lock())
    }

    fn next_of(&self, mut state: MutexGuard<'_, State>) -> Option<Work> {
        if let Some(frame) = state.frame.take() {
            drop(state);
            self.taken.notify_one();
            return Some(Work::Frame(frame));
        }
        state.notices.pop_front().map(Work::Notice)
    }

    /// Brings the actor home. It stays out while there are commands for it.
    ///
    /// # Errors
    /// The actor, where there are.
    pub fn bring_home(&self, actor: Box<Actor>, is_worker: bool) -> Result<Call, Box<Actor>> {
        let mut state = self.state.lock();
        if !state.commands.is_empty() {
            return Err(actor);
        }
        if !state.closed {
            state.actor = Some(actor);
        }
        if is_worker {
            state.worker_comes = false;
        }
        Ok(state.call_worker())
    }

    /// The worker who was asked for does nothing now; [`Self::call_again`] brings another one.
    pub fn dismiss_worker(&self) {
        self.state.lock().worker_comes = false;
    }

    /// Asks for a worker where there is something to do and none comes.
    pub fn call_again(&self) -> Call {
        self.state.lock().call_worker()
    }

    /// Frames of a live source that were replaced before a worker saw them.
    pub fn dropped(&self) -> u64 {
        self.state.lock().dropped
    }

    /// Whether a frame or a notice waits.
    #[cfg(test)]
    pub fn has_work(&self) -> bool {
        self.state.lock().has_work()
    }

    /// The run whose frames are let in.
    #[cfg(test)]
    pub fn admitted(&self) -> Arc<Run> {
        self.state.lock().run.clone().unwrap()
    }
}
