//! Networks run by ONNX Runtime, whose library is found and loaded while the program runs.
//!
//! [`library`] says where it is searched. ONNX Runtime lets sessions be run by one thread at a time through
//! `ort`, so each context has a session of its own, of one thread: several sessions with threads of their own
//! spin against each other.
//!
//! Graph optimisation stays at its highest level: without its layout change RTMDet-nano takes twice as long.
//! Tried on version 1.32 at 416x256 and within the noise, hence left alone: flushing denormals to zero, fixing
//! the input size, weights outside the arena, no arena, no memory pattern, no prepacking. A context costs about
//! 10 MiB beside the file; in OpenCV 18.

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use ort::{
    environment::Environment,
    logging::LogLevel,
    session::{Session, builder::GraphOptimizationLevel},
    value::TensorRef,
};

use super::{
    DetectError,
    pool::{Backend, Context, ReadOutput},
    preprocess::{Input, WINDOW},
};

pub(super) mod library;

const ENGINE: &str = "ONNX Runtime";

/// The runtime, once its library is loaded.
pub(super) struct Runtime {
    environment: Environment,
    /// The library.
    pub(super) path: PathBuf,
    /// Such as `1.32.0`, when the library says.
    pub(super) version: Option<String>,
    /// Libraries that were found and not used, a sentence each.
    pub(super) refused: Vec<String>,
}

/// The runtime of this process; the library is searched once.
///
/// # Errors
/// Why no library could be used, in one sentence.
pub(super) fn runtime() -> Result<&'static Runtime, DetectError> {
    // `ort` allows one environment a process.
    static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        // `ort` asserts where a library misbehaves; that must not take the program down.
        std::panic::catch_unwind(start).unwrap_or_else(|_| Err("its library cannot be used".into()))
    });
    runtime.as_ref().map_err(|problem| DetectError::Engine { engine: ENGINE, problem: problem.clone() })
}

fn start() -> Result<Runtime, String> {
    let loaded = library::load()?;
    for refused in &loaded.refused {
        tracing::warn!("ONNX Runtime: {refused}");
    }
    let environment = loaded
        .builder
        .with_name("pcount-tui")
        .with_telemetry(false)
        .with_logger(Arc::new(|level, category: &str, _: &str, _: &str, message: &str| {
            log(level, category, message);
        }))
        .build()
        .map_err(|error| one_line(&error))?;
    environment.set_log_level(LogLevel::Warning);
    let version = loaded.version.as_deref().unwrap_or("?");
    tracing::info!("ONNX Runtime {version} from '{}'", loaded.path.display());
    Ok(Runtime { environment, path: loaded.path, version: loaded.version, refused: loaded.refused })
}

/// ONNX Runtime would write to standard error, over the screen.
fn log(level: LogLevel, category: &str, message: &str) {
    let message = one_line(&message);
    match level {
        LogLevel::Error | LogLevel::Fatal => tracing::warn!("ONNX Runtime ({category}): {message}"),
        _ => tracing::debug!("ONNX Runtime ({category}): {message}"),
    }
}

/// Messages quote names out of the file, which may hold anything.
fn one_line(error: &impl std::fmt::Display) -> String {
    let text: String = error.to_string().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A network in memory, ready to be made into sessions.
pub(super) struct OrtBackend {
    pub(super) runtime: &'static Runtime,
    /// What errors name.
    pub(super) path: String,
    /// The ONNX file, its input size open where the network takes any.
    pub(super) bytes: Vec<u8>,
}

impl OrtBackend {
    fn session(&self) -> Result<Session, ort::Error> {
        Session::builder(&self.runtime.environment)?
            .with_intra_threads(1)?
            .with_inter_threads(1)?
            .with_parallel_execution(false)?
            .with_optimization_level(GraphOptimizationLevel::All)?
            // A second guard beside `onnx::weigh`, known to newer versions only.
            .with_config_entry("optimization.constant_folding_max_output_size_in_bytes", "268435456")?
            .commit_from_memory(&self.bytes)
    }
}

impl Backend for OrtBackend {
    fn context(&self) -> Result<Box<dyn Context>, DetectError> {
        let session = self.session().map_err(|error| DetectError::Model {
            path: self.path.clone(),
            problem: format!("cannot be loaded by ONNX Runtime: {}", one_line(&error)),
        })?;
        Ok(Box::new(OrtContext { session, path: self.path.clone() }))
    }
}

struct OrtContext {
    session: Session,
    path: String,
}

impl Context for OrtContext {
    fn run(&mut self, input: Input<'_>, size: (u32, u32), read: ReadOutput<'_>) -> Result<(), DetectError> {
        let mut run = |session: &mut Session| -> Result<(), ort::Error> {
            let (width, height) = (i64::from(size.0), i64::from(size.1));
            let outputs = match input {
                Input::Planes(values) => {
                    let tensor = TensorRef::from_array_view(([1, 3, height, width], values))?;
                    session.run(ort::inputs![tensor])?
                }
                Input::Windows(bytes) => {
                    let shape = [1, height / 2, width / 2, WINDOW as i64];
                    session.run(ort::inputs![TensorRef::from_array_view((shape, bytes))?])?
                }
            };
            let (shape, data) = outputs[0].try_extract_tensor::<f32>()?;
            read(shape, data);
            Ok(())
        };
        run(&mut self.session).map_err(|error| DetectError::Model {
            path: self.path.clone(),
            problem: format!("cannot be run by ONNX Runtime on {}x{}: {}", size.0, size.1, one_line(&error)),
        })
    }
}
