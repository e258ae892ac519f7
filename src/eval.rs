//! `pcount-tui eval`: how right the counts and the tracks are, on clips whose truth is known.
//!
//! Scenes are folders with a `scene.json` (size, frame rate, counting lines, true counts) and a video.
//! Detections can be recorded once and replayed in milliseconds, so that trackers and rules are compared on
//! the same boxes. With `--mot` the tracker runs alone on given boxes.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use crate::{
    config::{DetectorChoice, EngineChoice, ModelFolders, SourceConfig, SourceSpec, TrackerChoice},
    count::CountEvent,
    detect,
    engine::pipeline::{Params, Tracking},
    files,
    model::{Direction, SourceKind},
    progress::{Progress, Unit},
    source,
};

mod by_need;
mod constants;
pub mod metrics;
pub mod mot;
pub mod play;
mod record;
mod report;
mod scene;
mod sequences;
mod smooth;

pub use constants::list as list_constants;
pub use play::Plan;
pub use scene::{Scene, SceneLine};

use metrics::{Score, Sequence};
use report::{Cut, LineResult, Report, TrackingResult};

/// Score from which boxes of a replayed file are trusted when the file does not say.
const DEFAULT_CONFIDENCE: f32 = 0.4;

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
    /// Where model files are looked for.
    pub models: ModelFolders,
    /// Tracker and rule.
    pub tracker: TrackerChoice,
    /// JSON lines instead of a table.
    pub json: bool,
    /// Folder that tracks are written to.
    pub tracks: Option<PathBuf>,
    /// Constants of tracking, counting and the cadence.
    pub params: Params,
    /// Which frames are looked at.
    pub plan: Plan,
    /// Look when the running program would, instead of by `plan` (which keeps its start).
    pub by_need: bool,
    /// Folder that detections (of every frame) are written to.
    pub record: Option<PathBuf>,
    /// Folder that detections are read from, instead of detecting.
    pub replay: Option<PathBuf>,
}

/// What keeps an evaluation from finishing.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// A file cannot be read or written.
    #[error("'{path}': {problem}")]
    File {
        /// Which.
        path: String,
        /// What the system said.
        problem: String,
    },
    /// A file or folder that was asked for does not exist.
    #[error("'{path}': not found; name another")]
    Missing {
        /// Which.
        path: String,
    },
    /// A file holds something else than it should.
    #[error("'{path}': {problem}")]
    Content {
        /// Which.
        path: String,
        /// What is wrong.
        problem: String,
    },
    /// The detector cannot be loaded or fails.
    #[error(transparent)]
    Detect(#[from] detect::DetectError),
    /// The video of a scene cannot be read.
    #[error("video of scene '{scene}': {error}")]
    Source {
        /// Name of the scene.
        scene: String,
        /// What went wrong.
        error: source::SourceError,
    },
    /// The result cannot be written out.
    #[error("result cannot be written: {0}")]
    Output(#[from] std::io::Error),
}

impl EvalError {
    /// `error` happened on `path`.
    #[must_use]
    pub fn file(path: &Path, error: &std::io::Error) -> Self {
        let path = path.display().to_string();
        match error.kind() {
            std::io::ErrorKind::NotFound => Self::Missing { path },
            _ => Self::File { path, problem: error.to_string() },
        }
    }
}

/// Evaluates and writes table or JSON lines to `out` as results come. When `progress` asks for the end, what is finished by
/// then is written, and how far that is.
///
/// # Errors
/// [`EvalError`]; what was finished before stands written.
pub fn run(options: &EvalOptions, progress: &Progress, out: &mut dyn Write) -> Result<(), EvalError> {
    for folder in [&options.tracks, &options.record].into_iter().flatten() {
        files::make_folder(folder).map_err(|error| EvalError::file(folder, &error))?;
    }
    let out = &mut progress.writer(out);
    if options.mot { sequences::run(options, progress, out) } else { run_scenes(options, progress, out) }
}

fn run_scenes(options: &EvalOptions, progress: &Progress, out: &mut dyn Write) -> Result<(), EvalError> {
    let scenes: Vec<Scene> = options.dirs.iter().map(|dir| Scene::read(dir)).collect::<Result<_, _>>()?;
    let model = match &options.replay {
        Some(_) => None,
        None => Some(detect::load(&options.detector, &options.models, 1, options.engine)?),
    };
    let mut report = Report::new(options.json, out);
    let frames_total = scenes.iter().map(|scene| u64::from(scene.frames)).sum();
    progress.begin(Some(frames_total), Unit::Each("frames"));
    let (mut done, mut frames) = (0, 0);
    for scene in &scenes {
        if progress.is_stopped() {
            break;
        }
        progress.name(&scene.name);
        let whole = frames + u64::from(scene.frames);
        if let (true, Some(model)) = (options.by_need, &model) {
            let Some(lines) = by_need::play(scene, model, options, progress)? else { break };
            for line in lines {
                report.line(line)?;
            }
            (done, frames) = (done + 1, whole);
            progress.set(frames);
            continue;
        }
        let (rows, confidence) = match (&options.replay, &model) {
            (Some(folder), _) => {
                let path = file_of(folder, &scene.name)?;
                let rows = mot::read(&path)?;
                (Some(rows), record::confidence_of(&path)?.unwrap_or(DEFAULT_CONFIDENCE))
            }
            (None, Some(model)) => (None, model.info().confidence),
            (None, None) => (None, DEFAULT_CONFIDENCE),
        };
        let mut player = player(options, scene, confidence);
        match (rows, &model) {
            (Some(rows), _) => player.replay(&rows, scene.frames, &options.plan),
            (None, Some(model)) => {
                if !record::play(&mut player, scene, model.as_ref(), options, progress)? {
                    break;
                }
            }
            (None, None) => {}
        }
        player.finish();
        let tracks = smooth::rows(&player.log, &scene.clip);
        if let Some(folder) = &options.tracks {
            write_tracks(&tracks, &file_of(folder, &scene.name)?)?;
        }
        for (index, line) in scene.lines.iter().enumerate() {
            report.line(line_result(scene, index, line, &player.events))?;
        }
        if let Some(truth) = &scene.truth {
            let truth = sequences::identities(&mot::read(truth)?);
            let score = Score::of(&Sequence::new(&truth, &sequences::identities(&tracks)));
            report.tracking(TrackingResult { name: scene.name.clone(), figures: score.figures() });
        }
        // The number of frames in the scene's file need not be that of its video.
        (done, frames) = (done + 1, whole);
        progress.set(frames);
    }
    let frames = progress.done().min(frames_total);
    let cut = Cut { what: "scenes", done, of: scenes.len(), frames, frames_total };
    report.finish((done < scenes.len()).then_some(&cut))?;
    Ok(())
}

/// A player that tracks and counts this scene as the program would.
fn player(options: &EvalOptions, scene: &Scene, confidence: f32) -> play::Player {
    let mut config = source_config(scene);
    config.tracker = options.tracker;
    let tracking = Tracking::new(&config, scene.clip.aspect(), confidence, &options.params);
    play::Player::new(scene.clip, tracking)
}

fn source_config(scene: &Scene) -> SourceConfig {
    let video = SourceSpec::File(scene.video.clone());
    let mut config = SourceConfig::new(scene.name.as_str(), SourceKind::Video, video);
    config.lines = scene.lines.iter().map(|line| line.config.clone()).collect();
    config
}

fn line_result(scene: &Scene, index: usize, line: &SceneLine, events: &[CountEvent]) -> LineResult {
    let mut result = LineResult {
        scene: scene.name.clone(),
        line: line.config.name.clone(),
        true_in: line.true_in,
        true_out: line.true_out,
        ..LineResult::default()
    };
    for event in events {
        match event {
            CountEvent::Crossing(crossing) if crossing.line == index => match crossing.direction {
                Direction::In => result.counted_in += 1,
                Direction::Out => result.counted_out += 1,
            },
            CountEvent::Suppressed(crossing, reason) if crossing.line == index => {
                *result.suppressed.entry(*reason).or_default() += 1;
            }
            _ => {}
        }
    }
    result
}

/// The file of a scene or sequence in `folder`; its name comes from a file and must not lead elsewhere.
fn file_of(folder: &Path, name: &str) -> Result<PathBuf, EvalError> {
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\0']) {
        return Err(EvalError::Content {
            path: name.to_owned(),
            problem:
                "the name of a scene is the name of its files: no '/' in it, and no '.' at its beginning"
                    .into(),
        });
    }
    Ok(folder.join(format!("{name}.txt")))
}

fn write_tracks(rows: &mot::Rows, path: &Path) -> Result<(), EvalError> {
    let write = || {
        let mut draft = files::Draft::new(path, files::SHARED)?;
        let mut text = Vec::new();
        mot::write(rows, &mut text)?;
        draft.write_all(&text)?;
        draft.keep()
    };
    write().map_err(|error| EvalError::file(path, &error))
}

#[cfg(test)]
mod tests;
