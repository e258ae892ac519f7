//! The tracker of the original program (mode `centroid`), for comparison.
//!
//! Between detections the original moves boxes by correlation trackers; here every update brings
//! detections instead. Everything else is as it was: distances of centres, greedy one-sided choice, and
//! the either-or between ageing and registering.

use super::{Track, TrackParams, TrackUpdate, Tracker};
use crate::{
    geometry::Point,
    model::{Detection, TrackId},
};

#[derive(Debug)]
struct Object {
    track: Track,
    disappeared: u32,
}

/// Joins each object with its nearest detection, nearest pairs first.
#[derive(Debug)]
pub struct CentroidTracker {
    /// Farthest that a center moves between two updates, in frame heights.
    max_distance: f32,
    patience: u32,
    confidence: f32,
    objects: Vec<Object>,
    next_id: TrackId,
}

impl CentroidTracker {
    /// For a frame of this `aspect` (width over height) and detections above `confidence`.
    #[must_use]
    pub fn new(aspect: f32, confidence: f32, params: &TrackParams) -> Self {
        let (max_distance, patience) = (params.centroid_distance * aspect, params.centroid_patience);
        Self { max_distance, patience, confidence, objects: Vec::new(), next_id: 1 }
    }

    fn register(&mut self, detection: &Detection) {
        let track = Track {
            id: self.next_id,
            bbox: detection.bbox,
            score: detection.score,
            confirmed: true,
            seen: true,
            from_flow: false,
        };
        self.objects.push(Object { track, disappeared: 0 });
        self.next_id += 1;
    }

    /// For each object the detection it takes, if any.
    fn match_nearest(&self, inputs: &[Detection]) -> Vec<Option<usize>> {
        let centers: Vec<Point> = inputs.iter().map(|input| input.bbox.center()).collect();
        let mut wishes: Vec<(f32, usize, usize)> = Vec::new();
        for (row, object) in self.objects.iter().enumerate() {
            let from = object.track.bbox.center();
            let nearest = centers
                .iter()
                .enumerate()
                .map(|(column, &to)| (from.distance(to), column))
                .min_by(|a, b| a.0.total_cmp(&b.0));
            if let Some((distance, column)) = nearest {
                wishes.push((distance, row, column));
            }
        }
        wishes.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut taken = vec![false; inputs.len()];
        let mut joined = vec![None; self.objects.len()];
        for (distance, row, column) in wishes {
            if !taken[column] && distance <= self.max_distance {
                taken[column] = true;
                joined[row] = Some(column);
            }
        }
        joined
    }
}

impl Tracker for CentroidTracker {
    fn update(&mut self, _time: f64, detections: &[Detection]) -> TrackUpdate {
        let inputs: Vec<Detection> =
            detections.iter().copied().filter(|detection| detection.score > self.confidence).collect();
        let joined = self.match_nearest(&inputs);
        let mut free = vec![true; inputs.len()];
        for (object, column) in self.objects.iter_mut().zip(&joined) {
            object.track.seen = column.is_some();
            if let Some(column) = *column {
                free[column] = false;
                object.disappeared = 0;
                object.track.bbox = inputs[column].bbox;
                object.track.score = inputs[column].score;
            }
        }
        let mut ended = Vec::new();
        if self.objects.len() >= inputs.len() {
            for object in self.objects.iter_mut().filter(|object| !object.track.seen) {
                object.disappeared += 1;
            }
            self.objects.retain(|object| {
                let forgotten = object.disappeared > self.patience;
                if forgotten {
                    ended.push(object.track);
                }
                !forgotten
            });
        } else {
            for (input, _) in inputs.iter().zip(&free).filter(|(_, free)| **free) {
                self.register(input);
            }
        }
        TrackUpdate {
            tracks: self.objects.iter().map(|object| object.track).collect(),
            ended,
            ..TrackUpdate::default()
        }
    }

    fn reset(&mut self) -> Vec<Track> {
        self.objects.drain(..).map(|object| Track { seen: false, ..object.track }).collect()
    }
}
