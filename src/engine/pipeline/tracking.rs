//! From detections to what is counted of them.

use super::Params;
use crate::{
    calibration::Calibration,
    config::SourceConfig,
    count::{self, CountEvent, Counter, ZoneStatus},
    metrics::stages::{Stage, timed},
    model::{Detection, Scene, TrackId},
    track::{self, Track, TrackUpdate, Tracker},
};

/// A tracker and a counter that belong together, and what is known of their scene.
pub struct Tracking {
    calibration: Calibration,
    tracker: Box<dyn Tracker>,
    counter: Box<dyn Counter>,
}

impl Tracking {
    /// Those that `source` asks for. `aspect` is width over height of its frames; `confidence` (0..=1) the score from which its
    /// detector's boxes are of high confidence.
    #[must_use]
    pub fn new(source: &SourceConfig, aspect: f32, confidence: f32, params: &Params) -> Self {
        Self {
            calibration: Calibration::new(aspect, confidence, params.calibration),
            tracker: track::tracker_for(source, aspect, confidence, &params.track),
            counter: count::counter_for(source, aspect, &params.count),
        }
    }

    /// Replaces the scores that a network gave by the chances that they stand for in this scene. `moving`: the share (0..=1) of
    /// each box in which something moves.
    pub fn weigh(&mut self, detections: &mut [Detection], moving: &[f32]) {
        self.calibration.weigh(detections, moving);
    }

    /// The same for detections of which nothing is learned.
    #[must_use]
    pub fn weighed(&self, detections: Vec<Detection>, moving: &[f32]) -> Vec<Detection> {
        self.calibration.weighed(detections, moving)
    }

    /// Takes what a detection run found in the frame at `time` (seconds), to which were added the tracks that optical flow
    /// `carried` outside of what the run covered.
    pub fn detected(&mut self, time: f64, detections: &[Detection], carried: &[TrackId]) -> TrackUpdate {
        let mut update = timed(Stage::Track, || self.tracker.update(time, detections));
        for track in &mut update.tracks {
            track.from_flow = carried.contains(&track.id);
        }
        self.calibration.learn(&update.tracks);
        update
    }

    /// Takes where optical flow carried people to in the frame at `time`, in which nothing was detected.
    pub fn carried(&mut self, time: f64, people: &[Detection]) -> TrackUpdate {
        let mut update = timed(Stage::Track, || self.tracker.follow(time, people));
        for track in &mut update.tracks {
            track.from_flow = track.seen;
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

    /// What is known of the scene.
    #[must_use]
    pub const fn calibration(&self) -> &Calibration {
        &self.calibration
    }

    /// See [`Calibration::judge`].
    pub fn judge(&mut self, usual: Option<f32>, light: Option<f32>) {
        self.calibration.judge(usual, light);
    }

    /// Goes on from what an earlier run knew of the `scene`, where this one is of `detector`.
    pub fn resume_scene(&mut self, scene: &Scene, detector: &str) {
        self.calibration.resume(scene, detector);
    }

    /// What is known of the scene, for the next who track in it.
    #[must_use]
    pub fn into_calibration(self) -> Calibration {
        self.calibration
    }

    /// Goes on from what was known of the scene.
    pub fn resume(&mut self, calibration: Calibration, aspect: f32) {
        self.calibration = calibration;
        self.calibration.restart(aspect);
    }

    /// State of each zone.
    #[must_use]
    pub fn zones(&self) -> Vec<ZoneStatus> {
        self.counter.zones()
    }
}
