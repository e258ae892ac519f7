//! What is shown, logged and reported of a source.

use std::{sync::atomic::Ordering, time::Duration};

use super::{Run, SourceRuntime};
use crate::{
    config::SourceConfig,
    engine::pipeline::{Pipeline, Step},
    model::{Event, EventKind, Limit, SourceKind, SourceSnapshot, SourceState, TaskResult, ZoneCounts},
    source::{Frame, substream_for},
    track::Track,
};

/// Results of a running source are reported this often, besides those at crossings.
const RESULT_INTERVAL: Duration = Duration::from_secs(1);

impl SourceRuntime {
    /// Shows a state, writes it down, and tells everybody when it is a new one.
    pub fn set_state(&self, state: SourceState, error: Option<&str>) {
        self.change_state(None, state, error);
    }

    /// [`Self::set_state`], but only while the state is `from`, if one is named.
    pub(super) fn change_state(&self, from: Option<&SourceState>, state: SourceState, error: Option<&str>) {
        let error = error.map(|error| self.config().source.redact(error));
        let error = error.as_deref();
        let kind = state.kind();
        let word = kind.word();
        let running = matches!(state, SourceState::Running | SourceState::Stalled);
        let changed = self.cell.update_if(|shown| {
            if from.is_some_and(|from| shown.state != *from) {
                return None;
            }
            let changed = shown.state.kind() != kind || error.is_some();
            if let Some(error) = error {
                shown.last_error = Some(error.to_owned());
                shown.errors += 1;
            } else if state == SourceState::Running {
                shown.last_error = None;
            }
            if state.is_over() || matches!(state, SourceState::Paused) {
                shown.visible = 0;
                shown.detect_fps = 0.0;
                shown.fps = 0.0;
                shown.cpu = 0.0;
            }
            shown.state = state;
            Some(changed)
        });
        let Some(changed) = changed else { return };
        self.rates.run(running, self.core.clock.now());
        if let Some(error) = error {
            self.errors.lock().push(error.to_owned());
        }
        if changed {
            // Some errors begin with the word of their state.
            let said = format!("{}: ", word.to_lowercase());
            let error = error.map(|error| error.strip_prefix(&said).unwrap_or(error));
            match error {
                Some(error) => tracing::warn!(camera = %self.id, "{word}: {error}"),
                None => tracing::info!(camera = %self.id, "{word}"),
            }
            self.emit(EventKind::State { state: kind, error: error.map(str::to_owned) });
        }
    }

    /// The result as of now, also sent to the result handler.
    pub fn report(&self) {
        *self.last_result.lock() = Some(self.core.clock.now());
        let errors = std::mem::take(&mut *self.errors.lock());
        let timestamp = timestamp(self.core.clock.wall());
        let worker = self.worker.load(Ordering::Relaxed);
        self.core.outbox.result(TaskResult::of(&self.cell.load(), worker, &self.task_id, timestamp, errors));
    }

    pub(super) fn emit(&self, kind: EventKind) {
        self.core.outbox.event(Event::new(self.core.clock.wall(), self.id.clone(), kind));
    }

    /// The source may take more memory from now on.
    pub(super) fn note_change(&self) {
        *self.changed.lock() = Some(self.core.clock.now());
    }

    /// Notes a change of the stream in the middle: its size as shown, and a line in the log.
    pub(super) fn notice_size(&self, size: (u32, u32)) {
        let before = self.cell.load().size;
        if before == Some(size) {
            return;
        }
        self.note_change();
        self.cell.update(|shown| shown.size = Some(size));
        if let Some((width, height)) = before.filter(|(width, height)| *width > 0 && *height > 0) {
            tracing::warn!(
                camera = %self.id,
                "The picture has changed from {width}x{height} to {}x{}; lines keep their place in it",
                size.0,
                size.1
            );
        }
    }

    /// Tells once if a smaller stream of the camera would do for a detector that is given pictures of `input`.
    pub(super) fn notice_substream(&self, size: (u32, u32), input: (u32, u32)) {
        let substream = substream_for(size, input).filter(|_| self.config().may_have_substream());
        let before = self.cell.load().substream;
        self.cell.update(|shown| shown.substream = substream);
        if let Some((width, height)) = substream.filter(|_| before != substream) {
            tracing::info!(
                camera = %self.id,
                "The stream is {}x{}, a substream of {width}x{height} would do and cost less to decode",
                size.0,
                size.1
            );
        }
    }

    /// Says something about the stream. What concerns a file stays shown after its end.
    pub(super) fn remark(&self, text: &str) {
        let text = self.config().source.redact(text);
        tracing::warn!(camera = %self.id, "{text}");
        if self.config().kind == SourceKind::Video {
            self.errors.lock().push(text.clone());
            self.cell.update(|shown| {
                shown.errors += 1;
                shown.last_error = Some(text);
            });
        }
    }

    /// Notes a change of the codec from one opening to the next.
    pub(super) fn notice_codec(&self, codec: Option<String>) {
        let Some(codec) = codec else { return };
        let before = self.codec.lock().replace(codec.clone());
        if let Some(before) = before.filter(|before| *before != codec) {
            tracing::warn!(camera = %self.id, "The stream has changed from {before} to {codec}");
        }
    }

    /// Shows what a step brought, then reports it.
    pub(super) fn publish(&self, pipeline: &Pipeline, step: &Step, looked: Option<(&Run, &Frame)>) {
        if let Some((run, _)) = looked {
            // Of a run that was abandoned meanwhile others have said where the source is.
            run.speak(|| self.change_state(Some(&SourceState::Stalled), SourceState::Running, None));
        }
        let now = self.core.clock.now();
        if let Some((_, frame)) = looked {
            self.rates.rhythm.lock().note(now, frame.time);
        }
        let handled = self.handled.load(Ordering::Relaxed);
        let (before, after) = self.cell.update(|shown| {
            let before: Vec<Limit> = shown.limits().collect();
            show_counts(shown, pipeline);
            shown.frames = handled;
            shown.visible = step.tracks.iter().filter(|track: &&Track| track.confirmed).count();
            if let Some((run, frame)) = looked {
                shown.last_frame = Some(self.core.moment(now));
                shown.latency = now.saturating_duration_since(frame.captured);
                self.core.frame_age.record(shown.latency);
                shown.dropped = self.dropped_before.load(Ordering::Relaxed) + run.mailbox.dropped();
                // As it was decoded there is one in the mailbox and one with a worker, which converts it.
                let bytes = |(width, height): (u32, u32)| u64::from(width) * u64::from(height) * 3;
                shown.picture_bytes = bytes(frame.stream_size) + bytes(frame.picture.size());
            }
            (before, shown.limits().collect::<Vec<_>>())
        });
        let mut crossed = false;
        for event in &step.events {
            match event {
                EventKind::Crossing { line, direction, track, .. } => {
                    crossed = true;
                    let current = self.cell.load().current();
                    self.history.lock().cross(self.core.clock.wall(), *direction, current);
                    let direction = format!("{direction:?}").to_uppercase();
                    tracing::info!(camera = %self.id, "Person detected: ID={track}, direction={direction}, line={line}");
                }
                EventKind::Suppressed { line, track, reason, .. } => {
                    tracing::info!(camera = %self.id, "Not counted: ID={track}, line={line}, reason={reason:?}");
                }
                _ => {}
            }
            self.emit(event.clone());
        }
        for limit in after {
            let old = before.iter().find(|old| old.zone == limit.zone);
            if old.is_some_and(Limit::is_reached) != limit.is_reached() {
                self.alert(limit);
            }
        }
        let due =
            self.last_result.lock().is_none_or(|at| now.saturating_duration_since(at) >= RESULT_INTERVAL);
        if crossed || due {
            self.report();
        }
    }

    fn alert(&self, limit: Limit) {
        let over = limit.is_reached();
        let word = if limit.current > limit.limit { "Over" } else { "At" };
        let Limit { zone, current, limit } = limit;
        let whose = zone.as_ref().map_or(String::new(), |zone| format!("Zone {zone}: "));
        if over {
            tracing::warn!(camera = %self.id, "{whose}{word} its limit: {current} inside, limit {limit}");
        } else {
            tracing::info!(camera = %self.id, "{whose}Below its limit again: {current} inside, limit {limit}");
        }
        self.emit(EventKind::Threshold { zone, over, current, limit });
    }
}

/// RFC 3339 in local time, to the millisecond.
fn timestamp(wall: std::time::SystemTime) -> String {
    jiff::Zoned::try_from(wall)
        .map(|zoned| zoned.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string())
        .unwrap_or_default()
}

pub(super) fn first_snapshot(config: &SourceConfig, pipeline: &Pipeline) -> SourceSnapshot {
    let mut snapshot = SourceSnapshot {
        alias: config.alias.clone(),
        location: config.location.clone(),
        kind: config.kind,
        source: config.source.to_string(),
        priority: config.priority,
        state: if config.enabled { SourceState::Queued } else { SourceState::Disabled },
        threshold: config.threshold,
        ..SourceSnapshot::new(config.id.clone())
    };
    snapshot.zones = zone_counts(config, &[]);
    show_counts(&mut snapshot, pipeline);
    snapshot
}

fn zone_counts(config: &SourceConfig, states: &[crate::count::ZoneStatus]) -> Vec<ZoneCounts> {
    let state = |index: usize| states.get(index).copied().unwrap_or_default();
    config
        .zones
        .iter()
        .enumerate()
        .map(|(index, zone)| ZoneCounts {
            name: zone.name.clone(),
            occupancy: state(index).occupancy,
            mean_dwell: state(index).mean_dwell,
            threshold: zone.threshold,
        })
        .collect()
}

/// Copies the counts of the pipeline into what is shown.
pub(super) fn show_counts(shown: &mut SourceSnapshot, pipeline: &Pipeline) {
    shown.lines = pipeline.lines().to_vec();
    shown.total_in = shown.lines.iter().map(|line| line.total_in).sum();
    shown.total_out = shown.lines.iter().map(|line| line.total_out).sum();
    shown.suppressed.clone_from(pipeline.suppressed());
    shown.total_detections = pipeline.detections();
    shown.zones = zone_counts(pipeline.source(), &pipeline.zones());
}
