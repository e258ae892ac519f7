//! What is shown, logged and reported of a source.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::{actor::Actor, command::Opened, counts::show_counts};
use crate::{
    engine::pipeline::Step,
    model::{Event, EventKind, Limit, Rest, SourceKind, SourceSnapshot, SourceState, StateKind},
    source::{Frame, substream_for},
    track::Track,
};

/// Results of a running source are reported this often, besides those at crossings.
const RESULT_INTERVAL: Duration = Duration::from_secs(1);

impl Actor {
    /// Changes what is shown and publishes it, which copies it.
    pub(super) fn show<T>(&mut self, change: impl FnOnce(&mut SourceSnapshot) -> T) -> T {
        let result = change(&mut self.shown);
        self.shared.cell.publish(&self.shown);
        result
    }

    /// Shows a state, writes it down, and tells everybody when it is a new one or there is an error.
    pub(super) fn show_state(&mut self, state: SourceState, error: Option<&str>) {
        let error = error.map(|error| self.shared.config.load().source.redact(error));
        let (kind, word) = (state.kind(), state.kind().word());
        let until = match &state {
            SourceState::Closed { opens } => opens.as_ref().map(|opens| opens.shown.clone()),
            _ => None,
        };
        let is_running = matches!(state, SourceState::Running | SourceState::Stalled);
        let is_new = self.shown.state.kind() != kind || error.is_some();
        self.show(|shown| {
            if let Some(error) = &error {
                shown.last_error = Some(error.clone());
                shown.errors += 1;
            } else if state == SourceState::Running {
                shown.last_error = None;
            }
            if let SourceState::Closed { .. } = state {
                // What was wrong with it does not matter until it opens.
                (shown.last_error, shown.short_sessions) = (None, 0);
                shown.rest = Rest::default();
                (shown.rate_share, shown.frame_share, shown.throttled_by) = (1.0, 1.0, None);
            }
            if state.is_over() || matches!(state, SourceState::Paused | SourceState::Closed { .. }) {
                shown.visible = 0;
                shown.detect_fps = 0.0;
                shown.fps = 0.0;
                shown.cpu = 0.0;
            }
            shown.state = state;
        });
        self.rates.run(is_running, self.shared.core.clock.now());
        self.errors.extend(error.clone());
        if is_new {
            // Some errors begin with the word of their state.
            let said = format!("{}: ", word.to_lowercase());
            let text = error.as_deref().map(|error| error.strip_prefix(&said).unwrap_or(error));
            if let Some(error) = text {
                tracing::warn!(camera = %self.shared.id, "{word}: {error}");
            } else {
                let until = until.map_or_else(String::new, |until| format!(" until {until}"));
                let why = if kind == StateKind::Closed { " by its schedule" } else { "" };
                tracing::info!(camera = %self.shared.id, "{word}{why}{until}");
            }
            let error = text.map(str::to_owned);
            self.emit(EventKind::State { state: kind, error });
        }
    }

    /// The result as of now, to the result handler.
    pub(super) fn report(&mut self) {
        self.rates.last_result = Some(self.shared.core.clock.now());
        self.shared.report(self.worker, std::mem::take(&mut self.errors));
    }

    pub(super) fn emit(&self, kind: EventKind) {
        self.emit_at(self.shared.core.clock.wall(), kind);
    }

    fn emit_at(&self, wall: SystemTime, kind: EventKind) {
        let mut event = Event::new(wall, self.shared.id.clone(), kind);
        if let Some(lease) = &self.shared.config.load().lease {
            // What is decided after the lease is over belongs to the node that has the source now.
            if matches!(event.kind, EventKind::Crossing { .. } | EventKind::Suppressed { .. })
                && !lease.holds()
            {
                return;
            }
            event.epoch = Some(lease.epoch);
        }
        self.shared.core.outbox.event(event);
    }

    /// Shows what an opening has brought.
    pub(super) fn notice_opening(&mut self, opened: Opened) {
        let Opened { info, codec, detector } = opened;
        let now = self.shared.core.clock.now();
        self.rates.change(now);
        self.rates.rhythm.open(now);
        self.notice_codec(codec);
        self.notice_size(info.size);
        if let Some((_, input)) = &detector {
            self.notice_substream(info.size, *input);
        }
        let counters = Arc::clone(&self.shared.counters);
        self.show(|shown| {
            if shown.last_frame.is_some() && shown.kind == SourceKind::Camera {
                shown.reconnects += 1;
                counters.reconnects.add(1);
            }
            shown.declared_fps = info.fps.map(|fps| fps as f32);
            shown.frames_total = info.frames;
            if let Some((detector, _)) = detector {
                shown.detector = detector;
            }
        });
    }

    /// Notes a change of the stream in the middle: its size as shown, and a line in the log.
    pub(super) fn notice_size(&mut self, size: (u32, u32)) {
        let before = self.shown.size;
        if before == Some(size) {
            return;
        }
        self.rates.change(self.shared.core.clock.now());
        self.show(|shown| shown.size = Some(size));
        if let Some((width, height)) = before.filter(|(width, height)| *width > 0 && *height > 0) {
            tracing::warn!(
                camera = %self.shared.id,
                "The frame size has changed from {width}x{height} to {}x{}; lines keep their relative \
                 position",
                size.0,
                size.1
            );
        }
    }

    /// Tells once if a smaller stream of the camera would do for a detector whose input has the size `input`.
    fn notice_substream(&mut self, size: (u32, u32), input: (u32, u32)) {
        let may_have = self.shared.config.load().may_have_substream();
        let substream = substream_for(size, input).filter(|_| may_have);
        let before = self.show(|shown| std::mem::replace(&mut shown.substream, substream));
        if let Some((width, height)) = substream.filter(|_| before != substream) {
            tracing::info!(
                camera = %self.shared.id,
                "The stream is {}x{}, a substream of {width}x{height} would do and cost less to decode",
                size.0,
                size.1
            );
        }
    }

    /// Says something about the stream. What concerns a file stays shown after its end.
    pub(super) fn remark(&mut self, text: &str) {
        let text = self.shared.config.load().source.redact(text);
        tracing::warn!(camera = %self.shared.id, "{text}");
        if self.kind == SourceKind::Video {
            self.errors.push(text.clone());
            self.show(|shown| {
                shown.errors += 1;
                shown.last_error = Some(text);
            });
        }
    }

    /// Notes a change of the codec from one opening to the next.
    fn notice_codec(&mut self, codec: Option<String>) {
        let Some(codec) = codec else { return };
        let before = self.codec.replace(codec.clone());
        if let Some(before) = before.filter(|before| *before != codec) {
            tracing::warn!(camera = %self.shared.id, "The stream has changed from {before} to {codec}");
        }
    }

    /// The frame rate of the whole run, of a source that is over.
    pub(super) fn show_whole_rate(&mut self) {
        let running = self.rates.running(self.shared.core.clock.now()).as_secs_f32();
        self.show(|shown| shown.fps = if running > 0.0 { shown.frames as f32 / running } else { 0.0 });
    }

    /// Shows what a step brought, then reports it. `frame` is the one of the detection run, with the number of frames that
    /// were lost so far.
    pub(super) fn publish(&mut self, step: &Step, frame: Option<(&Frame, u64)>) {
        let now = self.shared.core.clock.now();
        if let Some((frame, _)) = frame {
            self.rates.rhythm.note(now, frame.time);
        }
        let last = self.rates.last_result;
        let is_due = last.is_none_or(|at| now.saturating_duration_since(at) >= RESULT_INTERVAL);
        if is_due {
            self.notice_scene();
        }
        let handled = self.rates.frames(&self.run);
        let before: Vec<Limit> = self.shown.limits().collect();
        let shown = &mut self.shown;
        self.pipeline.iter().for_each(|pipeline| show_counts(shown, pipeline));
        shown.frames = handled;
        shown.visible = step.tracks.iter().filter(|track: &&Track| track.confirmed).count();
        if let Some((frame, dropped)) = frame {
            shown.last_frame = Some(self.shared.core.moment(now));
            shown.latency = now.saturating_duration_since(frame.captured);
            self.shared.core.frame_age.record(shown.latency);
            self.shared.core.frame_ages.record(shown.latency);
            self.shared.counters.note_frame(self.shared.core.clock.wall());
            shown.dropped = dropped;
            // As it was decoded there is one in the inbox and one with a worker, which converts it.
            let bytes = |(width, height): (u32, u32)| u64::from(width) * u64::from(height) * 3;
            shown.picture_bytes = bytes(frame.stream_size) + bytes(frame.picture.size());
        }
        self.shared.cell.publish(&self.shown);
        let mut crossed = false;
        for event in &step.events {
            match event {
                EventKind::Crossing { line, direction, track, .. } => {
                    crossed = true;
                    let (wall, current) = (self.shared.core.clock.wall(), self.shown.current());
                    self.shared.history.lock().cross(wall, *direction, current);
                    let direction = format!("{direction:?}").to_uppercase();
                    tracing::info!(camera = %self.shared.id, "Person detected: ID={track}, direction={direction}, line={line}");
                }
                EventKind::Suppressed { line, track, reason, .. } => {
                    tracing::info!(camera = %self.shared.id, "Not counted: ID={track}, line={line}, reason={reason:?}");
                }
                _ => {}
            }
            let wall = self.shared.core.clock.wall();
            self.record_event(event, wall);
            self.emit_at(wall, event.clone());
        }
        self.hand_on_strips(frame.map(|(frame, _)| frame.time), frame.is_none());
        self.tell_limits(&before);
        if crossed || is_due {
            self.report();
        }
    }

    /// Tells everybody which limits are reached now and were not `before`, and the other way round.
    pub(super) fn tell_limits(&self, before: &[Limit]) {
        for limit in self.shown.limits() {
            let old = before.iter().find(|old| old.zone == limit.zone);
            if old.is_some_and(Limit::is_reached) != limit.is_reached() {
                self.alert(limit);
            }
        }
    }

    /// Notes what is known of the scene, to be shown with what is published next, and tells everybody what is new.
    pub(super) fn notice_scene(&mut self) {
        let Some(scene) = self.pipeline.as_ref().and_then(|pipeline| pipeline.scene()) else { return };
        let told = self.told_scene.as_ref();
        if scene.is_news(told) {
            let doubted = told.and_then(|told| told.doubt);
            match scene.doubt {
                Some(doubt) if doubted != Some(doubt) => {
                    let (why, expected) = (doubt.words(), doubt.expected());
                    tracing::warn!(camera = %self.shared.id, "Its counts cannot be relied upon: {why}; {expected}");
                }
                None if doubted.is_some() => {
                    tracing::info!(camera = %self.shared.id, "Its counts can be relied upon again");
                }
                _ => {}
            }
            self.emit(EventKind::Scene(scene.clone()));
            self.told_scene = Some(scene.clone());
        }
        self.shown.scene = Some(scene);
    }

    fn alert(&self, limit: Limit) {
        let over = limit.is_reached();
        let word = if limit.current > limit.limit { "Over" } else { "At" };
        let Limit { zone, current, limit } = limit;
        let whose = zone.as_ref().map_or(String::new(), |zone| format!("Zone {zone}: "));
        if over {
            tracing::warn!(camera = %self.shared.id, "{whose}{word} its limit: {current} inside, limit {limit}");
        } else {
            tracing::info!(camera = %self.shared.id, "{whose}Below its limit again: {current} inside, limit {limit}");
        }
        self.emit(EventKind::Threshold { zone, over, current, limit });
    }
}
