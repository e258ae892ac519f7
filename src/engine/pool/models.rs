//! Detection models in use: each loaded once, on first need, and shared.

use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use crate::{
    config::{DetectorChoice, SourceConfig, SourceSpec},
    detect::{DetectError, Model},
    source::refusal,
};

/// How a model is loaded; injected so that tests need no model file.
pub type LoadModel = dyn Fn(&DetectorChoice) -> Result<Arc<dyn Model>, DetectError> + Send + Sync;

/// Why there is no model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoModel {
    /// What went wrong, in one sentence.
    pub said: String,
    /// Whether the machine is to blame, which may give what it refuses now when it is asked again.
    pub may_pass: bool,
}

/// One model, or why there is none. What may pass is not kept.
#[derive(Default)]
struct LoadedModel {
    loading: Mutex<()>,
    result: OnceLock<Result<Arc<dyn Model>, NoModel>>,
}

type Loaded = Arc<LoadedModel>;

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
    pub fn for_source(&self, source: &SourceConfig) -> Result<Arc<dyn Model>, NoModel> {
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
    /// What went wrong; the same for everybody who asks, unless it may pass.
    pub fn get(&self, choice: Option<&DetectorChoice>) -> Result<Arc<dyn Model>, NoModel> {
        let choice = choice.unwrap_or(&self.default);
        let cell = {
            let mut loaded = self.loaded.lock();
            if let Some((_, cell)) = loaded.iter().find(|(known, _)| known == choice) {
                Arc::clone(cell)
            } else {
                let cell = Loaded::default();
                loaded.push((choice.clone(), Arc::clone(&cell)));
                cell
            }
        };
        if let Some(result) = cell.result.get() {
            return result.clone();
        }
        let _alone = cell.loading.lock();
        if let Some(result) = cell.result.get() {
            return result.clone();
        }
        let result = (self.load)(choice).map_err(|error| match refusal::find() {
            Some(refused) => NoModel { said: format!("{refused} ({error})"), may_pass: true },
            None => NoModel { said: error.to_string(), may_pass: false },
        });
        match result {
            Err(NoModel { may_pass: true, .. }) => result,
            lasting => cell.result.get_or_init(|| lasting).clone(),
        }
    }

    /// The models in use in words, the default first, such as `rtmdet_nano_person on onnxruntime 1.32`; empty
    /// until one is loaded. Sources may all name others than the default, which is then not loaded at all.
    pub fn names(&self) -> String {
        let loaded = self.loaded.lock();
        let (default, others): (Vec<_>, Vec<_>) =
            loaded.iter().partition(|(known, _)| *known == self.default);
        let mut names = Vec::new();
        for (_, cell) in default.into_iter().chain(others) {
            let name = match cell.result.get() {
                Some(Ok(model)) => describe(model.as_ref()),
                Some(Err(error)) => error.said.clone(),
                None => continue,
            };
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names.join(", ")
    }

    /// Names of the models that are loaded, and of what they run on, the default first; each name once.
    pub fn in_use(&self) -> (Vec<String>, Vec<String>) {
        let loaded = self.loaded.lock();
        let (mut names, mut engines) = (Vec::new(), Vec::new());
        let mut add = |model: &Arc<dyn Model>| {
            let info = model.info();
            for (list, name) in [(&mut names, &info.name), (&mut engines, &info.engine)] {
                if !name.is_empty() && !list.contains(name) {
                    list.push(name.clone());
                }
            }
        };
        let (default, others): (Vec<_>, Vec<_>) =
            loaded.iter().partition(|(known, _)| *known == self.default);
        let in_use = default.into_iter().chain(others);
        in_use.filter_map(|(_, cell)| cell.result.get()?.as_ref().ok()).for_each(&mut add);
        (names, engines)
    }

    /// What the user should know of the models loaded so far: fall-backs and failures.
    pub fn notices(&self) -> Vec<String> {
        let loaded = self.loaded.lock();
        loaded
            .iter()
            .filter_map(|(_, cell)| match cell.result.get()? {
                Ok(model) => model.info().note.clone(),
                Err(error) => Some(error.said.clone()),
            })
            .collect()
    }
}

/// Name and engine of a model.
pub fn describe(model: &dyn Model) -> String {
    let info = model.info();
    if info.engine.is_empty() { info.name.clone() } else { format!("{} on {}", info.name, info.engine) }
}
