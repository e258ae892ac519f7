//! How far webhooks have come in a ledger, and what they have not been told yet.
//!
//! These rows are written beside the thread that counts, which never touches them: SQLite keeps the two transactions apart.
//! Nothing waits in memory, however far behind a webhook is.

mod tidy;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{LedgerError, notes};
use crate::{
    config::WebhookEvent,
    model::{Direction, Event},
};

/// A place in the order of the ledger: session, and place within it.
pub type Position = (i64, i64);

/// Something that a webhook has not been told.
#[derive(Debug, Clone, PartialEq)]
pub struct Undelivered {
    /// Whose order it belongs to: `source/ID`, or `area/NAME`.
    pub subject: String,
    /// Where in that order.
    pub at: Position,
    /// When it happened, in milliseconds since the Unix epoch.
    pub wall: i64,
    /// What happened.
    pub what: UndeliveredKind,
}

/// What a webhook has not been told.
#[derive(Debug, Clone, PartialEq)]
pub enum UndeliveredKind {
    /// Somebody crossed a line.
    Crossing {
        /// Name of the line.
        line: String,
        /// Which way.
        direction: Direction,
        /// Who.
        track: u64,
        /// Score of the track, 0..=1.
        confidence: f64,
        /// Seconds on the source's clock.
        source_time: f64,
    },
    /// Counts were set to zero.
    Reset,
    /// A change of state or a limit: its word, and what there is to say of it as JSON.
    Noted(String, String),
    /// The number inside an area was corrected.
    Correction {
        /// What it was.
        before: i64,
        /// What it is.
        after: i64,
        /// Why, in the word of the ledger.
        reason: String,
        /// By which user; empty where the program did it.
        who: String,
    },
}

/// A connection that knows how far webhooks are.
pub struct WebhookBook {
    connection: Connection,
    path: PathBuf,
}

impl WebhookBook {
    /// Opens the ledger at `path`. Blocks for the disk.
    ///
    /// # Errors
    /// When there is none, it is of another version, or cannot be written.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        Ok(Self { connection: notes::book(path)?, path: path.to_owned() })
    }

    /// The salt of the webhook `name`, which begins with the present session where it is new.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn register(&self, name: &str, wants_crossings: bool) -> Result<String, LedgerError> {
        let salt = "SELECT salt FROM webhooks WHERE name = ?1 AND crossings = ?2";
        let read =
            || self.connection.query_row(salt, params![name, wants_crossings], |row| row.get(0)).optional();
        if let Some(salt) = read().map_err(self.sql())? {
            return Ok(salt);
        }
        self.connection
            .execute(
                "INSERT INTO webhooks SELECT ?1, lower(hex(randomblob(16))), COALESCE(MAX(id), 1), 0, ?2, 0 \
                 FROM sessions WHERE true ON CONFLICT DO UPDATE SET crossings = excluded.crossings",
                params![name, wants_crossings],
            )
            .map_err(self.sql())?;
        self.connection
            .query_row("SELECT salt FROM webhooks WHERE name = ?1", [name], |row| row.get(0))
            .map_err(self.sql())
    }

    /// The next of what `name` has not been told of `events`, in the order of each subject, at most `each` of a subject and
    /// `most` in all. Subjects in `held` are left out. Sessions before `from` are known to be told; gives the first that
    /// is not, too.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn next(
        &self,
        name: &str,
        events: &[WebhookEvent],
        held: &BTreeSet<String>,
        from: i64,
        (each, most): (usize, usize),
    ) -> Result<(Vec<Undelivered>, i64), LedgerError> {
        let read = || {
            let (begin, positions) = self.positions(name)?;
            let mut sessions =
                self.connection.prepare_cached("SELECT id FROM sessions WHERE id >= ?1 ORDER BY id")?;
            let sessions: Vec<i64> =
                sessions.query_map([begin.0.max(from)], |row| row.get(0))?.collect::<Result<_, _>>()?;
            let (mut found, mut first, mut waits) = (Vec::new(), None, held.clone());
            for session in &sessions {
                for subject in self.subjects(*session, events)? {
                    let position = positions.get(&subject).copied().unwrap_or(begin);
                    if position.0 > *session {
                        continue;
                    }
                    let after = if position.0 == *session { position.1 } else { 0 };
                    let is_held = waits.contains(&subject);
                    let limit = if is_held { 1 } else { each.min(most - found.len()).max(1) };
                    let rows = self.rows(&subject, *session, after, events, limit)?;
                    if rows.is_empty() {
                        continue;
                    }
                    first = first.or(Some(*session));
                    if !is_held {
                        // Its later sessions wait for this one.
                        waits.insert(subject);
                        found.extend(rows);
                    }
                    if found.len() >= most {
                        return Ok((found, first.unwrap_or(from)));
                    }
                }
            }
            Ok((found, first.or(sessions.last().copied()).unwrap_or(from)))
        };
        read().map_err(self.sql())
    }

    /// How much `name` has not been told of `events`. Takes the longer the more that is.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn count(&self, name: &str, events: &[WebhookEvent], from: i64) -> Result<u64, LedgerError> {
        let read = || {
            let (begin, positions) = self.positions(name)?;
            let mut sessions = self.connection.prepare_cached("SELECT id FROM sessions WHERE id >= ?1")?;
            let sessions: Vec<i64> =
                sessions.query_map([begin.0.max(from)], |row| row.get(0))?.collect::<Result<_, _>>()?;
            let mut count = 0;
            for session in sessions {
                for subject in self.subjects(session, events)? {
                    let position = positions.get(&subject).copied().unwrap_or(begin);
                    if position.0 <= session {
                        let after = if position.0 == session { position.1 } else { 0 };
                        count += self.count_rows(&subject, session, after, events)?;
                    }
                }
            }
            Ok(count)
        };
        read().map_err(self.sql())
    }

    /// Notes that `name` was told of `events`, and so of all before them of the same subjects: of all of them, or of none.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn delivered(&mut self, name: &str, events: &[Undelivered]) -> Result<(), LedgerError> {
        let mut write = || {
            let change = self.connection.transaction()?;
            for event in events {
                change
                    .prepare_cached("INSERT OR REPLACE INTO webhook_positions VALUES (?1, ?2, ?3, ?4)")?
                    .execute(params![name, event.subject, event.at.0, event.at.1])?;
            }
            change.commit()
        };
        write().map_err(|error| LedgerError::sql(&self.path, &error))
    }

    /// Crossings that were removed from the ledger before `name` could be told.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn skipped(&self, name: &str) -> Result<u64, LedgerError> {
        let skipped: Option<i64> = self
            .connection
            .query_row("SELECT skipped FROM webhooks WHERE name = ?1", [name], |row| row.get(0))
            .optional()
            .map_err(self.sql())?;
        Ok(skipped.unwrap_or(0).unsigned_abs())
    }

    fn positions(&self, name: &str) -> rusqlite::Result<(Position, BTreeMap<String, Position>)> {
        let begin = self.connection.query_row(
            "SELECT session, seq FROM webhooks WHERE name = ?1",
            [name],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let mut query = self
            .connection
            .prepare_cached("SELECT subject, session, seq FROM webhook_positions WHERE webhook = ?1")?;
        let rows = query.query_map([name], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
        Ok((begin, rows.collect::<Result<_, _>>()?))
    }

    /// Whose events there are in a session.
    fn subjects(&self, session: i64, events: &[WebhookEvent]) -> rusqlite::Result<BTreeSet<String>> {
        let mut found = BTreeSet::new();
        let mut hop = |table: &str, kind: &str, column: &str| -> rusqlite::Result<()> {
            // From one to the next by the index: a `DISTINCT` would read every row.
            let mut next = self.connection.prepare_cached(&format!(
                "SELECT MIN({column}) FROM {table} WHERE session = ?1 AND {column} > ?2"
            ))?;
            let mut last = String::new();
            while let Some(name) =
                next.query_row(params![session, last], |row| row.get::<_, Option<String>>(0))?
            {
                found.insert(format!("{kind}/{name}"));
                last = name;
            }
            Ok(())
        };
        for event in events {
            match event {
                WebhookEvent::Crossing => hop("crossings", "source", "source")?,
                WebhookEvent::Reset => hop("resets", "source", "source")?,
                WebhookEvent::State | WebhookEvent::Threshold => hop("webhook_events", "source", "source")?,
                WebhookEvent::Correction => hop("corrections", "area", "area")?,
            }
        }
        Ok(found)
    }

    fn count_rows(
        &self,
        subject: &str,
        session: i64,
        after: i64,
        events: &[WebhookEvent],
    ) -> rusqlite::Result<u64> {
        let Some((parts, name)) = parts(subject, events) else { return Ok(0) };
        let query = format!("SELECT COUNT(*) FROM ({})", parts.join(" UNION ALL "));
        let count = self
            .connection
            .prepare_cached(&query)?
            .query_row(params![session, name, after, -1], |row| row.get::<_, i64>(0))?;
        Ok(count.unsigned_abs())
    }

    fn rows(
        &self,
        subject: &str,
        session: i64,
        after: i64,
        events: &[WebhookEvent],
        limit: usize,
    ) -> rusqlite::Result<Vec<Undelivered>> {
        let Some((parts, name)) = parts(subject, events) else { return Ok(Vec::new()) };
        let query = format!("{} ORDER BY seq LIMIT ?4", parts.join(" UNION ALL "));
        let mut query = self.connection.prepare_cached(&query)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = query.query_map(params![session, name, after, limit], |row| {
            let kind: String = row.get(2)?;
            let what = match kind.as_str() {
                "crossing" => UndeliveredKind::Crossing {
                    line: row.get(3)?,
                    direction: if row.get::<_, i64>(4)? > 0 { Direction::In } else { Direction::Out },
                    track: row.get::<_, i64>(5)?.cast_unsigned(),
                    confidence: row.get(6)?,
                    source_time: row.get(7)?,
                },
                "reset" => UndeliveredKind::Reset,
                "correction" => UndeliveredKind::Correction {
                    reason: row.get(3)?,
                    before: row.get(4)?,
                    after: row.get(5)?,
                    who: row.get(6)?,
                },
                _ => UndeliveredKind::Noted(kind, row.get(3)?),
            };
            Ok(Undelivered {
                subject: subject.to_owned(),
                at: (session, row.get(0)?),
                wall: row.get(1)?,
                what,
            })
        })?;
        rows.collect()
    }

    fn sql(&self) -> impl Fn(rusqlite::Error) -> LedgerError {
        |error| LedgerError::sql(&self.path, &error)
    }
}

/// Queries for each of `events` of `subject` behind a place (?3) in a session (?1), and the name in it (?2); each gives the
/// first ones (?4) alone, in their order.
fn parts<'a>(subject: &'a str, events: &[WebhookEvent]) -> Option<(Vec<String>, &'a str)> {
    let (kind, name) = subject.split_once('/')?;
    let part = |columns: &str, table: &str, more: &str| {
        format!(
            "SELECT * FROM (SELECT seq, wall_ms, {columns} FROM {table} WHERE session = ?1 AND {kind} = ?2 \
             AND seq > ?3{more} ORDER BY seq LIMIT ?4)"
        )
    };
    let parts: Vec<String> = events
        .iter()
        .filter(|event| (**event == WebhookEvent::Correction) == (kind == "area"))
        .map(|event| match event {
            WebhookEvent::Crossing => {
                part("'crossing', line, direction, track, confidence, source_time", "crossings", "")
            }
            WebhookEvent::Reset => part("'reset', NULL, NULL, NULL, NULL, NULL", "resets", ""),
            WebhookEvent::State => {
                part("kind, detail, NULL, NULL, NULL, NULL", "webhook_events", " AND kind = 'state'")
            }
            WebhookEvent::Threshold => {
                part("kind, detail, NULL, NULL, NULL, NULL", "webhook_events", " AND kind = 'threshold'")
            }
            WebhookEvent::Correction => {
                part("'correction', reason, before, after, who, NULL", "corrections", "")
            }
        })
        .collect();
    (!parts.is_empty()).then_some((parts, name))
}

/// Keeps a change of state or a limit.
pub(super) fn write_noted(
    change: &Connection,
    (session, sequence): Position,
    wall: i64,
    event: &Event,
) -> rusqlite::Result<()> {
    // Nothing in it can be refused by JSON.
    let mut detail = serde_json::to_value(&event.kind).unwrap_or_default();
    let kind = detail.as_object_mut().and_then(|detail| detail.remove("type"));
    change
        .prepare_cached("INSERT OR IGNORE INTO webhook_events VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
        .execute(params![
            session,
            &*event.source,
            sequence,
            wall,
            kind.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default(),
            detail.to_string()
        ])
        .map(drop)
}

#[cfg(test)]
mod tests;
