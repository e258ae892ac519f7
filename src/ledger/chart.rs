//! Columns of a chart out of a ledger: the last minutes, quarters of an hour, hours or days of one source.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::{
    LedgerError,
    reader::{Reader, Span, millis},
    report::{Query, Step, report, spans},
    schedules::minus,
};
use crate::model::SourceId;

/// How much time one column stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Width {
    /// A minute.
    #[default]
    Minute,
    /// A quarter of an hour.
    Quarter,
    /// An hour.
    Hour,
    /// A day of the calendar.
    Day,
}

/// One column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Column {
    /// Its begin.
    pub start: Timestamp,
    /// What was counted in it; `None` where nobody watched.
    pub counted: Option<Counted>,
    /// Whether opening hours had closed the source all the time.
    #[serde(default)]
    pub closed: bool,
}

/// What was counted in one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Counted {
    /// Crossings in.
    pub total_in: u64,
    /// Crossings out.
    pub total_out: u64,
    /// In minus out since the last reset, at the end of the column.
    pub occupancy: i64,
}

/// The last `count` columns of `source` up to `now`, oldest first. A source that the ledger does not know has
/// columns in which nobody watched.
///
/// # Errors
/// When the ledger cannot be read.
pub fn columns(
    reader: &Reader,
    source: &SourceId,
    width: Width,
    count: usize,
    now: Timestamp,
    timezone: &TimeZone,
) -> Result<Vec<Column>, LedgerError> {
    let mut columns = counted(reader, source, width, count, now, timezone)?;
    let ends = columns
        .iter()
        .skip(1)
        .map(|column| column.start)
        .chain([now.checked_add(SignedDuration::from_millis(1)).unwrap_or(now)]);
    let spans: Vec<Span> = columns
        .iter()
        .zip(ends)
        .map(|(column, end)| Span { from: millis(column.start), to: millis(end) })
        .collect();
    let (Some(first), Some(last)) = (spans.first(), spans.last()) else { return Ok(columns) };
    let closed = reader.closed(source, Span { from: first.from, to: last.to }, timezone)?;
    for (column, span) in columns.iter_mut().zip(spans) {
        let is_empty = column.counted.is_none_or(|counted| counted.total_in + counted.total_out == 0);
        if span.length() > 0 && is_empty && minus(&[span], &closed).is_empty() {
            (column.counted, column.closed) = (None, true);
        }
    }
    Ok(columns)
}

/// The same without regard to opening hours.
fn counted(
    reader: &Reader,
    source: &SourceId,
    width: Width,
    count: usize,
    now: Timestamp,
    timezone: &TimeZone,
) -> Result<Vec<Column>, LedgerError> {
    let count = i64::try_from(count).unwrap_or(i64::MAX).clamp(1, 1000);
    let (by, length) = match width {
        Width::Minute => return minutes(reader, source, count, now),
        Width::Quarter => (Step::Quarter, SignedDuration::from_mins(15)),
        Width::Hour => (Step::Hour, SignedDuration::from_hours(1)),
        Width::Day => (Step::Day, SignedDuration::from_hours(24)),
    };
    let back = i32::try_from(count - 1).ok().and_then(|columns| length.checked_mul(columns));
    let since = back.and_then(|back| now.checked_sub(back).ok()).unwrap_or(now);
    // A moment later than now, so that a column that begins with it is there.
    let until = now.checked_add(SignedDuration::from_millis(1)).unwrap_or(now);
    let mut columns: Vec<Column> = spans(since, until, by, timezone)?
        .iter()
        .map(|span| Column { start: moment(span.from), counted: None, closed: false })
        .collect();
    if !reader.sources()?.contains(source) {
        return Ok(columns);
    }
    let query = Query { since, until, by, timezone: timezone.clone(), source: Some(source.clone()) };
    let answer = report(reader, &query)?;
    let rows = answer.sources.first().map_or(&[][..], |source| &source.rows);
    for column in &mut columns {
        column.counted = rows.iter().find(|row| row.start.timestamp() == column.start).map(|row| Counted {
            total_in: row.total_in,
            total_out: row.total_out,
            occupancy: row.occupancy,
        });
    }
    Ok(columns)
}

fn minutes(
    reader: &Reader,
    source: &SourceId,
    count: i64,
    now: Timestamp,
) -> Result<Vec<Column>, LedgerError> {
    const MINUTE: i64 = 60_000;
    let now = millis(now);
    let from = (now.div_euclid(MINUTE) - count + 1) * MINUTE;
    let minutes = reader.minutes(source, Span { from, to: now + 1 })?;
    Ok(minutes
        .into_iter()
        .map(|minute| Column {
            start: moment(minute.minute * MINUTE),
            closed: false,
            counted: minute.watched.then_some(Counted {
                total_in: u64::from(minute.total_in),
                total_out: u64::from(minute.total_out),
                occupancy: minute.current,
            }),
        })
        .collect())
}

fn moment(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH)
}
