//! What a report says of areas.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    ledger::{
        LedgerError,
        local_time::LocalTime,
        reader::{Reader, Span},
    },
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
    /// Rows in which somebody crossed or the number was corrected, in their order.
    #[serde(default)]
    pub rows: Vec<AreaRow>,
}

/// What an area counted within one row of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AreaRow {
    /// When it begins.
    pub start: LocalTime,
    /// People who entered.
    #[serde(rename = "in")]
    pub total_in: u64,
    /// People who left.
    #[serde(rename = "out")]
    pub total_out: u64,
    /// The highest number inside, as it was counted, around a crossing or a correction.
    pub highest: i64,
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

/// The areas of a ledger within `span`, which `steps` divide in their order.
pub(super) fn areas(
    reader: &Reader,
    span: Span,
    steps: &[Span],
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
        rows: Vec::new(),
    };
    for quarter in reader.area_quarters(span)? {
        let area = found.entry(quarter.area.clone()).or_insert_with(|| new(&quarter.area));
        area.total_in += quarter.total_in;
        area.total_out += quarter.total_out;
        if area.highest.as_ref().is_none_or(|highest| quarter.high > highest.inside) {
            let time = LocalTime::new(quarter.high_at, timezone);
            area.highest = Some(HighestInside { time, inside: quarter.high });
        }
        let step = steps.partition_point(|step| step.from <= quarter.from).checked_sub(1);
        let Some(step) = step.and_then(|step| steps.get(step)) else { continue };
        let start = LocalTime::new(step.from, timezone);
        match area.rows.last_mut().filter(|row| row.start == start) {
            Some(row) => {
                row.total_in += quarter.total_in;
                row.total_out += quarter.total_out;
                row.highest = row.highest.max(quarter.high);
            }
            None => area.rows.push(AreaRow {
                start,
                total_in: quarter.total_in,
                total_out: quarter.total_out,
                highest: quarter.high,
            }),
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
        let own = corrections.iter().filter(|it| it.area == area.area && !it.is_first);
        area.drift = Drift::of(own.map(|it| (it.before, it.after, it.total_in)));
    }
    Ok(found.into_values().collect())
}
