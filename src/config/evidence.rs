//! Whether strips of snapshots of crossings are kept, how long, in how much room, and with which heads.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::defaults;

/// How strips of snapshots of crossings are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvidenceConfig {
    /// How long a strip is kept, at least an hour.
    pub keep: Duration,
    /// Most bytes on disk: of all strips where it is the program's, of one source's strips where it is that source's.
    pub size: u64,
    /// Whether heads are made unrecognizable before anything is written.
    pub blur: bool,
}

impl Default for EvidenceConfig {
    /// What `"evidence": true` means.
    fn default() -> Self {
        Self { keep: defaults::EVIDENCE_KEEP, size: defaults::EVIDENCE_SIZE, blur: defaults::EVIDENCE_BLUR }
    }
}

/// What the configuration of one source says of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EvidenceChoice {
    /// Nothing: what holds for all sources holds for it.
    #[default]
    Program,
    /// None is kept.
    Off,
    /// It is kept; what is not said is as for all sources.
    On(EvidenceSettings),
}

/// What a source has of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct EvidenceSettings {
    /// See [`EvidenceConfig::keep`].
    pub keep: Option<Duration>,
    /// See [`EvidenceConfig::size`].
    pub size: Option<u64>,
    /// See [`EvidenceConfig::blur`].
    pub blur: Option<bool>,
}

impl EvidenceChoice {
    /// What holds for the source where `program` holds for all; `None` where nothing is kept.
    #[must_use]
    pub fn resolve(self, program: Option<EvidenceConfig>) -> Option<EvidenceConfig> {
        match self {
            Self::Program => program,
            Self::Off => None,
            Self::On(own) => {
                let others = program.unwrap_or_default();
                Some(EvidenceConfig {
                    keep: own.keep.unwrap_or(others.keep),
                    size: own.size.unwrap_or(others.size),
                    blur: own.blur.unwrap_or(others.blur),
                })
            }
        }
    }

    /// Most bytes of the source's own strips, where it has a bound of its own.
    #[must_use]
    pub fn own_size(self) -> Option<u64> {
        if let Self::On(own) = self { own.size } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_goes_by_the_program_in_what_it_does_not_say() {
        let hour = Duration::from_hours(1);
        let program = EvidenceConfig { keep: hour, size: 1 << 30, blur: false };
        let own = EvidenceChoice::On(EvidenceSettings { size: Some(1 << 20), ..EvidenceSettings::default() });
        assert_eq!(own.resolve(Some(program)), Some(EvidenceConfig { size: 1 << 20, ..program }));
        assert_eq!(
            own.resolve(None),
            Some(EvidenceConfig { size: 1 << 20, ..EvidenceConfig::default() }),
            "without the program's, the defaults: heads are blurred"
        );
        assert_eq!(EvidenceChoice::Program.resolve(Some(program)), Some(program));
        assert_eq!(EvidenceChoice::Program.resolve(None), None);
        assert_eq!(EvidenceChoice::Off.resolve(Some(program)), None);
    }
}
