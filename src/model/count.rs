//! Lines, zones and what is counted at them.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::geometry::Anchor;

/// A counting line, in 0..1 of width and height.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LineConfig {
    /// Unique in its source.
    pub name: String,
    /// Start (x, y).
    pub a: [f32; 2],
    /// End (x, y).
    pub b: [f32; 2],
    /// Point of the person that must cross.
    pub anchor: Anchor,
}

impl Default for LineConfig {
    /// The original's line: the horizontal middle of the frame, downwards is in.
    fn default() -> Self {
        Self { name: "line_1".into(), a: [0.0, 0.5], b: [1.0, 0.5], anchor: Anchor::Center }
    }
}

/// A polygon whose occupancy and dwell time are watched, in 0..1 of width and height.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ZoneConfig {
    /// Unique in its source.
    pub name: String,
    /// At least three corners (x, y).
    pub points: Vec<[f32; 2]>,
    /// Point of the person that must be inside.
    pub anchor: Anchor,
    /// Occupancy from which an alert is raised.
    pub threshold: Option<i64>,
}

/// Corners (x, y) of an area, in 0..1 of width and height; at least three.
pub type Polygon = Vec<[f32; 2]>;

/// What is drawn on the frame of a source: where people are counted, and where nobody is seen.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Drawn {
    /// Lines.
    pub lines: Vec<LineConfig>,
    /// Zones.
    pub zones: Vec<ZoneConfig>,
    /// Ignored regions.
    #[serde(default)]
    pub ignore: Vec<Polygon>,
}

/// Which way a line was crossed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// To the right-hand side when walking from `a` to `b`.
    In,
    /// To the left-hand side.
    Out,
}

impl Direction {
    /// As serialised: `in` or `out`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }
}

/// Why something that looked like a crossing was not counted.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Reason {
    /// Moved over the line and back without settling on the other side.
    Flicker,
    /// Went over and returned soon after: the pair cancels out.
    UTurn,
    /// Passed the line's extension, beyond its ends.
    OffSegment,
    /// The track never gathered enough evidence.
    Unconfirmed,
    /// Another track of the same person was counted already.
    Duplicate,
}

impl Reason {
    /// All.
    pub const ALL: [Self; 5] =
        [Self::Flicker, Self::UTurn, Self::OffSegment, Self::Unconfirmed, Self::Duplicate];

    /// In a word, as serialized: `u-turn`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Flicker => "flicker",
            Self::UTurn => "u-turn",
            Self::OffSegment => "off-segment",
            Self::Unconfirmed => "unconfirmed",
            Self::Duplicate => "duplicate",
        }
    }

    /// The one of this word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.word() == word)
    }

    /// In words, as in `not counted: turned back`.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Flicker => "did not settle on the other side",
            Self::UTurn => "turned back",
            Self::OffSegment => "passed beyond the end of the line",
            Self::Unconfirmed => "seen too briefly to be confirmed",
            Self::Duplicate => "the same person twice",
        }
    }
}

/// Counts of one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LineCounts {
    /// Name of the line.
    pub name: String,
    /// Crossings in.
    pub total_in: u64,
    /// Crossings out.
    pub total_out: u64,
}

/// Occupancy of one zone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ZoneCounts {
    /// Name of the zone.
    pub name: String,
    /// People inside now.
    pub occupancy: u64,
    /// Mean stay of those who left, in seconds; 0 before the first has left.
    pub mean_dwell: f64,
    /// Occupancy at which it is at its limit.
    pub threshold: Option<i64>,
}

/// A number of people that should not be reached, and how many there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Limit {
    /// The zone that it is for; none when it is for the source.
    pub zone: Option<String>,
    /// In minus out of the source, or people in the zone.
    pub current: i64,
    /// From which it is reached.
    pub limit: i64,
}

impl Limit {
    /// Whether it is reached.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.current >= self.limit
    }

    /// `at its limit` or `over its limit`; nothing below.
    #[must_use]
    pub fn words(&self) -> Option<&'static str> {
        match self.current.cmp(&self.limit) {
            Ordering::Less => None,
            Ordering::Equal => Some("at its limit"),
            Ordering::Greater => Some("over its limit"),
        }
    }
}

/// One minute of one source, for sparklines and charts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Minute {
    /// Minutes since the Unix epoch.
    pub minute: i64,
    /// Crossings in.
    pub total_in: u32,
    /// Crossings out.
    pub total_out: u32,
    /// `current` at the end of the minute.
    pub current: i64,
    /// Whether the source was watched in this minute at all; `false` is a gap, not a zero.
    pub watched: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_of_a_reason_is_the_serialized_one() {
        for reason in Reason::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.word());
            assert_eq!(Reason::of_word(reason.word()), Some(reason));
        }
        assert_eq!(Reason::of_word("whim"), None);
    }
}
