//! A source: its inbox, and what may be read of it.

use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use parking_lot::Mutex;

use super::{
    actor::{Actor, Command},
    counts::first_snapshot,
    inbox::{Call, Inbox},
    shared::Shared,
    vitals::Vitals,
};
use crate::{
    config::SourceConfig,
    engine::{
        core::Core, error::EngineError, message::Message, pipeline::Pipeline, pool::scheduler::Unit,
        reply::Answer,
    },
    model::{LineCounts, Scene, SourceId, SourceSnapshot},
    store::{cell::SourceCell, history::History},
};

/// One source.
pub struct Source {
    pub(super) shared: Arc<Shared>,
    pub(super) inbox: Inbox,
}

impl std::ops::Deref for Source {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

impl Source {
    /// A source that goes on from these counts, and from what is known of its scene.
    pub fn new(
        number: usize,
        config: SourceConfig,
        (counts, scene): (&[LineCounts], Option<Scene>),
        core: Arc<Core>,
    ) -> Arc<Self> {
        let config = Arc::new(config);
        let mut pipeline = Pipeline::new(Arc::clone(&config), counts);
        scene.iter().for_each(|scene| pipeline.resume(scene.clone()));
        let snapshot = SourceSnapshot { scene, ..first_snapshot(&config, &pipeline) };
        let shared = Arc::new(Shared {
            id: config.id.clone(),
            number,
            task_id: format!("task_{:02}", number + 1),
            cell: SourceCell::new(snapshot.clone(), Arc::clone(&core.generation)),
            history: Mutex::new(History::new(core.history)),
            preview: ArcSwapOption::empty(),
            paths: pipeline.paths(),
            stages: Arc::default(),
            vitals: ArcSwap::from_pointee(Vitals::NONE),
            counters: core.counters.of(&config.id),
            config: ArcSwap::new(config),
            core,
        });
        let actor = Box::new(Actor::new(Arc::clone(&shared), pipeline, snapshot));
        Arc::new(Self { shared, inbox: Inbox::new(actor) })
    }

    /// Leaves a command; never waits. `answer` is given when it was obeyed, or cannot be.
    pub fn post(self: &Arc<Self>, command: Command, answer: Option<Answer>) {
        match self.inbox.post(command, answer) {
            Ok(Call::Actor) => self.core.tell(Message::Turn(self.number)),
            Ok(call) => self.answer_call(call),
            // It was removed before it has heard of its slot.
            Err((Command::SlotGranted, _)) => self.core.tell(Message::SlotFree),
            Err((_, Some(answer))) => answer.give(Err(EngineError::Busy(self.id.clone()))),
            Err((_, None)) => {}
        }
    }

    /// Stops the capture thread and lets nothing of it through any more; what is counted stays.
    pub fn cut_off(&self) {
        self.inbox.admit(None);
    }

    /// Has the commands obeyed that wait, unless somebody is at it who does so.
    pub fn take_turn(self: &Arc<Self>) {
        if let Some(actor) = self.inbox.take_actor() {
            self.bring_home(actor, false);
        }
    }

    /// Goes on with the frame that was left because there was no room for what is counted in it.
    pub fn go_on(self: &Arc<Self>) {
        self.answer_call(self.inbox.call_again());
    }

    /// The final result, where the actor cannot give it: its detection run does not end.
    pub fn report_as_shown(&self) {
        self.shared.report(self.vitals.load().worker, Vec::new());
    }

    pub(super) fn answer_call(self: &Arc<Self>, call: Call) {
        if call == Call::Worker {
            self.core.scheduler.submit(Arc::clone(self) as Arc<dyn Unit>);
        }
    }

    /// Brings the actor home when everything that waits is obeyed; `true` when there is more work for the worker who does so.
    fn bring_home(self: &Arc<Self>, mut actor: Box<Actor>, is_worker: bool) -> bool {
        loop {
            match self.inbox.bring_home(actor, is_worker) {
                Ok(Call::Worker) if is_worker => return true,
                Ok(call) => {
                    self.answer_call(call);
                    return false;
                }
                Err(same) => actor = same,
            }
            self.obey_all(&mut actor);
        }
    }

    fn obey_all(self: &Arc<Self>, actor: &mut Actor) {
        while let Some((command, answer)) = self.inbox.next_command() {
            actor.receive(self, command, answer);
        }
    }
}

impl Unit for Source {
    fn source(&self) -> &SourceId {
        &self.id
    }

    fn priority(&self) -> i32 {
        self.config.load().priority
    }

    fn number(&self) -> usize {
        self.number
    }

    fn run(self: Arc<Self>, worker: usize) -> bool {
        if self.core.outbox.is_full() {
            self.inbox.dismiss_worker();
            return false;
        }
        let Some((mut actor, mut work)) = self.inbox.begin_work() else { return false };
        if work.is_none() {
            self.obey_all(&mut actor);
            work = self.inbox.next_work();
        }
        let Some(job) = work.and_then(|work| actor.begin_job(&self, work)) else {
            return self.bring_home(actor, true);
        };
        self.bring_home(actor, false);
        let done = Box::new(job.run(&self, worker));
        let Some((mut actor, done)) = self.inbox.hand_in(done) else { return false };
        actor.receive(&self, Command::Done(done), None);
        self.bring_home(actor, true)
    }
}
