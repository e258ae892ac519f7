//! Other opening hours.

use super::super::{
    actor::Actor,
    around::Around,
    command::{Ask, Prerequisite},
};
use crate::{config::Schedule, engine::reply::Outcome};

/// Replace the opening hours of a source: one that stays open goes on as it is.
pub struct SetSchedule(pub Option<Schedule>);

impl Ask<Actor> for SetSchedule {
    fn needs(&self, _: &Actor) -> Prerequisite {
        Prerequisite::Order
    }

    fn obey(self: Box<Self>, actor: &mut Actor, around: &dyn Around) -> Outcome {
        actor.set_schedule(around, self.0);
        Ok(())
    }
}
