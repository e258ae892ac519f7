//! What a report says of areas.

use std::{collections::BTreeMap, fmt::Write};

use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    ledger::{
        LedgerError,
        local_time::LocalTime,
        reader::{Reader, Span},
        text::minutes,
    },
    logging::line::clean,
    model::{CorrectionReason, Drift},
};

/// One area over the whole time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AreaReport {
    /// Its name.
    pub area: String,
    /// People who entered.
    #[serde(rename = "in")]
    pub total_in: u64,
    /// People who left.
    #[serde(rename = "out")]
    pub total_out: u64,
    /// People who may be inside at most, where the configuration says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u64>,
    /// The highest number inside, as it was counted, around a crossing or a correction; `None` where there was neither.
    pub highest: Option<HighestInside>,
    /// How wrong the number was when it was corrected in this time; `None` where that is not known.
    pub drift: Option<Drift>,
    /// The corrections in this time, in their order.
    pub corrections: Vec<CorrectionReport>,
}

/// The highest number inside an area.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HighestInside {
    /// When.
    pub time: LocalTime,
    /// How many.
    pub inside: i64,
}

/// A correction of the number inside an area.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CorrectionReport {
    /// When.
    pub time: LocalTime,
    /// What the number was.
    pub before: i64,
    /// What it is since.
    pub after: i64,
    /// Why.
    pub reason: CorrectionReason,
    /// Name of the user; empty where the program did it.
    pub who: String,
}

impl AreaReport {
    /// The highest number and the capacity in words: `37 of 120, 2024-05-01 10:00`.
    #[must_use]
    pub fn highest_words(&self) -> String {
        let Some(highest) = &self.highest else { return "not known".to_owned() };
        let of = self.capacity.map_or(String::new(), |capacity| format!(" of {capacity}"));
        format!("{}{of}, {}", highest.inside, minutes(&highest.time))
    }
}

impl CorrectionReport {
    /// In words: `2024-05-01 04:01: 3 to 0, quiet hour`.
    #[must_use]
    pub fn words(&self) -> String {
        let why = match self.reason {
            CorrectionReason::Reset => "quiet hour".to_owned(),
            CorrectionReason::Person if self.who.is_empty() => "by a person".to_owned(),
            CorrectionReason::Person => format!("by {}", clean(&self.who)),
        };
        format!("{}: {} to {}, {why}", minutes(&self.time), self.before, self.after)
    }
}

/// The areas of a ledger within `span`.
pub(super) fn areas(
    reader: &Reader,
    span: Span,
    timezone: &TimeZone,
) -> Result<Vec<AreaReport>, LedgerError> {
    let mut found: BTreeMap<String, AreaReport> = BTreeMap::new();
    let new = |name: &str| AreaReport {
        area: name.to_owned(),
        total_in: 0,
        total_out: 0,
        capacity: None,
        highest: None,
        drift: None,
        corrections: Vec::new(),
    };
    for quarter in reader.area_quarters(span)? {
        let area = found.entry(quarter.area.clone()).or_insert_with(|| new(&quarter.area));
        area.total_in += quarter.total_in;
        area.total_out += quarter.total_out;
        if area.highest.as_ref().is_none_or(|highest| quarter.high > highest.inside) {
            let time = LocalTime::new(quarter.high_at, timezone);
            area.highest = Some(HighestInside { time, inside: quarter.high });
        }
    }
    let corrections = reader.corrections(span)?;
    for correction in &corrections {
        let area = found.entry(correction.area.clone()).or_insert_with(|| new(&correction.area));
        area.corrections.push(CorrectionReport {
            time: LocalTime::new(correction.wall, timezone),
            before: correction.before,
            after: correction.after,
            reason: correction.reason,
            who: correction.who.clone(),
        });
    }
    for area in found.values_mut() {
        let own = corrections.iter().filter(|correction| correction.area == area.area);
        area.drift = Drift::of(own.map(|it| (it.before, it.after, it.total_in)));
    }
    Ok(found.into_values().collect())
}

/// The areas as text for reading.
pub(in crate::ledger) fn text(areas: &[AreaReport]) -> String {
    let mut text = String::new();
    for area in areas {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "\narea {}", clean(&area.area));
        let _ = writeln!(text, "  {} in, {} out", area.total_in, area.total_out);
        let _ = writeln!(text, "  highest number inside: {}", area.highest_words());
        let _ = writeln!(text, "  drift: {}", Drift::words(area.drift.as_ref()));
        for correction in &area.corrections {
            let _ = writeln!(text, "  corrected {}", correction.words());
        }
    }
    text
}
