//! What people did with the program.

use serde::{Deserialize, Serialize};

use super::SourceId;

/// Something that a person asked for and that was done.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Action {
    /// When it was asked for, in milliseconds since the Unix epoch.
    pub wall: i64,
    /// Name of the user.
    pub who: String,
    /// Where it was asked for: `dashboard`, `socket`, `http`, `nats`, `mqtt` or `signal`.
    pub from: String,
    /// The source it concerns; `None` where that is the whole program.
    pub source: Option<SourceId>,
    /// What was done, one of [`Self::WORDS`]; later versions may have more.
    pub what: String,
    /// What else is to be said of it, without secrets.
    pub detail: Option<String>,
}

impl Action {
    /// A source, or all of them, was paused.
    pub const PAUSED: &str = "paused";
    /// A source, or all of them, goes on.
    pub const RESUMED: &str = "resumed";
    /// A source was opened again.
    pub const RESTARTED: &str = "restarted";
    /// The counts of a source were reset.
    pub const RESET: &str = "reset";
    /// A source was removed.
    pub const REMOVED: &str = "removed";
    /// A source was added.
    pub const ADDED: &str = "added";
    /// A source has other lines and zones.
    pub const LINES: &str = "lines";
    /// A source has other settings.
    pub const SETTINGS: &str = "settings";
    /// An alert of a source was acknowledged.
    pub const ACKNOWLEDGED: &str = "acknowledged";
    /// The number of workers was changed.
    pub const WORKERS: &str = "workers";
    /// The number of people inside an area was corrected.
    pub const CORRECTED: &str = "corrected";
    /// The configuration file was read again.
    pub const RELOADED: &str = "reloaded";
    /// The program was stopped.
    pub const STOPPED: &str = "stopped";

    /// All words of this version.
    pub const WORDS: [&str; 13] = [
        Self::PAUSED,
        Self::RESUMED,
        Self::RESTARTED,
        Self::RESET,
        Self::REMOVED,
        Self::ADDED,
        Self::LINES,
        Self::SETTINGS,
        Self::ACKNOWLEDGED,
        Self::WORKERS,
        Self::CORRECTED,
        Self::RELOADED,
        Self::STOPPED,
    ];

    /// The action in words: `alice paused 'gate' (dashboard)`.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Self { who, from, source, what, detail, .. } = self;
        let verb = match what.as_str() {
            Self::RESET => "reset the counts of",
            Self::LINES => "changed the lines of",
            Self::SETTINGS => "changed the settings of",
            Self::ACKNOWLEDGED => "acknowledged the alert of",
            Self::WORKERS => "set the number of workers",
            Self::CORRECTED => "corrected the number inside",
            Self::RELOADED => "reloaded the configuration file",
            Self::STOPPED => "stopped the program",
            other => other,
        };
        let object = match source {
            Some(id) => format!(" '{id}'"),
            None if [Self::PAUSED, Self::RESUMED].contains(&what.as_str()) => " all sources".to_owned(),
            None => String::new(),
        };
        let detail = detail.as_ref().map_or_else(String::new, |detail| format!(": {detail}"));
        format!("{who} {verb}{object}{detail} ({from})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(source: Option<&str>, what: &str, detail: Option<&str>) -> Action {
        Action {
            wall: 1_000,
            who: "alice".into(),
            from: "dashboard".into(),
            source: source.map(SourceId::from),
            what: what.into(),
            detail: detail.map(str::to_owned),
        }
    }

    #[test]
    fn an_action_reads_as_a_sentence_with_who_and_where_from() {
        for (source, what, detail, said) in [
            (Some("gate"), Action::PAUSED, None, "alice paused 'gate' (dashboard)"),
            (None, Action::PAUSED, None, "alice paused all sources (dashboard)"),
            (Some("gate"), Action::RESET, None, "alice reset the counts of 'gate' (dashboard)"),
            (
                Some("gate"),
                Action::LINES,
                Some("door"),
                "alice changed the lines of 'gate': door (dashboard)",
            ),
            (
                Some("gate"),
                Action::SETTINGS,
                Some("alias, credentials"),
                "alice changed the settings of 'gate': alias, credentials (dashboard)",
            ),
            (None, Action::WORKERS, Some("4"), "alice set the number of workers: 4 (dashboard)"),
            (None, Action::STOPPED, None, "alice stopped the program (dashboard)"),
        ] {
            assert_eq!(action(source, what, detail).sentence(), said);
        }
    }
}
