//! People near a line found with low confidence only: boxes that move like a person and belong to no
//! who is tracked. Pure: boxes and tracks in, a suspicion out.

use std::ops::Range;

use super::CadenceParams;
use crate::{
    geometry::{BBox, Point},
    model::{Detection, TrackId},
    track::Track,
};

/// Detection runs that must show the same box before it is taken for somebody.
const RUNS: u32 = 3;

/// A box that several detection runs showed, each time on the place before.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    first: Point,
    last: BBox,
    time: f64,
    runs: u32,
    counted: bool,
}

/// A tracked person.
#[derive(Debug, Clone, Copy)]
struct Walking {
    track: TrackId,
    first: Point,
    counted: bool,
}

/// How many people are likely to be missed.
#[derive(Debug, Clone)]
pub struct Unsure {
    params: CadenceParams,
    candidates: Vec<Candidate>,
    known: Vec<Walking>,
    /// People who walked about lately, without being tracked and tracked; the older, the less.
    missed: f32,
    tracked: f32,
    /// Sightings of tracked people, and how often a detection run did not find them.
    found: f32,
    not_found: f32,
    time: f64,
    /// Times the usual size of the input that all this is of.
    level: f32,
}

impl Unsure {
    /// Before anything was seen.
    #[must_use]
    pub const fn new(params: CadenceParams) -> Self {
        Self {
            params,
            candidates: Vec::new(),
            known: Vec::new(),
            missed: 0.0,
            tracked: 0.0,
            found: 0.0,
            not_found: 0.0,
            time: 0.0,
            level: 1.0,
        }
    }

    /// Times the usual size of the input in which detection runs are made from now on: what was missed in another size says nothing of
    /// this one.
    pub fn at(&mut self, level: f32) {
        if self.level != level {
            self.level = level;
            (self.missed, self.tracked, self.found, self.not_found) = (0.0, 0.0, 0.0, 0.0);
        }
    }

    /// Whether it seems that many are missed.
    #[must_use]
    pub fn suspects(&self) -> bool {
        let is_lost = self.not_found >= self.params.payoff_lost
            && self.not_found >= self.params.payoff_not_found * (self.found + self.not_found);
        is_lost || self.missed >= self.params.payoff_missed.max(self.params.payoff_unsure * self.tracked)
    }

    /// Whether the last detection run showed a person with low confidence only.
    #[must_use]
    pub fn shows_somebody(&self) -> bool {
        self.candidates.iter().any(|candidate| candidate.runs > 1)
    }

    /// A detection run at `time` found `detections`, of which those with a score in `low` are of low confidence, and these
    /// `tracks` are alive. Only those count who are `near` a line.
    pub fn learn(
        &mut self,
        time: f64,
        detections: &[Detection],
        low: &Range<f32>,
        tracks: &[Track],
        near: impl Fn(&BBox) -> bool,
    ) {
        let keep = (-(time - self.time).max(0.0) / self.params.input_memory).exp() as f32;
        self.time = time;
        for sum in [&mut self.missed, &mut self.tracked, &mut self.found, &mut self.not_found] {
            *sum *= keep;
        }
        let has_moved =
            |first: Point, bbox: &BBox| first.distance(bbox.center()) > self.params.payoff_way * bbox.h;
        self.known.retain(|known| tracks.iter().any(|track| track.id == known.track));
        for known in self.known.iter().filter(|known| known.counted) {
            let track = tracks.iter().find(|track| track.id == known.track && near(&track.bbox));
            let Some(track) = track else { continue };
            *(if track.seen { &mut self.found } else { &mut self.not_found }) += 1.0;
        }
        for track in tracks.iter().filter(|track| track.confirmed && track.seen) {
            match self.known.iter_mut().find(|known| known.track == track.id) {
                Some(known) if !known.counted && has_moved(known.first, &track.bbox) && near(&track.bbox) => {
                    known.counted = true;
                    self.tracked += 1.0;
                }
                Some(_) => {}
                None => {
                    let first = track.bbox.center();
                    self.known.push(Walking { track: track.id, first, counted: false });
                }
            }
        }
        self.candidates.retain(|candidate| time - candidate.time <= self.params.payoff_gap);
        for Detection { bbox, .. } in detections.iter().filter(|found| low.contains(&found.score)) {
            let lies_on_it =
                |track: &Track| track.bbox.intersection(bbox) > 0.4 * bbox.area().min(track.bbox.area());
            if !near(bbox) || tracks.iter().any(lies_on_it) {
                continue;
            }
            let same = self.candidates.iter_mut().filter(|it| it.time < time && it.last.iou(bbox) >= 0.3);
            if let Some(candidate) = same.max_by(|a, b| a.last.iou(bbox).total_cmp(&b.last.iou(bbox))) {
                (candidate.last, candidate.time) = (*bbox, time);
                candidate.runs += 1;
                if !candidate.counted && candidate.runs >= RUNS && has_moved(candidate.first, bbox) {
                    candidate.counted = true;
                    self.missed += 1.0;
                }
            } else {
                let first = bbox.center();
                self.candidates.push(Candidate { first, last: *bbox, time, runs: 1, counted: false });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOW: Range<f32> = 0.1..0.4;

    /// What is suspected after `people`, boxes `step` wide apart from run to run, were seen doubtfully for two seconds.
    fn suspects(people: &[f32], step: f32, tracked: usize) -> bool {
        suspects_near(people, step, tracked, |_| true)
    }

    fn suspects_near(people: &[f32], step: f32, tracked: usize, near: impl Fn(&BBox) -> bool) -> bool {
        let mut unsure = Unsure::new(CadenceParams::DEFAULT);
        for run in 0..10 {
            let bbox = |y: f32| BBox::new(0.1 + step * run as f32, y, 0.1, 0.2);
            let found: Vec<_> = people.iter().map(|y| Detection { bbox: bbox(*y), score: 0.3 }).collect();
            let tracks: Vec<_> = (0..tracked)
                .map(|i| {
                    let (id, bbox) = (i as TrackId + 1, bbox(people[i]));
                    Track { id, bbox, score: 0.5, confirmed: true, seen: true, from_flow: false }
                })
                .collect();
            unsure.learn(f64::from(run) / 5.0, &found, &LOW, &tracks, &near);
        }
        unsure.suspects()
    }

    #[test]
    fn low_confidence_boxes_that_walk_and_belong_to_no_track_are_missed_people() {
        assert!(suspects(&[0.0, 0.3, 0.6], 0.03, 0));
        assert!(suspects(&[0.0, 0.25, 0.5, 0.75], 0.03, 1));
        assert!(!suspects_near(&[0.0, 0.3, 0.6], 0.03, 0, |bbox| bbox.y > 0.5), "one of them near a line");
        assert!(!suspects(&[0.0], 0.03, 0), "one may be a shadow");
        assert!(!suspects(&[0.0, 0.3, 0.6], 0.0, 0), "things that stand");
        assert!(!suspects(&[0.0, 0.3, 0.6], 0.3, 0), "flicker, here and there");
        assert!(!suspects(&[0.0, 0.25, 0.5, 0.75], 0.03, 3), "few of the walkers");
        assert!(!suspects(&[0.0, 0.3, 0.6], 0.03, 3), "the tracked ones");
    }

    #[test]
    fn walkers_who_are_tracked_and_rarely_found_are_missed_too() {
        let suspects = |found_every: u32, near: fn(&BBox) -> bool| {
            let mut unsure = Unsure::new(CadenceParams::DEFAULT);
            for run in 0..40 {
                let (bbox, seen) = (BBox::new(0.03 * run as f32, 0.3, 0.1, 0.2), run % found_every == 0);
                let track = Track { id: 1, bbox, score: 0.5, confirmed: true, seen, from_flow: false };
                unsure.learn(f64::from(run) / 5.0, &[], &LOW, &[track], near);
            }
            unsure.suspects()
        };
        assert!(suspects(5, |_| true));
        assert!(!suspects(2, |_| true));
        assert!(!suspects(5, |_| false), "far from every line");
    }
}
