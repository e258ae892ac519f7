//! Frames of crossings, where evidence is kept.

use std::time::SystemTime;

use super::actor::Actor;
use crate::{
    engine::pipeline::Step,
    evidence::{Facts, millis},
    model::EventKind,
    source::Frame,
};

impl Actor {
    /// Takes a frame that was handled into the frames of the last seconds.
    pub(super) fn record_frame(&mut self, frame: &Frame, step: &Step) {
        if let Some(recorder) = &mut self.recorder {
            recorder.frame(frame, &step.tracks, step.detected);
        }
    }

    /// Notes a crossing, counted or not, whose event has this wall time.
    pub(super) fn record_event(&mut self, kind: &EventKind, wall: SystemTime) {
        let (Some(recorder), Some(evidence)) = (&mut self.recorder, &self.shared.core.evidence) else {
            return;
        };
        let (line, direction, track, time, reason, confidence) = match kind {
            EventKind::Crossing { line, direction, track, time, confidence } => {
                (line, *direction, *track, *time, None, Some(*confidence))
            }
            EventKind::Suppressed { line, direction, track, reason, time } => {
                (line, *direction, *track, *time, Some(*reason), None)
            }
            _ => return,
        };
        let config = self.shared.config.load();
        let Some(drawn) = config.lines.iter().find(|drawn| drawn.name == *line) else { return };
        let (source, line, wall) = (self.shared.id.clone(), line.clone(), millis(wall));
        let facts = Facts { source, line, direction, reason, confidence, track, wall, time };
        if !recorder.note(facts, drawn, self.shared.core.clock.now()) {
            evidence.lose(1);
        }
    }

    /// Hands on the strips that are complete when the source stands at `time`; where it has `ended`, all.
    pub(super) fn hand_on_strips(&mut self, time: Option<f64>, ended: bool) {
        let (Some(recorder), Some(evidence)) = (&mut self.recorder, &self.shared.core.evidence) else {
            return;
        };
        let (scenes, without) = recorder.complete(time, self.shared.core.clock.now(), ended);
        let settings = recorder.settings();
        scenes.into_iter().for_each(|scene| evidence.offer(scene, settings));
        evidence.lose(without);
    }
}
