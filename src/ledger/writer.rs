//! The thread that writes. It alone holds the connection.

mod background;
mod opening;
mod retention;
pub(super) mod rows;
mod steps;
mod watching;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fs,
    os::unix::fs::MetadataExt,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant, SystemTime},
};

use rusqlite::{Connection, params};

pub(super) use self::watching::Watch;
use self::{
    background::Background,
    rows::{PendingRow, begin_session, write_rows, write_totals, write_watches},
    watching::Watching,
};
use super::{
    BATCH, LedgerError, LedgerOptions, MAX_WAITING, Shared,
    areas::AreaBook,
    clock_check::{self, ClockReading, Steadiness, millis},
    copies,
    fleet::{Leases, write_outgoing},
    lock::{Lock, patiently},
    salvage::Totals,
    schedules::{self, Hours},
    schema,
};
use crate::{
    model::{AreaRecord, Direction, Event, EventKind, LineCounts, Scene, SourceId},
    native::disk::Disk,
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

/// Most notices kept; the last ones.
const MOST_NOTICES: usize = 5;

/// Writes a ledger. What it is given carries the moment at which it was given, in order; [`Self::work`] is its own work.
pub(crate) struct Writer {
    options: LedgerOptions,
    shared: Arc<Shared>,
    connection: Option<Connection>,
    inode: Option<u64>,
    session: Option<i64>,
    begun: ClockReading,
    rows: VecDeque<PendingRow>,
    /// Events that wait to be passed on until they are durable.
    unforwarded: VecDeque<Arc<Event>>,
    taken: u64,
    totals: Totals,
    /// Whether [`Self::totals`] go on from those of the file.
    has_totals: bool,
    /// Whether all totals, not only the changed ones, must be written: the file is new to us.
    write_all_totals: bool,
    changed: BTreeSet<SourceId>,
    /// What was known of the scenes when the file was opened.
    scenes: BTreeMap<SourceId, Scene>,
    schedules: schedules::Known,
    /// How many are inside of areas.
    areas: AreaBook,
    /// Whether [`Self::areas`] go on from those of the file.
    has_areas: bool,
    watching: Watching,
    /// By which leases the sources of a fleet are counted.
    leases: Leases,
    /// Whether all watches, not only the unnoted, must be written: the file is new to us, or it is time for a
    /// heartbeat.
    write_all_watches: bool,
    clock: Steadiness,
    /// Whether [`Self::clock`] goes on from what the file remembers.
    has_clock: bool,
    background: Background,
    last_heartbeat: Instant,
    last_commit: Instant,
    /// When the next commit is, where something waits for one.
    due: Option<Instant>,
    /// When the clocks are compared next.
    tick: Instant,
    retry_at: Instant,
    /// Since when another process holds the file.
    busy_since: Option<Instant>,
    lock: Lock,
    /// What is done to the file is done here.
    disk: Disk,
}

impl Writer {
    /// Takes the ledger of `options`, once it is no other program's, and opens it. What is done to files is done on `disk`.
    ///
    /// # Errors
    /// When another program counts into this folder.
    pub fn start(options: LedgerOptions, shared: Arc<Shared>, disk: &Disk) -> Result<Self, LedgerError> {
        let lock = patiently(options.clock.as_ref(), || disk.run(|| Lock::take(&options.path)))?;
        let mut writer = Self::new(options, shared, lock, disk.clone());
        disk.run(|| writer.open());
        Ok(writer)
    }

    fn new(options: LedgerOptions, shared: Arc<Shared>, lock: Lock, disk: Disk) -> Self {
        let (now, begun) = (options.clock.now(), ClockReading::now(options.clock.as_ref()));
        Self {
            background: Background::new(options.retention, now),
            leases: Leases::new(Arc::clone(&options.server_clock)),
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
            scenes: BTreeMap::new(),
            schedules: schedules::Known::default(),
            areas: AreaBook::default(),
            has_areas: false,
            watching: Watching::default(),
            write_all_watches: false,
            clock: Steadiness::new(clock_check::boot(), begun),
            has_clock: false,
            last_heartbeat: now,
            last_commit: now,
            due: None,
            tick: now,
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

    /// What is known of the scenes of sources, by earlier runs.
    pub fn scenes(&self) -> Vec<(SourceId, Scene)> {
        self.scenes.iter().map(|(source, scene)| (source.clone(), scene.clone())).collect()
    }

    /// What is known of areas, by earlier runs.
    pub fn areas(&self) -> Vec<AreaRecord> {
        self.areas.records()
    }

    /// The first commit: this run's session, and what waits since the file was opened.
    pub fn begin(&mut self) {
        self.due = (!self.commit_on_disk()).then(|| self.now() + BATCH);
        self.tick = self.now();
    }

    /// When [`Self::work`] is due.
    pub fn wake(&self) -> Instant {
        self.due.unwrap_or(self.tick).min(self.tick).min(self.background.wake(self.tick))
    }

    /// Notes an event that was given at this moment.
    pub fn event(&mut self, event: &Arc<Event>, wall: SystemTime, uptime: Duration) {
        let moment = ClockReading::of(wall, uptime);
        self.observe(moment);
        self.take(self.taken + 1, moment, event);
        self.due = self.due.or(Some(self.last_commit + BATCH));
    }

    /// A source had handled `frames` frames at this moment: from one such note to the next, if they are not far apart, it
    /// is watched.
    pub fn frames(&mut self, source: SourceId, frames: u64, wall: SystemTime, uptime: Duration) {
        let moment = ClockReading::of(wall, uptime);
        self.observe(moment);
        if let Some(watch) = self.watching.frames(source.clone(), frames, moment) {
            if let Some(outgoing) = self.leases.watch(&source, watch) {
                self.push(PendingRow::Outgoing(Box::new(outgoing)));
            }
            self.push(PendingRow::Watch(source, watch));
        }
        if self.watching.unnoted(false).next().is_some() {
            self.due = self.due.or(Some(self.last_commit + BATCH));
        }
    }

    /// Commits everything that waits. `false` when the disk refuses.
    pub fn flush(&mut self) -> bool {
        self.write_all_watches = true;
        let committed = self.commit_on_disk();
        self.due = (!committed).then(|| self.now() + BATCH);
        committed
    }

    /// Commits what is due, and does what there is to do beside it. `idle`: nothing waits to be given to it.
    pub fn work(&mut self, idle: bool) {
        let now = self.now();
        // Only where nothing waits: what does carries moments of its own, which come before this one.
        if idle && now >= self.tick {
            self.tick = now + TICK;
            self.observe(ClockReading::now(self.options.clock.as_ref()));
        }
        if now >= self.due.unwrap_or(self.last_heartbeat + HEARTBEAT) {
            let committed = now >= self.retry_at && self.commit_on_disk();
            self.due = (!committed).then(|| now + BATCH);
        } else if now >= self.background.wake(self.tick) {
            let disk = self.disk.clone();
            disk.run(|| self.do_background());
        }
    }

    /// Commits what waits, ends the session and closes the file. `false` when the disk refuses.
    pub fn close(&mut self) -> bool {
        let disk = self.disk.clone();
        disk.run(|| self.end())
    }

    fn commit_on_disk(&mut self) -> bool {
        let disk = self.disk.clone();
        disk.run(|| self.commit())
    }

    fn now(&self) -> Instant {
        self.options.clock.now()
    }

    fn passed_since(&self, then: Instant) -> Duration {
        self.now().saturating_duration_since(then)
    }

    fn observe(&mut self, moment: ClockReading) {
        if let Some(jump) = self.clock.observe(moment) {
            self.jumped(jump);
        }
    }

    fn take(&mut self, sequence: u64, moment: ClockReading, event: &Arc<Event>) {
        self.taken = sequence;
        let wall = millis(event.wall);
        if self.options.forward.is_some() {
            self.unforwarded.push_back(Arc::clone(event));
        }
        for outgoing in self.leases.event(event, sequence, wall) {
            self.push(PendingRow::Outgoing(Box::new(outgoing)));
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
                self.areas.crossing(&source, &line, direction);
                self.push(PendingRow::Crossing {
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
            EventKind::Scene(scene) => {
                self.push(PendingRow::Scene { source, wall, scene: Box::new(scene.clone()) });
            }
            EventKind::Schedule { schedule, timezone } => {
                let (schedule, timezone) = (schedule.clone().unwrap_or_default(), timezone.clone());
                if let Some(hours) = self.schedules.tell(&source, Hours { from: wall, schedule, timezone }) {
                    self.push(PendingRow::Schedule(source, hours));
                }
            }
            EventKind::State { state, .. } => {
                self.watching.state(&source, *state);
                if let Some(hours) = self.schedules.state(&source, wall) {
                    self.push(PendingRow::Schedule(source, hours));
                }
                self.keep_for_webhooks(sequence, wall, event);
            }
            EventKind::Threshold { .. } => self.keep_for_webhooks(sequence, wall, event),
            EventKind::Area(event) => {
                self.areas.event(&source, wall, event);
                let (area, event) = (source.to_string(), Box::new(event.clone()));
                self.push(PendingRow::Area { area, sequence, wall, event });
            }
            EventKind::Suppressed { .. } => {}
        }
        if self.shared.status.lock().problem.is_some() {
            self.forward();
        }
    }

    /// Keeps a change of state or a reached limit where a webhook is to be told of it.
    fn keep_for_webhooks(&mut self, sequence: u64, wall: i64, event: &Arc<Event>) {
        if self.options.keeps_states {
            self.push(PendingRow::Noted { event: Arc::clone(event), sequence, wall });
        }
    }

    fn reset(&mut self, source: SourceId, sequence: u64, wall: i64) {
        self.totals.remove(&source);
        self.changed.insert(source.clone());
        self.push(PendingRow::Reset { source, sequence, wall });
    }

    fn push(&mut self, row: PendingRow) {
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
        self.last_commit = self.now();
        self.write_all_watches |= self.passed_since(self.last_heartbeat) >= HEARTBEAT;
        let written = match self.try_commit() {
            Err(error) if error.is_damage() => self.restart(&error).and_then(|()| self.try_commit()),
            other => other,
        };
        if let Err(error) = written {
            self.fail(&error, false);
            return false;
        }
        self.rows.clear();
        self.changed.clear();
        self.areas.written();
        self.write_all_totals = false;
        self.leases.noted(self.watching.unnoted(self.write_all_watches));
        self.watching.noted();
        self.busy_since = None;
        if std::mem::take(&mut self.write_all_watches) {
            self.last_heartbeat = self.now();
        }
        self.shared.durable.store(self.taken, Ordering::Release);
        let mut status = self.shared.status.lock();
        status.waiting = 0;
        if status.problem.take().is_some() {
            tracing::info!("Ledger: can be written again");
        }
        drop(status);
        self.forward();
        true
    }

    /// Notes why nothing can be written. Somebody else who holds the file is no problem yet, unless `at_once`.
    fn fail(&mut self, error: &LedgerError, at_once: bool) {
        self.connection = None;
        let now = self.now();
        self.retry_at = now + RETRY;
        if error.is_busy() && !at_once {
            let since = *self.busy_since.get_or_insert(now);
            if self.passed_since(since) < PATIENCE {
                return;
            }
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
        for (source, watch) in self.watching.unnoted(self.write_all_watches) {
            let outgoing = self.leases.watch(source, watch);
            outgoing.map_or(Ok(()), |outgoing| write_outgoing(&change, session, &outgoing)).map_err(sql)?;
        }
        for (source, lines) in &self.totals {
            if self.write_all_totals || self.changed.contains(source) {
                write_totals(&change, source, lines).map_err(sql)?;
            }
        }
        if self.write_all_totals {
            for (source, hours) in self.schedules.told() {
                schedules::write(&change, source, hours).map_err(sql)?;
            }
        }
        for source in self.changed.iter().filter(|source| !self.totals.contains_key(*source)) {
            write_totals(&change, source, &BTreeMap::new()).map_err(sql)?;
        }
        self.areas.write(&change, self.write_all_totals).map_err(sql)?;
        if self.write_all_watches {
            let seen = self.clock.memory();
            change
                .execute("UPDATE sessions SET last_seen_ms = ?1 WHERE id = ?2", params![seen.seen, session])
                .map_err(sql)?;
            schema::write_clock(&change, &seen).map_err(sql)?;
        }
        change.commit().map_err(sql)?;
        // With each heartbeat, by a clock that can be relied upon.
        if self.write_all_watches && self.clock.is_steady() {
            copies::expire(&self.options.path, self.options.clock.wall(), self.options.retention);
        }
        Ok(())
    }

    /// Passes on what is durable, or what nobody can make durable at present.
    fn forward(&mut self) {
        let Some(forward) = &self.options.forward else { return };
        self.unforwarded.drain(..).for_each(|event| forward(&event));
    }

    fn end(&mut self) -> bool {
        let now = ClockReading::now(self.options.clock.as_ref());
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
