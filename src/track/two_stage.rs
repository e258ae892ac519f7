//! The default tracker: motion model, two-stage association, births, deaths and duplicates.

use super::{
    Origin, Track, TrackParams, TrackUpdate, Tracker, assignment, glimpse::Glimpses, kalman::BoxFilter,
    params::scale_odds,
};
use crate::{
    geometry::BBox,
    model::{Detection, TrackId},
};

/// One tracked person.
#[derive(Debug, Clone)]
struct TrackedPerson {
    id: TrackId,
    filter: BoxFilter,
    score: f32,
    confirmed: bool,
    first_seen: f64,
    last_seen: f64,
    /// When a high-confidence detection was last joined with it.
    last_high_confidence: f64,
    sightings: u32,
    seen: bool,
    /// Since when it has overlapped an older track too much.
    doubled_since: Option<f64>,
}

impl TrackedPerson {
    fn track(&self) -> Track {
        Track {
            id: self.id,
            bbox: self.filter.bbox(),
            score: self.score,
            confirmed: self.confirmed,
            seen: self.seen && self.last_high_confidence == self.last_seen,
            from_flow: false,
        }
    }
}

/// Follows people by where they should be next (see `kalman`).
///
/// High-confidence detections are joined with all tracks first, low-confidence ones then only prolong tracks that
/// nothing better was found for (the idea of ByteTrack, Zhang et al. 2022).
#[derive(Debug)]
pub struct MotionTracker {
    params: TrackParams,
    /// Score from which a detection may start a track.
    confidence: f32,
    targets: Vec<TrackedPerson>,
    next_id: TrackId,
    /// Sum of squared speeds of the people followed, and the time they were followed for.
    speeds: (f32, f32),
    now: Option<f64>,
    /// Time of the last detection run.
    last_update: Option<f64>,
    glimpses: Glimpses,
}

impl MotionTracker {
    /// A tracker that trusts detections from `confidence` (0..=1) on.
    #[must_use]
    pub fn new(confidence: f32, params: TrackParams) -> Self {
        Self {
            params,
            confidence,
            targets: Vec::new(),
            next_id: 1,
            speeds: (params.speed_time * params.speed * params.speed, params.speed_time),
            now: None,
            last_update: None,
            glimpses: Glimpses::default(),
        }
    }

    /// Joins the targets in `rows` with the detections in `columns`; joined ones are removed from both.
    fn join(&mut self, time: f64, rows: &mut Vec<usize>, detections: &[Detection], columns: &mut Vec<usize>) {
        let params = &self.params;
        let mut cost = Vec::with_capacity(rows.len() * columns.len());
        for &row in rows.iter() {
            for &column in columns.iter() {
                let filter = &self.targets[row].filter;
                let (distance, spread) = filter.surprise(&detections[column].bbox, params);
                let iou = filter.bbox().iou(&detections[column].bbox);
                let close = params.leave * (1.0 - iou) / (1.0 - params.overlap);
                let deviance = (params.tail + 3.0) * (distance / params.tail).ln_1p();
                cost.push((deviance + spread).min(close));
            }
        }
        let joined = assignment::assign(&cost, rows.len(), columns.len(), params.leave);
        let mut taken = vec![false; columns.len()];
        for (&row, column) in rows.iter().zip(&joined) {
            let Some(column) = *column else { continue };
            taken[column] = true;
            let detection = &detections[columns[column]];
            let target = &mut self.targets[row];
            let doubt =
                (self.confidence / detection.score.max(0.01)).max(params.noise_least).min(params.noise_most);
            target.filter.update(&detection.bbox, doubt, params);
            target.score = detection.score;
            target.last_seen = time;
            if detection.score >= self.confidence {
                target.last_high_confidence = time;
            }
            target.sightings += 1;
            target.seen = true;
            if time - target.first_seen >= params.confirm && target.sightings >= params.confirm_detections {
                target.confirmed = true;
            }
        }
        let mut joined = joined.iter();
        rows.retain(|_| joined.next().is_some_and(Option::is_none));
        let mut taken = taken.iter();
        columns.retain(|_| taken.next().is_some_and(|taken| !taken));
    }

    /// Spread of velocities of this source's people, as far as known, in body heights per second.
    fn speed(&self) -> f32 {
        let (sum, time) = self.speeds;
        (sum / time).sqrt().clamp(self.params.speed, self.params.speed_limit * self.params.speed)
    }

    fn learn_speed(&mut self, dt: f32) {
        let from_flow = self.targets.iter().filter(|target| target.confirmed && target.seen);
        for target in from_flow {
            let (sum, time) = &mut self.speeds;
            let keep = (-dt / (self.params.speed_memory * self.params.speed_time)).exp();
            *sum = *sum * keep + dt * target.filter.speed_squared();
            *time = *time * keep + dt;
        }
    }

    fn birth(&mut self, time: f64, detection: &Detection) -> TrackId {
        let id = self.next_id;
        self.targets.push(TrackedPerson {
            id,
            filter: BoxFilter::new(&detection.bbox, self.speed(), &self.params),
            score: detection.score,
            confirmed: false,
            first_seen: time,
            last_seen: time,
            last_high_confidence: time,
            sightings: 1,
            seen: true,
            doubled_since: None,
        });
        self.next_id += 1;
        id
    }

    /// Ends tracks that were not seen for too long and the younger of two that follow one person.
    fn bury(&mut self, time: f64) -> Vec<Track> {
        let boxes: Vec<BBox> = self.targets.iter().map(|target| target.filter.bbox()).collect();
        let mut doomed = vec![false; boxes.len()];
        for young in 0..boxes.len() {
            let doubled = (0..young)
                .any(|old| !doomed[old] && boxes[old].iou(&boxes[young]) >= self.params.duplicate_iou);
            let target = &mut self.targets[young];
            target.doubled_since = doubled.then(|| target.doubled_since.unwrap_or(time));
            // No track is kept unseen for longer than it was seen.
            let known = target.last_seen - target.first_seen;
            let patience = known.max(self.params.tentative_patience).min(self.params.patience);
            doomed[young] = time - target.last_seen > patience
                || target.doubled_since.is_some_and(|since| time - since >= self.params.duplicate_time);
        }
        let mut ended = Vec::new();
        let mut doomed = doomed.into_iter();
        self.targets.retain(|target| {
            let dies = doomed.next().unwrap_or(false);
            if dies {
                ended.push(Track { seen: false, ..target.track() });
            }
            !dies
        });
        ended
    }

    /// Moves on to `time`; gives the time as it is used.
    fn advance(&mut self, time: f64) -> f64 {
        let time = self.now.map_or(time, |now| time.max(now));
        let dt = self.now.map_or(0.0, |now| time - now) as f32;
        self.now = Some(time);
        self.learn_speed(dt);
        let speed = self.speed();
        for target in &mut self.targets {
            target.filter.predict(dt, speed, &self.params);
            target.seen = false;
        }
        time
    }

    /// Joins all targets with `detections`; returns the high- and low-confidence ones that are left over.
    fn join_all(&mut self, time: f64, detections: &[Detection]) -> (Vec<usize>, Vec<usize>) {
        let usable = |detection: &Detection| {
            let BBox { x, y, w, h } = detection.bbox;
            [x, y, w, h, detection.score].iter().all(|value| value.is_finite()) && w > 0.0 && h > 0.0
        };
        let doubted = self.params.low_scores(self.confidence);
        let (mut high_confidence, mut low_confidence) = (Vec::new(), Vec::new());
        for (index, detection) in detections.iter().enumerate().filter(|(_, detection)| usable(detection)) {
            if detection.score >= self.confidence {
                high_confidence.push(index);
            } else if doubted.contains(&detection.score) {
                low_confidence.push(index);
            }
        }
        low_confidence.retain(|&index| {
            let bbox = &detections[index].bbox;
            let area = bbox.area();
            !high_confidence.iter().any(|&other| {
                let other = &detections[other].bbox;
                bbox.intersection(other) > self.params.shadow * area.min(other.area())
            })
        });
        let mut rows: Vec<usize> = (0..self.targets.len()).collect();
        self.join(time, &mut rows, detections, &mut high_confidence);
        rows.retain(|&row| time - self.targets[row].last_high_confidence <= self.params.low_patience);
        self.join(time, &mut rows, detections, &mut low_confidence);
        (high_confidence, low_confidence)
    }

    /// Whether somebody who is followed already covers `bbox`.
    fn is_occluded(&self, bbox: &BBox) -> bool {
        self.targets.iter().filter(|target| target.seen && target.confirmed).any(|target| {
            let other = target.filter.bbox();
            bbox.intersection(&other) > self.params.covered * bbox.area().min(other.area())
        })
    }

    fn finish(&mut self, time: f64, origins: Vec<Origin>) -> TrackUpdate {
        let ended = self.bury(time);
        TrackUpdate { tracks: self.targets.iter().map(TrackedPerson::track).collect(), ended, origins }
    }
}

impl Tracker for MotionTracker {
    fn update(&mut self, time: f64, detections: &[Detection]) -> TrackUpdate {
        let time = self.advance(time);
        let updates_are_rare = self.last_update.is_none_or(|last| time - last >= self.params.birth_gap);
        let birth =
            if updates_are_rare { self.confidence } else { scale_odds(self.confidence, self.params.birth) };
        self.last_update = Some(time);
        self.glimpses.forget(time, &self.params);
        let (high_confidence, low_confidence) = self.join_all(time, detections);
        let (born, unsure): (Vec<usize>, Vec<usize>) =
            high_confidence.into_iter().partition(|&index| detections[index].score >= birth);
        let mut origins = Vec::new();
        for detection in born.into_iter().map(|index| &detections[index]) {
            if self.is_occluded(&detection.bbox) {
                continue;
            }
            let track = self.birth(time, detection);
            let first = self.glimpses.origin(&detection.bbox, &self.params);
            origins.extend(first.map(|(time, bbox)| Origin { track, time, bbox }));
        }
        for bbox in low_confidence.into_iter().chain(unsure).map(|index| detections[index].bbox) {
            // What touches a tracked person may be what they carry, or them and a new person in one box.
            let is_apart = |target: &TrackedPerson| target.filter.bbox().intersection(&bbox) <= 0.0;
            if self.targets.iter().filter(|target| target.seen).all(is_apart) {
                self.glimpses.add(time, bbox, &self.params);
            }
        }
        self.finish(time, origins)
    }

    fn follow(&mut self, time: f64, people: &[Detection]) -> TrackUpdate {
        let time = self.advance(time);
        // What is left over is no new person.
        self.join_all(time, people);
        self.finish(time, Vec::new())
    }

    fn reset(&mut self) -> Vec<Track> {
        self.now = None;
        self.last_update = None;
        self.glimpses = Glimpses::default();
        self.targets.drain(..).map(|target| Track { seen: false, ..target.track() }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIDENCE: f32 = 0.4;

    /// Tracks started in two seconds by somebody seen this often a second, always with this score. The first frame,
    /// where any high-confidence box would do, is empty.
    fn births(looks_per_second: u32, score: f32) -> TrackId {
        let mut tracker = MotionTracker::new(CONFIDENCE, TrackParams::default());
        let found = [Detection { bbox: BBox::new(0.5, 0.4, 0.1, 0.3), score }];
        tracker.update(0.0, &[]);
        for look in 1..=2 * looks_per_second {
            tracker.update(f64::from(look) / f64::from(looks_per_second), &found);
        }
        tracker.next_id - 1
    }

    #[test]
    fn any_high_confidence_box_starts_a_track_where_runs_are_rare_and_a_good_one_where_they_are_not() {
        assert_eq!([3, 5].map(|rate| births(rate, 0.42)), [1, 1]);
        assert_eq!([10, 25].map(|rate| births(rate, 0.42)), [0, 0]);
        assert_eq!([5, 25].map(|rate| births(rate, 0.5)), [1, 1]);
        assert_eq!([5, 25].map(|rate| births(rate, 0.38)), [0, 0]);
    }

    #[test]
    fn boxes_of_optical_flow_between_two_runs_make_runs_no_less_rare() {
        let mut tracker = MotionTracker::new(CONFIDENCE, TrackParams::default());
        let known = Detection { bbox: BBox::new(0.2, 0.4, 0.1, 0.3), score: 0.9 };
        let birth = Detection { bbox: BBox::new(0.8, 0.4, 0.1, 0.3), score: 0.42 };
        tracker.update(0.0, &[known]);
        tracker.update(0.2, &[known]);
        tracker.follow(0.3, &[known, birth]);
        assert_eq!(tracker.next_id, 2, "nobody is found where nobody looked");
        assert_eq!(tracker.update(0.4, &[known, birth]).tracks.len(), 2);
    }

    #[test]
    fn a_birth_comes_with_where_low_confidence_boxes_showed_the_person() {
        let mut tracker = MotionTracker::new(CONFIDENCE, TrackParams::default());
        let at = |look: u32, score: f32| {
            [Detection { bbox: BBox::new(0.5 + 0.02 * look as f32, 0.4, 0.1, 0.3), score }]
        };
        for look in 0..4 {
            let update = tracker.update(f64::from(look) / 5.0, &at(look, 0.3));
            assert_eq!((update.tracks.len(), update.origins.len()), (0, 0));
        }
        let born = tracker.update(0.8, &at(4, 0.6));
        assert_eq!(born.origins, [Origin { track: 1, time: 0.0, bbox: at(0, 0.3)[0].bbox }]);
        assert_eq!(tracker.update(1.0, &at(5, 0.6)).origins, []);
    }

    #[test]
    fn a_low_confidence_box_around_a_tracked_person_tells_nothing_of_a_birth() {
        let mut tracker = MotionTracker::new(CONFIDENCE, TrackParams::default());
        let known = Detection { bbox: BBox::new(0.2, 0.4, 0.1, 0.3), score: 0.9 };
        let both = Detection { bbox: BBox::new(0.2, 0.35, 0.2, 0.4), score: 0.3 };
        let birth = Detection { bbox: BBox::new(0.3, 0.4, 0.1, 0.3), score: 0.6 };
        tracker.update(0.0, &[known]);
        tracker.update(0.2, &[known]);
        tracker.update(0.4, &[known, both]);
        let born = tracker.update(0.6, &[known, birth]);
        assert_eq!((born.tracks.len(), born.origins.len()), (2, 0));
    }
}
