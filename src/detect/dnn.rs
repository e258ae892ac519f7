//! Networks run by OpenCV's `dnn`: ONNX, and the Caffe files of MobileNet-SSD.
//!
//! A `Net` is not safe to share, so each context has one of its own, built from the file in memory.

use std::sync::Once;

use opencv::{
    core::{self, Mat, MatTraitConst, MatTraitConstManual, Vector},
    dnn::{self, Net, NetTrait, NetTraitConst as _},
};

use super::{
    DetectError,
    pool::{Backend, Context, ReadOutput},
    preprocess::Input,
};

/// Such as `opencv 4.6.0`.
pub(super) fn engine_name() -> String {
    format!("opencv {}", opencv_version())
}

/// Such as `4.6.0`.
#[must_use]
pub fn opencv_version() -> String {
    format!("{}.{}.{}", core::CV_VERSION_MAJOR, core::CV_VERSION_MINOR, core::CV_VERSION_REVISION)
}

/// A network in memory, ready to be made into `Net`s.
pub(super) struct DnnBackend {
    /// What errors name.
    path: String,
    files: Files,
}

enum Files {
    Onnx(Vector<u8>),
    Caffe { prototxt: Vector<u8>, weights: Vector<u8> },
}

/// Most values that the layers of a network may hold for one frame: 1 GiB.
const MOST_VALUES: u64 = 1 << 28;

impl DnnBackend {
    /// An ONNX file of fixed input size.
    pub(super) fn onnx(path: String, bytes: &[u8]) -> Self {
        Self { path, files: Files::Onnx(Vector::from_slice(bytes)) }
    }

    /// A Caffe network description and its weights.
    pub(super) fn caffe(path: String, prototxt: &[u8], weights: &[u8]) -> Self {
        let files =
            Files::Caffe { prototxt: Vector::from_slice(prototxt), weights: Vector::from_slice(weights) };
        Self { path, files }
    }

    /// Checks how much the layers hold for a frame of `size` (width, height), before memory is taken for them.
    ///
    /// # Errors
    /// A part of a sentence that says what is too much.
    pub(super) fn weigh(&self, (width, height): (u32, u32)) -> Result<(), String> {
        let shape = Vector::from_slice(&[1, 3, height as i32, width as i32]);
        let mut values = 0u64;
        let mut shapes = || -> opencv::Result<bool> {
            let _quiet = Quiet::start();
            let (mut ids, mut inputs, mut outputs) = (Vector::new(), Vector::new(), Vector::new());
            self.net()?.get_layers_shapes_1(&shape, &mut ids, &mut inputs, &mut outputs)?;
            for shape in outputs.iter().flatten() {
                // More than fits has come round to a negative number.
                let Ok(dims) = shape.iter().map(u64::try_from).collect::<Result<Vec<_>, _>>() else {
                    return Ok(false);
                };
                values = values.saturating_add(dims.iter().fold(1, |all: u64, dim| all.saturating_mul(*dim)));
            }
            Ok(values <= MOST_VALUES)
        };
        match shapes() {
            Ok(true) => Ok(()),
            Ok(false) => Err(format!("is refused: its layers hold more than {MOST_VALUES} values")),
            Err(error) => Err(format!("cannot be loaded by OpenCV: {}", one_line(&error))),
        }
    }

    fn net(&self) -> opencv::Result<Net> {
        one_thread();
        let _quiet = Quiet::start();
        let mut net = match &self.files {
            Files::Onnx(bytes) => dnn::read_net_from_onnx_buffer(bytes)?,
            Files::Caffe { prototxt, weights } => dnn::read_net_from_caffe_buffer(prototxt, weights)?,
        };
        net.set_preferable_backend(dnn::DNN_BACKEND_OPENCV)?;
        net.set_preferable_target(dnn::DNN_TARGET_CPU)?;
        Ok(net)
    }
}

/// Keeps OpenCV from threads of its own, which would multiply with the workers: as many frames at once as
/// cores are faster than one frame on several.
fn one_thread() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if let Err(error) = core::set_num_threads(1) {
            tracing::warn!(
                "OpenCV cannot be limited to one thread, so its threads compete with the workers: {}",
                error.message
            );
        }
    });
}

/// Keeps OpenCV from printing what it then returns as an error too.
struct Quiet(Option<core::LogLevel>);

impl Quiet {
    fn start() -> Self {
        Self(core::set_log_level(core::LogLevel::LOG_LEVEL_SILENT).ok())
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if let Some(level) = self.0 {
            let _ = core::set_log_level(level);
        }
    }
}

impl Backend for DnnBackend {
    fn context(&self) -> Result<Box<dyn Context>, DetectError> {
        let net = self.net().map_err(|error| DetectError::Model {
            path: self.path.clone(),
            problem: format!("cannot be loaded by OpenCV: {}", one_line(&error)),
        })?;
        Ok(Box::new(DnnContext { net, output: Mat::default(), path: self.path.clone() }))
    }
}

struct DnnContext {
    net: Net,
    output: Mat,
    path: String,
}

impl DnnContext {
    fn forward(&mut self, input: &[f32], size: (u32, u32)) -> opencv::Result<(Vec<i64>, &[f32])> {
        let _quiet = self.output.empty().then(Quiet::start);
        let blob = Mat::new_nd_with_data(&[1, 3, size.1 as i32, size.0 as i32], input)?;
        self.net.set_input_def(&blob)?;
        self.net.forward_layer_def(&mut self.output)?;
        let shape = self.output.mat_size().iter().map(|n| i64::from(*n)).collect();
        // A detection layer that found nothing gives an empty matrix.
        let data = if self.output.empty() { &[] } else { self.output.data_typed::<f32>()? };
        Ok((shape, data))
    }
}

impl Context for DnnContext {
    fn run(&mut self, input: Input<'_>, size: (u32, u32), read: ReadOutput<'_>) -> Result<(), DetectError> {
        let result = match input {
            Input::Planes(values) => self.forward(values, size),
            Input::Windows(_) => Err(opencv::Error::new(core::StsBadArg, "it takes bytes")),
        };
        match result {
            Ok((shape, data)) => {
                read(&shape, data);
                Ok(())
            }
            Err(error) => Err(DetectError::Model {
                path: self.path.clone(),
                problem: format!("cannot be run by OpenCV on {}x{}: {}", size.0, size.1, one_line(&error)),
            }),
        }
    }
}

/// OpenCV's own words, which name its source files and fill several lines, in one.
fn one_line(error: &opencv::Error) -> String {
    let text: String = error.message.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    // "OpenCV(4.6.0) ./modules/dnn/src/x.cpp:1040: error: (-2:Unspecified error) the message in function 'f'"
    let text = text.split_once("error: ").map_or(text.as_str(), |(_, message)| message);
    text.trim_start_matches("> ").to_owned()
}
