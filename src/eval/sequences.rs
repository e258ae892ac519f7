//! `--mot`: the tracker alone, on boxes given.

use std::{io::Write, path::PathBuf};

use super::{
    EvalError, EvalOptions,
    metrics::{Score, Sequence, Tracks},
    mot,
    play::{Clip, Plan, Player},
    results::{Cut, ResultWriter, TrackingResult},
    smooth,
};
use crate::{
    config::{SourceConfig, SourceSpec},
    engine::pipeline::Tracking,
    model::SourceKind,
    progress::{Progress, Unit},
};

/// Highest score that a box needs for high confidence. Detectors that nearly always say "sure" (the public boxes
/// of the MOT challenge have a median above 0.9) mean little by anything less.
const TRUST: f32 = 0.9;

/// Runs the tracker on each folder and writes tracks and figures.
pub fn run(options: &EvalOptions, progress: &Progress, out: &mut dyn Write) -> Result<(), EvalError> {
    let info = |dir: &PathBuf| mot::read_sequence_info(&dir.join("seqinfo.ini"));
    let infos: Vec<_> = options.dirs.iter().map(info).collect::<Result<_, _>>()?;
    let frames_total = infos.iter().map(|info| u64::from(info.frames)).sum();
    // The boxes of others: it is the tracker that is measured, with the scores that they come with.
    let mut params = options.params;
    params.calibration.height_sightings = f32::INFINITY;
    let mut report = ResultWriter::new(options.json, out);
    let mut combined = Score::default();
    let (mut scored, mut frames, mut seconds) = (0, 0, 0.0);
    let mut done = 0;
    progress.begin(Some(frames_total), Unit::Each("frames"));
    for (dir, mut info) in options.dirs.iter().zip(infos) {
        if progress.is_stopped() {
            break;
        }
        if info.name.is_empty() {
            let dir = dir.canonicalize().unwrap_or_else(|_| dir.clone());
            info.name = dir.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        }
        progress.name(&info.name);
        let detections = mot::read(&dir.join("det/det.txt"))?;
        let clip = Clip { fps: info.fps, size: info.size };
        let mut config =
            SourceConfig::new(info.name.as_str(), SourceKind::Video, SourceSpec::File(dir.clone()));
        config.tracker = options.tracker;
        config.lines.clear();
        let confidence = trust(&detections);
        let tracking = Tracking::new(&config, clip.aspect(), confidence, &params);
        let mut player = Player::new(clip, tracking);
        let started = std::time::Instant::now();
        player.replay(&detections, info.frames, &Plan::default());
        seconds += started.elapsed().as_secs_f64();
        frames += info.frames;
        player.finish();
        let tracks = smooth::rows(&player.log, &clip);
        if let Some(folder) = &options.tracks {
            mot::write_tracks(&tracks, &mot::file_of(folder, &info.name)?)?;
        }
        let truth = dir.join("gt/gt.txt");
        if truth.exists() {
            let truth = identities(&mot::read(&truth)?);
            let score = Score::of(&Sequence::new(&truth, &identities(&tracks)));
            report.tracking(TrackingResult { name: info.name, figures: score.figures() });
            combined.add(&score);
            scored += 1;
        }
        done += 1;
        progress.set(u64::from(frames));
    }
    if scored > 1 {
        report.tracking(TrackingResult { name: "combined".into(), figures: combined.figures() });
    }
    report.speed(1000.0 * seconds / f64::from(frames.max(1)))?;
    let cut = Cut { what: "sequences", done, of: options.dirs.len(), frames: frames.into(), frames_total };
    report.finish((done < options.dirs.len()).then_some(&cut))?;
    Ok(())
}

/// Boxes with identities; rows flagged with 0 are to be ignored.
pub fn identities(rows: &mot::Rows) -> Tracks {
    rows.iter()
        .map(|(frame, rows)| {
            let counted = rows.iter().filter(|row| row.confidence > 0.0);
            (*frame, counted.map(|row| (row.id, row.bbox)).collect())
        })
        .collect()
}

/// The score from which boxes of unknown origin are high-confidence: the median, at most [`TRUST`].
fn trust(rows: &mot::Rows) -> f32 {
    let mut scores: Vec<f32> = rows.values().flatten().map(|row| row.confidence).collect();
    scores.sort_by(f32::total_cmp);
    scores.get(scores.len() / 2).map_or(TRUST, |median| median.min(TRUST))
}
