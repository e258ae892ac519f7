//! Stop reading, or go on.

use serde::{Deserialize, Serialize};

use super::super::{
    actor::Actor,
    around::Around,
    command::{Ask, Prerequisite},
};
use crate::engine::{error::EngineError, reply::Outcome};

/// Stop reading a source (`true`), or go on; its counts stay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Pause(pub bool);

impl Ask<Actor> for Pause {
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
