//! Reading a ledger, while it is being written or not.

use std::path::{Path, PathBuf};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use rusqlite::{Connection, OptionalExtension, params};

use super::{LedgerError, lock::Lock, schema, writer};
use crate::{
    count::Direction,
    source::SourceId,
    store::{LineCounts, Minute},
};

/// A span of wall time, in milliseconds since the Unix epoch: from `from` up to but without `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First moment.
    pub from: i64,
    /// First moment after it.
    pub to: i64,
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

    /// Length in milliseconds, never negative.
    #[must_use]
    pub fn length(self) -> i64 {
        (self.to - self.from).max(0)
    }

    /// What both have in common; empty when that is nothing.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        let from = self.from.max(other.from);
        Self { from, to: self.to.min(other.to).max(from) }
    }
}

/// One crossing as noted.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
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

/// A connection that only reads.
pub struct Reader {
    connection: Connection,
    path: PathBuf,
}

impl Reader {
    /// Opens the ledger at `path`. One of an older version is brought up to date first.
    ///
    /// # Errors
    /// When there is none, when it is damaged or of a newer version, or of an older one that cannot be
    /// brought up to date because another process writes it.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let connection = match schema::open_read_only(path)? {
            Some(connection) => connection,
            None => {
                let _lock = Lock::take(path)?;
                schema::open(path)?
            }
        };
        Ok(Self { connection, path: path.to_owned() })
    }

    fn rows<T>(
        &self,
        query: &str,
        parameters: impl rusqlite::Params,
        row: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, LedgerError> {
        let mut query = self.connection.prepare_cached(query).map_err(self.sql())?;
        let rows = query.query_map(parameters, row).map_err(self.sql())?;
        rows.collect::<Result<_, _>>().map_err(self.sql())
    }

    fn sql(&self) -> impl Fn(rusqlite::Error) -> LedgerError {
        |error| LedgerError::sql(&self.path, &error)
    }

    /// Ids of all sources it knows, in order.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn sources(&self) -> Result<Vec<SourceId>, LedgerError> {
        self.rows(
            "SELECT source FROM totals UNION SELECT source FROM crossings UNION SELECT source FROM watches \
                 ORDER BY source",
            [],
            |row| Ok(SourceId::from(row.get::<_, String>(0)?)),
        )
    }

    /// Counts since the last reset, by source and line.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn totals(&self) -> Result<Vec<(SourceId, Vec<LineCounts>)>, LedgerError> {
        let mut totals: Vec<(SourceId, Vec<LineCounts>)> = Vec::new();
        for (source, name, total_in, total_out) in
            writer::read_totals(&self.connection).map_err(self.sql())?
        {
            let counts = LineCounts { name, total_in, total_out };
            match totals.last_mut().filter(|(last, _)| *last == source) {
                Some((_, lines)) => lines.push(counts),
                None => totals.push((source, vec![counts])),
            }
        }
        Ok(totals)
    }

    /// Crossings of one source in `span`, in the order they were counted.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn crossings(&self, source: &str, span: Span) -> Result<Vec<Entry>, LedgerError> {
        self.rows(
            "SELECT session, seq, line, direction, wall_ms, mono_ms, source_time, track, confidence \
                 FROM crossings WHERE source = ?1 AND wall_ms >= ?2 AND wall_ms < ?3 ORDER BY session, seq",
            params![source, span.from, span.to],
            |row| {
                Ok(Entry {
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

    /// Resets of one source in `span` as (session, sequence, wall time).
    pub(super) fn resets(&self, source: &str, span: Span) -> Result<Vec<(i64, u64, i64)>, LedgerError> {
        self.rows(
            "SELECT session, seq, wall_ms FROM resets WHERE source = ?1 AND wall_ms >= ?2 AND wall_ms < ?3 \
                 ORDER BY session, seq",
            params![source, span.from, span.to],
            |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs(), row.get(2)?)),
        )
    }

    /// In minus out of one source since its last reset before `moment`, as far as the crossings reach back.
    pub(super) fn net_before(&self, source: &str, moment: i64) -> Result<i64, LedgerError> {
        let read = || {
            let reset: Option<(i64, i64)> = self
                .connection
                .query_row(
                    "SELECT session, seq FROM resets WHERE source = ?1 AND wall_ms < ?2 \
                     ORDER BY session DESC, seq DESC LIMIT 1",
                    params![source, moment],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .optional()?;
            let (session, sequence) = reset.unwrap_or((0, 0));
            self.connection.query_row(
                "SELECT COALESCE(SUM(direction), 0) FROM crossings \
                 WHERE source = ?1 AND wall_ms < ?2 AND (session, seq) > (?3, ?4)",
                params![source, moment, session, sequence],
                |row| row.get(0),
            )
        };
        read().map_err(self.sql())
    }

    /// When one source was being watched, within `span`: disjoint, in order.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn watched(&self, source: &str, span: Span) -> Result<Vec<Span>, LedgerError> {
        let rows = self.rows(
            "SELECT from_ms, to_ms FROM watches WHERE source = ?1 AND to_ms > ?2 AND from_ms < ?3 \
                 ORDER BY from_ms",
            params![source, span.from, span.to],
            |row| Ok(Span { from: row.get(0)?, to: row.get(1)? }.intersection(span)),
        );
        let mut joined: Vec<Span> = Vec::new();
        for next in rows? {
            match joined.last_mut().filter(|last| next.from <= last.to) {
                Some(last) => last.to = last.to.max(next.to),
                None => joined.push(next),
            }
        }
        Ok(joined)
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

    /// Minutes of one source in `span`, without holes, for charts. `current` begins with the count at the
    /// start of the span.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn minutes(&self, source: &str, span: Span) -> Result<Vec<Minute>, LedgerError> {
        const MINUTE: i64 = 60_000;
        let first = span.from.div_euclid(MINUTE);
        let count = (span.to - 1).div_euclid(MINUTE) - first + 1;
        let mut minutes: Vec<Minute> = (first..first + count.max(0))
            .map(|minute| Minute { minute, total_in: 0, total_out: 0, current: 0, watched: false })
            .collect();
        for watched in self.watched(source, span)? {
            for minute in watched.from.div_euclid(MINUTE)..=watched.to.div_euclid(MINUTE) {
                if let Some(minute) = minutes.get_mut((minute - first) as usize) {
                    minute.watched = true;
                }
            }
        }
        let mut resets = vec![0_i64; minutes.len()];
        for (_, _, wall) in self.resets(source, span)? {
            if let Some(reset) = resets.get_mut((wall.div_euclid(MINUTE) - first) as usize) {
                *reset = 1;
            }
        }
        for entry in self.crossings(source, span)? {
            if let Some(minute) = minutes.get_mut((entry.wall.div_euclid(MINUTE) - first) as usize) {
                match entry.direction {
                    Direction::In => minute.total_in += 1,
                    Direction::Out => minute.total_out += 1,
                }
            }
        }
        let mut current = self.net_before(source, span.from)?;
        for (minute, reset) in minutes.iter_mut().zip(resets) {
            // Within the minute of a reset the order is not told apart: what was counted in it stays.
            current = if reset > 0 { 0 } else { current };
            current += i64::from(minute.total_in) - i64::from(minute.total_out);
            minute.current = current;
        }
        Ok(minutes)
    }
}

/// Milliseconds since the Unix epoch of a time stamp.
pub(super) fn millis(time: Timestamp) -> i64 {
    time.as_millisecond()
}
