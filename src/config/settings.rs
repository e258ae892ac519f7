//! What of a source is changed on the dashboard beside its lines and zones.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cadence, Credentials, Secret, SourceConfig, SourceSpec};

/// What of a source can be changed on the dashboard, beside its lines and zones.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Settings {
    /// Its name for people; empty for its id.
    pub alias: String,
    /// Where it is.
    pub location: Option<String>,
    /// How many people may be inside.
    pub threshold: Option<i64>,
    /// How many may be in each of its zones, by the zone's name.
    pub zone_limits: BTreeMap<String, Option<i64>>,
    /// Whether it runs.
    pub enabled: bool,
    /// Most detections a second; `None` for as many as are needed.
    pub detect_fps: Option<f64>,
    /// Another login, `user:password`; `None` leaves it as it is. Never given back.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "revealed")]
    #[schemars(with = "Option<String>")]
    pub login: Option<Secret>,
}

/// A login on its way to the program that saves it.
mod revealed {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Secret;

    #[expect(clippy::ref_option, reason = "called by what serde derives, with the field as it is")]
    pub fn serialize<S: Serializer>(login: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
        login.as_ref().map(Secret::reveal).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.map(Secret::new))
    }
}

impl Settings {
    /// Those of a source as it runs, without its login.
    #[must_use]
    pub fn of(source: &SourceConfig) -> Self {
        let is_own = *source.alias != *source.id;
        Self {
            alias: if is_own { source.alias.clone() } else { String::new() },
            location: source.location.clone(),
            threshold: source.threshold,
            zone_limits: source.zones.iter().map(|zone| (zone.name.clone(), zone.threshold)).collect(),
            enabled: source.enabled,
            detect_fps: match source.cadence {
                Cadence::DetectFps(rate) => Some(rate),
                Cadence::Auto | Cadence::SkipFrames(_) => None,
            },
            login: None,
        }
    }

    /// The keys of which this is another than `before`, as the file has them; of a zone's limit `zones`.
    #[must_use]
    pub fn changed(&self, before: &Self) -> Vec<&'static str> {
        // A new field has to be thought of here.
        let Self { alias, location, threshold, zone_limits: _, enabled, detect_fps, login } = self;
        let all = [
            ("alias", *alias != before.alias),
            ("location", *location != before.location),
            ("threshold", *threshold != before.threshold),
            ("zones", self.changed_zones(before).next().is_some()),
            ("enabled", *enabled != before.enabled),
            ("detect_fps", *detect_fps != before.detect_fps),
            ("credentials", login.is_some()),
        ];
        all.into_iter().filter(|(_, is_changed)| *is_changed).map(|(key, _)| key).collect()
    }

    /// Zones of which the limit is another than in `before`, each with its own.
    pub(super) fn changed_zones<'a>(
        &'a self,
        before: &'a Self,
    ) -> impl Iterator<Item = (&'a str, Option<i64>)> {
        let limits = self.zone_limits.iter().map(|(name, limit)| (name.as_str(), *limit));
        limits.filter(|(name, limit)| before.zone_limits.get(*name) != Some(limit))
    }

    /// The name of a source `id`, as it is shown.
    pub(super) fn shown_alias<'a>(&'a self, id: &'a str) -> &'a str {
        if self.alias.is_empty() { id } else { &self.alias }
    }

    /// The login that is to be used from now on.
    #[must_use]
    pub(crate) fn credentials(&self) -> Option<Credentials> {
        self.login.as_ref().map(|login| Credentials::from_pair(login.reveal()))
    }

    /// `source` with what differs between `before` and this.
    #[must_use]
    pub(crate) fn applied(&self, before: &Self, source: &SourceConfig) -> SourceConfig {
        let mut changed = source.clone();
        for key in self.changed(before) {
            match key {
                "alias" => self.shown_alias(&source.id).clone_into(&mut changed.alias),
                "location" => changed.location.clone_from(&self.location),
                "threshold" => changed.threshold = self.threshold,
                "enabled" => changed.enabled = self.enabled,
                "detect_fps" => changed.cadence = self.detect_fps.map_or(Cadence::Auto, Cadence::DetectFps),
                "credentials" => {
                    if let SourceSpec::Url { credentials, .. } = &mut changed.source {
                        *credentials = self.credentials();
                    }
                }
                _ => {
                    for (name, limit) in self.changed_zones(before) {
                        let zone = changed.zones.iter_mut().find(|zone| zone.name == name);
                        zone.into_iter().for_each(|zone| zone.threshold = limit);
                    }
                }
            }
        }
        changed
    }
}
