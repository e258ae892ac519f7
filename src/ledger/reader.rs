//! Reading a ledger, while it is being written or not.

pub(super) mod flows;
#[cfg(any(test, feature = "internals"))]
mod single;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use jiff::{Timestamp, tz::TimeZone};
use rusqlite::{Connection, params};

pub use super::span::Span;
use super::{
    LedgerError, actions,
    areas::{self, AreaQuarter, Correction},
    deletions::{self, Deletion},
    judgments,
    lock::Lock,
    open::{self, Stamp},
    salvage, schedules, schema,
    sums::{self, Cursor},
    writer::rows,
};
use crate::model::{Action, AreaRecord, Judgment, LineCounts, Minute, Scene, SourceId};

/// From this length on, in milliseconds, the crossings of a time are not looked up one by one.
pub(super) const LONG: i64 = 14 * 24 * 3_600_000;

/// A connection that only reads, and sees the ledger as it was at one moment.
pub struct Reader {
    connection: Connection,
    path: PathBuf,
    /// What the file looked like before, where it is read without locks.
    stamp: Option<Stamp>,
    /// Whether there are sums, and up to which crossing they are not complete.
    sums: Summed,
    /// The version of its tables.
    version: i64,
    notice: Option<String>,
}

/// How far crossings have been summed.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Summed {
    /// The ledger is of a version without sums.
    Nothing,
    /// All but those before this one.
    From(Cursor),
    All,
}

impl Reader {
    /// Opens the ledger at `path`, for which no right to write is needed. One of an older version is first brought up to
    /// date where that can be done at once; what a damaged one still holds is read into memory, which
    /// [`Self::notice`] says.
    ///
    /// # Errors
    /// When there is none, when it is of a newer version or another program's, or cannot be read.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        match Self::open_as_it_is(path) {
            Err(error) if error.is_damage() => Self::salvaged(path, &error.to_string()),
            other => other,
        }
    }

    fn open_as_it_is(path: &Path) -> Result<Self, LedgerError> {
        // Taken first: what is written while it is opened counts as well.
        let stamp = open::stamp(path);
        let (connection, unlocked) = open::open_read_only(path)?;
        let sql = |error: rusqlite::Error| LedgerError::sql(path, &error);
        let found = schema::version(&connection, path)?;
        if found == 0 {
            return Err(LedgerError::Missing { path: path.display().to_string() });
        }
        if found < schema::TOTALS {
            drop(connection);
            let _lock = Lock::take(path)?;
            drop(open::open(path)?);
            return Self::open_as_it_is(path);
        }
        // From here on it is the same moment for all queries.
        connection.execute_batch("BEGIN").map_err(sql)?;
        let sums = if found < schema::SUMMED {
            Summed::Nothing
        } else {
            sums::cursor(&connection).map_err(sql)?.map_or(Summed::All, Summed::From)
        };
        let stamp = unlocked.then_some(stamp);
        Ok(Self { connection, path: path.to_owned(), stamp, sums, version: found, notice: None })
    }

    fn salvaged(path: &Path, problem: &str) -> Result<Self, LedgerError> {
        let (connection, found) = salvage::into_memory(path)?;
        let sql = |error: rusqlite::Error| LedgerError::sql(path, &error);
        connection.execute_batch("BEGIN").map_err(sql)?;
        let notice = Some(format!("{problem}; this is what can still be read: {found}"));
        let (path, sums) = (path.to_owned(), Summed::All);
        Ok(Self { connection, path, stamp: None, sums, version: schema::KNOWN, notice })
    }

    /// What there is to know about the ledger before its answers are used.
    #[must_use]
    pub fn notice(&self) -> Option<&str> {
        self.notice.as_deref()
    }

    /// Whether all crossings are in the sums.
    pub(super) fn is_summed(&self) -> bool {
        self.sums == Summed::All
    }

    /// Whether what was read so far belongs together. Without locks, a program that writes at the same time may have
    /// torn it: then open the ledger again.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        self.stamp.as_ref().is_none_or(|stamp| *stamp == open::stamp(&self.path))
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
        let mut found: BTreeSet<String> =
            self.rows("SELECT DISTINCT source FROM totals", [], |row| row.get(0))?.into_iter().collect();
        // From one source to the next by the index: a `DISTINCT` would read every row.
        let hop = |from: &str| {
            format!(
                "WITH RECURSIVE hop(source) AS (SELECT MIN(source) FROM {from} UNION ALL \
                 SELECT (SELECT MIN(source) FROM {from} WHERE source > hop.source) FROM hop \
                 WHERE hop.source IS NOT NULL) SELECT source FROM hop WHERE source IS NOT NULL"
            )
        };
        if self.sums == Summed::Nothing {
            found
                .extend(self.rows("SELECT DISTINCT source FROM watches", [], |row| row.get::<_, String>(0))?);
        } else {
            for table in ["quarters", "occupancy", "watches"] {
                found.extend(self.rows(&hop(table), [], |row| row.get::<_, String>(0))?);
            }
        }
        if self.version >= schema::SCHEDULES {
            // Also one that has been closed ever since: it is not watched on purpose.
            found.extend(
                self.rows("SELECT DISTINCT source FROM schedules", [], |row| row.get::<_, String>(0))?,
            );
        }
        if self.sums != Summed::All {
            let next = "SELECT session, source FROM crossings WHERE (session, source) > (?1, ?2) \
                        ORDER BY session, source LIMIT 1";
            let mut at = (i64::MIN, String::new());
            let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
            while let Some(found_there) = self.rows(next, params![at.0, at.1], row)?.pop() {
                at = found_there;
                found.insert(at.1.clone());
            }
        }
        Ok(found.into_iter().map(SourceId::from).collect())
    }

    /// Counts since the last reset, by source and line.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn totals(&self) -> Result<Vec<(SourceId, Vec<LineCounts>)>, LedgerError> {
        let mut totals: Vec<(SourceId, Vec<LineCounts>)> = Vec::new();
        for (source, name, total_in, total_out) in rows::read_totals(&self.connection).map_err(self.sql())? {
            let counts = LineCounts { name, total_in, total_out };
            match totals.last_mut().filter(|(last, _)| *last == source) {
                Some((_, lines)) => lines.push(counts),
                None => totals.push((source, vec![counts])),
            }
        }
        Ok(totals)
    }

    /// What is known of the scenes of its sources, as of the end of their last run.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn scenes(&self) -> Result<BTreeMap<SourceId, Scene>, LedgerError> {
        if self.version < schema::SCENES {
            return Ok(BTreeMap::new());
        }
        rows::read_scenes(&self.connection).map_err(self.sql())
    }

    /// When one source was closed by its opening hours, within `span`: disjoint, in order. Hours in a zone without a name are
    /// those of `zone`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn closed(&self, source: &str, span: Span, zone: &TimeZone) -> Result<Vec<Span>, LedgerError> {
        if self.version < schema::SCHEDULES {
            return Ok(Vec::new());
        }
        let rows = schedules::read(&self.connection, Some(source)).map_err(self.sql())?;
        let hours: Vec<_> = rows.into_iter().map(|(_, hours)| hours).collect();
        Ok(schedules::closed(&hours, span, zone))
    }

    /// What was deleted of the evidence, in order.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn deletions(&self) -> Result<Vec<Deletion>, LedgerError> {
        if self.version < schema::DELETIONS {
            return Ok(Vec::new());
        }
        deletions::read(&self.connection).map_err(self.sql())
    }

    /// What people said of the crossings from `from` up to but without `to` (milliseconds since the Unix epoch), in the
    /// order in which it was written: the last word on a crossing holds.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn judgments(&self, from: i64, to: i64) -> Result<Vec<Judgment>, LedgerError> {
        if self.version < schema::JUDGED {
            return Ok(Vec::new());
        }
        judgments::read(&self.connection, from, to).map_err(self.sql())
    }

    /// What people did with the program from `since` up to but without `until` (milliseconds since the Unix epoch): the
    /// last `limit` actions, newest last.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn actions(&self, since: i64, until: i64, limit: usize) -> Result<Vec<Action>, LedgerError> {
        if self.version < schema::ACTIONS {
            return Ok(Vec::new());
        }
        actions::read(&self.connection, since, until, limit).map_err(self.sql())
    }

    /// What is known of its areas, as of now.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn areas(&self) -> Result<Vec<AreaRecord>, LedgerError> {
        if self.version < schema::AREAS {
            return Ok(Vec::new());
        }
        areas::read_records(&self.connection).map_err(self.sql())
    }

    /// Corrections of the numbers inside areas within `span`, in their order.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn corrections(&self, span: Span) -> Result<Vec<Correction>, LedgerError> {
        if self.version < schema::AREAS {
            return Ok(Vec::new());
        }
        areas::read_corrections(&self.connection, span.from, span.to).map_err(self.sql())
    }

    /// What areas counted in the quarters of an hour that begin within `span`, by area and in order.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn area_quarters(&self, span: Span) -> Result<Vec<AreaQuarter>, LedgerError> {
        if self.version < schema::AREAS {
            return Ok(Vec::new());
        }
        areas::read_quarters(&self.connection, span.from, span.to).map_err(self.sql())
    }

    /// When the wall clock was set while the program ran or between two runs, as far as that touches `span`: what it
    /// would have shown, and what it showed, in the order in which it happened.
    pub(super) fn jumps(&self, span: Span) -> Result<Vec<(i64, i64)>, LedgerError> {
        if self.sums == Summed::Nothing {
            return Ok(Vec::new());
        }
        self.rows(
            "SELECT before_ms, after_ms FROM jumps WHERE MIN(before_ms, after_ms) < ?2 \
             AND MAX(before_ms, after_ms) >= ?1 ORDER BY rowid",
            params![span.from, span.to],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }

    /// When one source was being watched, within `span`: disjoint, in order.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn watched(&self, source: &str, span: Span) -> Result<Vec<Span>, LedgerError> {
        let rows = self.rows(
            "SELECT from_ms, to_ms FROM watches WHERE source = ?1 AND to_ms >= ?2 AND from_ms < ?3 \
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
        let mut current = self.occupancy(source, span.from)?;
        let mut reset = vec![false; minutes.len()];
        let steps = self.steps(source, span, false)?;
        for (_, wall, direction) in &steps {
            let index = usize::try_from(wall.div_euclid(MINUTE) - first).unwrap_or(usize::MAX);
            match (minutes.get_mut(index), *direction) {
                (None, _) => {}
                (Some(_), 0) => reset[index] = true,
                (Some(minute), 1) => minute.total_in += 1,
                (Some(minute), _) => minute.total_out += 1,
            }
        }
        for (minute, reset) in minutes.iter_mut().zip(reset) {
            // Within the minute of a reset the order is not told apart: what was counted in it stays.
            current = if reset { 0 } else { current };
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

#[cfg(test)]
mod tests;
