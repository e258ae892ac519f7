//! Other counting lines and zones, other regions and heights that are ignored.

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
    model::{Drawn, LineConfig, Polygon, ZoneConfig},
};

/// Replace the counting lines and zones of a source; counts of lines that keep their name are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SetLines {
    /// The lines.
    pub lines: Vec<LineConfig>,
    /// The zones.
    pub zones: Vec<ZoneConfig>,
    /// The ignored regions; they stay as they are where none are given, not even an empty list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignore: Option<Vec<Polygon>>,
}

/// Replace everything that says what is counted in the frame of a source: what is drawn there, and how tall people are.
#[derive(Clone)]
pub struct SetDrawn {
    drawn: Drawn,
    heights: [Option<f32>; 2],
}

impl SetLines {
    fn change(self, config: &mut SourceConfig) {
        (config.lines, config.zones) = (self.lines, self.zones);
        if let Some(ignore) = self.ignore {
            config.ignore = ignore;
        }
    }
}

impl SetDrawn {
    /// That of `wanted`.
    pub fn of(wanted: &SourceConfig) -> Self {
        Self { drawn: wanted.drawn(), heights: [wanted.min_height, wanted.max_height] }
    }

    fn change(self, config: &mut SourceConfig) {
        config.set_drawn(self.drawn);
        [config.min_height, config.max_height] = self.heights;
    }
}

fn store(actor: &Actor, change: impl FnOnce(&mut SourceConfig)) -> Arc<SourceConfig> {
    let mut config = (**actor.shared.config.load()).clone();
    change(&mut config);
    let config = Arc::new(config);
    actor.shared.config.store(Arc::clone(&config));
    config
}

fn use_now(actor: &mut Actor, change: impl FnOnce(&mut SourceConfig)) {
    let config = store(actor, change);
    actor.with_pipeline(|pipeline| pipeline.set_source(config));
}

impl Ask<Actor> for SetLines {
    fn needs(&self, _: &Actor) -> Prerequisite {
        Prerequisite::Pipeline
    }

    fn wait(&self, actor: &mut Actor, _: &dyn Around) {
        // It is what counts from the next frame on.
        store(actor, |config| self.clone().change(config));
    }

    fn obey(self: Box<Self>, actor: &mut Actor, _: &dyn Around) -> Outcome {
        use_now(actor, |config| self.change(config));
        Ok(())
    }
}

impl Ask<Actor> for SetDrawn {
    fn needs(&self, _: &Actor) -> Prerequisite {
        Prerequisite::Pipeline
    }

    fn wait(&self, actor: &mut Actor, _: &dyn Around) {
        store(actor, |config| self.clone().change(config));
    }

    fn obey(self: Box<Self>, actor: &mut Actor, _: &dyn Around) -> Outcome {
        use_now(actor, |config| self.change(config));
        Ok(())
    }
}
