//! Plays detections of one clip through the tracking and counting of the program.

use super::mot;
use crate::{
    count::CountEvent,
    engine::pipeline::Tracking,
    geometry::BBox,
    model::{Detection, TrackId},
    track::TrackUpdate,
};

/// Which frames of a clip get a detection run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// Frames dropped at the start.
    pub start_offset: u32,
    /// Every how many frames the detector runs; at least 1.
    pub every: u32,
    /// At most this many detection runs per second of the clip.
    pub detect_fps: Option<f64>,
}

impl Default for Plan {
    fn default() -> Self {
        Self { start_offset: 0, every: 1, detect_fps: None }
    }
}

impl Plan {
    /// Whether frame `index` (from 0) of a clip of `fps` frames per second gets a detection run.
    #[must_use]
    pub fn detected_in(&self, index: u32, fps: f64) -> bool {
        let Some(index) = index.checked_sub(self.start_offset) else { return false };
        if index % self.every.max(1) != 0 {
            return false;
        }
        // The whole number of detection runs due so far rises at this frame.
        let due = |index: u32| self.detect_fps.map_or(index, |rate| (f64::from(index) * rate / fps) as u32);
        index == 0 || due(index) != due(index - 1) || self.detect_fps.is_some_and(|rate| rate >= fps)
    }
}

/// Size and speed of a clip.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clip {
    /// Frames per second.
    pub fps: f64,
    /// Width and height in pixels.
    pub size: (u32, u32),
}

impl Clip {
    /// Width over height.
    #[must_use]
    pub fn aspect(&self) -> f32 {
        self.size.0 as f32 / self.size.1.max(1) as f32
    }

    /// Pixels to frame heights.
    #[must_use]
    pub fn normalise(&self, bbox: &BBox) -> BBox {
        let height = self.size.1.max(1) as f32;
        BBox::new(bbox.x / height, bbox.y / height, bbox.w / height, bbox.h / height)
    }

    /// Frame heights to pixels.
    #[must_use]
    pub fn pixels(&self, bbox: &BBox) -> BBox {
        let height = self.size.1 as f32;
        BBox::new(bbox.x * height, bbox.y * height, bbox.w * height, bbox.h * height)
    }
}

/// Everything the tracker said, for writing tracks.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// Frame (from 1) and what the tracker said of it.
    pub updates: Vec<(u32, TrackUpdate)>,
}

/// One clip under way.
pub struct Player {
    clip: Clip,
    tracking: Tracking,
    /// What was counted and what was not.
    pub events: Vec<CountEvent>,
    /// What the tracker said.
    pub log: Log,
}

impl Player {
    /// Starts with nothing seen.
    #[must_use]
    pub fn new(clip: Clip, tracking: Tracking) -> Self {
        Self { clip, tracking, events: Vec::new(), log: Log::default() }
    }

    /// Takes the detections (frame heights) of frame `index` (from 0), and the share (0..=1) of each in which something moves.
    pub fn look(&mut self, index: u32, detections: &[Detection], moving: &[f32]) {
        let time = f64::from(index) / self.clip.fps;
        let mut detections = detections.to_vec();
        self.tracking.weigh(&mut detections, moving);
        let update = self.tracking.detected(time, &detections, &[]);
        self.events.extend(self.tracking.count(time, &update));
        self.log.updates.push((index + 1, update));
    }

    /// Takes recorded rows (pixels) of all `frames` frames that `plan` detects in.
    pub fn replay(&mut self, rows: &mot::Rows, frames: u32, plan: &Plan) {
        let (mut detections, mut moving, clip) = (Vec::new(), Vec::new(), self.clip);
        for index in (0..frames).filter(|&index| plan.detected_in(index, clip.fps)) {
            detections.clear();
            moving.clear();
            for row in rows.get(&(index + 1)).into_iter().flatten() {
                detections.push(Detection { bbox: clip.normalise(&row.bbox), score: row.confidence });
                moving.push(row.moving);
            }
            self.look(index, &detections, &moving);
        }
    }

    /// The clip is over: everything undecided is decided.
    pub fn finish(&mut self) {
        let time = self.log.updates.last().map_or(0.0, |(frame, _)| f64::from(frame - 1) / self.clip.fps);
        self.events.extend(self.tracking.end(time).1);
    }
}

/// Identity of a track as written to files.
#[must_use]
pub fn file_id(id: TrackId) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_drops_the_start_and_keeps_the_rate() {
        let looks =
            |plan: Plan, fps: f64| (0..300).filter(|&i| plan.detected_in(i, fps)).collect::<Vec<u32>>();
        assert_eq!(looks(Plan { start_offset: 290, every: 4, ..Plan::default() }, 30.0), [290, 294, 298]);
        assert_eq!(looks(Plan { detect_fps: Some(5.0), ..Plan::default() }, 30.0).len(), 50);
        assert_eq!(looks(Plan { detect_fps: Some(60.0), ..Plan::default() }, 30.0).len(), 300);
        assert!(
            (looks(Plan { detect_fps: Some(12.0), ..Plan::default() }, 29.97).len() as i64 - 120).abs() <= 1
        );
    }
}
