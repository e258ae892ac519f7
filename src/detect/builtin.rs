//! The model inside the program: this project's own network, trained by `models/train`.
//!
//! It is there twice: as it was trained, which every engine runs, and with input, weights and activations of eight bits. ONNX Runtime
//! runs that form faster where the processor has instructions for it; without them it was not measured.

use super::{DetectError, load, network::Network, ort};
use crate::config::{BuiltinConfig, EngineChoice, ModelConfig, ModelFormat};

/// Its card is `models/README.md`.
const PERSON: &[u8] = include_bytes!("../../models/person.onnx");

/// The same in eight bits.
const PERSON_INT8: &[u8] = include_bytes!("../../models/person_int8.onnx");

/// The embedded model as `config` wants it; `engine` runs it where `config` leaves that open.
///
/// # Errors
/// When no engine can run it.
pub(super) fn open(
    config: &BuiltinConfig,
    engine: EngineChoice,
    contexts: usize,
) -> Result<Network, DetectError> {
    let engine = if config.engine == EngineChoice::Auto { engine } else { config.engine };
    if engine != EngineChoice::OpenCv && multiplies_bytes() && ort::runtime().is_ok() {
        match load::open_windows(&form(config, EngineChoice::OnnxRuntime), PERSON_INT8, contexts) {
            Ok(network) => return Ok(network),
            Err(error) => tracing::warn!("{error}; the embedded model runs in its larger form"),
        }
    }
    load::open_embedded(&form(config, engine), PERSON, contexts)
}

/// Whether the processor has instructions for the sums of products of bytes (VNNI).
fn multiplies_bytes() -> bool {
    #[cfg(target_arch = "x86_64")]
    let found = is_x86_feature_detected!("avx512vnni") || is_x86_feature_detected!("avxvnni");
    #[cfg(not(target_arch = "x86_64"))]
    let found = false;
    found
}

fn form(config: &BuiltinConfig, engine: EngineChoice) -> ModelConfig {
    ModelConfig {
        format: ModelFormat::Pcount,
        model: "builtin".into(),
        prototxt: None,
        input: config.input,
        confidence: config.confidence,
        engine,
    }
}

#[cfg(test)]
mod tests {
    use opencv::core::{CV_8UC3, Mat, MatTraitManual as _, Scalar, Vec3b};
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::detect::Model;

    #[test]
    fn the_card_describes_the_weights_that_are_embedded() {
        let card = include_str!("../../models/README.md");
        for form in [PERSON, PERSON_INT8] {
            let sum = Sha256::digest(form).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            assert!(card.contains(&sum), "models/README.md does not name the SHA-256 {sum}");
            assert!(form.len() <= 6_000_000, "{} bytes", form.len());
        }
    }

    #[test]
    fn it_runs_without_any_file_or_library() {
        let network = open(&BuiltinConfig::default(), EngineChoice::OpenCv, 1).unwrap();
        assert_eq!(network.info().name, "builtin");
        // Landscape, square and upright frames: the input size follows the frame.
        for size in SIZES {
            let sum = network.try_picture(&pattern(size));
            assert!(sum.is_finite() && sum > 0.0);
        }
    }

    #[test]
    fn engines_and_forms_compute_the_same() {
        if ort::runtime().is_err() {
            return crate::require::skip("onnxruntime", "there is no such library here");
        }
        let config = BuiltinConfig::default();
        let sum = |engine, size| {
            load::open_embedded(&form(&config, engine), PERSON, 1).unwrap().try_picture(&pattern(size))
        };
        for size in SIZES {
            let truth = sum(EngineChoice::OpenCv, size);
            let same = sum(EngineChoice::OnnxRuntime, size);
            assert!((same / truth - 1.0).abs() < 1e-4, "{same} is not {truth}");
            if !multiplies_bytes() {
                continue;
            }
            let bytes =
                load::open_windows(&form(&config, EngineChoice::OnnxRuntime), PERSON_INT8, 1).unwrap();
            let near = bytes.try_picture(&pattern(size));
            assert!((near / truth - 1.0).abs() < 0.05, "{near} is not about {truth}");
            let chosen =
                open(&BuiltinConfig::default(), EngineChoice::Auto, 1).unwrap().try_picture(&pattern(size));
            assert!((chosen - near).abs() < 1e-3 * near, "{chosen}: not the eight-bit form, {near}");
        }
    }

    const SIZES: [(u32, u32); 3] = [(320, 192), (320, 320), (192, 352)];

    /// A picture without people, different at every value.
    fn pattern((width, height): (u32, u32)) -> Mat {
        let mut picture =
            Mat::new_rows_cols_with_default(height as i32, width as i32, CV_8UC3, Scalar::all(0.0)).unwrap();
        for (at, pixel) in picture.data_typed_mut::<Vec3b>().unwrap().iter_mut().enumerate() {
            let (x, y) = (at as u32 % width, at as u32 / width);
            *pixel = Vec3b::from([0, 1, 2].map(|c| ((31 * c + 17 * y + 7 * x) % 255) as u8));
        }
        picture
    }
}
