//! Cost of detection: `PCOUNT_SHARED=DIR cargo bench --bench detect`, where `DIR/models` holds model files.
//!
//! The stages by themselves need no file. Whole detections are measured for each model and engine found, at
//! 416x256 where the network takes any size, on a picture that is at working size already.

#![allow(clippy::expect_used, reason = "a bench has nobody to report to")]

use std::{hint::black_box, path::PathBuf, time::Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use opencv::core::{CV_8UC3, Mat, Scalar, randu};
use pcount::{
    config::{DetectorChoice, EngineChoice, ModelConfig, ModelFolders, ModelFormat},
    internals::{
        detect::{self, bench as stages, registry::KNOWN_MODELS},
        source::{Frame, image::FrameImage},
    },
};

fn noise(width: i32, height: i32) -> Mat {
    let mut image =
        Mat::new_rows_cols_with_default(height, width, CV_8UC3, Scalar::all(0.0)).expect("a picture");
    randu(&mut image, &Scalar::all(0.0), &Scalar::all(255.0)).expect("noise");
    image
}

fn frame(width: i32, height: i32) -> Frame {
    Frame {
        picture: FrameImage::ready(noise(width, height)),
        index: 0,
        time: 0.0,
        captured: Instant::now(),
        stream_size: (width as u32, height as u32),
        last: false,
    }
}

fn pure_stages(bench: &mut Criterion) {
    let forms = [("", stages::Prepare::new(ModelFormat::Rtmdet)), (", bytes", stages::Prepare::windows())];
    for (form, mut prepare) in forms {
        for (name, image) in [("at working size", noise(416, 234)), ("from 1280x720", noise(1280, 720))] {
            bench.bench_function(&format!("prepare 416x256 {name}{form}"), |b| {
                b.iter(|| black_box(prepare.run(&image).expect("prepared")));
            });
        }
    }
    // 416x256: 2184 cells; nobody, and a crowd of 400 candidates.
    for (name, every) in [("empty", usize::MAX), ("crowd", 5)] {
        let output: Vec<f32> = (0..2184)
            .flat_map(|i| [if i % every == 0 && i > 0 { 0.5 } else { -6.0 }, 10.0, 20.0, 10.0, 20.0])
            .collect();
        bench.bench_function(&format!("decode and suppress, {name}"), |b| {
            b.iter(|| black_box(stages::read(ModelFormat::Rtmdet, &output, (416, 256))));
        });
    }
}

fn whole_detections(bench: &mut Criterion) {
    let Some(models) = std::env::var_os("PCOUNT_SHARED").map(|shared| PathBuf::from(shared).join("models"))
    else {
        eprintln!("skipped: PCOUNT_SHARED is not set");
        return;
    };
    let picture = frame(416, 234);
    for known in KNOWN_MODELS.iter().filter(|known| models.join(known.weights.name).exists()) {
        for engine in [EngineChoice::OnnxRuntime, EngineChoice::OpenCv] {
            let choice = DetectorChoice::Model(ModelConfig {
                format: known.format,
                model: models.join(known.weights.name),
                prototxt: known.prototxt.map(|file| models.join(file.name)),
                input: None,
                confidence: None,
                engine,
            });
            match detect::load(&choice, &ModelFolders::default(), 1, EngineChoice::Auto) {
                Ok(model) => {
                    let mut detector = model.detector();
                    bench.bench_function(&format!("{} {}", known.name, model.info().engine), |b| {
                        b.iter(|| black_box(detector.detect(&picture).expect("detected").len()));
                    });
                }
                Err(error) => eprintln!("skipped: {error}"),
            }
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).warm_up_time(std::time::Duration::from_secs(1))
        .measurement_time(std::time::Duration::from_secs(3));
    targets = pure_stages, whole_detections
}
criterion_main!(benches);
