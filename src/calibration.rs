//! What the score of a network means in one scene. Pure: boxes and tracks in, chances out.
//!
//! The same score means different things in different places: a box as tall as people are there is somebody at a score at
//! which one half as tall is a bag, or somebody's legs, and one twice as tall is two people, or one and the floor. How tall
//! people are where is learned from those who are found beyond doubt and walk about, source by source. Before it is known,
//! and in places where nobody was seen yet, a score is taken as it is.

mod heights;
mod moving;
mod params;
mod sightings;

use heights::Heights;
pub use params::CalibrationParams;
use sightings::Sightings;

use crate::{
    geometry::{BBox, Point},
    model::{Detection, Doubt, Learned, Scene, TrackId},
    track::Track,
};

/// Boxes that end this near to an edge of the frame, in frame heights, may be cut by it.
const EDGE: f32 = 0.01;

/// A tracked person.
#[derive(Debug, Clone, Copy)]
struct TrackedWalker {
    track: TrackId,
    first: Point,
    walks: bool,
    /// Where, in the last detection run.
    bbox: BBox,
}

/// What is known of one scene.
#[derive(Debug, Clone)]
pub struct Calibration {
    params: CalibrationParams,
    /// Chance from which a box is high-confidence.
    confidence: f32,
    /// Width of the frame over its height.
    aspect: f32,
    heights: Heights,
    sightings: Sightings,
    doubt: Option<Doubt>,
    /// Sightings since that changed last.
    since: f32,
    walkers: Vec<TrackedWalker>,
    /// Boxes of the last detection run that are somebody beyond doubt, whole.
    sure: Vec<BBox>,
    /// And those of low-confidence people confirmed by motion.
    strange: Vec<BBox>,
}

impl Calibration {
    /// Before anybody was seen in a frame of this `aspect` (width over height). Boxes are high-confidence from a score of `confidence`
    /// on.
    #[must_use]
    pub fn new(aspect: f32, confidence: f32, params: CalibrationParams) -> Self {
        let (heights, sightings) = (Heights::new(), Sightings::default());
        Self {
            params,
            confidence,
            aspect,
            heights,
            sightings,
            doubt: None,
            since: 0.0,
            walkers: Vec::new(),
            sure: Vec::new(),
            strange: Vec::new(),
        }
    }

    /// Goes on from what an earlier run knew of the `scene`, if that was in a frame of the same aspect; with another detector
    /// people are as tall, but seen better or worse.
    pub fn resume(&mut self, scene: &Scene, detector: &str) {
        let learned = &scene.learned;
        if learned.aspect != self.aspect {
            return;
        }
        self.heights = Heights::from_sums(&learned.heights).unwrap_or_default();
        if learned.detector == detector {
            self.sightings = Sightings::from_sums(&learned.sightings).unwrap_or_default();
            self.doubt = scene.doubt;
        }
    }

    /// Puts what was learned so far into `learned`.
    pub fn keep(&self, learned: &mut Learned) {
        learned.aspect = self.aspect;
        (learned.heights, learned.sightings) = (self.heights.sums(), self.sightings.sums());
    }

    /// The least and the greatest usual height of people where most of them walk, in frame heights; `None` until they are known.
    #[must_use]
    pub fn heights(&self) -> Option<(f32, f32)> {
        self.heights.range(&self.params)
    }

    /// Why people cannot be counted well, where they cannot, as [`Self::judge`] found last.
    #[must_use]
    pub const fn doubt(&self) -> Option<Doubt> {
        self.doubt
    }

    /// Judges again whether people can be counted: half of them are `usual` pixels tall in the detector's input, and `light` is the
    /// mean brightness (0..=255) of the frame; `None` where that is not known yet.
    pub fn judge(&mut self, usual: Option<f32>, light: Option<f32>) {
        let were_small = self.doubt == Some(Doubt::Small);
        let least = self.params.doubt_small / if were_small { self.params.doubt_stays } else { 1.0 };
        let are_small = usual.map_or(were_small, |pixels| pixels < least);
        let other = self.sightings.doubt(light, self.doubt, &self.params);
        let doubt = other.or(are_small.then_some(Doubt::Small));
        // As many sightings as it takes to doubt are needed to do so no longer.
        if doubt != self.doubt && (self.doubt.is_none() || self.since >= self.params.doubt_sightings) {
            (self.doubt, self.since) = (doubt, 0.0);
        }
    }

    /// The frame is another one, or the camera restarts: nobody is followed any more. What was learned stays, unless the
    /// frame has another `aspect`.
    pub fn restart(&mut self, aspect: f32) {
        if aspect != self.aspect {
            *self = Self::new(aspect, self.confidence, self.params);
        }
        self.walkers.clear();
    }

    /// Replaces the scores that a network gave by the chances that they stand for here, on the same scale: what was high-confidence
    /// from a score on is high-confidence from the same chance on. `moving`: the share (0..=1) of each box in which something moves.
    pub fn weigh(&mut self, detections: &mut [Detection], moving: &[f32]) {
        self.sure.clear();
        self.strange = moving::join(detections, moving, self.confidence, &self.params);
        for found in &mut *detections {
            if self.is_cut(&found.bbox) {
                continue;
            }
            if found.score >= self.params.height_sure {
                self.sure.push(found.bbox);
            }
            found.score = self.chance(found);
        }
    }

    /// The same for detections of which nothing is learned.
    #[must_use]
    pub fn weighed(&self, mut detections: Vec<Detection>, moving: &[f32]) -> Vec<Detection> {
        moving::join(&mut detections, moving, self.confidence, &self.params);
        for found in detections.iter_mut().filter(|found| !self.is_cut(&found.bbox)) {
            found.score = self.chance(found);
        }
        detections
    }

    /// After the detection run that was weighed there are these `tracks`.
    pub fn learn(&mut self, tracks: &[Track]) {
        let (sightings, aspect) = (&mut self.sightings, self.aspect);
        self.walkers.retain(|walker| {
            let is_there = tracks.iter().any(|track| track.id == walker.track);
            if !is_there && walker.walks {
                sightings.ended(&walker.bbox, aspect);
            }
            is_there
        });
        for bbox in self.strange.drain(..) {
            let is_there = |track: &Track| moving::common(&track.bbox, &bbox) >= self.params.moving_apart;
            if !tracks.iter().any(|track| track.confirmed && is_there(track)) {
                self.sightings.strange(&bbox, &self.params);
                self.since += 1.0;
            }
        }
        let sightings = &mut self.sightings;
        for track in tracks.iter().filter(|track| track.confirmed) {
            let (bbox, center) = (track.bbox, track.bbox.center());
            let Some(walker) = self.walkers.iter_mut().find(|walker| walker.track == track.id) else {
                self.walkers.push(TrackedWalker { track: track.id, first: center, walks: false, bbox });
                continue;
            };
            walker.bbox = bbox;
            walker.walks |= walker.first.distance(center) > self.params.height_way * bbox.h;
            match (walker.walks, track.seen) {
                (false, _) => {}
                (true, false) => {
                    sightings.not_found(&self.params);
                    self.since += 1.0;
                }
                (true, true) => {
                    self.since += 1.0;
                    let others = tracks.iter().filter(|other| other.confirmed && other.id != track.id);
                    sightings.found(&bbox, others.map(|other| other.bbox), &self.params);
                    if let Some(own) = self.sure.iter().find(|sure| sure.iou(&bbox) >= 0.6) {
                        self.heights.learn(own.foot(), own.h, &self.params);
                    }
                }
            }
        }
    }

    fn chance(&self, found: &Detection) -> f32 {
        let Some((height, known)) = self.heights.at(found.bbox.foot(), &self.params) else {
            return found.score;
        };
        let off = (found.bbox.h / height).ln();
        let short = (-off - self.params.height_spread).max(0.0).min(self.params.height_most);
        let tall = (off - self.params.height_spread).max(0.0).min(self.params.height_most);
        let evidence =
            self.params.height_fits - self.params.height_short * short - self.params.height_tall * tall;
        let score = found.score.clamp(0.001, 0.999);
        let odds = score / (1.0 - score) * (known * evidence).exp();
        odds / (1.0 + odds)
    }

    fn is_cut(&self, bbox: &BBox) -> bool {
        bbox.x < EDGE || bbox.y < EDGE || bbox.right() > self.aspect - EDGE || bbox.bottom() > 1.0 - EDGE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASPECT: f32 = 1.5;
    const CONFIDENCE: f32 = 0.4;

    /// Somebody whose feet are at this place, as tall as people are there: 0.1 at the top, 0.4 at the bottom.
    fn person(x: f32, foot: f32) -> BBox {
        let height = 0.1 + 0.3 * foot;
        BBox::new(x - height / 6.0, foot - height, height / 3.0, height)
    }

    fn scored(bbox: BBox, score: f32) -> f32 {
        walked_about().weighed(vec![Detection { bbox, score }], &[])[0].score
    }

    /// Takes somebody found with this score, as the track `id`.
    fn see(calibration: &mut Calibration, id: TrackId, bbox: BBox, score: f32) {
        calibration.weigh(&mut [Detection { bbox, score }], &[]);
        calibration.learn(&[Track { id, bbox, score, confirmed: true, seen: true, from_flow: false }]);
    }

    /// A scene in which four people have walked through, to and fro.
    fn walked_about() -> Calibration {
        let mut calibration = Calibration::new(ASPECT, CONFIDENCE, CalibrationParams::DEFAULT);
        for id in 1..=4 {
            for step in 0..20 {
                let way = step as f32 / 20.0;
                see(&mut calibration, id, person(0.2 + 0.25 * id as f32, 0.4 + 0.5 * way), 0.8);
            }
        }
        calibration
    }

    #[test]
    fn a_box_as_tall_as_people_are_there_is_somebody_sooner_than_one_that_is_not() {
        let usual = person(0.7, 0.6);
        let times = |height: f32| {
            let h = usual.h * height;
            BBox { y: usual.bottom() - h, h, ..usual }
        };
        assert!(scored(usual, 0.3) > 0.4, "{}", scored(usual, 0.3));
        assert!(scored(times(1.08), 0.3) > 0.4, "people differ");
        for height in [0.35, 2.0] {
            assert!(scored(times(height), 0.45) < 0.4, "{height}: {}", scored(times(height), 0.45));
        }
        assert!(scored(times(0.8), 0.45) > scored(times(0.6), 0.45));
    }

    #[test]
    fn nothing_is_said_of_places_where_nobody_was_and_of_people_that_the_edge_cuts() {
        let far = BBox::new(0.1, 0.02, 0.03, 0.1);
        assert_eq!(scored(far, 0.3), 0.3);
        let cut = BBox::new(0.6, 0.7, 0.1, 0.3);
        assert_eq!(scored(cut, 0.3), 0.3);
        let new = Calibration::new(ASPECT, CONFIDENCE, CalibrationParams::DEFAULT);
        let found = Detection { bbox: person(0.7, 0.6), score: 0.3 };
        assert_eq!(new.weighed(vec![found], &[])[0].score, 0.3, "nobody was seen yet");
    }

    #[test]
    fn a_mannequin_and_a_poster_teach_nothing() {
        let mut calibration = Calibration::new(ASPECT, CONFIDENCE, CalibrationParams::DEFAULT);
        for _ in 0..1000 {
            see(&mut calibration, 1, person(0.7, 0.6), 0.9);
        }
        let found = Detection { bbox: person(0.7, 0.6), score: 0.3 };
        assert_eq!(calibration.weighed(vec![found], &[])[0].score, 0.3);
    }

    #[test]
    fn a_doubt_neither_comes_and_goes_nor_is_forgotten_with_the_camera() {
        let mut calibration = Calibration::new(ASPECT, CONFIDENCE, CalibrationParams::DEFAULT);
        let strange = |calibration: &mut Calibration, boxes: usize| {
            for _ in 0..boxes {
                calibration.weigh(&mut [Detection { bbox: person(0.7, 0.6), score: 0.3 }], &[1.0]);
                calibration.learn(&[]);
            }
        };
        let walk = |calibration: &mut Calibration, id: TrackId, steps: usize| {
            for step in 0..steps {
                see(calibration, id, person(0.2 + 0.05 * step as f32, 0.6), 0.9);
                calibration.judge(None, Some(120.0));
            }
        };
        strange(&mut calibration, 180);
        calibration.judge(None, Some(120.0));
        assert_eq!(calibration.doubt(), Some(Doubt::Unrecognized));
        walk(&mut calibration, 1, 50);
        assert_eq!(calibration.doubt(), Some(Doubt::Unrecognized), "too few say the contrary");
        let mut learned = Learned { detector: "a".into(), ..Learned::default() };
        calibration.keep(&mut learned);
        let scene = Scene { doubt: calibration.doubt(), heights: None, scale: 1.0, learned };
        for (detector, doubt) in [("a", Some(Doubt::Unrecognized)), ("b", None)] {
            let mut next = Calibration::new(ASPECT, CONFIDENCE, CalibrationParams::DEFAULT);
            next.resume(&scene, detector);
            assert_eq!(next.doubt(), doubt, "{detector}");
        }
        calibration.restart(ASPECT);
        assert_eq!(calibration.doubt(), Some(Doubt::Unrecognized));
        walk(&mut calibration, 2, 150);
        assert_eq!(calibration.doubt(), None);
    }

    #[test]
    fn low_confidence_boxes_teach_nothing() {
        let mut calibration = Calibration::new(ASPECT, CONFIDENCE, CalibrationParams::DEFAULT);
        for step in 0..1000 {
            see(&mut calibration, 1, person(0.2 + 0.001 * step as f32, 0.6), 0.5);
        }
        let found = Detection { bbox: person(0.7, 0.6), score: 0.3 };
        assert_eq!(calibration.weighed(vec![found], &[])[0].score, 0.3);
    }

    #[test]
    fn what_was_learned_stays_when_the_source_is_reopened_but_not_for_another_view() {
        let found = Detection { bbox: person(0.7, 0.6), score: 0.3 };
        let mut calibration = walked_about();
        calibration.restart(ASPECT);
        assert!(calibration.weighed(vec![found], &[])[0].score > 0.4);
        calibration.restart(1.2);
        assert_eq!(calibration.weighed(vec![found], &[])[0].score, 0.3);
    }
}
