//! Damaged model files: each gives one sentence, none a crash.

use std::fs;

use super::{
    tests::{config, engines, shared, there},
    *,
};
use crate::detect::{
    choose::in_folder,
    registry::{KNOWN_MODELS, KnownModel},
};

/// The `xorshift64*` generator: the same damage on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound
    }
}

/// `bytes` damaged in a way that depends on `seed` only.
fn damaged(bytes: &[u8], seed: u64) -> Vec<u8> {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut bytes = bytes.to_vec();
    // The graph and the names lie between the weights; half of the damage goes to either end.
    let at = |random: &mut Random, length: usize| match random.below(4) {
        0 => random.below(length.min(4096)),
        1 => length - 1 - random.below(length.min(20_000)),
        _ => random.below(length),
    };
    match seed % 5 {
        0 => bytes.truncate(at(&mut random, bytes.len())),
        1 => {
            for _ in 0..=random.below(3) {
                let at = at(&mut random, bytes.len());
                bytes[at] ^= 1 << random.below(8);
            }
        }
        2 => {
            let from = at(&mut random, bytes.len());
            let to = (from + 1 + random.below(64)).min(bytes.len());
            bytes[from..to].fill(if random.below(2) == 0 { 0 } else { 0xff });
        }
        3 => {
            let from = at(&mut random, bytes.len());
            let to = (from + 1 + random.below(64)).min(bytes.len());
            bytes.drain(from..to);
        }
        _ => {
            let from = at(&mut random, bytes.len());
            let noise: Vec<_> = (0..=random.below(64)).map(|_| random.below(256) as u8).collect();
            bytes.splice(from..from, noise);
        }
    }
    bytes
}

/// Loads what `seed` makes of a model, with an engine that can run it; `Err` is the sentence.
fn load_damaged(known: &KnownModel, shared: &Path, engine: EngineChoice, seed: u64) -> Result<(), String> {
    let whole = config(known, shared, engine);
    let folder = tempfile::tempdir().unwrap();
    // Not a known name, so that the damage is not found by the hash.
    let damage = |path: &Path, name: &str, seed: Option<u64>| {
        let bytes = fs::read(path).unwrap();
        let to = folder.path().join(name);
        fs::write(&to, seed.map_or_else(|| bytes.clone(), |seed| damaged(&bytes, seed))).unwrap();
        to
    };
    // Of two files, either is damaged.
    let description_too = whole.prototxt.is_some() && (seed / 5).is_multiple_of(2);
    let damaged = ModelConfig {
        model: damage(&whole.model, "own.onnx", (!description_too).then_some(seed)),
        prototxt: whole
            .prototxt
            .as_ref()
            .map(|path| damage(path, "own.prototxt", description_too.then_some(seed))),
        ..whole
    };
    open(&damaged, Owner::Anybody, 1).map(drop).map_err(|error| error.to_string())
}

/// To look for crashes among many seeds: `PCOUNT_DAMAGE=model:engine:from..to`, one process a range.
#[test]
#[ignore = "a search by hand; a crash of native code ends the whole process"]
fn search() {
    let Some(shared) = shared() else { return };
    let range = std::env::var("PCOUNT_DAMAGE").unwrap();
    let (name, rest) = range.split_once(':').unwrap();
    let (engine, seeds) = rest.split_once(':').unwrap();
    let (from, to) = seeds.split_once("..").unwrap();
    let engine = if engine == "ort" { EngineChoice::OnnxRuntime } else { EngineChoice::OpenCv };
    let known = KNOWN_MODELS.iter().find(|known| known.name == name).unwrap();
    for seed in from.parse().unwrap()..to.parse().unwrap() {
        eprint!("seed {seed}: ");
        eprintln!("{:?}", load_damaged(known, &shared, engine, seed));
    }
}

#[track_caller]
fn assert_refused(config: &ModelConfig, expected: &str) {
    let error = open(config, Owner::Anybody, 1).err().map(|error| error.to_string()).unwrap();
    let error = error.replace(config.model.parent().unwrap().to_str().unwrap(), "..");
    assert_eq!(error, expected);
}

#[test]
fn files_that_are_no_models_are_called_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let config = |name: &str, content: &[u8]| {
        fs::write(folder.path().join(name), content).unwrap();
        ModelConfig { model: folder.path().join(name), ..in_folder(&KNOWN_MODELS[0], folder.path()) }
    };
    for (content, says) in [
        (&b""[..], "is empty"),
        (b"  <!DOCTYPE html><html>", "is a web page, not a model"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:..", "is a Git LFS pointer, not a model"),
        (
            b"PK\x03\x04....",
            "is a ZIP archive (unpack it, or export a PyTorch checkpoint to ONNX), not a model",
        ),
        (&[0; 5000], "is a run of zeros, not a model"),
        (b"hello", "is no whole ONNX model: a part is of the unknown kind 4"),
        (b"\x08\x07", "is no ONNX model: it has no graph"),
        (b"\x3a\x00", "is no usable ONNX model: it has 0 inputs, but a detector has one image"),
    ] {
        assert_refused(&config("own.onnx", content), &format!("model '../own.onnx' {says}"));
    }
    assert_refused(
        &config("rtmdet_nano_person.onnx", b"cut"),
        "model '../rtmdet_nano_person.onnx' is cut off: expected 3988974 bytes, found 3",
    );
    let nothing = ModelConfig { model: folder.path().join("none.onnx"), ..config("x", b"") };
    assert_refused(&nothing, "model '../none.onnx' does not exist");
    fs::create_dir(folder.path().join("dir.onnx")).unwrap();
    let directory = ModelConfig { model: folder.path().join("dir.onnx"), ..config("x", b"") };
    assert_refused(&directory, "model '../dir.onnx' is a folder, but a file is needed");
    let no_prototxt = ModelConfig { format: ModelFormat::CaffeSsd, ..config("x.caffemodel", b"\x12\x00") };
    assert_refused(
        &no_prototxt,
        "model '../x.caffemodel' needs its network description: name the .prototxt file too",
    );
}

#[test]
fn models_of_another_format_are_refused_with_both_shapes() {
    let Some(shared) = shared() else { return };
    let known = |name: &str| KNOWN_MODELS.iter().find(|known| known.name == name).unwrap();
    for engine in engines(ModelFormat::Rtmdet) {
        let yolox = config(known("yolox_nano_person"), &shared, engine);
        assert_refused(
            &ModelConfig { format: ModelFormat::Rtmdet, ..yolox },
            "model '../yolox_nano_person.onnx' does not fit the format 'rtmdet'; a trial run says: its output for a 416x416 \
             input is [1, 3549, 6], but the format has [1, 3549, 5]",
        );
        let ssd = config(known("person_detection_0200"), &shared, engine);
        assert_refused(
            &ModelConfig { format: ModelFormat::Yolox, ..ssd.clone() },
            "model '../person_detection_0200.onnx' does not fit the format 'yolox'; a trial run says: its scores are not all \
             between 0 and 1",
        );
        assert_refused(
            &ModelConfig { input: Some((320, 320)), ..ssd },
            "model '../person_detection_0200.onnx' takes only input of 256x256, but 'input' asks for 320x320",
        );
    }
    let caffe = config(known("person_ssd_dropin"), &shared, EngineChoice::Auto);
    assert_refused(
        &ModelConfig { engine: EngineChoice::OnnxRuntime, ..caffe.clone() },
        "model '../person_ssd_dropin.caffemodel' is a Caffe model, which ONNX Runtime cannot run; use the \
         engine 'opencv' or 'auto'",
    );
    let swapped =
        ModelConfig { model: caffe.prototxt.clone().unwrap(), prototxt: Some(caffe.model.clone()), ..caffe };
    assert_refused(
        &swapped,
        "model '../person_ssd_dropin.caffemodel' is no network description: it is not text (are the two files \
         swapped?)",
    );
}

#[test]
fn damaged_files_are_refused_or_run_and_never_crash() {
    let Some(shared) = shared() else { return };
    let mut refused = 0;
    for known in there(&shared).into_iter().filter(|known| !known.name.ends_with("_dyn")) {
        for engine in engines(known.format) {
            for seed in 0..20 {
                if let Err(sentence) = load_damaged(known, &shared, engine, seed) {
                    refused += 1;
                    let what = format!("{} {engine:?} seed {seed}: {sentence}", known.name);
                    assert!(sentence.starts_with("model '"), "{what}");
                    assert!(!sentence.contains('\n') && sentence.len() < 600, "{what}");
                }
            }
        }
    }
    assert!(refused > 5, "{refused} were refused");
}

/// With the model that is in the project, and so always there.
#[test]
fn damage_to_the_own_model_is_refused_or_runs_and_never_crashes() {
    let folder = tempfile::tempdir().unwrap();
    let own = include_bytes!("../../../models/person.onnx");
    let mut refused = 0;
    for engine in engines(ModelFormat::Pcount) {
        for seed in 0..20 {
            let config = ModelConfig {
                format: ModelFormat::Pcount,
                model: folder.path().join("own.onnx"),
                engine,
                ..in_folder(&KNOWN_MODELS[0], folder.path())
            };
            fs::write(&config.model, damaged(own, seed)).unwrap();
            if let Err(error) = open(&config, Owner::Anybody, 1) {
                refused += 1;
                let (sentence, what) = (error.to_string(), format!("{engine:?} seed {seed}: {error}"));
                assert!(sentence.starts_with("model '"), "{what}");
                assert!(!sentence.contains('\n') && sentence.len() < 600, "{what}");
            }
        }
    }
    assert!(refused > 5, "{refused} were refused");
}

#[test]
fn descriptions_that_ask_for_too_much_are_refused_before_it_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |description: &str, weights: &[u8], says: &str| {
        let at = |name: &str, content: &[u8]| {
            fs::write(folder.path().join(name), content).unwrap();
            folder.path().join(name)
        };
        let config = ModelConfig {
            format: ModelFormat::CaffeSsd,
            model: at("own.caffemodel", weights),
            prototxt: Some(at("own.prototxt", description.as_bytes())),
            ..in_folder(&KNOWN_MODELS[0], folder.path())
        };
        let problem = open(&config, Owner::Anybody, 1).err().unwrap().to_string();
        assert!(problem.contains(says), "{problem}");
    };
    let layers = |layer: &str| {
        format!(
            "input: \"data\" input_shape {{ dim: 1 dim: 3 dim: 300 dim: 300 }} # DetectionOutput\n{layer}"
        )
    };
    // NetParameter { layer { name: "p" } }
    let weights = b"\xa2\x06\x03\x0a\x01p";
    let join = |name: &str, of: &str| {
        let bottoms = format!("bottom: \"{of}\" ").repeat(32);
        format!("layer {{ name: \"{name}\" type: \"Concat\" {bottoms} top: \"{name}\" }}\n")
    };
    let joined = layers(&format!("{}{}", join("a", "data"), join("p", "a")));
    refused(&joined, weights, "is refused: its layers hold more than 268435456 values");
    let pool = |pad: &str| {
        layers(&format!(
            "layer {{ name: \"p\" type: \"Pooling\" bottom: \"data\" top: \"p\" pooling_param {{ pad: {pad} }} }}"
        ))
    };
    refused(&pool("4000000000"), weights, "is refused: its number 4000000000 is more than 100000");
    refused(&pool("0xfffffff"), weights, "is refused: its number 0xfffffff is more than");
    refused(&layers(&"layer { ".repeat(5000)), weights, "is refused: it is nested more than 32 levels deep");
    // A blob { shape { dim: 2^40 } } without values: BlobProto.shape is 7, LayerParameter.blobs 7.
    let blob = b"\x3a\x08\x0a\x06\x80\x80\x80\x80\x80\x20";
    let layer = [&b"\x0a\x01p\x3a"[..], &[blob.len() as u8], blob].concat();
    let huge = [&b"\xa2\x06"[..], &[layer.len() as u8], &layer].concat();
    refused(&pool("1"), &huge, "a blob promises 1099511627776 values, which it does not hold");
}
