//! What only tests ask a ledger: crossings one by one, and days.

use jiff::{civil::Date, tz::TimeZone};
use rusqlite::params;

use super::{Reader, Span};
use crate::{
    ledger::LedgerError,
    model::{Direction, LineCounts},
};

/// One crossing as noted.
#[derive(Debug, Clone, PartialEq)]
pub struct CrossingRecord {
    /// Run of the program, from 1.
    pub session: i64,
    /// Place in its session.
    pub sequence: u64,
    /// Name of the line.
    pub line: String,
    /// Which way.
    pub direction: Direction,
    /// Wall time in milliseconds since the Unix epoch.
    pub wall: i64,
    /// Milliseconds since the session began, by a clock that nobody sets.
    pub monotonic: i64,
    /// Seconds on the source's clock.
    pub source_time: f64,
    /// Who.
    pub track: u64,
    /// Score of the track, 0..=1.
    pub confidence: f64,
}

impl Span {
    /// The span of a day in a time zone: 23, 24 or 25 hours where clocks are changed.
    ///
    /// # Errors
    /// For days at the ends of the calendar.
    pub fn of_day(date: Date, timezone: &TimeZone) -> Result<Self, LedgerError> {
        let start = |date: Date| date.to_zoned(timezone.clone()).map(|day| day.timestamp().as_millisecond());
        let span = || Ok::<_, jiff::Error>(Self { from: start(date)?, to: start(date.tomorrow()?)? });
        span().map_err(|error| LedgerError::Question(format!("day '{date}': {error}")))
    }
}

impl Reader {
    /// Crossings of one source in `span`, in the order they were counted.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn crossings(&self, source: &str, span: Span) -> Result<Vec<CrossingRecord>, LedgerError> {
        self.rows(
            "SELECT session, seq, line, direction, wall_ms, mono_ms, source_time, track, confidence \
                 FROM crossings WHERE source = ?1 AND wall_ms >= ?2 AND wall_ms < ?3 ORDER BY session, seq",
            params![source, span.from, span.to],
            |row| {
                Ok(CrossingRecord {
                    session: row.get(0)?,
                    sequence: row.get::<_, i64>(1)?.unsigned_abs(),
                    line: row.get(2)?,
                    direction: if row.get::<_, i64>(3)? > 0 { Direction::In } else { Direction::Out },
                    wall: row.get(4)?,
                    monotonic: row.get(5)?,
                    source_time: row.get(6)?,
                    track: row.get::<_, i64>(7)?.unsigned_abs(),
                    confidence: row.get(8)?,
                })
            },
        )
    }

    /// Counts of one day, by line: those that a reset in the middle of the day has hidden too.
    ///
    /// # Errors
    /// When the file cannot be read, or for days at the ends of the calendar.
    pub fn day(&self, source: &str, date: Date, timezone: &TimeZone) -> Result<Vec<LineCounts>, LedgerError> {
        let span = Span::of_day(date, timezone)?;
        self.rows(
            "SELECT line, SUM(direction = 1), SUM(direction = -1) FROM crossings \
                 WHERE source = ?1 AND wall_ms >= ?2 AND wall_ms < ?3 GROUP BY line ORDER BY line",
            params![source, span.from, span.to],
            |row| {
                Ok(LineCounts {
                    name: row.get(0)?,
                    total_in: row.get::<_, i64>(1)?.unsigned_abs(),
                    total_out: row.get::<_, i64>(2)?.unsigned_abs(),
                })
            },
        )
    }
}
