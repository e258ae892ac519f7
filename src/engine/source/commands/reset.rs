//! Counts back to zero.

use serde::{Deserialize, Serialize};

use super::super::{
    actor::Actor,
    around::Around,
    command::{Ask, Prerequisite},
};
use crate::{
    engine::{pipeline::Pipeline, reply::Outcome},
    model::EventKind,
};

/// Reset the counts of a source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ResetCounts;

impl Ask<Actor> for ResetCounts {
    fn needs(&self, _: &Actor) -> Prerequisite {
        Prerequisite::Pipeline
    }

    fn obey(self: Box<Self>, actor: &mut Actor, _: &dyn Around) -> Outcome {
        actor.refuse_while_full()?;
        actor.with_pipeline(Pipeline::reset_counts);
        actor.emit(EventKind::Reset);
        Ok(())
    }
}
