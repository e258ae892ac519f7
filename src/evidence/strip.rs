//! What a strip shows, in words: the facts that tie it to its crossing.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use jiff::civil::Date;

use crate::model::{Direction, Reason, SourceId, TrackId};

/// Width and height of each picture of a strip, in pixels.
pub const SIDE: i32 = 160;

/// Between two pictures, in pixels.
pub const GAP: i32 = 2;

/// The crossing that a strip shows. Source, line, track and wall time are those of its event, in the ledger as in
/// `crossings.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Facts {
    /// Which source.
    pub source: SourceId,
    /// Name of the line.
    pub line: String,
    /// Which way, or which way it would have been.
    pub direction: Direction,
    /// Why it was not counted; `None` where it was.
    pub reason: Option<Reason>,
    /// Score of the track, 0..=1, where it is known.
    pub confidence: Option<f32>,
    /// Who.
    pub track: TrackId,
    /// Wall time of the event, in milliseconds since the Unix epoch.
    pub wall: i64,
    /// Seconds on the source's clock at which the line was passed.
    pub time: f64,
}

/// A strip on its way to the disk.
#[derive(Debug, Clone)]
pub struct Strip {
    /// What it shows.
    pub facts: Facts,
    /// When it must be gone, in milliseconds since the Unix epoch.
    pub until: i64,
    /// Whether heads are blurred in it.
    pub blurred: bool,
    /// Five pictures side by side, as JPEG.
    pub jpeg: Vec<u8>,
    /// What is to be drawn over them ([`Marks`](super::Marks)), as JSON.
    pub marks: String,
}

impl Strip {
    /// Bytes that it takes on the disk, facts and indexes aside.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.jpeg.len() + self.marks.len()
    }
}

/// Where a strip lies: the day (UTC) of its wall time, and its number in that day's file, which is never used again.
/// Written `2026-03-14-17`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Day, in UTC.
    pub day: Date,
    /// Number, from 1.
    pub number: i64,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.day, self.number)
    }
}

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts =
            text.rsplit_once('-').and_then(|(day, number)| Some((day.parse().ok()?, number.parse().ok()?)));
        match parts {
            Some((day, number)) if number > 0 => Ok(Self { day, number }),
            _ => Err(format!(
                "'{text}' is not the key of a strip; take one from 'evidence list', such as 2026-03-14-17"
            )),
        }
    }
}

/// The day (UTC) of a moment in milliseconds since the Unix epoch; the first or last day of all for what is beyond.
#[must_use]
pub fn day_of(wall: i64) -> Date {
    let beyond = if wall < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    let moment = jiff::Timestamp::from_millisecond(wall).unwrap_or(beyond);
    moment.to_zoned(jiff::tz::TimeZone::UTC).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_is_written() {
        let key = Key { day: day_of(1_773_446_400_000), number: 17 };
        assert_eq!(key.to_string(), "2026-03-14-17");
        assert_eq!(key.to_string().parse(), Ok(key));
        for wrong in ["", "17", "2026-03-14", "2026-13-14-1", "2026-03-14-0", "2026-03-14--1", "x-1"] {
            let said = wrong.parse::<Key>().unwrap_err();
            assert!(said.contains(&format!("'{wrong}'")) && said.contains("evidence list"), "{said}");
        }
    }
}
