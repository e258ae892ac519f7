//! What the counter remembers of one person.

use super::{
    CountParams,
    edge::{EdgeEntry, way_out},
    rule::{LineState, Verdict},
};
use crate::{
    geometry::{Anchor, BBox, Point},
    model::TrackId,
    track::Track,
};

/// One person, over all tracks that were handed on.
#[derive(Debug, Clone)]
pub struct Person {
    /// The track of the person now.
    pub id: TrackId,
    /// One state for each line.
    pub lines: Vec<LineState>,
    /// When they were last really seen.
    pub last_seen: f64,
    /// Whether that was in this very update.
    pub seen: bool,
    /// Where: the box as tracked, and while they are unseen as predicted.
    pub bbox: BBox,
    /// Where they were last really seen.
    seen_at: BBox,
    /// Last score.
    pub score: f32,
    /// Whether the track is confirmed.
    pub confirmed: bool,
    /// Crossings that wait for the track to be confirmed: line and verdict.
    pub waiting: Vec<(usize, Verdict)>,
    /// Track that took over from this one.
    pub heir: Option<TrackId>,
    /// The person before this track took over from a confirmed one.
    pub before: Option<Box<Person>>,
    /// Whether the track is alive.
    pub live: bool,
    /// Usual height, in frame heights.
    height: f32,
    /// Since when the box has been much shorter than usual.
    cut_since: Option<f64>,
    /// Path walked, in frame heights, net: first and last anchor-free center.
    pub start: Point,
    /// When they were first seen.
    pub first_seen: f64,
    /// Where, if that was at an edge of the frame and they may still prove to have come in over it.
    pub entry: Option<EdgeEntry>,
    /// When and where they should have left the frame, unseen.
    pub left: Option<(f64, BBox)>,
}

impl Person {
    /// A person first seen at `time`.
    pub fn new(track: &Track, time: f64, lines: usize) -> Self {
        Self {
            id: track.id,
            lines: vec![LineState::default(); lines],
            last_seen: time,
            seen: true,
            bbox: track.bbox,
            seen_at: track.bbox,
            score: track.score,
            confirmed: track.confirmed,
            waiting: Vec::new(),
            heir: None,
            before: None,
            live: true,
            height: track.bbox.h,
            cut_since: None,
            start: track.bbox.center(),
            first_seen: time,
            entry: None,
            left: None,
        }
    }

    /// Takes a sighting.
    pub fn sight(&mut self, track: &Track, time: f64, params: &CountParams) {
        let share = 1.0 - (-(time - self.last_seen) / params.height_memory).exp();
        let cut = track.bbox.h < params.hidden * self.height;
        self.cut_since = cut.then(|| self.cut_since.unwrap_or(time));
        // A box cut short for longer than feet are hidden in passing is the person's size from now on.
        if self.cut_since.is_none_or(|since| time - since > params.hidden_time) {
            self.height += (track.bbox.h - self.height) * share as f32;
        }
        self.bbox = track.bbox;
        self.seen_at = track.bbox;
        self.score = track.score;
        self.confirmed = track.confirmed;
        self.last_seen = time;
        self.left = None;
    }

    /// Takes where they should be at `time`, unseen.
    pub fn expect(&mut self, bbox: BBox, time: f64, aspect: f32, params: &CountParams) {
        self.bbox = bbox;
        if self.left.is_none() && time - self.last_seen <= params.edge_time {
            self.left = way_out(self.seen_at, &bbox, aspect).map(|outside| (time, outside));
        }
    }

    /// The path over the edge of the frame on which they came in, once that is known; told once.
    pub fn came_in(&mut self, time: f64, params: &CountParams) -> Option<EdgeEntry> {
        if time - self.first_seen > params.edge_time {
            self.entry = None;
        }
        let enough = params.edge_step * self.height;
        self.entry.take_if(|entry| entry.way_in(&self.bbox) > enough)
    }

    /// Takes over what was known of `other`, who is the same person.
    pub fn inherit(&mut self, other: &Self) {
        self.lines.clone_from(&other.lines);
        self.waiting.clone_from(&other.waiting);
        self.height = self.height.max(other.height);
        self.start = other.start;
        self.first_seen = other.first_seen;
        self.entry = None;
        self.before = if other.confirmed {
            Some(Box::new(Self { heir: None, before: None, ..other.clone() }))
        } else {
            other.before.clone()
        };
    }

    /// The person's usual height, in frame heights.
    pub fn height(&self) -> f32 {
        self.height
    }

    /// Net way of the center since the first sighting, in frame heights.
    pub fn travel(&self) -> f32 {
        self.start.distance(self.bbox.center())
    }

    /// The anchor of the part of the box that lies inside the frame.
    pub fn anchor(&self, anchor: Anchor, aspect: f32) -> Point {
        let mut bbox = self.bbox;
        if self.cut_since.is_some() && anchor == Anchor::Foot {
            bbox.h = bbox.h.max(self.height);
        }
        anchor_inside(&bbox, anchor, aspect)
    }
}

/// The anchor of the part of `bbox` that lies inside the frame.
pub fn anchor_inside(bbox: &BBox, anchor: Anchor, aspect: f32) -> Point {
    let x1 = bbox.x.clamp(0.0, aspect);
    let x2 = bbox.right().clamp(0.0, aspect);
    anchor.of(&BBox::from_corners(x1, bbox.y.clamp(0.0, 1.0), x2, bbox.bottom().clamp(0.0, 1.0)))
}
