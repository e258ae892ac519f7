//! Where workers leave their reports for the result handler.
//!
//! Putting something in never blocks. When sinks do not follow, there is room for [`ROOM`] reports; then no more frames
//! are handled ([`Outbox::is_full`]) until there is room again, so that nothing that is counted is lost: files wait,
//! cameras lose frames, which are counted as such. What does not come from frames goes on: crossings that the end of a
//! source decides and resets are always taken, of states and periodic results the latest of each source is kept, and
//! what is lost of them is counted.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use crossbeam_channel::{Sender, bounded};
use parking_lot::{Condvar, Mutex};

use crate::{
    config::AreaConfig,
    engine::reply::Answer,
    model::{Event, EventKind, SourceId, TaskResult},
};

/// Reports that may wait; some 20 MB.
const ROOM: usize = 65_536;

/// Errors of one source that may wait with its latest result.
const ERRORS: usize = 100;

pub(super) enum OutboxItem {
    Result(Box<TaskResult>),
    Event(Box<Event>),
    /// The source was removed: it has no latest result any more.
    Forget(SourceId),
    Sync(Sender<()>),
    /// These areas are counted from here on.
    Areas(Vec<AreaConfig>),
    /// So many people are inside an area, as this user says.
    SetArea {
        area: String,
        inside: u64,
        who: String,
        answer: Answer,
    },
}

/// What [`Outbox::take`] finds.
pub(super) enum Taken {
    OutboxItem(OutboxItem),
    /// Nothing was reported for a while.
    Nothing,
}

/// Of what only the latest of each source waits while there is no room.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Latest {
    State(SourceId),
    Result(String),
}

#[derive(Default)]
struct Backlog {
    reports: VecDeque<OutboxItem>,
    /// In the place of reports that there is no room for; delivered after them.
    latest: BTreeMap<Latest, OutboxItem>,
    lost: u64,
    /// Number of the latest event that was passed on or lost.
    number: u64,
    closed: bool,
}

/// The reports that wait for the handler. See the module's documentation.
pub struct Outbox {
    backlog: Mutex<Backlog>,
    message: Condvar,
    room: usize,
    /// Whether there is no room; asked for with every frame.
    is_full: AtomicBool,
}

impl Default for Outbox {
    fn default() -> Self {
        Self::with_room(ROOM)
    }
}

impl Outbox {
    fn with_room(room: usize) -> Self {
        Self { backlog: Mutex::default(), message: Condvar::new(), room, is_full: AtomicBool::new(false) }
    }

    /// Reports a result.
    pub fn result(&self, result: TaskResult) {
        let key = Latest::Result(result.camera_id.clone());
        self.put(OutboxItem::Result(Box::new(result)), Some(key));
    }

    /// Reports an event.
    pub fn event(&self, event: Event) {
        let key = matches!(event.kind, EventKind::State { .. }).then(|| Latest::State(event.source.clone()));
        self.put(OutboxItem::Event(Box::new(event)), key);
    }

    /// Reports that a source was removed.
    pub fn forget(&self, source: &SourceId) {
        self.put(OutboxItem::Forget(source.clone()), None);
    }

    /// From here on these areas are counted.
    pub fn areas(&self, areas: Vec<AreaConfig>) {
        self.put(OutboxItem::Areas(areas), None);
    }

    /// At this place in the order of the crossings so many people are inside an area.
    pub fn set_area(&self, area: String, inside: u64, who: String, answer: Answer) {
        self.put(OutboxItem::SetArea { area, inside, who, answer }, None);
    }

    /// `event` with the next number, for what is made of an event that is being handled.
    pub(super) fn numbered(&self, mut event: Event) -> Event {
        let mut backlog = self.backlog.lock();
        backlog.number += 1;
        event.number = backlog.number;
        event
    }

    /// Whether there is no room for what comes from frames. Without a handler nothing waits, and nothing is held up.
    pub fn is_full(&self) -> bool {
        self.is_full.load(Ordering::Acquire)
    }

    fn note_room(&self, backlog: &Backlog) {
        self.is_full.store(!backlog.closed && backlog.reports.len() >= self.room, Ordering::Release);
    }

    /// Reports that were lost.
    pub fn lost(&self) -> u64 {
        self.backlog.lock().lost
    }

    /// What the user must know of it while the engine runs.
    pub fn problem(&self) -> Option<&'static str> {
        let backlog = self.backlog.lock();
        if backlog.closed {
            Some(
                "counts are no longer written: the result handler has failed; see the log and restart the \
                 program",
            )
        } else if backlog.reports.len() >= self.room {
            Some(
                "counts cannot be written: files wait and cameras lose frames until the disk or the reader \
                 catches up",
            )
        } else {
            None
        }
    }

    fn put(&self, report: OutboxItem, key: Option<Latest>) {
        let mut backlog = self.backlog.lock();
        let backlog = &mut *backlog;
        if backlog.closed {
            // The engine is gone, and with it everybody who could want the report.
            backlog.lost += u64::from(is_kept(&report));
            return;
        }
        let full = backlog.reports.len() >= self.room;
        match (report, key) {
            // After everything that was reported before.
            (report @ (OutboxItem::Sync(_) | OutboxItem::Forget(_)), _) => {
                let latest = std::mem::take(&mut backlog.latest);
                backlog.reports.extend(latest.into_values().chain([report]));
            }
            (report, _) if is_kept(&report) => backlog.reports.push_back(report),
            (report, Some(key)) if full || backlog.latest.contains_key(&key) => backlog.replace(key, report),
            (report, _) if !full => backlog.reports.push_back(report),
            (report, _) => backlog.lose(&report),
        }
        self.note_room(backlog);
        self.message.notify_one();
    }

    /// The next report, once there is one; waits for it at most `patience`.
    pub(super) fn take(&self, patience: Duration) -> Taken {
        let mut backlog = self.backlog.lock();
        if backlog.reports.is_empty() && backlog.latest.is_empty() {
            self.message.wait_for(&mut backlog, patience);
        }
        let latest = |backlog: &mut Backlog| backlog.latest.pop_first().map(|(_, report)| report);
        let mut report = backlog.reports.pop_front().or_else(|| latest(&mut backlog));
        if let Some(OutboxItem::Event(event)) = &mut report {
            backlog.number += 1;
            event.number = backlog.number;
        }
        self.note_room(&backlog);
        report.map_or(Taken::Nothing, Taken::OutboxItem)
    }

    /// Nobody takes reports any more.
    pub(super) fn close(&self) {
        let mut backlog = self.backlog.lock();
        backlog.closed = true;
        backlog.lost += backlog.reports.drain(..).filter(is_kept).count() as u64;
        backlog.latest.clear();
        self.note_room(&backlog);
    }

    /// Waits until everything reported so far has reached the sinks, at most `timeout`.
    pub fn sync(&self, timeout: Duration) -> bool {
        let (done, wait) = bounded(1);
        self.put(OutboxItem::Sync(done), None);
        wait.recv_timeout(timeout).is_ok()
    }
}

impl Backlog {
    /// Keeps `report` in the place of the one before, whose errors it takes over.
    fn replace(&mut self, key: Latest, mut report: OutboxItem) {
        if let Some(mut old) = self.latest.remove(&key) {
            if let (OutboxItem::Result(old), OutboxItem::Result(new)) = (&mut old, &mut report) {
                let newer = std::mem::replace(&mut new.errors, std::mem::take(&mut old.errors));
                new.errors.extend(newer);
                let spare = new.errors.len().saturating_sub(ERRORS);
                new.errors.drain(..spare);
            }
            self.lose(&old);
        }
        self.latest.insert(key, report);
    }

    fn lose(&mut self, report: &OutboxItem) {
        if self.lost == 0 {
            tracing::warn!(
                "Results arrive faster than they are written; states and periodic results are lost"
            );
        }
        self.lost += 1;
        // Its number is left out, which tells later readers.
        self.number += u64::from(matches!(report, OutboxItem::Event(_)));
    }
}

/// Whether totals would be wrong without it.
fn is_kept(report: &OutboxItem) -> bool {
    matches!(report, OutboxItem::Event(event) if matches!(event.kind, EventKind::Crossing { .. } | EventKind::Reset))
        || matches!(report, OutboxItem::Areas(_) | OutboxItem::SetArea { .. })
}

#[cfg(test)]
mod tests;
