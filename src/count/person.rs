//! What the counter remembers of one person.

use super::{Anchor, CountParams, rule::LineState};
use crate::{
    geometry::{BBox, Point},
    track::{Track, TrackId},
};

/// Time constant, in seconds, of the person's usual height.
const HEIGHT_MEMORY: f64 = 1.0;

/// One person, over all tracks that were handed on.
#[derive(Debug, Clone)]
pub struct Person {
    /// The track that follows him now.
    pub id: TrackId,
    /// One state for each line.
    pub lines: Vec<LineState>,
    /// When he was last really seen.
    pub last_seen: f64,
    /// Where: the box as tracked, and while he is unseen as predicted.
    pub bbox: BBox,
    /// Last score.
    pub score: f32,
    /// Whether the tracker believes in him.
    pub confirmed: bool,
    /// Track that took over from this one.
    pub heir: Option<TrackId>,
    /// Whether the tracker still follows him.
    pub live: bool,
    /// Usual height, in frame heights; slow to shrink, so that hidden feet show.
    height: f32,
    /// Path walked, in frame heights, net: first and last anchor-free centre.
    start: Point,
    /// When he was first seen.
    pub first_seen: f64,
}

impl Person {
    /// A person first seen at `time`.
    pub fn new(track: &Track, time: f64, lines: usize) -> Self {
        Self {
            id: track.id,
            lines: vec![LineState::default(); lines],
            last_seen: time,
            bbox: track.bbox,
            score: track.score,
            confirmed: track.confirmed,
            heir: None,
            live: true,
            height: track.bbox.h,
            start: track.bbox.center(),
            first_seen: time,
        }
    }

    /// Takes a sighting.
    pub fn sight(&mut self, track: &Track, time: f64, params: &CountParams) {
        let h = track.bbox.h;
        let dt = time - self.last_seen;
        if h >= self.height {
            self.height = h;
        } else {
            // A box that is merely a little smaller is the new truth; one with hidden feet is forgotten slowly.
            let memory = if h < params.hidden * self.height { HEIGHT_MEMORY } else { HEIGHT_MEMORY / 4.0 };
            self.height += (h - self.height) * (1.0 - (-dt / memory).exp()) as f32;
        }
        self.bbox = track.bbox;
        self.score = track.score;
        self.confirmed = track.confirmed;
        self.last_seen = time;
    }

    /// Takes over what was known of `other`, who is the same person.
    pub fn inherit(&mut self, other: &Self) {
        self.lines.clone_from(&other.lines);
        self.height = self.height.max(other.height);
        self.start = other.start;
        self.first_seen = other.first_seen;
    }

    /// The person's usual height, in frame heights.
    pub fn height(&self) -> f32 {
        self.height
    }

    /// Net way of the centre since the first sighting, in frame heights.
    pub fn travel(&self) -> f32 {
        self.start.distance(self.bbox.center())
    }

    /// The anchor, inside the picture; hidden feet are put where they should be below the head.
    pub fn anchor(&self, anchor: Anchor, aspect: f32, params: &CountParams) -> Point {
        let mut bbox = self.bbox;
        if bbox.h < params.hidden * self.height {
            bbox.h = self.height;
        }
        let x1 = bbox.x.clamp(0.0, aspect);
        let x2 = bbox.right().clamp(0.0, aspect);
        let bbox = BBox::from_corners(x1, bbox.y.clamp(0.0, 1.0), x2, bbox.bottom().clamp(0.0, 1.0));
        match anchor {
            Anchor::Foot => bbox.foot(),
            Anchor::Center => bbox.center(),
            Anchor::Head => bbox.head(),
        }
    }
}
