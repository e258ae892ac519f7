//! With published networks, where they are beside the project (`published-models`), and with the one that is in it.

use super::*;
use crate::{
    config::{SourceConfig, SourceSpec},
    detect::{
        Model as _,
        choose::in_folder,
        registry::{KNOWN_MODELS, KnownModel},
    },
    model::{Detection, SourceKind},
    source::{Frame, Interrupt, Opener as _, SystemOpener},
};

pub(in crate::detect) fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("PCOUNT_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let there = folder.join("models").is_dir();
    if !there {
        crate::require::skip("published-models", &format!("there are none in '{}'", folder.display()));
    }
    there.then_some(folder)
}

/// The published models of `shared`.
pub(in crate::detect) fn there(shared: &Path) -> Vec<&'static KnownModel> {
    let is_there = |known: &&KnownModel| shared.join("models").join(known.weights.name).exists();
    let there: Vec<_> = KNOWN_MODELS.iter().filter(is_there).collect();
    assert!(!there.is_empty(), "no known model in '{}'", shared.display());
    there
}

/// The engines that can run `format` here.
pub(super) fn engines(format: ModelFormat) -> Vec<EngineChoice> {
    let mut engines = vec![EngineChoice::OpenCv];
    if format != ModelFormat::CaffeSsd {
        match ort::runtime() {
            Ok(_) => engines.push(EngineChoice::OnnxRuntime),
            Err(error) => crate::require::skip("onnxruntime", &error.to_string()),
        }
    }
    engines
}

pub(super) fn config(known: &KnownModel, shared: &Path, engine: EngineChoice) -> ModelConfig {
    ModelConfig { engine, ..in_folder(known, &shared.join("models")) }
}

fn read_frame(video: &Path, index: u32) -> Frame {
    let config = SourceConfig::new("golden", SourceKind::Video, SourceSpec::File(video.to_owned()));
    let mut source = SystemOpener::default().open(&config, &Interrupt::default()).unwrap();
    for _ in 0..=index {
        assert!(source.grab().unwrap());
    }
    source.retrieve(&|width, height| (width, height)).unwrap()
}

/// Detections of a frame as golden.json writes them: score and corners in pixels, best first.
fn in_pixels(detections: &[Detection], height: f32, floor: f32) -> Vec<[f32; 5]> {
    let mut rows: Vec<_> = detections
        .iter()
        .filter(|d| d.score >= floor)
        .map(|d| {
            [d.score, d.bbox.x * height, d.bbox.y * height, d.bbox.right() * height, d.bbox.bottom() * height]
        })
        .collect();
    rows.sort_by(|a, b| b[0].total_cmp(&a[0]));
    rows
}

#[test]
fn detections_are_those_measured_elsewhere() {
    let Some(shared) = shared() else { return };
    let golden: serde_json::Value =
        serde_json::from_slice(&std::fs::read(shared.join("models/golden.json")).unwrap()).unwrap();
    let frame = read_frame(
        &shared.join(golden["video"].as_str().unwrap()),
        golden["frame_index"].as_u64().unwrap() as u32,
    );
    for known in there(&shared) {
        let of = known.weights.name.replace("_dyn", "");
        let expected: Vec<Vec<f32>> =
            serde_json::from_value(golden["models"][&of]["detections"].clone()).unwrap();
        let input = match known.format {
            ModelFormat::Rtmdet => Some((320, 256)),
            ModelFormat::Yolox => Some((416, 320)),
            _ => None,
        };
        for engine in engines(known.format) {
            let what = format!("{} with {engine:?}", known.name);
            let network =
                open(&ModelConfig { input, ..config(known, &shared, engine) }, Owner::Anybody, 1).unwrap();
            let found = network.detector().detect(&frame).unwrap();
            let found = in_pixels(&found, frame.stream_size.1 as f32, 0.4);
            assert_eq!(found.len(), expected.len(), "{what}: {found:?}");
            for (found, expected) in found.iter().zip(&expected) {
                assert!((found[0] - expected[0]).abs() < 0.002, "{what}: {found:?} != {expected:?}");
                for i in 1..5 {
                    assert!((found[i] - expected[i]).abs() < 0.2, "{what}: {found:?} != {expected:?}");
                }
            }
        }
    }
}

#[test]
fn networks_compute_what_they_compute_elsewhere() {
    let Some(shared) = shared() else { return };
    // Sums of absolute outputs for the input x[c, y, x] = (31 c + 17 y + 7 x) mod 255.
    for (name, size, sum) in [
        ("rtmdet_nano_person", (320, 320), 343_802.0),
        ("rtmdet_nano_person", (320, 192), 198_306.0),
        ("rtmdet_nano_person_dyn", (320, 192), 198_306.0),
        ("yolox_nano_person", (416, 416), 17_940.6),
        ("yolox_nano_person", (416, 256), 10_796.95),
        ("yolox_nano_person_dyn", (416, 256), 10_796.95),
        ("person_detection_0200", (256, 256), 8_972.30),
    ] {
        let known = KNOWN_MODELS.iter().find(|known| known.name == name).unwrap();
        for engine in engines(known.format) {
            let network = open(&config(known, &shared, engine), Owner::Anybody, 1).unwrap();
            let (w, h) = size;
            let input: Vec<f32> = (0..3)
                .flat_map(|c| {
                    (0..h).flat_map(move |y| (0..w).map(move |x| ((31 * c + 17 * y + 7 * x) % 255) as f32))
                })
                .collect();
            let found = network.try_raw(Input::Planes(&input), (w as u32, h as u32));
            assert!((found / sum - 1.0).abs() < 1e-4, "{name} {size:?} with {engine:?}: {found} != {sum}");
        }
    }
}
