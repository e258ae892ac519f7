//! Reading a scene's video through a detector, and keeping what it finds.

use std::{
    io::{BufRead as _, BufReader, BufWriter, IntoInnerError, Write},
    path::Path,
};

use super::{
    EvalError, EvalOptions, mot,
    play::Player,
    scene::{Scene, source_config},
};
use crate::{
    cadence::gate::MotionGate,
    detect::Model,
    files::{self, Draft},
    model::Detection,
    progress::Progress,
    source::{Interrupt, Opener as _, SystemOpener},
};

/// First words of the line in which a recording keeps its detector's threshold.
const HEADER: &str = "# trusted from confidence";

/// Plays the video. When detections are recorded every frame is detected, so that a recording can be
/// replayed at any rate and from any start; tracker and counter see only what the plan detects in. `false` when `progress`
/// asks for the end before the video's; then nothing is recorded.
pub fn play(
    player: &mut Player,
    scene: &Scene,
    model: &dyn Model,
    options: &EvalOptions,
    progress: &Progress,
) -> Result<bool, EvalError> {
    let broken = |error| EvalError::Source { scene: scene.name.clone(), error };
    let mut source =
        SystemOpener::default().open(&source_config(scene), &Interrupt::default()).map_err(broken)?;
    let mut detector = model.detector();
    let mut gate = MotionGate::default();
    let mut recording = match &options.record {
        Some(folder) => {
            Some(Recording::create(&mot::file_of(folder, &scene.name)?, model.info().confidence)?)
        }
        None => None,
    };
    let mut index = 0;
    while source.grab().map_err(broken)? {
        if progress.is_stopped() {
            return Ok(false);
        }
        let detected_area = options.plan.detected_in(index, scene.clip.fps);
        if detected_area || recording.is_some() {
            let frame =
                source.retrieve(&|width, height| model.working_size(width, height)).map_err(broken)?;
            let found = detector.detect(&frame)?;
            let motion = gate.observe(&frame.picture, f64::from(index) / scene.clip.fps);
            let share =
                |found: &Detection| if model.needs_steady_rate() { 0.0 } else { motion.share(&found.bbox) };
            let moving: Vec<f32> = found.iter().map(share).collect();
            if let Some(recording) = &mut recording {
                recording.write(index + 1, &found, &moving, scene)?;
            }
            if detected_area {
                player.look(index, &found, &moving);
            }
        }
        index += 1;
        progress.advance(1);
    }
    recording.map_or(Ok(()), Recording::close)?;
    Ok(true)
}

/// A file of detections being written. It gets its name when it is closed.
struct Recording {
    path: String,
    file: BufWriter<Draft>,
}

impl Recording {
    fn create(path: &Path, confidence: f32) -> Result<Self, EvalError> {
        let file = Draft::new(path, files::SHARED).map_err(|error| EvalError::file(path, &error))?;
        let mut recording = Self { path: path.display().to_string(), file: BufWriter::new(file) };
        let header = writeln!(recording.file, "{HEADER} {confidence}");
        recording.check(header)?;
        Ok(recording)
    }

    fn write(
        &mut self,
        frame: u32,
        found: &[Detection],
        moving: &[f32],
        scene: &Scene,
    ) -> Result<(), EvalError> {
        let row = |(detection, moving): (&Detection, &f32)| mot::MotBox {
            id: -1,
            bbox: scene.clip.pixels(&detection.bbox),
            confidence: detection.score,
            moving: *moving,
        };
        let rows = mot::Rows::from([(frame, found.iter().zip(moving).map(row).collect())]);
        let written = mot::write(&rows, &mut self.file);
        self.check(written)
    }

    fn close(self) -> Result<(), EvalError> {
        let kept = self.file.into_inner().map_err(IntoInnerError::into_error).and_then(Draft::keep);
        check(&self.path, kept)
    }

    fn check(&self, result: std::io::Result<()>) -> Result<(), EvalError> {
        check(&self.path, result)
    }
}

fn check(path: &str, result: std::io::Result<()>) -> Result<(), EvalError> {
    result.map_err(|error| EvalError::File { path: path.to_owned(), problem: error.to_string() })
}

/// The threshold that a recording keeps in its first line; `None` in files of other origin.
pub fn confidence_of(path: &Path) -> Result<Option<f32>, EvalError> {
    let file = std::fs::File::open(path).map_err(|error| EvalError::file(path, &error))?;
    let mut line = String::new();
    BufReader::new(file).read_line(&mut line).map_err(|error| EvalError::file(path, &error))?;
    Ok(line.strip_prefix(HEADER).and_then(|rest| rest.trim().parse().ok()))
}
