//! A source that a person has watched, counted again: every crossing of theirs is compared with what is counted now.

use std::{path::Path, sync::Arc};

use super::{EvalError, EvalOptions, adaptive, results::LineResult};
use crate::{
    audit::{
        findings::Findings,
        tap::{Sighting, Verdict},
        truth::{Truth, TruthError, WatchedSource},
    },
    config::{DetectorChoice, SourceConfig, SourceSpec},
    detect::{self, Model},
    model::{Direction, SourceKind},
    progress::Progress,
    source::stretch::Stretch,
};

/// What a person saw, and the source to count again.
pub struct Audited {
    /// Name of the file, without its ending.
    pub name: String,
    truth: Truth,
    source: SourceConfig,
}

/// What came of it.
pub struct AuditScore {
    /// Counts of each line.
    pub lines: Vec<LineResult>,
    /// What was right, missed and false.
    pub findings: Findings,
}

impl Audited {
    /// Reads the file that an audit has saved at `path`.
    ///
    /// # Errors
    /// When it is no such file, a camera was watched, or `options` ask for what only whole scenes have.
    pub fn read(path: &Path, options: &EvalOptions) -> Result<Self, EvalError> {
        let content = |problem: &str| EvalError::Content {
            path: path.display().to_string(),
            problem: problem.to_owned(),
        };
        let is_adaptive = options.plan.every == 1
            && options.plan.detect_fps.is_none()
            && options.record.is_none()
            && options.replay.is_none()
            && options.tracks.is_none();
        if !is_adaptive {
            return Err(content(
                "what a person saw is compared with the program as it runs; leave out --every, --detect-fps, --record, \
                 --replay and --tracks",
            ));
        }
        let truth = Truth::read(path).map_err(|error| match error {
            TruthError::File { problem, .. } => EvalError::file(path, &problem),
            TruthError::Content { .. } => EvalError::Truth(error),
        })?;
        let spec = match &truth.place {
            WatchedSource::Video(video) => SourceSpec::File(video.clone()),
            WatchedSource::Demo(scene) => SourceSpec::Demo(scene.clone()),
            WatchedSource::Camera(address) => {
                return Err(content(&format!(
                    "the audit was of the live camera {address}, whose frames are gone; audit a recording \
                     of it instead"
                )));
            }
        };
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let mut source = SourceConfig::new(name.as_str(), SourceKind::Video, spec);
        source.lines.clone_from(&truth.lines);
        Ok(Self { name, truth, source })
    }

    /// Counts it as the running program would, with `model` or the detector of its own that a drawn scene has; `None` when
    /// `progress` asks for the end before its own.
    ///
    /// # Errors
    /// When the video cannot be read or the detector fails.
    pub fn play(
        &self,
        model: Option<&Arc<dyn Model>>,
        options: &EvalOptions,
        progress: &Progress,
    ) -> Result<Option<AuditScore>, EvalError> {
        let own = self.source.detector.as_ref().filter(|_| options.detector == DetectorChoice::Auto);
        let model = match (own, model) {
            (None, Some(model)) => Arc::clone(model),
            (own, _) => {
                let choice = own.unwrap_or(&options.detector);
                detect::load(choice, &options.models, 1, options.engine)?
            }
        };
        let (from, to) = self.truth.read.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
        let stretch = Stretch { from, to };
        let played = adaptive::play(&self.source, stretch, &model, options, progress)?;
        Ok(played.map(|played| {
            let sightings: Vec<Sighting> = played.events.iter().filter_map(Sighting::of).collect();
            self.compare(&sightings)
        }))
    }

    fn compare(&self, sightings: &[Sighting]) -> AuditScore {
        let Truth { lines, taps, watched, tolerance, .. } = &self.truth;
        let names: Vec<String> = lines.iter().map(|line| line.name.clone()).collect();
        let findings = Findings::new(&names, taps, sightings, *watched, *tolerance);
        let lines = names.iter().map(|name| {
            let tally = |direction: Direction| {
                let row = findings.rows.iter().find(|row| row.line == *name && row.direction == direction);
                row.map(|row| row.tally).unwrap_or_default()
            };
            let mut result = LineResult {
                scene: self.name.clone(),
                line: name.clone(),
                true_in: tally(Direction::In).seen(),
                true_out: tally(Direction::Out).seen(),
                counted_in: tally(Direction::In).counted(),
                counted_out: tally(Direction::Out).counted(),
                ..LineResult::default()
            };
            for sighting in sightings.iter().filter(|sighting| sighting.line == *name) {
                if let Verdict::Suppressed(reason) = sighting.verdict {
                    *result.suppressed.entry(reason).or_default() += 1;
                }
            }
            result
        });
        AuditScore { lines: lines.collect(), findings }
    }
}
