//! From detections to what is counted of them.

use super::Params;
use crate::{
    config::SourceConfig,
    count::{self, CountEvent, Counter, ZoneStatus},
    metrics::stages::{Stage, timed},
    model::{Detection, TrackId},
    track::{self, Track, TrackUpdate, Tracker},
};

/// A tracker and a counter that belong together.
pub struct Tracking {
    tracker: Box<dyn Tracker>,
    counter: Box<dyn Counter>,
}

impl Tracking {
    /// Those that `source` asks for. `aspect` is width over height of its frames; `confidence` (0..=1) the score from which its
    /// detector's boxes are of high confidence.
    #[must_use]
    pub fn new(source: &SourceConfig, aspect: f32, confidence: f32, params: &Params) -> Self {
        Self {
            tracker: track::tracker_for(source, aspect, confidence, &params.track),
            counter: count::counter_for(source, aspect, &params.count),
        }
    }

    /// Takes what a detection run found in the frame at `time` (seconds), to which those were added whom optical flow
    /// `carried` outside of what the run covered.
    pub fn detected(&mut self, time: f64, detections: &[Detection], carried: &[TrackId]) -> TrackUpdate {
        let mut update = timed(Stage::Track, || self.tracker.update(time, detections));
        for track in &mut update.tracks {
            track.followed = carried.contains(&track.id);
        }
        update
    }

    /// Takes where optical flow carried people to in the frame at `time`, in which nothing was detected.
    pub fn carried(&mut self, time: f64, people: &[Detection]) -> TrackUpdate {
        let mut update = timed(Stage::Track, || self.tracker.follow(time, people));
        for track in &mut update.tracks {
            track.followed = track.seen;
        }
        update
    }

    /// What is counted of an update.
    pub fn count(&mut self, time: f64, update: &TrackUpdate) -> Vec<CountEvent> {
        timed(Stage::Count, || self.counter.update(time, update))
    }

    /// Ends every track at `time`: the tracks, and what their end decides.
    pub fn end(&mut self, time: f64) -> (Vec<Track>, Vec<CountEvent>) {
        let update = TrackUpdate { ended: self.tracker.reset(), ..TrackUpdate::default() };
        let counted = self.counter.update(time, &update);
        (update.ended, counted)
    }

    /// State of each zone.
    #[must_use]
    pub fn zones(&self) -> Vec<ZoneStatus> {
        self.counter.zones()
    }
}
