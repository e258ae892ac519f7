//! Connect again; a file from its start and with its counts at zero.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::super::{
    actor::Actor,
    around::Around,
    command::{Ask, Prerequisite},
    lifecycle::Event,
    run::Run,
};
use crate::{
    engine::reply::Outcome,
    model::{EventKind, SourceKind, SourceState},
};

/// Reconnect now: ends a countdown, re-reads a file from its start with its counts at zero.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Restart;

impl Ask<Actor> for Restart {
    fn needs(&self, actor: &Actor) -> Prerequisite {
        if actor.kind == SourceKind::Video { Prerequisite::Pipeline } else { Prerequisite::Order }
    }

    fn may_be_refused(&self) -> bool {
        false
    }

    fn check(&self, actor: &Actor) -> Outcome {
        if actor.kind == SourceKind::Video { actor.refuse_while_full() } else { actor.refuse_while_closed() }
    }

    fn wait(&self, actor: &mut Actor, around: &dyn Around) {
        // What is restarted is over no more, and nothing more of the old run is read.
        if actor.kind == SourceKind::Video {
            around.admit(None);
            actor.show_state(SourceState::Queued, None);
        }
    }

    fn obey(self: Box<Self>, actor: &mut Actor, around: &dyn Around) -> Outcome {
        actor.is_paused = false;
        if actor.kind == SourceKind::Video {
            // Nothing of what was read before is counted, nor what its thread still passes over.
            around.admit(None);
            actor.rates.leave(&std::mem::take::<Arc<Run>>(&mut actor.run));
            actor.rates.forget();
            actor.shown.frames = 0;
            actor.with_pipeline(|pipeline| {
                pipeline.disconnect(&mut Vec::new());
                // A file is counted the same every time.
                pipeline.forget_scene();
                pipeline.reset_counts();
            });
            actor.emit(EventKind::Reset);
        }
        if !actor.go(around, Event::Restart, None) {
            actor.run.control.pause(false);
            actor.run.control.restart();
        }
        actor.opened()
    }
}
