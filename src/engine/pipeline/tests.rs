//! A source's frames from frame to count, with a detector that finds what is bright.

use std::collections::BTreeSet;

use opencv::{
    core::{CV_8UC3, MatTraitManual as _, Scalar, Size, Vec3b},
    imgproc,
    prelude::*,
};

use super::*;
use crate::{
    config::SourceSpec,
    detect::ModelInfo,
    geometry::Anchor,
    model::{self, SourceKind},
    source::{image::FrameImage, pacer::enlarged_to},
};

/// Size of the frames that the detector is usually given, and of the people in them who are large enough.
const USUAL: (i32, i32) = (416, 234);
const PERSON: (i32, i32) = (28, 84);

/// Finds every connected bright area, and keeps the sizes of the frames it was given.
struct Bright {
    info: ModelInfo,
    given: Arc<Mutex<Vec<(i32, i32)>>>,
    /// What is less tall than this many pixels has low confidence.
    low_confidence: i32,
    /// Its score.
    low: f32,
    /// Whether it says that it goes by movement.
    by_motion: bool,
}

impl Bright {
    fn new() -> Self {
        Self::doubting(0)
    }

    fn doubting(low_confidence: i32) -> Self {
        let (name, engine) = ("bright".to_owned(), "test".to_owned());
        let info = ModelInfo { name, engine, confidence: 0.4, note: None };
        // Too low to count even where everybody is as tall and moves.
        Self { info, given: Arc::default(), low_confidence, low: 0.152, by_motion: false }
    }
}

impl Model for Bright {
    fn info(&self) -> &ModelInfo {
        &self.info
    }
    fn working_size(&self, _: u32, _: u32) -> (u32, u32) {
        (USUAL.0 as u32, USUAL.1 as u32)
    }
    fn gains_from_reduction(&self) -> bool {
        true
    }
    fn needs_steady_rate(&self) -> bool {
        self.by_motion
    }
    fn detector(&self) -> Box<dyn Detector> {
        let Self { low_confidence, low, .. } = *self;
        Box::new(BrightDetector { given: Arc::clone(&self.given), low_confidence, low })
    }
}

struct BrightDetector {
    given: Arc<Mutex<Vec<(i32, i32)>>>,
    low_confidence: i32,
    low: f32,
}

impl Detector for BrightDetector {
    fn detect(&mut self, frame: &Frame) -> Result<Vec<Detection>, DetectError> {
        self.given.lock().push((frame.picture.size().0 as i32, frame.picture.size().1 as i32));
        let (mut gray, mut mask, mut labels) = (Mat::default(), Mat::default(), Mat::default());
        let (mut stats, mut centroids) = (Mat::default(), Mat::default());
        imgproc::cvt_color_def(frame.picture.bgr().unwrap(), &mut gray, imgproc::COLOR_BGR2GRAY).unwrap();
        imgproc::threshold(&gray, &mut mask, 40.0, 255.0, imgproc::THRESH_BINARY).unwrap();
        imgproc::connected_components_with_stats_def(&mask, &mut labels, &mut stats, &mut centroids).unwrap();
        let unit = 1.0 / frame.picture.size().1 as f32;
        Ok((1..stats.rows())
            .map(|row| {
                let pixels = [0, 1, 2, 3].map(|i| *stats.at_2d::<i32>(row, i).unwrap());
                let [x, y, w, h] = pixels.map(|pixels| pixels as f32 * unit);
                let score = if pixels[3] < self.low_confidence { self.low } else { 0.9 };
                Detection { bbox: BBox::new(x, y, w, h), score }
            })
            .collect())
    }
}

/// A stream of black frames with speckled people, both of this (width, height).
#[derive(Clone, Copy)]
struct Scene {
    size: (i32, i32),
    person: (i32, i32),
}

impl Scene {
    /// The frame with people whose left top corners are at these places.
    fn picture(self, people: &[(i32, i32)]) -> Mat {
        let Self { size, person } = self;
        let mut image = Mat::new_rows_cols_with_default(size.1, size.0, CV_8UC3, Scalar::all(0.0)).unwrap();
        let pixels = image.data_typed_mut::<Vec3b>().unwrap();
        for &(left, top) in people {
            for y in 0..person.1 {
                // Speckles of 3 pixels, the same wherever they go.
                for x in (0..person.0).filter(|x| (0..size.0).contains(&(left + x))) {
                    let speckle =
                        (((x / 3) as u32 * 7919) ^ ((y / 3) as u32 * 104_729)).wrapping_mul(2_654_435_761);
                    let level = 100 + (speckle >> 24) as u8 / 2;
                    pixels[((top + y) * size.0 + left + x) as usize] = Vec3b::all(level);
                }
            }
        }
        image
    }
}

/// Counts of a line down the middle while people are at `at(time)`, and all that was seen on the way.
struct Watched {
    crossings: u64,
    tracks: BTreeSet<u64>,
    /// Those carried by optical flow into a frame without a detection run.
    from_flow: BTreeSet<u64>,
    /// The middles of these, as shares of the frame's width.
    carried_to: Vec<f32>,
    /// Sizes of the frames with a detection run.
    given: Vec<(i32, i32)>,
    /// Detections that were ignored.
    ignored: u64,
    /// What is known of the scene at the end.
    known: model::Scene,
}

/// A line down the middle.
fn pipeline(model: Bright) -> Pipeline {
    pipeline_with(model, Params::default())
}

fn pipeline_with(model: Bright, params: Params) -> Pipeline {
    pipeline_at(Cadence::Auto, model, params)
}

fn pipeline_at(cadence: Cadence, model: Bright, params: Params) -> Pipeline {
    let mut source = SourceConfig::new("cam", SourceKind::Video, SourceSpec::Demo("x".into()));
    source.cadence = cadence;
    source.lines =
        vec![LineConfig { name: "L".into(), a: [0.5, 0.0], b: [0.5, 1.0], anchor: Anchor::Center }];
    let mut pipeline = Pipeline::with_params(Arc::new(source), &[], params);
    pipeline.set_model(Arc::new(model));
    pipeline
}

fn watch(scene: Scene, seconds: f64, at: impl Fn(f64) -> Vec<(i32, i32)>) -> Watched {
    let model = Bright::new();
    let given = Arc::clone(&model.given);
    watch_through(pipeline(model), &given, scene, seconds, at)
}

fn watch_through(
    mut pipeline: Pipeline,
    given: &Mutex<Vec<(i32, i32)>>,
    scene: Scene,
    seconds: f64,
    at: impl Fn(f64) -> Vec<(i32, i32)>,
) -> Watched {
    let (mut next, mut tracks, mut from_flow, mut enlarged) = (0.0, BTreeSet::new(), BTreeSet::new(), 1.0);
    let mut carried_to = Vec::new();
    let aspect = scene.size.0 as f32 / scene.size.1 as f32;
    for index in 0..(seconds * 25.0) as u64 {
        let time = index as f64 / 25.0;
        if time < next - 1e-3 {
            continue;
        }
        let stream_size = (scene.size.0 as u32, scene.size.1 as u32);
        let size = enlarged_to((USUAL.0 as u32, USUAL.1 as u32), stream_size, enlarged);
        let mut image = Mat::default();
        let (wanted, picture) = (Size::new(size.0 as i32, size.1 as i32), scene.picture(&at(time)));
        imgproc::resize(&picture, &mut image, wanted, 0.0, 0.0, imgproc::INTER_AREA).unwrap();
        let frame = Frame {
            picture: FrameImage::ready(image),
            index,
            time,
            captured: std::time::Instant::now(),
            stream_size,
            last: false,
        };
        let step = pipeline.frame(&frame).unwrap();
        tracks.extend(step.tracks.iter().filter(|track| track.confirmed).map(|track| track.id));
        for track in step.tracks.iter().filter(|track| track.from_flow && !step.detected) {
            from_flow.insert(track.id);
            carried_to.push(track.bbox.center().x / aspect);
        }
        (next, enlarged) = (time + step.request.interval, step.request.enlarged);
    }
    let known = pipeline.scene().unwrap();
    pipeline.release(&mut Vec::new());
    let crossings = pipeline.lines().iter().map(|line| line.total_in + line.total_out).sum();
    let given = given.lock().clone();
    Watched { crossings, tracks, from_flow, carried_to, given, ignored: pipeline.ignored(), known }
}

/// Where somebody is who walks `way` pixels from `from` and back, in so many seconds each.
fn to_and_fro(time: f64, from: f64, way: f64, seconds: f64) -> i32 {
    let phase = (time / seconds).fract();
    let there = ((time / seconds) as u64).is_multiple_of(2);
    (from + way * if there { phase } else { 1.0 - phase }) as i32
}

/// One walks to and fro over the line, the other stays on their side.
fn two_walkers(seconds: f64) -> Watched {
    watch(Scene { size: USUAL, person: PERSON }, seconds, |time| {
        vec![(to_and_fro(time, 100.0, 180.0, 6.0), 20), (to_and_fro(time, 290.0, 80.0, 2.7), 140)]
    })
}

#[test]
fn a_new_source_is_detected_on_full_frames_and_often() {
    let given = two_walkers(2.0).given;
    assert!(given.len() >= 16, "{} looks in two seconds", given.len());
    assert!(given.iter().all(|size| *size == USUAL), "{given:?}");
}

#[test]
fn two_walkers_keep_their_identity_and_are_counted_with_regions_of_interest() {
    let watched = two_walkers(60.0);
    assert_eq!(watched.crossings, 10);
    assert_eq!(watched.tracks.len(), 2, "{:?}", watched.tracks);
    assert_eq!(watched.from_flow, watched.tracks);
    let parts = watched.given.iter().filter(|(w, h)| w * h * 2 < USUAL.0 * USUAL.1).count();
    assert!(2 * parts > watched.given.len(), "{parts} parts of {} looks", watched.given.len());
}

/// Two people walk to and fro over the line, one above the other, before a source with this `change`.
fn two_cross(change: impl FnOnce(&mut SourceConfig)) -> Watched {
    let model = Bright::new();
    let given = Arc::clone(&model.given);
    let mut pipeline = pipeline(model);
    let mut source = pipeline.source().clone();
    change(&mut source);
    pipeline.set_source(Arc::new(source));
    let both = |time| [20, 140].map(|top| (to_and_fro(time, 100.0, 180.0, 6.0), top)).to_vec();
    watch_through(pipeline, &given, Scene { size: USUAL, person: PERSON }, 30.0, both)
}

#[test]
fn who_is_in_an_ignored_region_is_neither_tracked_nor_counted_and_others_are() {
    let all = two_cross(|_| {});
    assert_eq!((all.crossings, all.tracks.len(), all.ignored), (10, 2, 0));
    let lower = vec![[0.0, 0.5], [1.0, 0.5], [1.0, 1.0], [0.0, 1.0]];
    let upper = two_cross(|source| source.ignore = vec![lower.clone()]);
    assert_eq!((upper.crossings, upper.tracks.len()), (5, 1));
    assert!(upper.ignored > 20, "{}", upper.ignored);
    // A region around the line alone: they are seen on both sides of it, and lost in between.
    let middle = vec![[0.42, 0.0], [0.58, 0.0], [0.58, 0.5], [0.42, 0.5]];
    let parted = two_cross(|source| source.ignore = vec![lower, middle]);
    assert!(parted.ignored > upper.ignored && !parted.tracks.is_empty());
}

#[test]
fn optical_flow_carries_nobody_into_an_ignored_region() {
    let beyond = |watched: &Watched| watched.carried_to.iter().filter(|x| **x > 0.55).count();
    let right = vec![[0.55, 0.0], [1.0, 0.0], [1.0, 1.0], [0.55, 1.0]];
    let parted = two_cross(|source| source.ignore = vec![right]);
    assert!(beyond(&two_cross(|_| {})) > 20, "they are carried there where it is not ignored");
    assert!(!parted.carried_to.is_empty(), "up to the region they are carried");
    assert_eq!(beyond(&parted), 0);
}

#[test]
fn who_is_too_low_or_too_tall_is_ignored() {
    let height = PERSON.1 as f32 / USUAL.1 as f32;
    let low = two_cross(|source| source.min_height = Some(height + 0.05));
    let tall = two_cross(|source| source.max_height = Some(height - 0.05));
    for none in [low, tall] {
        assert_eq!((none.crossings, none.tracks.len()), (0, 0));
        assert!(none.ignored > 20 && none.known.heights.is_none(), "{}", none.ignored);
    }
    let right = two_cross(|source| {
        (source.min_height, source.max_height) = (Some(height - 0.05), Some(height + 0.05));
    });
    assert_eq!((right.crossings, right.tracks.len()), (10, 2));
}

#[test]
fn the_input_size_grows_where_that_finds_people_who_are_missed_otherwise() {
    // 27 pixels tall in the usual frame, to and fro over the line.
    let walk = |scale: i32| {
        move |time: f64| [40, 120].map(|y| (scale * to_and_fro(time, 180.0, 56.0, 6.0), scale * y)).to_vec()
    };
    let widest = |watched: &Watched| watched.given.iter().map(|(width, _)| *width).max();
    let wide = |watched: &Watched| watched.given.iter().filter(|(width, _)| *width > USUAL.0).count();
    let sharp = Scene { size: (2 * USUAL.0, 2 * USUAL.1), person: (18, 54) };
    let doubted = |cadence: Cadence, scene: Scene, scale: i32| {
        let model = Bright::doubting(40);
        let given = Arc::clone(&model.given);
        watch_through(pipeline_at(cadence, model, Params::default()), &given, scene, 90.0, walk(scale))
    };
    let next = |known: &model::Scene| {
        let model = Bright::doubting(40);
        let given = Arc::clone(&model.given);
        let mut pipeline = pipeline(model);
        pipeline.resume(known.clone());
        watch_through(pipeline, &given, sharp, 1.0, walk(2))
    };
    for cadence in [Cadence::Auto, Cadence::DetectFps(5.0)] {
        let watched = doubted(cadence, sharp, 2);
        assert_eq!(widest(&watched), Some(sharp.size.0), "{cadence:?}");
        let late = "of 30, the first of them before it was found out";
        assert!(watched.crossings >= 26, "{cadence:?}: {} {late}", watched.crossings);
        // The next run goes on with it, and one with another detector finds out by itself.
        let learned = Learned { detector: "another".into(), ..watched.known.learned.clone() };
        let of_another = model::Scene { learned, ..watched.known.clone() };
        let [soon, later] = [watched.known, of_another]
            .map(|known| next(&known).given.iter().position(|(width, _)| *width > USUAL.0));
        assert!(soon == Some(0) && later > soon, "{soon:?} {later:?}");
    }
    let coarse = doubted(Cadence::Auto, Scene { size: USUAL, person: (9, 27) }, 1);
    let why = "a network sees more in a small picture made larger, too";
    assert_eq!(widest(&coarse), Some(sharp.size.0), "{why}");
    let seen = watch(sharp, 90.0, walk(2));
    assert!(wide(&seen) * 8 < seen.given.len(), "{} of {} show nobody more", wide(&seen), seen.given.len());
    assert_eq!((seen.crossings, seen.tracks.len()), (30, 2));
    let tall = watch(Scene { size: sharp.size, person: (56, 168) }, 20.0, walk(2));
    assert_eq!(wide(&tall), 0, "large enough as they are");
}

#[test]
fn a_low_confidence_person_is_counted_because_they_move() {
    let counted = |by_motion: bool, setting: &str| {
        let model = Bright { low: 0.32, by_motion, ..Bright::doubting(1000) };
        let given = Arc::clone(&model.given);
        let mut params = Params::default();
        Setting::parse(setting).unwrap().apply(&mut params).unwrap();
        let scene = Scene { size: USUAL, person: PERSON };
        // Nobody is there at first, and the frame without anybody is known.
        let walk =
            |time: f64| if time < 2.0 { Vec::new() } else { vec![(100 + (30.0 * (time - 2.0)) as i32, 80)] };
        watch_through(pipeline_with(model, params), &given, scene, 8.0, walk).crossings
    };
    assert_eq!(counted(false, "moving_share=0.35"), 1);
    assert_eq!(counted(false, "moving_odds=0"), 0);
    assert_eq!(
        counted(true, "moving_share=0.35"),
        0,
        "a detector that goes by movement has judged it already"
    );
}

#[test]
fn the_last_frame_of_a_file_is_detected_in_full() {
    let looks = |last_one: bool| {
        let model = Bright::new();
        let given = Arc::clone(&model.given);
        let mut pipeline = pipeline(model);
        let mut detected = false;
        // A person who stands where they were first seen is detected once a second.
        for index in 0..85 {
            let scene = Scene { size: USUAL, person: PERSON };
            let frame = Frame {
                picture: FrameImage::ready(scene.picture(&[(100, 80)])),
                index,
                time: index as f64 / 25.0,
                captured: std::time::Instant::now(),
                stream_size: (USUAL.0 as u32, USUAL.1 as u32),
                last: last_one && index == 84,
            };
            detected = pipeline.frame(&frame).unwrap().detected;
        }
        let given = given.lock().clone();
        (detected, given)
    };
    let (detected, before) = looks(false);
    assert!(!detected);
    let (detected, given) = looks(true);
    assert!(detected);
    assert_eq!((given.len(), given.last()), (before.len() + 1, Some(&USUAL)));
}

#[test]
fn constants_of_the_cadence_reach_the_choice_of_frames() {
    let runs = |setting: &str| {
        let mut params = Params::default();
        Setting::parse(setting).unwrap().apply(&mut params).unwrap();
        let model = Bright::new();
        let given = Arc::clone(&model.given);
        let mut pipeline = pipeline_with(model, params);
        for index in 0..200 {
            let scene = Scene { size: USUAL, person: PERSON };
            let frame = Frame {
                picture: FrameImage::ready(scene.picture(&[(100, 80)])),
                index,
                time: index as f64 / 25.0,
                captured: std::time::Instant::now(),
                stream_size: (USUAL.0 as u32, USUAL.1 as u32),
                last: false,
            };
            pipeline.frame(&frame).unwrap();
        }
        given.lock().len()
    };
    let usual = runs("rate_still=1");
    assert!(runs("rate_still=5") >= usual + 20, "four more runs in each of six seconds");
    assert!(runs("rate_start=5") + 8 <= usual, "five less in each of the two seconds at the start");
}
