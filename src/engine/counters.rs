//! What was counted since the engine began. Unlike what is shown, none of it ever falls: not when a user resets counts, a file
//! starts again, or a source is removed and comes back under its id.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use parking_lot::Mutex;

use crate::{
    metrics::buckets::Durations,
    model::{Direction, Event, EventKind, Reason, SourceId},
};

/// What an engine tells of its work, for monitoring.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metrics {
    /// By source, also of those that were removed.
    pub sources: BTreeMap<SourceId, SourceMetrics>,
    /// Time each worker has spent working, the first worker first.
    pub workers_busy: Vec<Duration>,
    /// How long it took to detect people in a frame.
    pub detection: Durations,
    /// Time from the decoder to the counts, of each frame that was processed.
    pub frame_age: Durations,
    /// Names of the models that are loaded, the default first.
    pub detectors: Vec<String>,
    /// What they run on.
    pub engines: Vec<String>,
}

/// What was counted of one source since the engine began. None of it ever falls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceMetrics {
    /// Crossings, by line and direction.
    pub crossings: BTreeMap<(String, Direction), u64>,
    /// Crossings that were seen and not counted, by line and reason.
    pub suppressed: BTreeMap<(String, Reason), u64>,
    /// Frames handled: processed, or skipped on purpose.
    pub frames: u64,
    /// Frames that were replaced by newer ones before a worker was free.
    pub dropped: u64,
    /// People found, summed over all frames.
    pub detections: u64,
    /// Frames with a detection run.
    pub detection_runs: u64,
    /// Times it reconnected.
    pub reconnects: u64,
    /// When the last frame was handled, in wall time.
    pub last_frame: Option<SystemTime>,
}

/// The counters of one source, for those who count. Every source of an id gets the same.
#[derive(Debug, Default)]
pub struct SourceCounters {
    pub frames: Counter,
    pub dropped: Counter,
    pub detections: Counter,
    pub detection_runs: Counter,
    pub reconnects: Counter,
    /// Milliseconds since the Unix epoch; 0 before the first frame.
    last_frame: AtomicU64,
    /// Crossings come seldom.
    events: Mutex<Events>,
}

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

#[derive(Debug, Default)]
struct Events {
    crossings: BTreeMap<(String, Direction), u64>,
    suppressed: BTreeMap<(String, Reason), u64>,
}

impl Counter {
    /// Counts so many more.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl SourceCounters {
    /// A frame was handled at this moment.
    pub fn note_frame(&self, wall: SystemTime) {
        let since = wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.last_frame.store(since.as_millis() as u64, Ordering::Relaxed);
    }

    fn read(&self) -> SourceMetrics {
        let (events, last_frame) = (self.events.lock(), self.last_frame.load(Ordering::Relaxed));
        SourceMetrics {
            crossings: events.crossings.clone(),
            suppressed: events.suppressed.clone(),
            frames: self.frames.get(),
            dropped: self.dropped.get(),
            detections: self.detections.get(),
            detection_runs: self.detection_runs.get(),
            reconnects: self.reconnects.get(),
            last_frame: (last_frame > 0).then(|| SystemTime::UNIX_EPOCH + Duration::from_millis(last_frame)),
        }
    }
}

/// The counters of all sources.
#[derive(Debug, Default)]
pub struct Counters(Mutex<BTreeMap<SourceId, Arc<SourceCounters>>>);

impl Counters {
    /// Those of the source `id`.
    pub fn of(&self, id: &SourceId) -> Arc<SourceCounters> {
        Arc::clone(self.0.lock().entry(id.clone()).or_default())
    }

    /// Counts an event that is passed on.
    pub fn event(&self, event: &Event) {
        match &event.kind {
            EventKind::Crossing { line, direction, .. } => {
                let counters = self.of(&event.source);
                *counters.events.lock().crossings.entry((line.clone(), *direction)).or_default() += 1;
            }
            EventKind::Suppressed { line, reason, .. } => {
                let counters = self.of(&event.source);
                *counters.events.lock().suppressed.entry((line.clone(), *reason)).or_default() += 1;
            }
            EventKind::State { .. }
            | EventKind::Threshold { .. }
            | EventKind::Scene(_)
            | EventKind::Schedule { .. }
            | EventKind::Reset
            | EventKind::Area(_) => {}
        }
    }

    /// All of them so far.
    pub fn read(&self) -> BTreeMap<SourceId, SourceMetrics> {
        self.0.lock().iter().map(|(id, counters)| (id.clone(), counters.read())).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn crossings_are_counted_by_line_and_direction_and_no_reset_takes_them_back() {
        let counters = Counters::default();
        let event = |kind| counters.event(&Event::new(SystemTime::now(), "gate", kind));
        let crossing = |direction| EventKind::Crossing {
            line: "door".into(),
            direction,
            track: 1,
            time: 0.0,
            confidence: 1.0,
        };
        event(crossing(Direction::In));
        event(EventKind::Reset);
        event(crossing(Direction::In));
        event(crossing(Direction::Out));
        event(EventKind::Suppressed {
            line: "door".into(),
            direction: Direction::In,
            track: 2,
            reason: Reason::UTurn,
            time: 0.0,
        });
        let read = &counters.read()["gate"];
        let door = |direction| read.crossings[&("door".to_owned(), direction)];
        assert_eq!((door(Direction::In), door(Direction::Out)), (2, 1));
        assert_eq!(read.suppressed, BTreeMap::from([(("door".to_owned(), Reason::UTurn), 1)]));
    }

    #[test]
    fn a_source_that_comes_back_under_its_id_goes_on() {
        let counters = Counters::default();
        counters.of(&"gate".into()).frames.add(5);
        counters.of(&"gate".into()).frames.add(2);
        counters.of(&"hall".into()).frames.add(1);
        assert_eq!((counters.read()["gate"].frames, counters.read()["hall"].frames), (7, 1));
    }
}
