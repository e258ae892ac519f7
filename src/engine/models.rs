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

    /// The models in use in words, the default first, such as `rtmdet_nano_person on onnxruntime 1.32`; empty
    /// until one is loaded. Sources may all name others than the default, which is then not loaded at all.
    pub fn names(&self) -> String {
        let loaded = self.loaded.lock();
        let (default, others): (Vec<_>, Vec<_>) =
            loaded.iter().partition(|(known, _)| *known == self.default);
        let mut names = Vec::new();
        for (_, cell) in default.into_iter().chain(others) {
            let name = match cell.get() {
                Some(Ok(model)) => describe(model.as_ref()),
                Some(Err(error)) => error.clone(),
                None => continue,
            };
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names.join(", ")
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
