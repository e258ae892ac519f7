//! Other counting lines and zones.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::super::{
    actor::Actor,
    around::Around,
    command::{Ask, Prerequisite},
};
use crate::{
    config::SourceConfig,
    engine::reply::Outcome,
    model::{LineConfig, ZoneConfig},
};

/// Replace the counting lines and zones of a source; counts of lines that keep their name are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SetLines {
    /// The lines.
    pub lines: Vec<LineConfig>,
    /// The zones.
    pub zones: Vec<ZoneConfig>,
}

impl SetLines {
    fn store(self, actor: &Actor) -> Arc<SourceConfig> {
        let Self { lines, zones } = self;
        let config = Arc::new(SourceConfig { lines, zones, ..(**actor.shared.config.load()).clone() });
        actor.shared.config.store(Arc::clone(&config));
        config
    }
}

impl Ask<Actor> for SetLines {
    fn needs(&self, _: &Actor) -> Prerequisite {
        Prerequisite::Pipeline
    }

    fn wait(&self, actor: &mut Actor, _: &dyn Around) {
        // It is what counts from the next frame on.
        self.clone().store(actor);
    }

    fn obey(self: Box<Self>, actor: &mut Actor, _: &dyn Around) -> Outcome {
        let config = self.store(actor);
        actor.with_pipeline(|pipeline| pipeline.set_source(config));
        Ok(())
    }
}
