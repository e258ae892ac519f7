//! Stop reading, or go on.

use serde::{Deserialize, Serialize};

use super::super::{
    actor::Actor,
    around::Around,
    command::{Ask, Prerequisite},
    lifecycle::Lifecycle,
};
use crate::engine::{error::EngineError, reply::Outcome};

/// Stop reading a source (`true`), or go on; its counts stay. What its schedule has closed is not paused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Pause(pub bool);

impl Ask<Actor> for Pause {
    fn needs(&self, _: &Actor) -> Prerequisite {
        Prerequisite::Order
    }

    fn obey(self: Box<Self>, actor: &mut Actor, around: &dyn Around) -> Outcome {
        // Nobody would see that it stays paused when it opens.
        if self.0 && matches!(actor.life, Lifecycle::Closed(_)) {
            actor.refuse_while_closed()?;
        }
        Box::new(PauseWithAll(self.0)).obey(actor, around)
    }
}

/// The same for each of all sources: one that is closed is paused when it opens.
pub struct PauseWithAll(pub bool);

impl Ask<Actor> for PauseWithAll {
    fn needs(&self, _: &Actor) -> Prerequisite {
        Prerequisite::Order
    }

    fn obey(self: Box<Self>, actor: &mut Actor, _: &dyn Around) -> Outcome {
        if actor.life.is_over() {
            return Err(EngineError::Over(actor.shared.id.clone()));
        }
        actor.is_paused = self.0;
        actor.run.control.pause(self.0);
        Ok(())
    }
}
