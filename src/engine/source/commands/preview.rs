//! Previews for somebody who watches.

use serde::{Deserialize, Serialize};

use super::super::{
    actor::Actor,
    around::Around,
    command::{Ask, Prerequisite},
};
use crate::engine::reply::Outcome;

/// Ask for previews of a source (`true`), or want them no more: they are made until each who asked wants them no more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Preview(pub bool);

impl Ask<Actor> for Preview {
    fn needs(&self, _: &Actor) -> Prerequisite {
        Prerequisite::Nothing
    }

    fn obey(self: Box<Self>, actor: &mut Actor, _: &dyn Around) -> Outcome {
        actor.viewers = if self.0 { actor.viewers + 1 } else { actor.viewers.saturating_sub(1) };
        let is_watched = actor.viewers > 0;
        actor.run.demand.set_watched(is_watched);
        if !is_watched {
            actor.shared.preview.store(None);
        }
        Ok(())
    }
}
