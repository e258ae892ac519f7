//! The shared state store: one small immutable snapshot per source, replaced whole, read without waiting.

pub mod cell;
#[cfg(test)]
pub(crate) mod copies;
mod event;
pub mod history;
pub mod records;
mod rest;

use std::{
    cmp::Ordering,
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

pub use event::{Event, EventKind};
pub use rest::{Rest, Wakeful};

pub use crate::model::SourceState;
use crate::{
    config::{SourceKind, Strategy},
    count::Reason,
    geometry::BBox,
    source::{SourceId, life::FLAPPING},
    track::TrackId,
};

/// Counts of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineCounts {
    /// Name of the line.
    pub name: String,
    /// Crossings in.
    pub total_in: u64,
    /// Crossings out.
    pub total_out: u64,
}

/// Occupancy of one zone.
#[derive(Debug, Clone, PartialEq)]
pub struct ZoneCounts {
    /// Name of the zone.
    pub name: String,
    /// People inside now.
    pub occupancy: u64,
    /// Mean stay of those who left, in seconds; 0 before the first has left.
    pub mean_dwell: f64,
    /// Occupancy at which it is at its limit.
    pub threshold: Option<i64>,
}

/// All that is shown of one source: the truth of one moment, never torn.
#[derive(Debug, Clone)]
pub struct SourceSnapshot {
    /// Id.
    pub id: SourceId,
    /// Name for people.
    pub alias: String,
    /// Group.
    pub location: Option<String>,
    /// Camera or video.
    pub kind: SourceKind,
    /// What is opened, without credentials.
    pub source: String,
    /// Higher first.
    pub priority: i32,
    /// Where in its life it is.
    pub state: SourceState,
    /// Frames handled per second (looked at or deliberately skipped), over the last seconds; for a source
    /// that is over: its whole run.
    pub fps: f32,
    /// Frame rate the stream declares.
    pub declared_fps: Option<f32>,
    /// Detections run per second.
    pub detect_fps: f32,
    /// Size (width, height) in pixels of the stream, once known.
    pub size: Option<(u32, u32)>,
    /// Size (width, height) in pixels of a smaller stream of the camera that would do, where it sends far more than is
    /// looked at.
    pub substream: Option<(u32, u32)>,
    /// Frames handled.
    pub frames: u64,
    /// Frames the file has, when known.
    pub frames_total: Option<u64>,
    /// Frames of a live source that came while its worker was busy and were replaced by newer ones.
    pub dropped: u64,
    /// Persons found, summed over all frames.
    pub total_detections: u64,
    /// Sum over lines.
    pub total_in: u64,
    /// Sum over lines.
    pub total_out: u64,
    /// Limit for [`Self::current`].
    pub threshold: Option<i64>,
    /// Each line.
    pub lines: Vec<LineCounts>,
    /// Each zone.
    pub zones: Vec<ZoneCounts>,
    /// Crossings that were seen and not counted, by reason.
    pub suppressed: BTreeMap<Reason, u64>,
    /// People in the picture now.
    pub visible: usize,
    /// When the last frame was handled.
    pub last_frame: Option<Instant>,
    /// Time from decoder to counts of the last frame.
    pub latency: Duration,
    /// The last error, kept until frames come again.
    pub last_error: Option<String>,
    /// Errors since the start.
    pub errors: u64,
    /// Times it was opened again.
    pub reconnects: u64,
    /// Sessions in a row that delivered frames and broke off within a minute.
    pub short_sessions: u32,
    /// Detector and engine in use.
    pub detector: String,
    /// Share (0..=1) of the configured detection rate it gets; below 1 while the program is overloaded.
    pub rate_share: f32,
    /// Share (0..=1) of its frames that are handed to the workers; below 1 when rarer detections were not enough.
    pub frame_share: f32,
    /// Why [`Self::rate_share`] or [`Self::frame_share`] is below 1.
    pub throttled_by: Option<Strain>,
    /// Whether it sleeps.
    pub rest: Rest,
    /// CPU it costs, reading and counting together, in cores (1.0 = one core busy).
    pub cpu: f32,
    /// Pictures of it that are held at a time, in bytes: as decoded and at working size.
    pub picture_bytes: u64,
    /// Counts how often it is copied.
    #[cfg(test)]
    #[expect(dead_code, reason = "only copied")]
    pub(crate) copies: copies::Copies,
}

/// Why sources are looked at less often than configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strain {
    /// Live frames were replaced before a worker came to them.
    FramesLost,
    /// The process holds more memory than `memory_limit`.
    Memory,
}

impl Strain {
    /// As shown.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::FramesLost => "more frames than the workers can take",
            Self::Memory => "memory limit reached",
        }
    }
}

impl SourceSnapshot {
    /// A camera that was never opened.
    #[must_use]
    pub fn new(id: impl Into<SourceId>) -> Self {
        let id = id.into();
        Self {
            alias: id.to_string(),
            id,
            location: None,
            kind: SourceKind::Camera,
            source: String::new(),
            priority: 0,
            state: SourceState::Queued,
            fps: 0.0,
            declared_fps: None,
            detect_fps: 0.0,
            size: None,
            substream: None,
            frames: 0,
            frames_total: None,
            dropped: 0,
            total_detections: 0,
            total_in: 0,
            total_out: 0,
            threshold: None,
            lines: Vec::new(),
            zones: Vec::new(),
            suppressed: BTreeMap::new(),
            visible: 0,
            last_frame: None,
            latency: Duration::ZERO,
            last_error: None,
            errors: 0,
            reconnects: 0,
            short_sessions: 0,
            detector: String::new(),
            rate_share: 1.0,
            frame_share: 1.0,
            throttled_by: None,
            rest: Rest::default(),
            cpu: 0.0,
            picture_bytes: 0,
            #[cfg(test)]
            copies: copies::Copies,
        }
    }

    /// What the source is called everywhere: `Main Entrance (camera_01)`, or the id alone where that is its alias.
    #[must_use]
    pub fn name(&self) -> String {
        name_of(&self.alias, &self.id)
    }

    /// In minus out; may be negative.
    #[must_use]
    pub fn current(&self) -> i64 {
        self.total_in as i64 - self.total_out as i64
    }

    /// What overload takes from it and why, as in `to 20 % of its detections and 40 % of its frames: ..`; `None`
    /// while it gets everything.
    #[must_use]
    pub fn throttled(&self) -> Option<String> {
        let percent = |share: f32| format!("{:.0} %", share * 100.0);
        let cause = self.throttled_by.map_or("too much to do", Strain::words);
        if self.frame_share < 0.995 {
            let (looks, frames) = (percent(self.rate_share), percent(self.frame_share));
            Some(format!("to {looks} of its detections and {frames} of its frames: {cause}"))
        } else if self.rate_share < 0.995 {
            Some(format!("to {} of its detections: {cause}", percent(self.rate_share)))
        } else {
            None
        }
    }

    /// What is to be said of a camera whose sessions are short, one after the other; `None` while they are not.
    #[must_use]
    pub fn flapping(&self) -> Option<String> {
        (self.short_sessions >= FLAPPING).then(|| {
            let count = self.short_sessions;
            format!("flapping: {count} sessions in a row broke off within a minute; check its power, its network and how many viewers it allows")
        })
    }

    /// The limits of the source itself and of its zones, always in the same order.
    pub fn limits(&self) -> impl Iterator<Item = Limit> + '_ {
        let own = self.threshold.map(|limit| Limit { zone: None, current: self.current(), limit });
        let zones = self.zones.iter().filter_map(|zone| {
            let limit = zone.threshold?;
            Some(Limit { zone: Some(zone.name.clone()), current: zone.occupancy as i64, limit })
        });
        own.into_iter().chain(zones)
    }

    /// Whether the source or one of its zones has reached its limit.
    #[must_use]
    pub fn over_threshold(&self) -> bool {
        self.limits().any(|limit| limit.is_reached())
    }
}

/// The name of a source with this alias and id: `Main Entrance (camera_01)`, or the id alone where both are the same.
#[must_use]
pub fn name_of(alias: &str, id: &str) -> String {
    if alias == id { id.to_owned() } else { format!("{alias} ({id})") }
}

/// A number of people that should not be reached, and how many there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// The zone that it is for; none when it is for the source.
    pub zone: Option<String>,
    /// In minus out of the source, or people in the zone.
    pub current: i64,
    /// From which it is reached.
    pub limit: i64,
}

impl Limit {
    /// Whether it is reached.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.current >= self.limit
    }

    /// `at its limit` or `over its limit`; nothing below.
    #[must_use]
    pub fn words(&self) -> Option<&'static str> {
        match self.current.cmp(&self.limit) {
            Ordering::Less => None,
            Ordering::Equal => Some("at its limit"),
            Ordering::Greater => Some("over its limit"),
        }
    }
}

/// One worker as shown.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WorkerSnapshot {
    /// From 1.
    pub number: usize,
    /// Whether it is within the live `worker_count`.
    pub enabled: bool,
    /// Source it works for at this moment.
    pub source: Option<SourceId>,
    /// Frames it has handled.
    pub frames: u64,
    /// Share of the last seconds spent working, 0..=1.
    pub busy: f32,
    /// CPU it uses, in cores (1.0 = one core busy). Below [`Self::busy`] where it waits for the processor.
    pub cpu: f32,
    /// Frames in which it looked for people.
    pub looks: u64,
    /// Frames that could not be looked at.
    pub errors: u64,
    /// Times it panicked over a frame and went on with the next one.
    pub restarts: u64,
}

/// Everything the front ends show, gathered without waiting for anybody.
#[derive(Debug, Clone)]
pub struct EngineSnapshot {
    /// One per source, in the order they were added.
    pub sources: Vec<Arc<SourceSnapshot>>,
    /// One per thread of the pool.
    pub workers: Vec<WorkerSnapshot>,
    /// Workers that may run now.
    pub worker_count: usize,
    /// Upper bound.
    pub max_workers: usize,
    /// Tasks that wait for a worker, and files not opened yet.
    pub queue_pending: usize,
    /// Sources of the tasks that wait for a worker, in the order in which they will be taken.
    pub queue: Vec<SourceId>,
    /// How workers and sources go together.
    pub strategy: Strategy,
    /// Detector in use by default, with its engine.
    pub detector: String,
    /// What endangers counts or files at this moment, such as a full disk.
    pub problems: Vec<String>,
    /// Fall-backs and the like that the user should know of.
    pub notices: Vec<String>,
    /// The latest events, oldest first, at most a few hundred.
    pub events: Arc<Vec<Arc<Event>>>,
    /// Events not yet handled that were lost (0 unless the disk cannot follow).
    pub events_lost: u64,
    /// Log lines lost because the writer could not follow.
    pub log_lines_lost: u64,
    /// CPU of the whole process, in cores (1.0 = one core busy).
    pub cpu: f32,
    /// Resident memory, in bytes.
    pub rss: u64,
    /// What [`Self::rss`] is kept below, when configured.
    pub memory_limit: Option<u64>,
    /// Since the engine started.
    pub uptime: Duration,
    /// Rises whenever something that is shown has changed.
    pub generation: u64,
}

impl EngineSnapshot {
    /// In, out and signed net over all sources.
    #[must_use]
    pub fn totals(&self) -> (u64, u64, i64) {
        let (total_in, total_out) =
            self.sources.iter().fold((0, 0), |(i, o), s| (i + s.total_in, o + s.total_out));
        (total_in, total_out, total_in as i64 - total_out as i64)
    }

    /// Workers that did anything in the last seconds, at most [`Self::worker_count`]: those that have just been
    /// turned off finish what they have begun.
    #[must_use]
    pub fn active_workers(&self) -> usize {
        let active = |worker: &&WorkerSnapshot| worker.source.is_some() || worker.busy > 0.0;
        self.workers.iter().filter(active).count().min(self.worker_count)
    }

    /// Workers busy at this moment.
    #[must_use]
    pub fn busy_workers(&self) -> usize {
        self.workers.iter().filter(|worker| worker.source.is_some()).count()
    }
}

/// A picture for the eye, made only while somebody looks.
#[derive(Debug, Clone)]
pub struct Preview {
    /// Width and height in pixels.
    pub size: (u32, u32),
    /// Red, green, blue, a byte each, row by row.
    pub rgb: Vec<u8>,
    /// Tracks of the same frame.
    pub tracks: Vec<ShownTrack>,
    /// When the frame left the decoder.
    pub taken: Instant,
}

/// One track as shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShownTrack {
    /// Identity.
    pub id: TrackId,
    /// Where the person is, in frame heights: filtered when seen, predicted when not.
    pub bbox: BBox,
    /// Whether it counts; a tentative track does not.
    pub confirmed: bool,
    /// Whether a detection was matched in this very frame.
    pub seen: bool,
}

/// One minute of one source, for sparklines and charts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Minute {
    /// Minutes since the Unix epoch.
    pub minute: i64,
    /// Crossings in.
    pub total_in: u32,
    /// Crossings out.
    pub total_out: u32,
    /// `current` at the end of the minute.
    pub current: i64,
    /// Whether the source was watched in this minute at all; `false` is a gap, not a zero.
    pub watched: bool,
}
