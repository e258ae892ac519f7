//! Alerts, and who acknowledged them.

use serde::{Deserialize, Serialize};

use super::{SourceId, SourceSnapshot, SourceState};

/// Kinds of alerts.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// Delivers no frames and should.
    Down,
    /// A camera marked as failed after many attempts: an alert of its own, also where it was acknowledged that it was down.
    Failed,
    /// Breaks off again and again.
    Flapping,
    /// Reached its limit.
    Limit,
    /// An area reached its threshold; its name stands in the place of the source's id.
    Area,
}

impl AlertKind {
    /// In a word or two, for lists.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Failed => "failed",
            Self::Flapping => "flapping",
            Self::Limit => "limit",
            Self::Area => "area",
        }
    }

    /// What is wrong with `source`, in the order in which it is listed.
    pub fn of(source: &SourceSnapshot) -> impl Iterator<Item = Self> {
        let has_failed = matches!(source.state, SourceState::Failed { next: Some(_) });
        [
            (Self::Limit, source.over_threshold()),
            (Self::Flapping, source.flapping().is_some()),
            (Self::Failed, has_failed),
            (Self::Down, !has_failed && source.state.kind().is_offline()),
        ]
        .into_iter()
        .filter_map(|(kind, stands)| stands.then_some(kind))
    }

    /// Whether it is not over yet for `source`: between two attempts to reach it, it is down as before.
    #[must_use]
    pub fn goes_on(self, source: &SourceSnapshot) -> bool {
        let is_between = source.state == SourceState::Connecting;
        (self == Self::Down && is_between) || Self::of(source).any(|kind| kind == self)
    }
}

/// An alert was acknowledged. It is forgotten with the end of the alert, so that the next one is new.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Acknowledgment {
    /// Of which source.
    pub source: SourceId,
    /// What is wrong with it.
    pub kind: AlertKind,
    /// Name of the user.
    pub who: String,
    /// When, in milliseconds since the Unix epoch.
    pub wall: i64,
}
