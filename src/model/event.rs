//! What happens to sources.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::{AreaEvent, Direction, Epoch, Reason, Scene, SourceId, StateKind, TrackId, rfc3339};

/// What happened, for the ticker, the logs, the CSV and the JSON lines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[non_exhaustive]
pub struct Event {
    /// Its place in the order in which the engine passes events on, from 1: where a number is left out, an event was
    /// lost. 0 until it is passed on.
    pub number: u64,
    /// Wall time, in the years -9999 to 9999; serialised as RFC 3339 in UTC, to the nanosecond.
    #[serde(with = "rfc3339")]
    #[schemars(with = "String")]
    pub wall: SystemTime,
    /// Which source.
    pub source: SourceId,
    /// What.
    pub kind: EventKind,
    /// The lease by which a fleet's source was counted here; none for other sources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<Epoch>,
}

impl Event {
    /// What happened just now, not passed on yet.
    #[must_use]
    pub fn new(wall: SystemTime, source: impl Into<SourceId>, kind: EventKind) -> Self {
        Self { number: 0, wall, source: source.into(), kind, epoch: None }
    }
}

/// Kinds of [`Event`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventKind {
    /// Somebody crossed a line.
    Crossing {
        /// Name of the line.
        line: String,
        /// Which way.
        direction: Direction,
        /// Who.
        track: TrackId,
        /// Seconds on the source's clock, finite.
        time: f64,
        /// Score of the track, 0..=1.
        confidence: f32,
    },
    /// A crossing that was not counted.
    Suppressed {
        /// Name of the line.
        line: String,
        /// Which way it would have been.
        direction: Direction,
        /// Who.
        track: TrackId,
        /// Why not.
        reason: Reason,
        /// Seconds on the source's clock, finite.
        time: f64,
    },
    /// The source changed state.
    State {
        /// The new state.
        state: StateKind,
        /// What went wrong, when something did.
        error: Option<String>,
    },
    /// The source or one of its zones reached its limit or went below it again.
    Threshold {
        /// The zone whose limit it is; none when it is the source's own.
        zone: Option<String>,
        /// Whether it is over now.
        over: bool,
        /// The count at that moment: in minus out, or the people in the zone.
        current: i64,
        /// The limit.
        limit: i64,
    },
    /// Something new is known of the source's scene: how tall people are, which size of the detector's input pays, whether its
    /// counts can be relied upon.
    Scene(Scene),
    /// The opening hours of the source from now on; none is always.
    Schedule {
        /// As written in the configuration.
        schedule: Option<String>,
        /// Time zone of its times; empty where it has no name.
        timezone: String,
    },
    /// The source's counts were set to zero: by the user, or because a file starts again.
    Reset,
    /// Something of an area, whose name stands in the place of the source's id.
    Area(AreaEvent),
}
