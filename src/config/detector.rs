//! Which detector is used, and how it is named in the file and on the command line.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Which detector a source uses.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum DetectorChoice {
    /// The configured or found model, else the embedded one, else motion.
    #[default]
    Auto,
    /// The embedded model.
    Builtin,
    /// Background subtraction; needs no file.
    Motion,
    /// A model file.
    Model(ModelConfig),
}

/// A model file and how to run it.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelConfig {
    /// How input and output are laid out.
    pub format: ModelFormat,
    /// Weights.
    pub model: PathBuf,
    /// Network description; Caffe only.
    pub prototxt: Option<PathBuf>,
    /// Network input (width, height) in pixels; `None` chooses by the source.
    pub input: Option<(u32, u32)>,
    /// Score from which a detection is trusted, 0..=1; `None` takes the format's default.
    pub confidence: Option<f32>,
    /// What runs it.
    pub engine: EngineChoice,
}

/// Layouts of detection networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ModelFormat {
    /// RTMDet without its decoding.
    Rtmdet,
    /// YOLOX without its decoding.
    Yolox,
    /// SSD head with priors (person-detection-0200).
    SsdPrior,
    /// MobileNet-SSD in Caffe, as the original uses it.
    CaffeSsd,
}

/// What runs a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EngineChoice {
    /// ONNX Runtime where its library is found, else OpenCV.
    #[default]
    Auto,
    /// ONNX Runtime.
    OnnxRuntime,
    /// OpenCV's `dnn`.
    OpenCv,
}
