//! Other names and limits.

use std::{collections::BTreeMap, sync::Arc};

use super::super::{
    actor::Actor,
    around::Around,
    command::{Ask, Prerequisite},
};
use crate::{
    config::SourceConfig,
    engine::reply::Outcome,
    model::{Limit, ZoneConfig},
};

/// Replace what a source is called, where it is and how many may be there: nothing of what counts is touched.
pub struct SetLabels {
    alias: String,
    location: Option<String>,
    threshold: Option<i64>,
    zone_limits: BTreeMap<String, Option<i64>>,
}

impl SetLabels {
    /// Those of `wanted`.
    pub fn of(wanted: &SourceConfig) -> Self {
        Self {
            alias: wanted.alias.clone(),
            location: wanted.location.clone(),
            threshold: wanted.threshold,
            zone_limits: wanted.zones.iter().map(|zone| (zone.name.clone(), zone.threshold)).collect(),
        }
    }

    fn store(&self, actor: &Actor) -> Arc<SourceConfig> {
        let mut config = (**actor.shared.config.load()).clone();
        config.alias.clone_from(&self.alias);
        config.location.clone_from(&self.location);
        config.threshold = self.threshold;
        for ZoneConfig { name, threshold, .. } in &mut config.zones {
            if let Some(limit) = self.zone_limits.get(name) {
                *threshold = *limit;
            }
        }
        let config = Arc::new(config);
        actor.shared.config.store(Arc::clone(&config));
        config
    }
}

impl Ask<Actor> for SetLabels {
    fn needs(&self, _: &Actor) -> Prerequisite {
        Prerequisite::Pipeline
    }

    fn wait(&self, actor: &mut Actor, _: &dyn Around) {
        // The next question for the settings is answered with these.
        self.store(actor);
    }

    fn obey(self: Box<Self>, actor: &mut Actor, _: &dyn Around) -> Outcome {
        let config = self.store(actor);
        let before: Vec<Limit> = actor.shown.limits().collect();
        let Self { alias, location, threshold, .. } = *self;
        let shown = &mut actor.shown;
        (shown.alias, shown.location, shown.threshold) = (alias, location, threshold);
        actor.with_pipeline(|pipeline| pipeline.set_labels(config));
        actor.tell_limits(&before);
        Ok(())
    }
}
