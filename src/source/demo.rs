//! Scenes drawn by the program: `demo:lobby?people=6&seed=1`. The same parameters draw the same frames, and
//! the true counts of any line are known, so that the program can be tried, shown and tested without a camera.

use std::{sync::Arc, time::Instant};

use opencv::core::{Mat, MatTraitConst as _};

use self::{draw::Painter, scene::Scene, walkers::Walkers};
use super::{
    Frame, FrameSource, SourceError, StreamInfo,
    image::{FrameImage, resized},
};
use crate::{
    clock::Clock,
    config::{DemoSpec, defaults},
    model::SourceKind,
};

mod draw;
mod random;
mod scene;
#[cfg(any(test, feature = "internals"))]
mod truth;
mod walkers;

/// A demo scene: its frames and its truth.
#[derive(Debug, Clone)]
pub struct Demo {
    spec: DemoSpec,
    /// Seconds; infinite for an endless scene.
    length: f64,
}

impl Demo {
    /// The scene as a camera (endless unless its length is given) or as a video.
    #[must_use]
    pub fn new(spec: &DemoSpec, kind: SourceKind) -> Self {
        let default = match kind {
            SourceKind::Camera => f64::INFINITY,
            SourceKind::Video => defaults::DEMO_SECONDS,
        };
        Self { spec: spec.clone(), length: spec.seconds.unwrap_or(default) }
    }

    /// Its frames, as fast as they are asked for; `clock` says when each was.
    ///
    /// # Errors
    /// When OpenCV cannot draw.
    pub fn source(&self, clock: Arc<dyn Clock>) -> Result<DemoSource, SourceError> {
        let painter = Painter::new(&self.spec).map_err(|error| drawing(&error))?;
        Ok(DemoSource {
            demo: self.clone(),
            painter,
            walkers: self.walkers(),
            grabbed: 0,
            captured: clock.now(),
            clock,
        })
    }

    /// Number of frames; `None` when endless.
    #[must_use]
    pub fn frames(&self) -> Option<u64> {
        self.length.is_finite().then(|| (self.length * self.spec.fps).round() as u64)
    }

    fn time(&self, frame: u64) -> f64 {
        frame as f64 / self.spec.fps
    }

    fn aspect(&self) -> f32 {
        self.spec.size.0 as f32 / self.spec.size.1 as f32
    }

    fn walkers(&self) -> Walkers {
        let scene = Scene::new(self.spec.scene, self.aspect());
        Walkers::new(scene, self.spec.people as usize, self.spec.seed, self.length)
    }
}

fn drawing(error: &opencv::Error) -> SourceError {
    SourceError::Broken(format!("the demo scene cannot be drawn: {}", error.message))
}

/// The frames of a [`Demo`].
pub struct DemoSource {
    demo: Demo,
    painter: Painter,
    walkers: Walkers,
    grabbed: u64,
    captured: Instant,
    clock: Arc<dyn Clock>,
}

impl FrameSource for DemoSource {
    fn info(&self) -> StreamInfo {
        StreamInfo {
            size: self.demo.spec.size,
            fps: Some(self.demo.spec.fps),
            live: false,
            frames: self.demo.frames(),
        }
    }

    fn codec(&self) -> Option<String> {
        Some("drawn".into())
    }

    fn grab(&mut self) -> Result<bool, SourceError> {
        if self.demo.frames().is_some_and(|frames| self.grabbed >= frames) {
            return Ok(false);
        }
        self.grabbed += 1;
        self.captured = self.clock.now();
        Ok(true)
    }

    fn time(&self) -> f64 {
        self.demo.time(self.grabbed.saturating_sub(1))
    }

    fn is_last(&self) -> bool {
        self.demo.frames() == Some(self.grabbed)
    }

    fn retrieve(&mut self, working_size: &dyn Fn(u32, u32) -> (u32, u32)) -> Result<Frame, SourceError> {
        let index = self.grabbed.saturating_sub(1);
        let time = self.time();
        let figures = self.walkers.at(time);
        let (width, height) = self.demo.spec.size;
        let image = self
            .painter
            .paint(index, time, &figures)
            .and_then(|full| fit(full, working_size(width, height)))
            .map_err(|error| drawing(&error))?;
        Ok(Frame {
            picture: FrameImage::ready(image),
            index,
            time,
            captured: self.captured,
            stream_size: (width, height),
            last: self.is_last(),
        })
    }
}

/// `full` reduced to `size`, never enlarged.
fn fit(full: Mat, size: (u32, u32)) -> opencv::Result<Mat> {
    let (width, height) = (size.0.min(full.cols() as u32), size.1.min(full.rows() as u32));
    if (width as i32, height as i32) == (full.cols(), full.rows()) {
        Ok(full)
    } else {
        resized(&full, (width, height))
    }
}

#[cfg(test)]
mod tests {
    use opencv::core::MatTraitConstManual as _;

    use std::collections::HashMap;

    use rayon::prelude::*;

    use super::{truth::crossing, *};
    use crate::{clock::SystemClock, config::DemoScene, geometry::BBox, model::LineConfig};

    fn demo(written: &str) -> Demo {
        Demo::new(&written.parse().unwrap(), SourceKind::Video)
    }

    fn line() -> LineConfig {
        LineConfig::default()
    }

    #[test]
    fn a_video_ends_when_it_should_and_a_camera_does_not() {
        assert_eq!(demo("lobby").frames(), Some(1500));
        assert_eq!(demo("lobby?seconds=2&fps=10").frames(), Some(20));
        assert_eq!(Demo::new(&DemoSpec::new(DemoScene::Lobby), SourceKind::Camera).frames(), None);
        let mut source = demo("plaza?seconds=2&fps=10&size=128x72").source(Arc::new(SystemClock)).unwrap();
        let mut frames = 0;
        while source.grab().unwrap() {
            let frame = source.retrieve(&|_, _| (64, 36)).unwrap();
            assert_eq!((frame.index, frame.stream_size), (frames, (128, 72)));
            assert!((frame.time - frames as f64 / 10.0).abs() < 1e-9);
            assert_eq!(frame.picture.size(), (64, 36));
            frames += 1;
        }
        assert_eq!(frames, 20);
    }

    #[test]
    fn the_same_parameters_draw_the_same_pictures_and_others_do_not() {
        let picture = |written: &str| {
            let mut source = demo(written).source(Arc::new(SystemClock)).unwrap();
            for _ in 0..40 {
                assert!(source.grab().unwrap());
            }
            source.retrieve(&|w, h| (w, h)).unwrap().picture.bgr().unwrap().data_bytes().unwrap().to_vec()
        };
        assert_eq!(picture("street?seed=4&fps=10"), picture("street?seed=4&fps=10"));
        assert_ne!(picture("street?seed=4&fps=10"), picture("street?seed=5&fps=10"));
    }

    #[test]
    fn skipped_frames_change_nothing_of_those_that_follow() {
        let mut every = demo("lobby?fps=5&seconds=20&size=128x72").source(Arc::new(SystemClock)).unwrap();
        let mut some = demo("lobby?fps=5&seconds=20&size=128x72").source(Arc::new(SystemClock)).unwrap();
        for _ in 0..80 {
            every.grab().unwrap();
            some.grab().unwrap();
            every.retrieve(&|w, h| (w, h)).unwrap();
        }
        let bytes = |source: &mut DemoSource| {
            source.retrieve(&|w, h| (w, h)).unwrap().picture.bgr().unwrap().data_bytes().unwrap().to_vec()
        };
        assert_eq!(bytes(&mut every), bytes(&mut some));
    }

    #[test]
    fn nobody_hides_anybody_and_nobody_is_left_at_the_end() {
        for name in ["lobby", "street", "corridor", "plaza"] {
            let demo = demo(&format!("{name}?people=8&seconds=60"));
            let frames: Vec<_> = demo.boxes().collect();
            assert!(frames.iter().any(|people| people.len() >= 6), "{name} is too empty");
            assert!(frames.last().unwrap().is_empty(), "{name}");
            for people in &frames {
                for (index, (_, a)) in people.iter().enumerate() {
                    assert!(people[index + 1..].iter().all(|(_, b)| a.intersection(b) == 0.0), "{name}");
                }
            }
        }
    }

    #[test]
    fn truth_is_the_net_change_of_sides_of_everybody() {
        let demo = demo("lobby?seconds=60");
        let (ins, outs) = demo.truth(&[line()], u64::MAX)[0];
        assert!(ins >= 5 && outs >= 5, "{ins}/{outs}");
        // Independently: who was above at first and below at last went in, and the reverse.
        let mut ends: HashMap<u64, (bool, bool)> = HashMap::new();
        for (id, bbox) in demo.boxes().flatten() {
            let below = bbox.center().y > 0.5;
            ends.entry(id).or_insert((below, below)).1 = below;
        }
        let net: i64 = ends.values().map(|&(first, last)| i64::from(last) - i64::from(first)).sum();
        assert_eq!(ins as i64 - outs as i64, net);
        // Turned round, the same line counts the other way.
        let turned = LineConfig { a: line().b, b: line().a, ..line() };
        assert_eq!(demo.truth(&[turned], u64::MAX)[0], (outs, ins));
    }

    #[test]
    fn truth_knows_the_ends_of_a_line_and_the_frames_asked_for() {
        let demo = demo("plaza?seconds=60");
        let half = |from: f32, to: f32| LineConfig { a: [from, 0.5], b: [to, 0.5], ..line() };
        let counts = demo.truth(&[line(), half(0.0, 0.5), half(0.5, 1.0)], u64::MAX);
        assert_eq!(counts[0].0, counts[1].0 + counts[2].0);
        assert_eq!(counts[0].1, counts[1].1 + counts[2].1);
        assert!(counts[1].0 > 0 && counts[2].0 > 0);
        assert_eq!(demo.truth(&[line()], 0)[0], (0, 0));
    }

    #[test]
    fn a_room_neither_fills_for_ever_nor_empties_below_nobody() {
        for (name, people) in [("lobby", 6), ("corridor", 4), ("street", 8), ("plaza", 10), ("lobby", 50)] {
            (1..=5).into_par_iter().for_each(|seed| {
                let demo = demo(&format!("{name}?people={people}&seed={seed}&seconds=3600&fps=5"));
                let (mut current, mut least, mut most, mut crossed) = (0i64, 0, 0, 0);
                let mut before: HashMap<u64, BBox> = HashMap::new();
                for now in demo.boxes() {
                    for (id, to) in &now {
                        let Some(from) = before.get(id) else { continue };
                        let point = |bbox| line().anchor.of(bbox);
                        let step = i64::from(crossing(&line(), demo.aspect(), point(from), point(to)));
                        current += step;
                        crossed += step.abs();
                        (least, most) = (least.min(current), most.max(current));
                    }
                    before = now.into_iter().collect();
                }
                println!("{name} {people} {seed}: {least}..={most}, {crossed} crossings");
                assert!(crossed > 200, "{name} {people} {seed}: {crossed}");
                // People on their way in are planned and not yet counted, so a few leave before they come.
                let few = if people > 10 { 8 } else { 4 };
                assert!(least >= -few && most <= 12, "{name} {people} {seed}: {least} to {most}");
            });
        }
    }

    #[test]
    fn people_do_in_the_scenes_what_they_are_said_to() {
        let demo = demo("lobby?seconds=120&people=8");
        let mut paths: HashMap<u64, Vec<BBox>> = HashMap::new();
        for (id, bbox) in demo.boxes().flatten() {
            paths.entry(id).or_default().push(bbox);
        }
        let still = |path: &[BBox]| path.windows(25).any(|second| second[0] == second[24]);
        let same_end = |path: &[BBox]| (path[0].bottom() - path[path.len() - 1].bottom()).abs() < 0.2;
        let count = |what: &dyn Fn(&[BBox]) -> bool| paths.values().filter(|path| what(path)).count();
        assert!(count(&still) >= 3, "some stop");
        assert!(count(&same_end) >= 3, "some turn back");
        assert!(count(&|path| !same_end(path)) >= 10, "most walk through");
    }
}
