//! The ledger that collects what all nodes of a fleet have counted: each crossing once, and of each source what one node at a
//! time says.
//!
//! What is stored, and that it was stored, is written in one transaction: a message that comes again changes nothing.

mod belief;
mod sums;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::SystemTime,
};

use rusqlite::{Connection, OptionalExtension as _, params};

use self::belief::{Belief, Known, Ruling};
use super::{Outgoing, Told};
use crate::{
    clock::Clock,
    ledger::{
        LedgerError, areas,
        clock_check::millis,
        lock::{Lock, patiently},
        open,
        salvage::Salvage,
        writer::rows,
    },
    model::{AreaRecord, Direction, Epoch, Event, EventKind},
};

/// Clocks that differ by no more than this, in milliseconds, are left as they are.
const LITTLE: i64 = 1_000;

/// Why a crossing is not counted: another node had the source by then.
const SUPERSEDED: &str = "superseded";

/// Something that a node has sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Name of the node.
    pub node: String,
    /// What it is.
    pub event: Outgoing,
}

/// What became of some messages.
#[derive(Debug, Default)]
pub struct Stored {
    /// Crossings that are counted now, with corrected times, in the order in which they came.
    pub crossings: Vec<Event>,
    /// Crossings that are not counted.
    pub uncounted: u64,
    /// Messages that had come before.
    pub repeated: u64,
    /// Crossings that were counted and are no longer, or at another time, because a later lease has become known.
    pub revised: u64,
    /// Nodes whose clocks differ from the server's, with the difference in milliseconds: positive where the server is ahead.
    pub corrected: BTreeMap<String, i64>,
}

/// The collected ledger, which this process alone writes.
pub struct CollectedLedger {
    path: PathBuf,
    lock: Lock,
    connection: Connection,
    name: String,
    session: i64,
    begun: i64,
    sequence: i64,
    belief: Belief,
    notice: Option<String>,
}

impl CollectedLedger {
    /// Opens or makes the ledger at `path`, and begins a session. Blocks for the disk. A damaged file is set aside and what can be
    /// read of it brought over, which [`Self::notice`] says.
    ///
    /// # Errors
    /// When another program writes it, it holds what an engine has counted itself, or it cannot be written.
    pub fn open(path: &Path, clock: &dyn Clock) -> Result<Self, LedgerError> {
        let lock = patiently(clock, || Lock::take(path))?;
        let (connection, notice) = match open::open(path) {
            Err(error) if error.is_damage() => {
                let (connection, notice) = salvage(path, clock.wall(), &error)?;
                (connection, Some(notice))
            }
            other => (other?, None),
        };
        let begun = millis(clock.wall());
        let sql = |error: rusqlite::Error| LedgerError::sql(path, &error);
        let name = match read_name(&connection).map_err(sql)? {
            Some(name) => name,
            None if has_sessions(&connection).map_err(sql)? => {
                return Err(LedgerError::Question(format!(
                    "ledger '{}': an engine counts into it; give 'collect' a folder of its own with --output",
                    path.display()
                )));
            }
            None => new_name(&connection, begun).map_err(sql)?,
        };
        let session = rows::begin_session(&connection, begun, "collect").map_err(sql)?;
        let belief = Belief::read(&connection).map_err(sql)?;
        Ok(Self {
            path: path.to_owned(),
            lock,
            connection,
            name,
            session,
            begun,
            sequence: 0,
            belief,
            notice,
        })
    }

    /// A name that no other ledger has, by which the server knows how far this one is.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the user should know of the file.
    #[must_use]
    pub fn notice(&self) -> Option<&str> {
        self.notice.as_deref()
    }

    /// What is known of areas.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn areas(&mut self) -> Result<Vec<AreaRecord>, LedgerError> {
        areas::read_records(&self.connection).map_err(|error| LedgerError::sql(&self.path, &error))
    }

    /// Stores messages, all or none of them, at this time. Blocks for the disk.
    ///
    /// # Errors
    /// When the file cannot be written, or another program writes it now.
    pub fn store(&mut self, messages: &[Message], now: SystemTime) -> Result<Stored, LedgerError> {
        self.lock.hold()?;
        let before = self.sequence;
        let stored = self.try_store(messages, millis(now));
        if stored.is_err() {
            self.sequence = before;
            // What was learned of leases was not written.
            if let Ok(belief) = Belief::read(&self.connection) {
                self.belief = belief;
            }
        }
        stored.map_err(|error| LedgerError::sql(&self.path, &error))
    }

    fn try_store(&mut self, messages: &[Message], now: i64) -> rusqlite::Result<Stored> {
        let change = self.connection.transaction()?;
        let mut batch = Batch {
            change: &change,
            session: self.session,
            begun: self.begun,
            sequence: &mut self.sequence,
            belief: &mut self.belief,
            stored: Stored::default(),
        };
        for message in messages {
            batch.store(message)?;
        }
        let stored = batch.stored;
        change
            .prepare_cached("UPDATE sessions SET last_seen_ms = ?1 WHERE id = ?2")?
            .execute(params![now, self.session])?;
        change.commit()?;
        Ok(stored)
    }

    /// Notes what happened to areas. Blocks for the disk.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn note_areas(&mut self, events: &[Event]) -> Result<(), LedgerError> {
        self.lock.hold()?;
        let mut write = || {
            let change = self.connection.transaction()?;
            for event in events {
                if let EventKind::Area(area) = &event.kind {
                    self.sequence += 1;
                    let at = (self.session, self.sequence);
                    areas::write_event(&change, at, millis(event.wall), &event.source, area)?;
                }
            }
            change.commit()
        };
        write().map_err(|error| LedgerError::sql(&self.path, &error))
    }

    /// Ends the session.
    pub fn close(self, now: SystemTime) {
        // A session without an end was cut off; nothing else depends on it.
        let _ = self
            .connection
            .execute("UPDATE sessions SET ended_ms = ?1 WHERE id = ?2", params![millis(now), self.session]);
    }
}

/// One transaction.
struct Batch<'a> {
    change: &'a Connection,
    session: i64,
    begun: i64,
    sequence: &'a mut i64,
    belief: &'a mut Belief,
    stored: Stored,
}

impl Batch<'_> {
    fn store(&mut self, Message { node, event }: &Message) -> rusqlite::Result<()> {
        let offset = applied(event.offset);
        if offset != 0 {
            self.stored.corrected.insert(node.clone(), offset);
        }
        let lease = self.lease(node, event, offset)?;
        let wall = event.wall + offset;
        match &event.told {
            Told::Lease => Ok(()),
            Told::Ended => self.end(lease, wall),
            Told::Watch { from } => self.watch(&event.source, lease, from + offset, wall),
            Told::Reset => self.reset(event, lease, wall),
            Told::Crossing { .. } => self.crossing(event, lease, wall),
        }
    }

    /// The number of the lease that `event` belongs to, which is noted with its first word.
    fn lease(&mut self, node: &str, event: &Outgoing, offset: i64) -> rusqlite::Result<i64> {
        if let Some(known) = self.belief.find(node, event) {
            return Ok(known.id);
        }
        let (revision, delivery) = (event.epoch.revision.cast_signed(), event.epoch.delivery.cast_signed());
        self.change
            .prepare_cached(
                "INSERT INTO leases (node, source, revision, delivery, began_ms, offset_ms, session, seq) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                node,
                event.source,
                revision,
                delivery,
                event.began,
                offset,
                self.session,
                *self.sequence
            ])?;
        let id = self.change.last_insert_rowid();
        let known = Known {
            id,
            node: node.to_owned(),
            epoch: event.epoch,
            key: event.began,
            began: event.began + offset,
        };
        let earlier = self.belief.add(&event.source, known);
        self.stored.revised +=
            sums::revise(self.change, &event.source, event.began + offset, &earlier, SUPERSEDED)?;
        Ok(id)
    }

    fn end(&self, lease: i64, wall: i64) -> rusqlite::Result<()> {
        self.change
            .prepare_cached("UPDATE leases SET ended_ms = ?1 WHERE id = ?2 AND ended_ms IS NULL")?
            .execute(params![wall, lease])
            .map(drop)
    }

    fn watch(&self, source: &str, lease: i64, from: i64, to: i64) -> rusqlite::Result<()> {
        let to = self.belief.until(source, lease).map_or(to, |until| to.min(until));
        if from > to {
            return Ok(());
        }
        self.change
            .prepare_cached(
                "INSERT INTO watches VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET to_ms = MAX(to_ms, excluded.to_ms)",
            )?
            .execute(params![self.session, source, from, to])
            .map(drop)
    }

    /// Whether the message is new; where its row stands, if it has one, is noted.
    fn is_new(&mut self, lease: i64, sequence: i64, place: Option<(i64, i64)>) -> rusqlite::Result<bool> {
        let (session, seq) = place.unzip();
        let added = self
            .change
            .prepare_cached("INSERT OR IGNORE INTO collected VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![lease, sequence, session, seq])?;
        self.stored.repeated += u64::from(added == 0);
        Ok(added > 0)
    }

    fn reset(&mut self, event: &Outgoing, lease: i64, wall: i64) -> rusqlite::Result<()> {
        let Ruling::Counts(wall) = self.belief.rule(&event.source, lease, wall) else {
            return self.is_new(lease, event.sequence, None).map(drop);
        };
        let seq = *self.sequence + 1;
        if !self.is_new(lease, event.sequence, Some((self.session, seq)))? {
            return Ok(());
        }
        *self.sequence = seq;
        rows::write_reset(self.change, self.session, &event.source, seq, wall)?;
        self.change.prepare_cached("DELETE FROM totals WHERE source = ?1")?.execute([&event.source]).map(drop)
    }

    fn crossing(&mut self, event: &Outgoing, lease: i64, wall: i64) -> rusqlite::Result<()> {
        let Told::Crossing { line, direction, track, confidence, source_time } = &event.told else {
            return Ok(());
        };
        let sign = if *direction == Direction::In { 1 } else { -1 };
        let number = track.cast_signed();
        let Ruling::Counts(wall) = self.belief.rule(&event.source, lease, wall) else {
            if self.is_new(lease, event.sequence, None)? {
                self.stored.uncounted += 1;
                self.change
                    .prepare_cached(
                        "INSERT OR IGNORE INTO uncounted VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                    )?
                    .execute(params![
                        lease,
                        event.sequence,
                        wall,
                        line,
                        sign,
                        number,
                        confidence,
                        source_time,
                        SUPERSEDED
                    ])?;
            }
            return Ok(());
        };
        let seq = *self.sequence + 1;
        if !self.is_new(lease, event.sequence, Some((self.session, seq)))? {
            return Ok(());
        }
        *self.sequence = seq;
        self.change
            .prepare_cached("INSERT INTO crossings VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?
            .execute(params![
                self.session,
                event.source,
                seq,
                line,
                sign,
                wall,
                (wall - self.begun).max(0),
                source_time,
                number,
                confidence
            ])?;
        sums::add_total(self.change, &event.source, line, sign, 1)?;
        self.stored.crossings.push(counted(event, wall));
        Ok(())
    }
}

/// A counted crossing as the engine would have said it.
fn counted(event: &Outgoing, wall: i64) -> Event {
    let moment = jiff::Timestamp::from_millisecond(wall).unwrap_or_default();
    let kind = match &event.told {
        Told::Crossing { line, direction, track, confidence, source_time } => EventKind::Crossing {
            line: line.clone(),
            direction: *direction,
            track: *track,
            time: *source_time,
            confidence: *confidence as f32,
        },
        _ => EventKind::Reset,
    };
    Event { epoch: Some(event.epoch), ..Event::new(moment.into(), &*event.source, kind) }
}

/// What times of a node are corrected by.
fn applied(offset: Option<i64>) -> i64 {
    offset.filter(|offset| offset.abs() > LITTLE).unwrap_or(0)
}

fn read_name(connection: &Connection) -> rusqlite::Result<Option<String>> {
    connection.query_row("SELECT name FROM collecting", [], |row| row.get(0)).optional()
}

fn new_name(connection: &Connection, begun: i64) -> rusqlite::Result<String> {
    connection.execute("INSERT INTO collecting VALUES (lower(hex(randomblob(8))), ?1)", [begun])?;
    connection.query_row("SELECT name FROM collecting", [], |row| row.get(0))
}

fn has_sessions(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT EXISTS (SELECT 1 FROM sessions)", [], |row| row.get(0))
}

/// Sets a damaged ledger aside and brings over what can be read of it.
fn salvage(path: &Path, now: SystemTime, problem: &LedgerError) -> Result<(Connection, String), LedgerError> {
    let aside = open::set_aside(path, now)?;
    let sql = |error: rusqlite::Error| LedgerError::sql(path, &error);
    let mut connection = open::open(path)?;
    let mut salvage = Salvage::begin(&mut connection, &aside, 0)?;
    while salvage.step(&mut connection, i64::MAX)? {}
    for (source, lines) in &salvage.totals(&connection).map_err(sql)? {
        rows::write_totals(&connection, source, lines).map_err(sql)?;
    }
    let crossings = salvage.crossings;
    let notice = format!(
        "{problem}: it was damaged, and was set aside as '{}'; {crossings} crossings were recovered",
        aside.display()
    );
    Ok((connection, notice))
}

#[cfg(test)]
mod tests;
