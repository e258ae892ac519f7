//! The thread that writes. It alone holds the connection.

mod background;
mod opening;
mod retention;
mod rows;
mod watching;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fs,
    os::unix::fs::MetadataExt,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use rusqlite::{Connection, params};

pub(super) use self::rows::{millis, read_totals, write_jump, write_reset, write_totals};
use self::{
    background::Background,
    rows::{Row, begin_session, has_session, write_rows, write_watches},
    watching::Watching,
};
use super::{
    BATCH, LedgerError, LedgerOptions, MAX_WAITING, Shared,
    lock::Lock,
    salvage::Totals,
    schema,
    steady::{self, Moment, Steadiness},
};
use crate::{
    count::Direction,
    native::disk::Disk,
    outputs::lines::Line,
    source::SourceId,
    store::{Event, EventKind, LineCounts},
};

/// How often the ledger notes until when sources are watched. What a crash leaves out of the coverage is at most
/// this long.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// How often the clocks are compared.
const TICK: Duration = Duration::from_secs(1);

/// How long to leave a disk alone that has refused.
const RETRY: Duration = Duration::from_secs(1);

/// Another process may hold the file for this long before the user must know.
const PATIENCE: Duration = Duration::from_secs(5);

/// The word of the state in which a source is being watched.
const WATCHING: &str = "Running";

/// Most notices kept; the last ones.
const MOST_NOTICES: usize = 5;

/// What the writer is asked.
pub(super) enum Order {
    Event {
        sequence: u64,
        moment: Moment,
        event: Arc<Event>,
    },
    /// A source has handled so many frames.
    Frames {
        source: SourceId,
        frames: u64,
        moment: Moment,
    },
    Sync(Sender<bool>),
    Close(Sender<bool>),
}

pub(super) struct Writer {
    options: LedgerOptions,
    shared: Arc<Shared>,
    connection: Option<Connection>,
    inode: Option<u64>,
    session: Option<i64>,
    begun: Moment,
    rows: VecDeque<Row>,
    /// Events that wait to be passed on until they are durable.
    unforwarded: VecDeque<Line>,
    taken: u64,
    totals: Totals,
    /// Whether [`Self::totals`] go on from those of the file.
    has_totals: bool,
    /// Whether all totals, not only the changed ones, must be written: the file is new to us.
    write_all_totals: bool,
    changed: BTreeSet<SourceId>,
    watching: Watching,
    /// Whether all watches, not only the unnoted, must be written: the file is new to us, or it is time for a
    /// heartbeat.
    write_all_watches: bool,
    clock: Steadiness,
    /// Whether [`Self::clock`] goes on from what the file remembers.
    has_clock: bool,
    background: Background,
    last_heartbeat: Instant,
    last_commit: Instant,
    retry_at: Instant,
    /// Since when another process holds the file.
    busy_since: Option<Instant>,
    lock: Lock,
    /// What is done to the file is done here.
    disk: Disk,
}

impl Writer {
    pub fn new(options: LedgerOptions, shared: Arc<Shared>, lock: Lock, disk: Disk) -> Self {
        let (now, begun) = (Instant::now(), Moment::now(options.clock.as_ref()));
        Self {
            background: Background::new(options.retention),
            options,
            shared,
            connection: None,
            inode: None,
            session: None,
            begun,
            rows: VecDeque::new(),
            unforwarded: VecDeque::new(),
            taken: 0,
            totals: Totals::new(),
            has_totals: false,
            write_all_totals: false,
            changed: BTreeSet::new(),
            watching: Watching::default(),
            write_all_watches: false,
            clock: Steadiness::new(steady::boot(), begun),
            has_clock: false,
            last_heartbeat: now,
            last_commit: now,
            retry_at: now,
            busy_since: None,
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

    pub fn run(mut self, orders: &Receiver<Order>) {
        let disk = self.disk.clone();
        let mut due = (!disk.run(|| self.commit())).then(|| Instant::now() + BATCH);
        let mut tick = Instant::now();
        loop {
            let wake = due.unwrap_or(tick).min(tick).min(self.background.wake(tick));
            match orders.recv_deadline(wake) {
                Ok(Order::Event { sequence, moment, event }) => {
                    self.observe(moment);
                    self.take(sequence, moment, &event);
                    due = due.or(Some(self.last_commit + BATCH));
                }
                Ok(Order::Frames { source, frames, moment }) => {
                    self.observe(moment);
                    if let Some(watch) = self.watching.frames(source.clone(), frames, moment) {
                        self.push(Row::Watch(source, watch));
                    }
                    if self.watching.unnoted(false).next().is_some() {
                        due = due.or(Some(self.last_commit + BATCH));
                    }
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
                // Only where nothing waits: orders carry moments of their own, which come before this one.
                Err(RecvTimeoutError::Timeout) if Instant::now() >= tick => {
                    tick = Instant::now() + TICK;
                    self.observe(Moment::now(self.options.clock.as_ref()));
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
            } else if now >= self.background.wake(tick) {
                disk.run(|| self.do_background());
            }
        }
    }

    fn observe(&mut self, moment: Moment) {
        if let Some(jump) = self.clock.observe(moment) {
            self.jumped(jump);
        }
    }

    fn take(&mut self, sequence: u64, moment: Moment, event: &Event) {
        self.taken = sequence;
        let wall = millis(event.wall);
        if self.options.forward.is_some() {
            self.unforwarded.push_back(Line::from(event));
        }
        let source = event.source.clone();
        match &event.kind {
            EventKind::Crossing { line, direction, track, time, confidence } => {
                let (line, direction) = (line.clone(), *direction);
                let counts = self.totals.entry(source.clone()).or_default().entry(line.clone()).or_default();
                match direction {
                    Direction::In => counts.0 += 1,
                    Direction::Out => counts.1 += 1,
                }
                self.changed.insert(source.clone());
                self.push(Row::Crossing {
                    source,
                    sequence,
                    line,
                    direction,
                    wall,
                    mono: (moment.uptime - self.begun.uptime).max(0),
                    source_time: *time,
                    track: *track,
                    confidence: *confidence,
                });
            }
            EventKind::Reset => self.reset(source, sequence, wall),
            EventKind::State { state, .. } => self.watching.state(&source, state),
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
            Err(error) if error.is_damage() => self.begin_anew(&error).and_then(|()| self.try_commit()),
            other => other,
        };
        if let Err(error) = written {
            self.fail(&error, false);
            return false;
        }
        self.rows.clear();
        self.changed.clear();
        self.write_all_totals = false;
        self.watching.noted();
        self.busy_since = None;
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

    /// Notes why nothing can be written. Somebody else who holds the file is no problem yet, unless `at_once`.
    fn fail(&mut self, error: &LedgerError, at_once: bool) {
        self.connection = None;
        self.retry_at = Instant::now() + RETRY;
        if error.is_busy()
            && !at_once
            && self.busy_since.get_or_insert_with(Instant::now).elapsed() < PATIENCE
        {
            return;
        }
        let problem = format!("{error}; crossings wait in memory");
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
        if let (Some(connection), None) = (&self.connection, self.session) {
            let config = &self.options.fingerprint;
            self.session = Some(begin_session(connection, self.begun.wall, config).map_err(sql)?);
        }
        let (Some(connection), Some(session)) = (&mut self.connection, self.session) else {
            return Err(LedgerError::Missing { path: path.display().to_string() });
        };
        let change = connection.transaction().map_err(sql)?;
        write_rows(&change, session, &self.rows).map_err(sql)?;
        write_watches(&change, session, self.watching.unnoted(self.write_all_watches)).map_err(sql)?;
        for (source, lines) in &self.totals {
            if self.write_all_totals || self.changed.contains(source) {
                write_totals(&change, source, lines).map_err(sql)?;
            }
        }
        for source in self.changed.iter().filter(|source| !self.totals.contains_key(*source)) {
            write_totals(&change, source, &BTreeMap::new()).map_err(sql)?;
        }
        if self.write_all_watches {
            let seen = self.clock.memory();
            change
                .execute("UPDATE sessions SET last_seen_ms = ?1 WHERE id = ?2", params![seen.seen, session])
                .map_err(sql)?;
            schema::write_clock(&change, &seen).map_err(sql)?;
        }
        change.commit().map_err(sql)
    }

    /// Passes on what is durable, or what nobody can make durable at present.
    fn forward(&mut self) {
        let Some(forward) = &self.options.forward else { return };
        self.unforwarded.drain(..).for_each(|line| forward.put(line));
    }

    fn end(&mut self) -> bool {
        let now = Moment::now(self.options.clock.as_ref());
        self.observe(now);
        self.write_all_watches = true;
        let committed = self.commit();
        self.options.forward = None;
        if let (Some(connection), Some(session)) = (self.connection.take(), self.session) {
            // A session without an end was cut off; nothing else depends on it.
            let ended = "UPDATE sessions SET ended_ms = ?1 WHERE id = ?2";
            let _ = connection.execute(ended, params![now.wall, session]);
        }
        committed
    }
}

#[cfg(test)]
mod tests;
