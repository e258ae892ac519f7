//! The whole way of a frame, from drawn pictures to counts, against the truth of the demo scenes.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

use std::path::Path;

use pcount::{
    config::{Config, DemoSpec, Overrides, SourceConfig, SourceSpec},
    count::{CountEvent, CountParams, counter_for},
    internals::{
        detect::background,
        source::{FrameSource as _, demo::Demo},
    },
    model::{Direction, LineConfig, SourceKind},
    track::{TrackParams, tracker_for},
};

/// Counts (in, out) of the default line by what the `motion` detector sees of `scene`.
fn counted(scene: &str) -> (u64, u64) {
    count(scene, &LineConfig::default(), |_| {})
}

/// The same of `line`; `each` hears of every Current.
fn count(scene: &str, line: &LineConfig, mut each: impl FnMut(i64)) -> (u64, u64) {
    let spec: DemoSpec = scene.parse().unwrap();
    let spec_of = SourceSpec::Demo(scene.into());
    let config =
        SourceConfig { lines: vec![line.clone()], ..SourceConfig::new("demo", SourceKind::Video, spec_of) };
    let mut source = Demo::new(&spec, SourceKind::Video)
        .source(std::sync::Arc::new(pcount::internals::clock::SystemClock))
        .unwrap();
    let model = background::model();
    let aspect = spec.size.0 as f32 / spec.size.1 as f32;
    let mut detector = model.detector();
    let mut tracker = tracker_for(&config, aspect, model.info().confidence, &TrackParams::DEFAULT);
    let mut counter = counter_for(&config, aspect, &CountParams::DEFAULT);
    let (mut ins, mut outs) = (0, 0);
    let mut grabbed = 0;
    while source.grab().unwrap() {
        // Every second frame, as a camera of 25 frames a second is looked at.
        grabbed += 1;
        if grabbed % 2 == 0 {
            continue;
        }
        let frame = source.retrieve(&|width, height| model.working_size(width, height)).unwrap();
        let detections = detector.detect(&frame).unwrap();
        let tracks = tracker.update(frame.time, &detections);
        for event in counter.update(frame.time, &tracks) {
            match event {
                CountEvent::Crossing(crossing) if crossing.direction == Direction::In => ins += 1,
                CountEvent::Crossing(_) => outs += 1,
                CountEvent::Suppressed(..) => {}
            }
            each(ins as i64 - outs as i64);
        }
    }
    (ins, outs)
}

/// The least and the most that Current is by what the `motion` detector sees of `scene`, and the crossings.
fn band(scene: &str, line: &LineConfig) -> (i64, i64, u64) {
    let (mut least, mut most) = (0, 0);
    let (ins, outs) = count(scene, line, |current| (least, most) = (current.min(least), current.max(most)));
    (least, most, ins + outs)
}

fn truth(scene: &str) -> (u64, u64) {
    let spec: DemoSpec = scene.parse().unwrap();
    Demo::new(&spec, SourceKind::Video).truth(&[LineConfig::default()], u64::MAX)[0]
}

#[test]
fn demo_scenes_are_counted_exactly() {
    let mut wrong = Vec::new();
    for name in ["lobby", "street", "corridor", "plaza"] {
        for seed in 1..=3 {
            let scene = format!("{name}?seed={seed}&seconds=60");
            let (counted, truth) = (counted(&scene), truth(&scene));
            println!("{scene}: counted {counted:?}, true {truth:?}");
            if counted != truth {
                wrong.push(scene);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn current_of_the_shipped_example_stays_in_a_small_band() {
    let config = Config::load(Path::new("config_example.json"), &Overrides::default()).unwrap();
    let scenes = config.sources.iter().filter(|source| source.enabled && source.kind == SourceKind::Camera);
    let mut seen = 0;
    for source in scenes {
        let SourceSpec::Demo(scene) = &source.source else { panic!("{} is no scene", source.id) };
        let (least, most, crossings) = band(&format!("{scene}&seconds=420"), &source.lines[0]);
        println!("{}: {least}..={most}, {crossings} crossings", source.id);
        assert!(crossings > 30, "{}: {crossings}", source.id);
        assert!(least >= -4 && most <= 12, "{}: {least} to {most}", source.id);
        seen += 1;
    }
    assert!(seen >= 3, "{seen}");
}
