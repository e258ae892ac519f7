//! Tracking: detections and time in, tracks out. Pure: no frames, no threads; it waits for nothing.
//!
//! Boxes are in frame heights, times in seconds on the source's clock. Ids of tracks are unique in one tracker and begin
//! again with the next one, as after a change of a source's lines.

use crate::{
    geometry::BBox,
    model::{Detection, TrackId},
};

pub(crate) mod assignment;
mod centroid;
mod choose;
mod glimpse;
mod kalman;
mod params;
mod two_stage;

pub use centroid::CentroidTracker;
pub use choose::tracker_for;
pub use params::TrackParams;
pub use two_stage::MotionTracker;

/// One tracked person, as of the latest update.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Track {
    /// Unique in its tracker, never used again.
    pub id: TrackId,
    /// Where the person is now, in frame heights: filtered when seen, predicted when not.
    pub bbox: BBox,
    /// Score of the last matched detection, 0..=1.
    pub score: f32,
    /// Whether enough was detected for it to count. Tentative tracks never do.
    pub confirmed: bool,
    /// Whether a high-confidence detection was matched in this very update. Low-confidence ones keep a track alive and in
    /// place, but nothing is decided on them.
    pub seen: bool,
    /// Whether that was no detection but optical flow from the frame before: a wrong box of the detection before is then
    /// wrong in the same way.
    pub from_flow: bool,
}

/// What one update of a tracker says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TrackUpdate {
    /// All live tracks, ordered by id.
    pub tracks: Vec<Track>,
    /// Tracks that were lost in this update, in their last state.
    pub ended: Vec<Track>,
    /// Where new tracks were before they were confirmed, as far as is known.
    pub origins: Vec<Origin>,
}

/// Where low-confidence boxes first showed a person who is tracked from now on.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Origin {
    /// The person's track.
    pub track: TrackId,
    /// Seconds on the source's clock.
    pub time: f64,
    /// In frame heights.
    pub bbox: BBox,
}

/// Associates detections over time.
pub trait Tracker: Send {
    /// Takes the detections of one frame at `time` seconds on the source's clock. Times never decrease;
    /// a repeated time is allowed and moves nothing.
    fn update(&mut self, time: f64, detections: &[Detection]) -> TrackUpdate;

    /// Takes where optical flow carried people in a frame at `time` that was not detected.
    fn follow(&mut self, time: f64, people: &[Detection]) -> TrackUpdate {
        self.update(time, people)
    }

    /// Ends every track (the source disconnected or jumped).
    fn reset(&mut self) -> Vec<Track>;
}
