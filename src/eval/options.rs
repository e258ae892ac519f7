//! What to evaluate and how.

use std::path::PathBuf;

use super::play::Plan;
use crate::{
    config::{DetectorChoice, EngineChoice, ModelFolders, TrackerChoice},
    engine::pipeline::Params,
};

/// What to evaluate and how.
#[derive(Debug, Clone)]
pub struct EvalOptions {
    /// Folders of scenes, or of MOT sequences with `mot`.
    pub dirs: Vec<PathBuf>,
    /// The tracker alone, on `det/det.txt` of each folder.
    pub mot: bool,
    /// Detector of scenes that are not replayed.
    pub detector: DetectorChoice,
    /// What runs a detector that does not name its engine.
    pub engine: EngineChoice,
    /// Where model files are searched.
    pub models: ModelFolders,
    /// Tracker and rule.
    pub tracker: TrackerChoice,
    /// JSON lines instead of a table.
    pub json: bool,
    /// Folder that tracks are written to.
    pub tracks: Option<PathBuf>,
    /// Constants of tracking, counting and the cadence.
    pub params: Params,
    /// Which frames get a detection run.
    pub plan: Plan,
    /// Look when the running program would, instead of by `plan` (which keeps its start).
    pub adaptive: bool,
    /// Folder that detections (of every frame) are written to.
    pub record: Option<PathBuf>,
    /// Folder that detections are read from, instead of detecting.
    pub replay: Option<PathBuf>,
}
