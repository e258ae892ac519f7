//! From a model file to a network that was tried out.

use std::path::{Path, PathBuf};

use super::{
    DetectError, ModelInfo, caffe,
    dnn::DnnBackend,
    formats::{self, Profile, STRIDE},
    network::Network,
    onnx,
    ort::{self, OrtBackend},
    pool::{Backend, Context},
    preprocess::{Input, InputRule, WINDOW},
    registry::{self, Content},
};
use crate::{
    config::{EngineChoice, ModelConfig, ModelFormat},
    trust::Owner,
};

pub(super) fn note(problems: &[String]) -> Option<String> {
    (!problems.is_empty()).then(|| problems.join("; "))
}

/// What is known of a model file while it is opened.
struct File {
    path: PathBuf,
    bytes: Vec<u8>,
    /// Whether its content is one that this program knows, and so not somebody's trap.
    known: bool,
}

impl File {
    fn read(path: &Path, owner: Owner) -> Result<Self, DetectError> {
        let Content { bytes, known } = registry::read(path, owner).map_err(|problem| wrong(path, problem))?;
        Ok(Self { path: path.to_owned(), bytes, known })
    }

    fn wrong(&self, problem: impl Into<String>) -> DetectError {
        wrong(&self.path, problem)
    }

    fn shown(&self) -> String {
        self.path.display().to_string()
    }
}

fn wrong(path: &Path, problem: impl Into<String>) -> DetectError {
    DetectError::Model { path: path.display().to_string(), problem: problem.into() }
}

/// A network tried out at one input size, with its first context.
type Opened = (Box<dyn Backend>, Box<dyn Context>);

/// Opens a model file, with the engine asked for or the best there is, and tries it on an empty frame.
pub(super) fn open(config: &ModelConfig, owner: Owner, contexts: usize) -> Result<Network, DetectError> {
    let weights = File::read(&config.model, owner)?;
    open_file(config, weights, owner, contexts)
}

/// The same for a model whose bytes are part of the program; `config.model` is what errors name.
pub(super) fn open_embedded(
    config: &ModelConfig,
    bytes: &[u8],
    contexts: usize,
) -> Result<Network, DetectError> {
    let weights = File { path: config.model.clone(), bytes: bytes.to_vec(), known: true };
    open_file(config, weights, Owner::Ours, contexts)
}

/// The form of the embedded model that takes windows of bytes, which ONNX Runtime alone runs; `config.model` is what errors name.
pub(super) fn open_windows(
    config: &ModelConfig,
    bytes: &[u8],
    contexts: usize,
) -> Result<Network, DetectError> {
    let runtime = ort::runtime()?;
    let path = config.model.display().to_string();
    let profile = Profile { windows: true, ..formats::profile(config.format) };
    let backend = Box::new(OrtBackend { runtime, path: path.clone(), bytes: bytes.to_vec() });
    let opened = try_out(backend, (config.format, profile), SIZES[0], &path)?;
    let info = described(config, Some(runtime), None);
    Ok(Network::new(info, path, (config.format, profile), any_size(config), opened, contexts))
}

fn open_file(
    config: &ModelConfig,
    weights: File,
    owner: Owner,
    contexts: usize,
) -> Result<Network, DetectError> {
    let mut fall_back = None;
    let engine = match config.engine {
        EngineChoice::OpenCv => None,
        EngineChoice::Auto if config.format == ModelFormat::CaffeSsd => None,
        EngineChoice::OnnxRuntime if config.format == ModelFormat::CaffeSsd => {
            return Err(weights.wrong(
                "is a Caffe model, which ONNX Runtime cannot run; use the engine 'opencv' or 'auto'",
            ));
        }
        EngineChoice::OnnxRuntime => Some(ort::runtime()?),
        EngineChoice::Auto => ort::runtime()
            .inspect_err(|error| {
                fall_back = Some(format!("{error}; OpenCV runs the model instead, several times slower"));
            })
            .ok(),
    };
    let (input, opened) = match config.format {
        ModelFormat::CaffeSsd => open_caffe(config, weights, owner)?,
        _ => open_onnx(config, weights, engine)?,
    };
    let info = described(config, engine, fall_back);
    let path = config.model.display().to_string();
    let profile = formats::profile(config.format);
    Ok(Network::new(info, path, (config.format, profile), input, opened, contexts))
}

fn described(
    config: &ModelConfig,
    engine: Option<&'static ort::Runtime>,
    fall_back: Option<String>,
) -> ModelInfo {
    ModelInfo {
        name: config.model.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        engine: match engine {
            Some(runtime) => match &runtime.version {
                Some(version) => format!("onnxruntime {version}"),
                None => "onnxruntime".into(),
            },
            None => super::dnn::engine_name(),
        },
        confidence: config.confidence.unwrap_or(formats::profile(config.format).confidence),
        note: fall_back.or_else(|| {
            note(&engine?.refused.iter().map(|r| format!("ONNX Runtime: {r}")).collect::<Vec<_>>())
        }),
    }
}

/// How the input size follows from the frame's where the network takes any.
fn any_size(config: &ModelConfig) -> InputRule {
    config.input.map_or(InputRule::Default, |(w, h)| InputRule::Within(w, h))
}

/// Sizes (width, height) at which a network that takes any is weighed, the first of which is tried out too.
const SIZES: [(u32, u32); 4] = [(3 * STRIDE, 2 * STRIDE), (13 * STRIDE, 8 * STRIDE), (640, 384), (640, 640)];

fn open_onnx(
    config: &ModelConfig,
    file: File,
    engine: Option<&'static ort::Runtime>,
) -> Result<(InputRule, Opened), DetectError> {
    let profile = formats::profile(config.format);
    let summary = onnx::inspect(&file.bytes).map_err(|problem| file.wrong(problem))?;
    if let [_, second, ..] = summary.outputs.as_slice() {
        let problem =
            format!("has a second output '{second}', but the format '{}' has one", config.format.name());
        return Err(file.wrong(problem));
    }
    let declared = summary.size.unwrap_or(profile.usual_input);
    let weigh = |size| if file.known { Ok(()) } else { onnx::weigh(&file.bytes, size) };
    weigh(declared).map_err(|problem| file.wrong(problem))?;
    let path = file.shown();
    let backend = |bytes| -> Box<dyn Backend> {
        let path = path.clone();
        match engine {
            Some(runtime) => Box::new(OrtBackend { runtime, path, bytes }),
            None => Box::new(DnnBackend::onnx(path, &bytes)),
        }
    };
    // A network can also need more for a smaller input.
    let mut sizes = SIZES.into_iter().chain(config.input).map(weigh);
    let grows = if profile.any_size { sizes.find_map(Result::err) } else { None };
    if let Some(problem) = &grows {
        tracing::debug!("only its own size {declared:?}: {problem}");
    }
    if profile.any_size && grows.is_none() {
        let bytes = match (engine, summary.size) {
            // OpenCV loads only networks of a fixed size, and then runs them at any.
            (None, Some(_)) => file.bytes.clone(),
            (None, None) => onnx::with_size(&file.bytes, Some(declared)).map_err(|p| file.wrong(p))?,
            (Some(_), _) => onnx::with_size(&file.bytes, None).map_err(|p| file.wrong(p))?,
        };
        // Neither the declared size nor a square: shows whether the size really is free.
        match try_out(backend(bytes), (config.format, profile), SIZES[0], &path) {
            Ok(opened) => return Ok((any_size(config), opened)),
            Err(error) if summary.size.is_none() => return Err(error),
            Err(error) => tracing::debug!("only its own size {declared:?}: {error}"),
        }
    }
    if let Some(input) = config.input.filter(|input| *input != declared) {
        let (w, h) = declared;
        return Err(
            file.wrong(format!("takes only input of {w}x{h}, but 'input' asks for {}x{}", input.0, input.1))
        );
    }
    let bytes = match summary.size {
        Some(_) => file.bytes,
        None => onnx::with_size(&file.bytes, Some(declared)).map_err(|p| file.wrong(p))?,
    };
    let opened = try_out(backend(bytes), (config.format, profile), declared, &path)?;
    Ok((InputRule::Exactly(declared.0, declared.1), opened))
}

fn open_caffe(config: &ModelConfig, weights: File, owner: Owner) -> Result<(InputRule, Opened), DetectError> {
    let Some(prototxt) = &config.prototxt else {
        return Err(weights.wrong("needs its network description: name the .prototxt file too"));
    };
    let description = File::read(prototxt, owner)?;
    caffe::inspect_prototxt(&description.bytes).map_err(|problem| description.wrong(problem))?;
    caffe::inspect_weights(&weights.bytes).map_err(|problem| weights.wrong(problem))?;
    let profile = formats::profile(config.format);
    let size = config.input.unwrap_or(profile.usual_input);
    let path = weights.shown();
    let known = description.known && weights.known;
    let backend = DnnBackend::caffe(path.clone(), &description.bytes, &weights.bytes);
    drop((description, weights));
    if !known {
        backend.weigh(size).map_err(|problem| wrong(&config.model, problem))?;
    }
    let opened = try_out(Box::new(backend), (config.format, profile), size, &path)?;
    Ok((InputRule::Exactly(size.0, size.1), opened))
}

/// Runs a first context on an empty frame and checks that its output is of the format.
fn try_out(
    backend: Box<dyn Backend>,
    (format, profile): (ModelFormat, Profile),
    size: (u32, u32),
    path: &str,
) -> Result<Opened, DetectError> {
    let mut context = backend.context()?;
    let pixels = size.0 as usize * size.1 as usize;
    let (values, bytes);
    let empty = if profile.windows {
        bytes = vec![0; pixels / 4 * WINDOW];
        Input::Windows(&bytes)
    } else {
        values = vec![0.0; 3 * pixels];
        Input::Planes(&values)
    };
    let mut decoded = Ok(());
    context.run(empty, size, &mut |shape, data| {
        decoded = formats::check(format, shape, data, size);
    })?;
    decoded.map_err(|problem| DetectError::Model {
        path: path.to_owned(),
        problem: format!("does not fit the format '{}'; a trial run says: {problem}", format.name()),
    })?;
    Ok((backend, context))
}

#[cfg(test)]
mod damage;
#[cfg(test)]
pub(super) mod tests;
