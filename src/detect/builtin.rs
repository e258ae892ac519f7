//! The model inside the program: this project's own network, trained by `models/train`.

use super::{DetectError, load, network::Network};
use crate::config::{EngineChoice, ModelConfig, ModelFormat};

/// Its card is `models/README.md`.
const PERSON: &[u8] = include_bytes!("../../models/person.onnx");

/// The embedded model, with the engine asked for or the best there is.
///
/// # Errors
/// When no engine can run it.
pub(super) fn open(engine: EngineChoice, contexts: usize) -> Result<Network, DetectError> {
    let config = ModelConfig {
        format: ModelFormat::Pcount,
        model: "builtin".into(),
        prototxt: None,
        input: None,
        confidence: None,
        engine,
    };
    load::open_embedded(&config, PERSON, contexts)
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::detect::{Model, ort};

    #[test]
    fn the_card_describes_the_weights_that_are_embedded() {
        let card = include_str!("../../models/README.md");
        let sum = Sha256::digest(PERSON).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert!(card.contains(&sum), "models/README.md does not name the SHA-256 {sum}");
        assert!(PERSON.len() <= 6_000_000, "{} bytes", PERSON.len());
    }

    #[test]
    fn it_runs_without_any_file_or_library() {
        let network = open(EngineChoice::OpenCv, 1).unwrap();
        assert_eq!(network.info().name, "builtin");
        // Landscape, square and upright pictures: the input size follows the picture.
        for (width, height) in [(320, 192), (320, 320), (192, 352)] {
            let input = pattern(width, height);
            let sum = network.try_raw(&input, (width, height));
            assert!(sum.is_finite() && sum > 0.0);
        }
    }

    #[test]
    fn both_engines_compute_the_same() {
        if ort::runtime().is_err() {
            eprintln!("skipped: no ONNX Runtime library here");
            return;
        }
        let sums = [EngineChoice::OpenCv, EngineChoice::OnnxRuntime]
            .map(|engine| open(engine, 1).unwrap().try_raw(&pattern(416, 256), (416, 256)));
        assert!((sums[0] / sums[1] - 1.0).abs() < 1e-4, "{sums:?}");
    }

    /// A raw input without people, different at every value.
    fn pattern(width: u32, height: u32) -> Vec<f32> {
        let value = move |c: u32, y: u32, x: u32| ((31 * c + 17 * y + 7 * x) % 255) as f32;
        (0..3).flat_map(|c| (0..height).flat_map(move |y| (0..width).map(move |x| value(c, y, x)))).collect()
    }
}
