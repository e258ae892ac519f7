//! A source, and all that is shown of it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

#[cfg(test)]
use super::copies;
use super::{
    Doubt, Holder, Limit, LineCounts, Moment, Overload, Reason, Rest, Scene, SourceState, ZoneCounts,
};

/// Id of a source, unique in one engine: the configuration's `camera_id` or `video_id`.
pub type SourceId = Arc<str>;

/// Whether a source is a camera or a video (serialised as the task's `type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum SourceKind {
    /// Live: newest frame wins.
    Camera,
    /// Runs to its end, no frame is lost.
    Video,
}

impl SourceKind {
    /// `camera` or `video`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Camera => "camera",
            Self::Video => "video",
        }
    }
}

/// Short sessions in a row from which a camera is said to be flapping.
pub const FLAPPING: u32 = 3;

/// All that is shown of one source: the truth of one moment, never torn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[non_exhaustive]
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
    /// Frames handled per second (detected or deliberately skipped), over the last seconds; for a source
    /// that is over: its whole run.
    pub fps: f32,
    /// Frame rate the stream declares.
    pub declared_fps: Option<f32>,
    /// Detections run per second.
    pub detect_fps: f32,
    /// Size (width, height) in pixels of the stream, once known.
    pub size: Option<(u32, u32)>,
    /// Size (width, height) in pixels of a smaller stream of the camera that would do, where it sends far more than the
    /// detector is given.
    pub substream: Option<(u32, u32)>,
    /// Frames handled.
    pub frames: u64,
    /// Frames the file has, when known.
    pub frames_total: Option<u64>,
    /// Frames of a live source that came while its worker was busy and were replaced by newer ones.
    pub dropped: u64,
    /// Persons found, summed over all frames.
    pub total_detections: u64,
    /// Persons found and ignored, because of where they were or how tall, summed over all frames.
    #[serde(default)]
    pub ignored: u64,
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
    /// What is known of its scene, once there is anything.
    pub scene: Option<Scene>,
    /// Crossings that were seen and not counted, by reason.
    pub suppressed: BTreeMap<Reason, u64>,
    /// People in the frame now.
    pub visible: usize,
    /// When the last frame was handled.
    pub last_frame: Option<Moment>,
    /// Time from decoder to counts of the last frame.
    pub latency: Duration,
    /// The last error, kept until frames come again.
    pub last_error: Option<String>,
    /// Errors since the start.
    pub errors: u64,
    /// Times it reconnected.
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
    pub throttled_by: Option<Overload>,
    /// Whether it sleeps.
    pub rest: Rest,
    /// CPU it costs, reading and counting together, in cores (1.0 = one core busy).
    pub cpu: f32,
    /// Frames of it that are held at a time, in bytes: as decoded and at working size.
    pub picture_bytes: u64,
    /// The node that holds it, in a snapshot of a whole fleet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<Arc<Holder>>,
    /// Counts how often it is copied.
    #[cfg(test)]
    #[serde(skip)]
    pub(crate) copies: copies::Copies,
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
            ignored: 0,
            total_in: 0,
            total_out: 0,
            threshold: None,
            lines: Vec::new(),
            zones: Vec::new(),
            scene: None,
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
            holder: None,
            #[cfg(test)]
            copies: copies::Copies,
        }
    }

    /// What the source is called everywhere: `Main Entrance (camera_01)`, or the id alone where that is its alias.
    #[must_use]
    pub fn name(&self) -> String {
        name_of(&self.alias, &self.id)
    }

    /// Whether it was tried once: it gave a frame, has an error, waits for its turn, is paused, closed, or over.
    #[must_use]
    pub fn was_tried(&self) -> bool {
        self.frames > 0
            || self.last_error.is_some()
            || self.state.is_over()
            || matches!(self.state, SourceState::Paused | SourceState::Queued | SourceState::Closed { .. })
    }

    /// Why its counts cannot be relied upon, where they cannot.
    #[must_use]
    pub fn doubt(&self) -> Option<Doubt> {
        self.scene.as_ref().and_then(|scene| scene.doubt)
    }

    /// How old all of this is, where the node that holds it does not answer.
    #[must_use]
    pub fn silent_for(&self) -> Option<Duration> {
        self.holder.as_ref().and_then(|holder| holder.age)
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
        let cause = self.throttled_by.map_or("overload", Overload::words);
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
