//! What a person and the program say of one crossing.

use crate::model::{Direction, EventKind, Reason};

/// A crossing that a person saw.
#[derive(Debug, Clone, PartialEq)]
pub struct Tap {
    /// Seconds on the source's clock, whole milliseconds.
    pub time: f64,
    /// Name of the line.
    pub line: String,
    /// Which way.
    pub direction: Direction,
}

impl Tap {
    /// A crossing at `time` seconds, rounded to milliseconds: what is kept in a file is what was compared.
    #[must_use]
    pub fn new(time: f64, line: impl Into<String>, direction: Direction) -> Self {
        Self { time: (time * 1000.0).round() / 1000.0, line: line.into(), direction }
    }
}

/// What the program made of something that looked like a crossing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// It was counted, with this score of the track, 0..=1.
    Counted(f32),
    /// It was not counted, for this reason.
    Suppressed(Reason),
}

/// Something that the program took for a crossing, counted or not.
#[derive(Debug, Clone, PartialEq)]
pub struct Sighting {
    /// Seconds on the source's clock.
    pub time: f64,
    /// Name of the line.
    pub line: String,
    /// Which way.
    pub direction: Direction,
    /// What became of it.
    pub verdict: Verdict,
}

impl Sighting {
    /// The crossing that an event of the program tells of; `None` for every other event.
    #[must_use]
    pub fn of(event: &EventKind) -> Option<Self> {
        let (line, direction, time, verdict) = match event {
            EventKind::Crossing { line, direction, time, confidence, .. } => {
                (line, direction, time, Verdict::Counted(*confidence))
            }
            EventKind::Suppressed { line, direction, time, reason, .. } => {
                (line, direction, time, Verdict::Suppressed(*reason))
            }
            _ => return None,
        };
        Some(Self { time: *time, line: line.clone(), direction: *direction, verdict })
    }

    /// Whether it was counted.
    #[must_use]
    pub fn is_counted(&self) -> bool {
        matches!(self.verdict, Verdict::Counted(_))
    }
}
