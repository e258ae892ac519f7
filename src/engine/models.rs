//! Detection models in use: each loaded once, on first need, and shared.

use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use crate::{
    config::{DetectorChoice, SourceConfig, SourceSpec},
    detect::{DetectError, Model},
};

/// How a model is loaded; injected so that tests need no model file.
pub type LoadModel = dyn Fn(&DetectorChoice) -> Result<Arc<dyn Model>, DetectError> + Send + Sync;

type Loaded = Arc<OnceLock<Result<Arc<dyn Model>, String>>>;

/// A cache of models by what was asked for.
pub struct Models {
    load: Box<LoadModel>,
    default: DetectorChoice,
    loaded: Mutex<Vec<(DetectorChoice, Loaded)>>,
}

impl Models {
    /// An empty cache. `default` is for sources that name no detector.
    pub fn new(default: DetectorChoice, load: Box<LoadModel>) -> Self {
        Self { load, default, loaded: Mutex::default() }
    }

    /// The model for `source`. Demo scenes are drawn, and networks know people from photographs only: where
    /// nobody chose otherwise, they get `motion`.
    ///
    /// # Errors
    /// As [`Models::get`].
    pub fn for_source(&self, source: &SourceConfig) -> Result<Arc<dyn Model>, String> {
        let unchosen = source.detector.is_none() && self.default == DetectorChoice::Auto;
        if unchosen && matches!(source.source, SourceSpec::Demo(_)) {
            return self.get(Some(&DetectorChoice::Motion));
        }
        self.get(source.detector.as_ref())
    }

    /// The model for `choice`, loaded now if nobody asked for it before. May take a second; the others wait
    /// for the same loading instead of repeating it.
    ///
    /// # Errors
    /// What went wrong, in one sentence; the same for everybody who asks.
    pub fn get(&self, choice: Option<&DetectorChoice>) -> Result<Arc<dyn Model>, String> {
        let choice = choice.unwrap_or(&self.default);
        let cell = {
            let mut loaded = self.loaded.lock();
            match loaded.iter().find(|(known, _)| known == choice) {
                Some((_, cell)) => Arc::clone(cell),
                None => {
                    let cell = Loaded::default();
                    loaded.push((choice.clone(), Arc::clone(&cell)));
                    cell
                }
            }
        };
        cell.get_or_init(|| (self.load)(choice).map_err(|error| error.to_string())).clone()
    }

    /// The default model in words, such as `rtmdet_nano_person on ONNX Runtime 1.32`; empty until loaded.
    pub fn default_name(&self) -> String {
        let loaded = self.loaded.lock();
        let cell = loaded.iter().find(|(known, _)| *known == self.default);
        match cell.and_then(|(_, cell)| cell.get()) {
            Some(Ok(model)) => describe(model.as_ref()),
            Some(Err(error)) => error.clone(),
            None => String::new(),
        }
    }

    /// What the user should know of the models loaded so far: fall-backs and failures.
    pub fn notices(&self) -> Vec<String> {
        let loaded = self.loaded.lock();
        loaded
            .iter()
            .filter_map(|(_, cell)| match cell.get()? {
                Ok(model) => model.info().note.clone(),
                Err(error) => Some(error.clone()),
            })
            .collect()
    }
}

/// Name and engine of a model.
pub fn describe(model: &dyn Model) -> String {
    let info = model.info();
    if info.engine.is_empty() { info.name.clone() } else { format!("{} on {}", info.name, info.engine) }
}
