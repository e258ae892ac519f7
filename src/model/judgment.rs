//! What people say of single crossings.

use serde::{Deserialize, Serialize};

use super::{Direction, Reason, SourceId, TrackId};

/// What somebody said of a crossing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The program is right: it counted what happened, or rightly did not count.
    Right,
    /// It is wrong: it counted what did not happen, or did not count what did.
    Wrong,
    /// Both counts are wrong: somebody crossed, but the other way.
    OtherWay,
}

impl Verdict {
    /// All.
    pub const ALL: [Self; 3] = [Self::Right, Self::Wrong, Self::OtherWay];

    /// As it is stored and printed.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Wrong => "wrong",
            Self::OtherWay => "other-way",
        }
    }

    /// The one of this word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.word() == word)
    }
}

/// The crossing that is meant: source, line, track and wall time are those of its event.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Crossed {
    /// Wall time of the event, in milliseconds since the Unix epoch.
    pub wall: i64,
    /// Which source.
    pub source: SourceId,
    /// Name of the line.
    pub line: String,
    /// Who.
    pub track: TrackId,
}

/// A crossing and what somebody said of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Judgment {
    /// When, in milliseconds since the Unix epoch.
    pub wall: i64,
    /// Of which crossing.
    pub crossed: Crossed,
    /// Which way the program thought.
    pub direction: Direction,
    /// Why the program had not counted it; `None` where it had.
    pub reason: Option<Reason>,
    /// What was said.
    pub verdict: Verdict,
    /// Where the crossing was drawn at random: for how many of its kind it stood when it was drawn, finite. `None` where
    /// somebody chose it.
    pub weight: Option<f64>,
    /// Name of the user.
    pub who: String,
}
