//! A source's frames from picture to count, with a detector that finds what is bright.

use std::collections::BTreeSet;

use opencv::{
    core::{CV_8UC3, MatTraitManual as _, Scalar, Vec3b},
    prelude::*,
};

use super::*;
use crate::{
    config::{SourceKind, SourceSpec},
    count::Anchor,
    detect::ModelInfo,
};

const PICTURE: (i32, i32) = (416, 234);
const PERSON: (i32, i32) = (28, 84);

/// Finds every connected bright area, and keeps the sizes of the pictures it was given.
struct Bright {
    info: ModelInfo,
    given: Arc<Mutex<Vec<(i32, i32)>>>,
}

impl Bright {
    fn new() -> Self {
        let (name, engine) = ("bright".to_owned(), "test".to_owned());
        Self { info: ModelInfo { name, engine, confidence: 0.4, note: None }, given: Arc::default() }
    }
}

impl Model for Bright {
    fn info(&self) -> &ModelInfo {
        &self.info
    }
    fn working_size(&self, width: u32, height: u32) -> (u32, u32) {
        (width, height)
    }
    fn gains_from_reduction(&self) -> bool {
        true
    }
    fn detector(&self) -> Box<dyn Detector> {
        Box::new(BrightDetector(Arc::clone(&self.given)))
    }
}

struct BrightDetector(Arc<Mutex<Vec<(i32, i32)>>>);

impl Detector for BrightDetector {
    fn detect(&mut self, frame: &Frame) -> Result<Vec<Detection>, DetectError> {
        self.0.lock().push((frame.image.cols(), frame.image.rows()));
        let (mut grey, mut mask, mut labels) = (Mat::default(), Mat::default(), Mat::default());
        let (mut stats, mut centroids) = (Mat::default(), Mat::default());
        imgproc::cvt_color_def(&frame.image, &mut grey, imgproc::COLOR_BGR2GRAY).unwrap();
        imgproc::threshold(&grey, &mut mask, 40.0, 255.0, imgproc::THRESH_BINARY).unwrap();
        imgproc::connected_components_with_stats_def(&mask, &mut labels, &mut stats, &mut centroids).unwrap();
        let unit = 1.0 / frame.image.rows() as f32;
        Ok((1..stats.rows())
            .map(|row| {
                let [x, y, w, h] = [0, 1, 2, 3].map(|i| *stats.at_2d::<i32>(row, i).unwrap() as f32 * unit);
                Detection { bbox: BBox::new(x, y, w, h), score: 0.9 }
            })
            .collect())
    }
}

/// A black picture with speckled people whose left top corners are at these places.
fn picture(people: &[(i32, i32)]) -> Mat {
    let mut image = Mat::new_rows_cols_with_default(PICTURE.1, PICTURE.0, CV_8UC3, Scalar::all(0.0)).unwrap();
    let pixels = image.data_typed_mut::<Vec3b>().unwrap();
    for &(left, top) in people {
        for y in 0..PERSON.1 {
            // Speckles of 3 pixels, the same wherever he goes.
            for x in (0..PERSON.0).filter(|x| (0..PICTURE.0).contains(&(left + x))) {
                let speckle =
                    (((x / 3) as u32 * 7919) ^ ((y / 3) as u32 * 104_729)).wrapping_mul(2_654_435_761);
                let level = 100 + (speckle >> 24) as u8 / 2;
                pixels[((top + y) * PICTURE.0 + left + x) as usize] = Vec3b::all(level);
            }
        }
    }
    image
}

/// Counts of a line down the middle while people are at `at(time)`, and all that was seen on the way.
struct Watched {
    crossings: u64,
    tracks: BTreeSet<u64>,
    /// Sizes of the pictures that were looked at.
    given: Vec<(i32, i32)>,
}

fn watch(seconds: f64, at: impl Fn(f64) -> Vec<(i32, i32)>) -> Watched {
    let mut source = SourceConfig::new("cam", SourceKind::Video, SourceSpec::Demo("x".into()));
    source.lines =
        vec![LineConfig { name: "L".into(), a: [0.5, 0.0], b: [0.5, 1.0], anchor: Anchor::Center }];
    let model = Bright::new();
    let given = Arc::clone(&model.given);
    let mut pipeline = Pipeline::new(Arc::new(source), &[]);
    pipeline.set_model(Arc::new(model));
    let (mut next, mut tracks) = (0.0, BTreeSet::new());
    for index in 0..(seconds * 25.0) as u64 {
        let time = index as f64 / 25.0;
        if time < next - 1e-3 {
            continue;
        }
        let (captured, stream_size) = (std::time::Instant::now(), (PICTURE.0 as u32, PICTURE.1 as u32));
        let frame = Frame { image: picture(&at(time)), index, time, captured, stream_size };
        let step = pipeline.frame(&frame).unwrap();
        tracks.extend(step.tracks.iter().filter(|track| track.confirmed).map(|track| track.id));
        next = time + step.wish.interval;
    }
    pipeline.release(&mut Vec::new());
    let crossings = pipeline.lines().iter().map(|line| line.total_in + line.total_out).sum();
    let given = given.lock().clone();
    Watched { crossings, tracks, given }
}

#[test]
fn two_walkers_keep_their_identity_and_are_counted_with_looks_at_parts_of_the_picture() {
    // One walks to and fro over the line, the other stays on his side.
    let to_and_fro = |time: f64, from: f64, way: f64, seconds: f64| {
        let phase = (time / seconds).fract();
        let there = ((time / seconds) as u64).is_multiple_of(2);
        (from + way * if there { phase } else { 1.0 - phase }) as i32
    };
    let watched = watch(60.0, |time| {
        vec![(to_and_fro(time, 100.0, 180.0, 6.0), 20), (to_and_fro(time, 290.0, 80.0, 2.7), 140)]
    });
    assert_eq!(watched.crossings, 10);
    assert_eq!(watched.tracks.len(), 2, "{:?}", watched.tracks);
    let parts = watched.given.iter().filter(|(w, h)| w * h * 2 < PICTURE.0 * PICTURE.1).count();
    assert!(2 * parts > watched.given.len(), "{parts} parts of {} looks", watched.given.len());
}
