//! Following people from picture to picture: detections and time in, tracks out. Pure: no pictures.

use crate::{
    geometry::BBox,
    model::{Detection, TrackId},
};

pub mod assignment;
mod centroid;
mod choose;
mod glimpse;
mod kalman;
mod motion;
mod params;

pub use centroid::CentroidTracker;
pub use choose::tracker_for;
pub use motion::MotionTracker;
pub use params::TrackParams;

/// One person as followed so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Track {
    /// Identity.
    pub id: TrackId,
    /// Where the person is now, in frame heights: filtered when seen, predicted when not.
    pub bbox: BBox,
    /// Score of the last matched detection, 0..=1.
    pub score: f32,
    /// Whether enough evidence was seen to believe in this person. Unconfirmed tracks never count.
    pub confirmed: bool,
    /// Whether a trusted detection was matched in this very update. Doubtful ones keep a track alive and in
    /// place, but nothing is decided on them.
    pub seen: bool,
    /// Whether that detection was none: points on him were followed into this picture, so that a wrong box of the
    /// detection before is wrong in the same way.
    pub followed: bool,
}

/// What one update of a tracker says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TrackUpdate {
    /// All live tracks, ordered by id.
    pub tracks: Vec<Track>,
    /// Tracks that were given up in this update, in their last state.
    pub ended: Vec<Track>,
    /// Where tracks that are new were before the tracker was sure of them, as far as it knows.
    pub origins: Vec<Origin>,
}

/// Where doubtful boxes first showed somebody who is followed from now on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Origin {
    /// His track.
    pub track: TrackId,
    /// Seconds on the source's clock.
    pub time: f64,
    /// In frame heights.
    pub bbox: BBox,
}

/// Associates detections over time.
pub trait Tracker: Send {
    /// Takes the detections of one picture at `time` seconds on the source's clock. Times never decrease;
    /// a repeated time is allowed and moves nothing.
    fn update(&mut self, time: f64, detections: &[Detection]) -> TrackUpdate;

    /// Takes where people were followed to in a picture at `time` that no detector looked at.
    fn follow(&mut self, time: f64, people: &[Detection]) -> TrackUpdate {
        self.update(time, people)
    }

    /// Ends every track (the source disconnected or jumped).
    fn reset(&mut self) -> Vec<Track>;
}
