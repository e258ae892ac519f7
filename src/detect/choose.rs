//! From a choice to a model.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    DetectError, Model, background, builtin,
    load::{note, open},
    ort,
    registry::{self, KNOWN_MODELS, KnownModel},
};
use crate::{
    config::{BuiltinConfig, DetectorChoice, EngineChoice, ModelConfig, ModelFolders},
    trust::Owner,
};

/// Loads the model that `choice` names, or the best that is there for [`DetectorChoice::Auto`].
///
/// `models` says where to look for the latter; `contexts` is how many inferences can run at once (the pool's
/// `max_workers`); `engine` runs what does not name its own.
///
/// # Errors
/// When a model that was named cannot be loaded. `Auto` falls back and says so in
/// [`ModelInfo::note`](super::ModelInfo::note).
pub fn load(
    choice: &DetectorChoice,
    models: &ModelFolders,
    contexts: usize,
    engine: EngineChoice,
) -> Result<Arc<dyn Model>, DetectError> {
    match choice {
        DetectorChoice::Model(config) => Ok(Arc::new(open(config, Owner::Anybody, contexts)?)),
        DetectorChoice::Motion => Ok(background::with_note(None)),
        DetectorChoice::Builtin(config) => Ok(Arc::new(builtin::open(config, engine, contexts)?)),
        DetectorChoice::Auto => Ok(auto(models, contexts, engine)),
    }
}

/// The best known model in the folders, else the embedded one, else motion.
fn auto(models: &ModelFolders, contexts: usize, engine: EngineChoice) -> Arc<dyn Model> {
    let mut problems = Vec::new();
    let (folders, owner) = registry::folders(models);
    let there = |config: &ModelConfig| {
        config.model.exists() && config.prototxt.as_ref().is_none_or(|file| file.exists())
    };
    let known =
        KNOWN_MODELS.iter().flat_map(|known| folders.iter().map(move |folder| in_folder(known, folder)));
    let candidates =
        known.filter(there).map(|config| open(&ModelConfig { engine, ..config }, owner, contexts));
    for candidate in
        candidates.chain(std::iter::once_with(|| builtin::open(&BuiltinConfig::default(), engine, contexts)))
    {
        match candidate {
            Ok(mut network) => {
                problems.extend(network.info.note.take());
                network.info.note = note(&problems);
                return Arc::new(network);
            }
            Err(error) => {
                tracing::warn!("{error}");
                problems.push(error.to_string());
            }
        }
    }
    problems.push("the motion detector is used".into());
    background::with_note(note(&problems))
}

/// The configuration that runs a known model out of the folder of models.
pub(super) fn in_folder(known: &KnownModel, models: &Path) -> ModelConfig {
    ModelConfig {
        format: known.format,
        model: models.join(known.weights.name),
        prototxt: known.prototxt.map(|file| models.join(file.name)),
        input: None,
        confidence: None,
        engine: EngineChoice::Auto,
    }
}

/// A library of ONNX Runtime that was loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedLibrary {
    /// The file.
    pub path: PathBuf,
    /// Such as `1.32.0`, when it says.
    pub version: Option<String>,
    /// Libraries that were found before it and not used, a sentence each.
    pub refused: Vec<String>,
}

/// Loads the library of ONNX Runtime, unless it is.
///
/// # Errors
/// Why none can be used.
pub fn onnx_runtime() -> Result<LoadedLibrary, DetectError> {
    let ort::Runtime { path, version, refused, .. } = ort::runtime()?;
    Ok(LoadedLibrary { path: path.clone(), version: version.clone(), refused: refused.clone() })
}

/// Libraries and models that are there and are not used, because others may write to them or to a folder on the
/// way: a sentence each, which says how to change that. Loads nothing.
#[must_use]
pub fn refused(models: &ModelFolders) -> Vec<String> {
    let (_, mut refused) = ort::library::survey();
    for sentence in &mut refused {
        sentence.insert_str(0, "ONNX Runtime: ");
    }
    refused.extend(registry::refused(models));
    refused
}
