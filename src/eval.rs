//! `pcount-tui eval`: how accurate counts and tracks are, on clips with known truth.
//!
//! Scenes are folders with a `scene.json` (size, frame rate, counting lines, true counts) and a video, or files with what a
//! person saw in an audit, whose crossings are also compared one by one.
//! Detections can be recorded once and replayed in milliseconds, so that trackers and rules are compared on
//! the same boxes. With `--mot` the tracker runs alone on given boxes.

use std::{collections::BTreeMap, io::Write, path::Path, sync::Arc};

use crate::{
    count::CountEvent,
    detect::{self, Model},
    engine::pipeline::Tracking,
    files,
    model::{Direction, LineCounts},
    progress::{Progress, Unit},
    source::stretch::Stretch,
};

mod adaptive;
mod audited;
mod constants;
mod costs;
mod error;
pub mod metrics;
pub mod mot;
mod options;
pub mod play;
mod record;
mod results;
mod scene;
mod sequences;
mod smooth;

pub use constants::list as list_constants;
pub use error::EvalError;
pub use options::EvalOptions;
pub use play::Plan;
pub use scene::{Scene, SceneLine};

use adaptive::Played;
use audited::Audited;
use costs::{Tallied, Tally};
use metrics::{Score, Sequence};
use mot::{file_of, write_tracks};
use results::{Cut, LineResult, ResultWriter, TrackingResult};
use scene::source_config;

/// Score from which boxes of a replayed file are high-confidence when the file does not say.
const DEFAULT_CONFIDENCE: f32 = 0.4;

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
    let scenes: Vec<Given> =
        options.dirs.iter().map(|path| Given::read(path, options)).collect::<Result<_, _>>()?;
    let model = match &options.replay {
        Some(_) => None,
        None => Some(detect::load(&options.detector, &options.models, 1, options.engine)?),
    };
    let mut report = ResultWriter::new(options.json, out);
    let frames_total = scenes.iter().map(Given::frames).sum();
    progress.begin(Some(frames_total), Unit::Each("frames"));
    let (mut done, mut frames) = (0, 0);
    for given in &scenes {
        if progress.is_stopped() {
            break;
        }
        progress.name(given.name());
        let scene = match given {
            Given::Scene(scene) => scene,
            Given::Audited(audited) => {
                let Some(found) = audited.play(model.as_ref(), options, progress)? else { break };
                report.audit(&audited.name, &found.lines, &found.findings)?;
                // How many frames it has is not known before; they are in no total.
                done += 1;
                progress.set(frames);
                continue;
            }
        };
        let whole = frames + u64::from(scene.frames);
        if let (true, Some(model)) = (options.adaptive, &model) {
            let config = source_config(scene);
            let tally = Arc::<Tally>::default();
            let tallied: Arc<dyn Model> =
                Arc::new(Tallied { model: Arc::clone(model), tally: Arc::clone(&tally) });
            let Some(played) = adaptive::play(&config, Stretch::default(), &tallied, options, progress)?
            else {
                break;
            };
            for line in counted_lines(scene, &played) {
                report.line(&line)?;
            }
            let (width, height) = scene.clip.size;
            let seconds = f64::from(scene.frames.saturating_sub(options.plan.start_offset)) / scene.clip.fps;
            report.costs(tally.costs(&scene.name, model.working_size(width, height), seconds))?;
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
            report.line(&line_result(scene, index, line, &player.events))?;
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

/// What is evaluated.
enum Given {
    /// A folder with true counts.
    Scene(Scene),
    /// What a person saw.
    Audited(Box<Audited>),
}

impl Given {
    fn read(path: &Path, options: &EvalOptions) -> Result<Self, EvalError> {
        if path.is_file() {
            Audited::read(path, options).map(|audited| Self::Audited(Box::new(audited)))
        } else {
            Scene::read(path).map(Self::Scene)
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Scene(scene) => &scene.name,
            Self::Audited(audited) => &audited.name,
        }
    }

    /// Frames that it is known to have.
    fn frames(&self) -> u64 {
        match self {
            Self::Scene(scene) => u64::from(scene.frames),
            Self::Audited(_) => 0,
        }
    }
}

/// The lines of a scene that was counted as the running program would.
fn counted_lines(scene: &Scene, played: &Played) -> Vec<LineResult> {
    let result = |(index, (line, counts)): (usize, (&SceneLine, &LineCounts))| LineResult {
        scene: scene.name.clone(),
        line: line.config.name.clone(),
        true_in: line.true_in,
        true_out: line.true_out,
        counted_in: counts.total_in,
        counted_out: counts.total_out,
        // The pipeline keeps them for all lines together.
        suppressed: if index == 0 { played.suppressed.clone() } else { BTreeMap::new() },
    };
    scene.lines.iter().zip(&played.lines).enumerate().map(result).collect()
}

/// A player that tracks and counts this scene as the program would.
fn player(options: &EvalOptions, scene: &Scene, confidence: f32) -> play::Player {
    let mut config = source_config(scene);
    config.tracker = options.tracker;
    let tracking = Tracking::new(&config, scene.clip.aspect(), confidence, &options.params);
    play::Player::new(scene.clip, tracking)
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

#[cfg(test)]
mod tests;
