//! Which crossings are asked for, and what is known of them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    audit::sample::Sample,
    evidence::{Facts, Key, Marks, Pixels},
    model::{Judgment, SourceId, Verdict},
};

/// Most crossings that are stepped through, the newest.
pub const MOST: usize = 5_000;

/// Which crossings are asked for: those with strips.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CrossingsQuery {
    /// Only of this source.
    pub source: Option<SourceId>,
    /// Only over the line of this name.
    pub line: Option<String>,
    /// From this moment on, in milliseconds since the Unix epoch.
    pub since: i64,
    /// Up to but without this moment.
    pub until: i64,
    /// In the order of a random sample, not of time.
    pub at_random: bool,
    /// From where on the screen, in a few words: `Main Entrance, the last 24 hours`.
    pub title: String,
    /// The one to begin with is the last before this moment, where one is given; else the newest.
    pub at: Option<i64>,
}

/// The answer to [`CrossingsQuery`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CrossingsAnswer {
    /// The oldest first.
    InTime(Vec<Facts>),
    /// In the order in which they are drawn, with what was said of them.
    AtRandom(Sample),
}

/// What is known of one crossing.
#[derive(Debug, Clone, PartialEq)]
pub struct CrossingDetails {
    /// What happened; its confidence is that of the strip, where there is one.
    pub facts: Facts,
    /// Its strip.
    pub strip: Option<Strip>,
    /// What was said last of it.
    pub judgment: Option<Judgment>,
}

/// The pictures of a crossing.
#[derive(Debug, Clone, PartialEq)]
pub struct Strip {
    /// Under which it is kept.
    pub key: Key,
    /// Whether heads are blurred in it.
    pub blurred: bool,
    /// In order, each a square.
    pub pictures: Vec<Pixels>,
    /// What is drawn over them; `None` where it has been drawn already.
    pub marks: Option<Marks>,
}

/// What a person says of a crossing, on its way to the ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NewJudgment {
    /// Of which.
    pub facts: Facts,
    /// What.
    pub verdict: Verdict,
    /// Where it was drawn at random: for how many it stands.
    pub weight: Option<f64>,
    /// Name of the one who says it; the user of this program where none is given.
    pub who: Option<String>,
}
