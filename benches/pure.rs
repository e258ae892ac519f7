//! Cost of what happens to a frame besides decoding and detection: `cargo bench --bench pure`. Needs no file.

#![allow(clippy::expect_used, reason = "a bench has nobody to report to")]

use std::{hint::black_box, time::Duration};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use opencv::core::{CV_8UC1, CV_8UC3, Mat, Scalar, randu};
use pcount::{
    count::{CountParams, Counter, LineCounter},
    geometry::{Anchor, BBox},
    internals::{
        cadence::{CadenceParams, flow::OpticalFlow, gate::MotionGate},
        source::image::FrameImage,
    },
    model::{Detection, LineConfig},
    track::{MotionTracker, TrackParams, TrackUpdate, Tracker},
};

/// Pictures a second that are looked at.
const RATE: f64 = 10.0;

/// Width over height of the picture.
const ASPECT: f32 = 16.0 / 9.0;

/// The people of picture `index`: rows of them walk to and fro.
fn crowd(people: usize, index: u32) -> Vec<Detection> {
    let time = f64::from(index) / RATE;
    (0..people)
        .map(|i| {
            let phase = ((time / 8.0 + i as f64 * 0.37).fract() * 2.0 - 1.0).abs() as f32;
            let row = (i / 10) as f32 * 0.15;
            let bbox = BBox::new((i % 10) as f32 * 0.17, row + 0.4 * phase, 0.05, 0.14);
            Detection { bbox, score: 0.8 }
        })
        .collect()
}

fn line(index: usize) -> LineConfig {
    let y = 0.1 + 0.1 * index as f32;
    LineConfig { name: format!("line {index}"), a: [0.0, y], b: [1.0, y], anchor: Anchor::Center }
}

/// What the tracker says of ten seconds.
fn updates(people: usize) -> Vec<(f64, TrackUpdate)> {
    let mut tracker = MotionTracker::new(0.4, TrackParams::default());
    let times = (0..100).map(|index| (index, f64::from(index) / RATE));
    times.map(|(index, time)| (time, tracker.update(time, &crowd(people, index)))).collect()
}

fn track(bench: &mut Criterion) {
    for people in [5, 50] {
        let pictures: Vec<_> = (0..100).map(|index| crowd(people, index)).collect();
        bench.bench_function(&format!("track 100 pictures of {people} people"), |b| {
            b.iter_batched_ref(
                || MotionTracker::new(0.4, TrackParams::default()),
                |tracker| {
                    for (index, detections) in pictures.iter().enumerate() {
                        black_box(tracker.update(index as f64 / RATE, detections));
                    }
                },
                BatchSize::SmallInput,
            );
        });
    }
}

fn count(bench: &mut Criterion) {
    for (people, lines) in [(5, 1), (50, 8)] {
        let updates = updates(people);
        let lines: Vec<_> = (0..lines).map(line).collect();
        bench.bench_function(&format!("count 100 pictures of {people} people, {} lines", lines.len()), |b| {
            b.iter_batched_ref(
                || LineCounter::new(&lines, &[], ASPECT, CountParams::default()),
                |counter| {
                    for (time, update) in &updates {
                        black_box(counter.update(*time, update));
                    }
                },
                BatchSize::SmallInput,
            );
        });
    }
}

fn gate(bench: &mut Criterion) {
    for (width, height) in [(416, 234), (384, 288)] {
        let pictures: Vec<FrameImage> = (0..8)
            .map(|_| {
                let mut image = Mat::new_rows_cols_with_default(height, width, CV_8UC3, Scalar::all(0.0))
                    .expect("a picture");
                randu(&mut image, &Scalar::all(90.0), &Scalar::all(100.0)).expect("noise");
                FrameImage::ready(image)
            })
            .collect();
        bench.bench_function(&format!("gate {width}x{height}"), |b| {
            let (mut gate, mut index) = (MotionGate::new(CadenceParams::DEFAULT), 0_usize);
            b.iter(|| {
                index += 1;
                black_box(gate.observe(&pictures[index % pictures.len()], index as f64 / RATE).any())
            });
        });
    }
}

fn follow(bench: &mut Criterion) {
    let mut picture =
        Mat::new_rows_cols_with_default(117, 208, CV_8UC1, Scalar::all(0.0)).expect("a picture");
    randu(&mut picture, &Scalar::all(40.0), &Scalar::all(200.0)).expect("noise");
    for people in [1, 5] {
        let boxes: Vec<BBox> =
            (0..people).map(|person| BBox::new(0.1 + 0.3 * person as f32, 0.3, 0.15, 0.4)).collect();
        bench.bench_function(&format!("follow {people} people"), |b| {
            let mut flow = OpticalFlow::new(CadenceParams::DEFAULT);
            b.iter(|| black_box(flow.follow(&picture, &boxes).iter().flatten().count()));
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(2));
    targets = track, count, gate, follow
}
criterion_main!(benches);
