//! The thread that writes. It alone holds the connection.

mod rows;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fs,
    os::unix::fs::MetadataExt,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant, SystemTime},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use rusqlite::{Connection, params};

use self::rows::{Row, begin_session, has_session, write_rows, write_totals, write_watch};
pub(super) use self::rows::{millis, read_totals};
use super::{BATCH, LedgerError, LedgerOptions, MAX_WAITING, Shared, lock::Lock, schema};
use crate::{
    count::Direction,
    export::lines::Line,
    native::disk::Disk,
    source::SourceId,
    store::{Event, EventKind, LineCounts},
};

/// How often the ledger notes that sources are being watched. What a crash leaves out of the coverage is at most
/// this long.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// How long to leave a disk alone that has refused.
const RETRY: Duration = Duration::from_secs(1);

/// How often old crossings are removed.
const CLEANING: Duration = Duration::from_secs(24 * 3600);

/// The word of the state in which a source is being watched.
const WATCHING: &str = "Running";

/// What the writer is asked.
pub(super) enum Order {
    Event { sequence: u64, at: Instant, event: Box<Event> },
    Sync(Sender<bool>),
    Close(Sender<bool>),
}

type Totals = BTreeMap<SourceId, BTreeMap<String, (u64, u64)>>;

pub(super) struct Writer {
    options: LedgerOptions,
    shared: Arc<Shared>,
    connection: Option<Connection>,
    inode: Option<u64>,
    session: Option<i64>,
    begun: Instant,
    begun_wall: i64,
    rows: VecDeque<Row>,
    /// Events that wait to be passed on until they are durable.
    unforwarded: VecDeque<Line>,
    taken: u64,
    totals: Totals,
    /// Whether all totals, not only the changed ones, must be written: the file is new to us.
    write_all_totals: bool,
    changed: BTreeSet<SourceId>,
    watching: BTreeMap<SourceId, i64>,
    /// Sources that are being watched and not in the file yet.
    unnoted: BTreeSet<SourceId>,
    /// Whether all watches, not only the unnoted, must be written: the file is new to us, or it is time for a
    /// heartbeat.
    write_all_watches: bool,
    last_heartbeat: Instant,
    last_commit: Instant,
    last_cleaning: Option<Instant>,
    retry_at: Instant,
    lock: Lock,
    /// What is done to the file is done here.
    disk: Disk,
}

impl Writer {
    pub fn new(options: LedgerOptions, shared: Arc<Shared>, lock: Lock, disk: Disk) -> Self {
        let now = Instant::now();
        Self {
            options,
            shared,
            connection: None,
            inode: None,
            session: None,
            begun: now,
            begun_wall: millis(SystemTime::now()),
            rows: VecDeque::new(),
            unforwarded: VecDeque::new(),
            taken: 0,
            totals: Totals::new(),
            write_all_totals: false,
            changed: BTreeSet::new(),
            watching: BTreeMap::new(),
            unnoted: BTreeSet::new(),
            write_all_watches: false,
            last_heartbeat: now,
            last_commit: now,
            last_cleaning: None,
            retry_at: now,
            lock,
            disk,
        }
    }

    /// The counts to go on from.
    pub fn totals(&self) -> Vec<(SourceId, Vec<LineCounts>)> {
        let counts = |(name, (total_in, total_out)): (&String, &(u64, u64))| LineCounts {
            name: name.clone(),
            total_in: *total_in,
            total_out: *total_out,
        };
        let of = |(source, lines): (&SourceId, &BTreeMap<_, _>)| {
            (source.clone(), lines.iter().map(counts).collect())
        };
        self.totals.iter().map(of).collect()
    }

    /// The first opening: reads the totals. What is to be written, this run's session first, waits for the
    /// thread, so that nobody waits for a slow disk. A disk that refuses is noted, not an error.
    pub fn open(&mut self) {
        if let Err(error) = self.connect() {
            self.fail(&error);
            return;
        }
        let forgotten: Vec<_> = if self.options.fresh {
            self.totals.keys().cloned().collect()
        } else {
            self.options.reset.iter().filter(|id| self.totals.contains_key(*id)).cloned().collect()
        };
        for source in forgotten {
            self.reset(source, 0, self.begun_wall);
        }
    }

    /// Opens the file, setting it aside when it is damaged.
    fn connect(&mut self) -> Result<(), LedgerError> {
        let path = self.options.path.clone();
        let connection = match schema::open(&path) {
            Err(LedgerError::Sql { damaged: true, problem, .. }) => {
                self.begin_anew(&problem)?;
                schema::open(&path)?
            }
            other => other?,
        };
        let sql = |error: rusqlite::Error| LedgerError::sql(&path, &error);
        // The file may have been replaced since we last saw it.
        if let Some(session) = self.session
            && !has_session(&connection, session, self.begun_wall).map_err(sql)?
        {
            self.session = None;
        }
        if self.session.is_none() && self.inode.is_none() {
            // What was counted before the file could be opened goes on top of what it holds. A file that
            // takes the place of another takes over our totals instead.
            for (source, line, total_in, total_out) in read_totals(&connection).map_err(sql)? {
                let lines = self.totals.entry(source).or_default();
                let counts = lines.entry(line).or_default();
                counts.0 += total_in;
                counts.1 += total_out;
            }
        }
        self.inode = fs::metadata(&path).ok().map(|file| file.ino());
        self.write_all_totals = true;
        self.write_all_watches = true;
        self.connection = Some(connection);
        Ok(())
    }

    /// Sets a damaged file aside. The session begins again in the new one; the totals are carried over.
    fn begin_anew(&mut self, problem: &str) -> Result<(), LedgerError> {
        self.connection = None;
        let aside = schema::set_aside(&self.options.path)?;
        let notice = format!(
            "Ledger '{}' was damaged ({problem}); it was set aside as '{}' and a new one begun",
            self.options.path.display(),
            aside.display()
        );
        tracing::error!("{notice}");
        self.shared.status.lock().notices.push(notice);
        self.session = None;
        Ok(())
    }

    pub fn run(mut self, orders: &Receiver<Order>) {
        let disk = self.disk.clone();
        let mut due = (!disk.run(|| self.commit())).then(|| Instant::now() + BATCH);
        loop {
            let wake = due.unwrap_or(self.last_heartbeat + HEARTBEAT);
            match orders.recv_deadline(wake) {
                Ok(Order::Event { sequence, at, event }) => {
                    self.take(sequence, at, *event);
                    due = due.or(Some(self.last_commit + BATCH));
                }
                Ok(Order::Sync(done)) => {
                    // Whoever waited may have lost patience.
                    self.write_all_watches = true;
                    let committed = disk.run(|| self.commit());
                    let _ = done.send(committed);
                    due = (!committed).then(|| Instant::now() + BATCH);
                }
                Ok(Order::Close(done)) => {
                    let _ = done.send(disk.run(|| self.end()));
                    return;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    disk.run(|| self.end());
                    return;
                }
            }
            // Looked at after every order: a busy channel must not put the commit off.
            let now = Instant::now();
            if now >= due.unwrap_or(self.last_heartbeat + HEARTBEAT) {
                let committed = now >= self.retry_at && disk.run(|| self.commit());
                due = (!committed).then(|| now + BATCH);
            }
        }
    }

    fn take(&mut self, sequence: u64, at: Instant, event: Event) {
        self.taken = sequence;
        let wall = millis(event.wall);
        if self.options.forward.is_some() {
            self.unforwarded.push_back(Line::from(&event));
        }
        let source = event.source;
        match event.kind {
            EventKind::Crossing { line, direction, track, time, confidence } => {
                let counts = self.totals.entry(source.clone()).or_default().entry(line.clone()).or_default();
                match direction {
                    Direction::In => counts.0 += 1,
                    Direction::Out => counts.1 += 1,
                }
                self.changed.insert(source.clone());
                let mono =
                    i64::try_from(at.saturating_duration_since(self.begun).as_millis()).unwrap_or(i64::MAX);
                self.push(Row::Crossing {
                    source,
                    sequence,
                    line,
                    direction,
                    wall,
                    mono,
                    source_time: time,
                    track,
                    confidence,
                });
            }
            EventKind::Reset => self.reset(source, sequence, wall),
            EventKind::State { state, .. } if state == WATCHING => {
                self.unnoted.insert(source.clone());
                self.watching.entry(source).or_insert(wall);
            }
            EventKind::State { .. } => {
                if let Some(from) = self.watching.remove(&source) {
                    self.push(Row::Watch { source, from, to: wall });
                }
            }
            EventKind::Suppressed { .. } | EventKind::Threshold { .. } => {}
        }
        if self.shared.status.lock().problem.is_some() {
            self.forward();
        }
    }

    fn reset(&mut self, source: SourceId, sequence: u64, wall: i64) {
        self.totals.remove(&source);
        self.changed.insert(source.clone());
        self.push(Row::Reset { source, sequence, wall });
    }

    fn push(&mut self, row: Row) {
        let mut status = self.shared.status.lock();
        if self.rows.len() < MAX_WAITING {
            self.rows.push_back(row);
            status.waiting = self.rows.len();
        } else {
            status.lost += 1;
        }
    }

    /// Writes everything that waits in one transaction. `false` when the disk refuses; then all of it still
    /// waits.
    fn commit(&mut self) -> bool {
        self.last_commit = Instant::now();
        self.write_all_watches |= self.last_heartbeat.elapsed() >= HEARTBEAT;
        let written = match self.try_commit() {
            Err(LedgerError::Sql { damaged: true, problem, .. }) => {
                self.begin_anew(&problem).and_then(|()| self.try_commit())
            }
            other => other,
        };
        if let Err(error) = written {
            self.fail(&error);
            return false;
        }
        self.rows.clear();
        self.changed.clear();
        self.write_all_totals = false;
        self.unnoted.clear();
        if std::mem::take(&mut self.write_all_watches) {
            self.last_heartbeat = Instant::now();
        }
        self.shared.durable.store(self.taken, Ordering::Release);
        let mut status = self.shared.status.lock();
        status.waiting = 0;
        if status.problem.take().is_some() {
            tracing::info!("Ledger: written again");
        }
        drop(status);
        self.forward();
        true
    }

    fn fail(&mut self, error: &LedgerError) {
        self.connection = None;
        self.retry_at = Instant::now() + RETRY;
        let problem = format!("{error}; crossings wait in memory, make room on the disk or mend its rights");
        let mut status = self.shared.status.lock();
        if status.problem.is_none() {
            tracing::error!("{problem}");
        }
        status.problem = Some(problem);
        drop(status);
        self.forward();
    }

    fn try_commit(&mut self) -> Result<(), LedgerError> {
        let path = self.options.path.clone();
        self.lock.hold()?;
        // A file that was deleted or moved takes writes without complaint and keeps nothing.
        if fs::metadata(&path).ok().map(|file| file.ino()) != self.inode {
            self.connection = None;
        }
        if self.connection.is_none() {
            self.connect()?;
        }
        let sql = |error: rusqlite::Error| LedgerError::sql(&path, &error);
        let now = millis(SystemTime::now());
        let clean = self.last_cleaning.is_none_or(|last| last.elapsed() >= CLEANING);
        if let (Some(connection), None) = (&self.connection, self.session) {
            self.session =
                Some(begin_session(connection, self.begun_wall, &self.options.fingerprint).map_err(sql)?);
        }
        let (Some(connection), Some(session)) = (&mut self.connection, self.session) else {
            return Err(LedgerError::Missing { path: path.display().to_string() });
        };
        let change = connection.transaction().map_err(sql)?;
        write_rows(&change, session, &self.rows).map_err(sql)?;
        for (source, from) in &self.watching {
            if !self.write_all_watches && !self.unnoted.contains(source) {
                continue;
            }
            write_watch(&change, session, source, *from, now).map_err(sql)?;
        }
        for (source, lines) in &self.totals {
            if self.write_all_totals || self.changed.contains(source) {
                write_totals(&change, source, lines).map_err(sql)?;
            }
        }
        for source in self.changed.iter().filter(|source| !self.totals.contains_key(*source)) {
            write_totals(&change, source, &BTreeMap::new()).map_err(sql)?;
        }
        if self.write_all_watches {
            change
                .execute("UPDATE sessions SET last_seen_ms = ?1 WHERE id = ?2", params![now, session])
                .map_err(sql)?;
        }
        if let Some(retention) = self.options.retention.filter(|_| clean) {
            let before = now - i64::try_from(retention.as_millis()).unwrap_or(i64::MAX);
            change.execute("DELETE FROM crossings WHERE wall_ms < ?1", [before]).map_err(sql)?;
            change.execute("DELETE FROM watches WHERE to_ms < ?1", [before]).map_err(sql)?;
        }
        change.commit().map_err(sql)?;
        if clean {
            self.last_cleaning = Some(Instant::now());
        }
        Ok(())
    }

    /// Passes on what is durable, or what nobody can make durable at present.
    fn forward(&mut self) {
        let Some(forward) = &self.options.forward else { return };
        self.unforwarded.drain(..).for_each(|line| forward.put(line));
    }

    fn end(&mut self) -> bool {
        let now = millis(SystemTime::now());
        for (source, from) in std::mem::take(&mut self.watching) {
            self.push(Row::Watch { source, from, to: now });
        }
        let committed = self.commit();
        self.options.forward = None;
        if let (Some(connection), Some(session)) = (self.connection.take(), self.session) {
            // A session without an end was cut off; nothing else depends on it.
            let _ =
                connection.execute("UPDATE sessions SET ended_ms = ?1 WHERE id = ?2", params![now, session]);
        }
        committed
    }
}

#[cfg(test)]
mod tests;
