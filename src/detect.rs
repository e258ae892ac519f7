//! Finding people in one frame.
//!
//! A [`Model`] is loaded once and shared; each source gets its own [`Detector`] from it, which may keep
//! state of that source (the background of the `motion` detector) and borrows the model's inference
//! contexts, of which there are as many as workers can run at once.

use crate::{model::Detection, source::Frame};

pub mod background;
#[cfg(feature = "internals")]
pub mod bench;
mod builtin;
mod caffe;
mod choose;
mod dnn;
mod formats;
mod load;
mod network;
mod nms;
mod onnx;
mod ort;
mod pool;
mod preprocess;
pub mod registry;

pub use choose::{LoadedLibrary, load, onnx_runtime, refused};
pub use dnn::opencv_version;
pub use preprocess::MOST_ENLARGED;

/// Finds the people in the frames of one source.
pub trait Detector: Send {
    /// All detections down to the model's low threshold, after non-maximum suppression, in no order.
    ///
    /// Trackers use the low-score boxes too; see [`ModelInfo::confidence`] for the threshold above which
    /// a detection may start a track.
    ///
    /// # Errors
    /// When the inference engine fails on this frame.
    fn detect(&mut self, frame: &Frame) -> Result<Vec<Detection>, DetectError>;
}

/// What the screens and logs say of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelInfo {
    /// Such as `rtmdet_nano_person` or `motion`.
    pub name: String,
    /// Such as `onnxruntime 1.32` or `opencv 4.6`.
    pub engine: String,
    /// Score from which a detection may start a track, 0..=1.
    pub confidence: f32,
    /// Why it was chosen when the choice was automatic, or a fall-back that the user should know of.
    pub note: Option<String>,
}

/// A detection model in memory, shared by all sources that use it.
pub trait Model: Send + Sync {
    /// Name, engine and thresholds.
    fn info(&self) -> &ModelInfo;

    /// Size (width, height) in pixels to which a frame of `width` x `height` should be reduced by the
    /// capture thread. Keeps the aspect, never enlarges. The detector accepts any size; this one costs no
    /// further resize.
    fn working_size(&self, width: u32, height: u32) -> (u32, u32);

    /// Whether a frame may be reduced further when the people in it are large, and up to [`MOST_ENLARGED`] times as large
    /// when they are small: the cost falls and rises with its area.
    fn gains_from_reduction(&self) -> bool {
        false
    }

    /// Whether it needs frames at a steady rate, as background subtraction does, rather than when there is
    /// something to see.
    fn needs_steady_rate(&self) -> bool {
        false
    }

    /// A detector for one source.
    fn detector(&self) -> Box<dyn Detector>;
}

/// A model that cannot be loaded or run.
#[derive(Debug, thiserror::Error)]
pub enum DetectError {
    /// The model file is missing, truncated or of another kind.
    #[error("model '{path}' {problem}")]
    Model {
        /// File as the user gave it.
        path: String,
        /// What is wrong and what was expected, to follow `model 'path'`.
        problem: String,
    },
    /// The inference engine is not there or refuses.
    #[error("{engine}: {problem}")]
    Engine {
        /// `ONNX Runtime` or `OpenCV`.
        engine: &'static str,
        /// What it said.
        problem: String,
    },
}
