//! Previews for somebody who watches.

use serde::{Deserialize, Serialize};

use super::super::{
    actor::Actor,
    around::Around,
    command::{Ask, Needs},
};
use crate::engine::reply::Outcome;

/// Ask for previews of a source (`true`), or stop it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preview(pub bool);

impl Ask<Actor> for Preview {
    fn needs(&self, _: &Actor) -> Needs {
        Needs::Nothing
    }

    fn obey(self: Box<Self>, actor: &mut Actor, _: &dyn Around) -> Outcome {
        actor.is_previewed = self.0;
        actor.run.demand.set_watched(self.0);
        if !self.0 {
            actor.shared.preview.store(None);
        }
        Ok(())
    }
}
