//! States and events in a few words, with their glyphs and roles.

use super::Look;
use crate::{
    model::{AreaEvent, Direction, EventKind, Moment, SourceSnapshot, SourceState, WorkerSnapshot},
    tui::{context::Context, format, text, theme::Role},
};

/// Glyph, role of a state.
#[must_use]
pub fn source_state(source: &SourceSnapshot, look: &Look) -> (&'static str, Role) {
    let s = &look.symbols;
    match source.state {
        _ if source.silent_for().is_some() => (s.retrying, Role::Warn),
        SourceState::Running => (s.running, Role::Good),
        SourceState::Connecting => (s.connecting, Role::Busy),
        SourceState::Queued => (s.queued, Role::Dim),
        SourceState::Stalled | SourceState::Retrying { .. } => (s.retrying, Role::Warn),
        SourceState::AuthFailed { .. } | SourceState::NoSuchStream { .. } => (s.failed, Role::Bad),
        SourceState::Failed { .. } | SourceState::Unsupported => (s.failed, Role::Bad),
        SourceState::Paused => (s.paused, Role::Busy),
        SourceState::Completed => (s.completed, Role::Text),
        SourceState::Closed { .. } => (s.disabled, Role::Dim),
        SourceState::Disabled => (s.disabled, Role::Dim),
    }
}

/// The state's word with its countdown or its progress.
#[must_use]
pub fn source_state_words(source: &SourceSnapshot, as_of: Moment) -> String {
    if let Some(age) = source.silent_for() {
        return format!("Seen {} ago", format::age(age));
    }
    let word = match source.state {
        // Short enough to stand beside their countdown.
        SourceState::NoSuchStream { .. } => "No stream",
        SourceState::AuthFailed { .. } => "Auth fail",
        _ => source.state.word(),
    };
    if let Some(at) = source.state.next_attempt() {
        return format!("{word} {}", format::countdown(at - as_of));
    }
    match (&source.state, source.frames_total) {
        (SourceState::Closed { opens: Some(opens) }, _) => {
            format!("{word} until {}", text::clean(&opens.shown))
        }
        (SourceState::Running, Some(total)) if total > 0 => {
            format!("{word} {}", format::percent((source.frames as f32 / total as f32).min(1.0)))
        }
        _ => word.to_string(),
    }
}

/// Glyph, word and role of what a worker does.
#[must_use]
pub fn worker_state(worker: &WorkerSnapshot, look: &Look) -> (&'static str, &'static str, Role) {
    match (&worker.source, worker.enabled) {
        (Some(_), _) => (look.symbols.running, "working", Role::Good),
        (None, true) => (look.symbols.queued, "waiting", Role::Text),
        (None, false) => (look.symbols.disabled, "off", Role::Dim),
    }
}

/// Name of the source that a worker works on, in at most `width` columns; nothing when it waits.
#[must_use]
pub fn works_on(context: &Context, worker: &WorkerSnapshot, width: usize, look: &Look) -> String {
    worker.source.as_ref().map_or_else(String::new, |id| look.name_of(context.shown(), id, width))
}

/// What happened in a few words, without the source's name.
#[must_use]
pub fn event(kind: &EventKind, look: &Look) -> (String, Role) {
    let [_, right, _, left] = look.symbols.arrows;
    match kind {
        EventKind::Crossing { line, direction: Direction::In, track, .. } => {
            (format!("{right} in   {} #{track}", text::clean(line)), Role::In)
        }
        EventKind::Crossing { line, direction: Direction::Out, track, .. } => {
            (format!("{left} out  {} #{track}", text::clean(line)), Role::Out)
        }
        EventKind::Suppressed { line, direction, track, reason, .. } => {
            let way = if *direction == Direction::In { "in" } else { "out" };
            (format!("not counted: {way} {} #{track}, {}", text::clean(line), reason.words()), Role::Dim)
        }
        EventKind::State { state, error: Some(error) } => {
            (format!("{}: {}", state.word().to_lowercase(), text::clean(error)), Role::Warn)
        }
        EventKind::State { state, error: None } => (state.word().to_lowercase(), Role::Dim),
        EventKind::Threshold { zone, over, current, limit } => {
            let whose = zone.as_ref().map_or(String::new(), |zone| format!("{}: ", text::clean(zone)));
            if *over {
                let at = if current > limit { "over" } else { "at" };
                (format!("{} {whose}{at} its limit: {current} of {limit}", look.symbols.alert), Role::Bad)
            } else {
                (format!("{whose}below its limit again"), Role::Good)
            }
        }
        EventKind::Scene(scene) => match scene.doubt {
            Some(doubt) => (format!("counts are not reliable: {}", doubt.words()), Role::Warn),
            None => {
                (format!("scene: {}", scene.words().unwrap_or_else(|| "nothing known".into())), Role::Dim)
            }
        },
        EventKind::Schedule { schedule: Some(hours), .. } => {
            (format!("open {}", text::clean(hours)), Role::Dim)
        }
        EventKind::Schedule { schedule: None, .. } => ("always open".into(), Role::Dim),
        EventKind::Reset => ("counts set to zero".into(), Role::Text),
        EventKind::Area(event) => {
            let role = match event {
                AreaEvent::Threshold { over: true, .. } => Role::Bad,
                AreaEvent::Threshold { .. } => Role::Good,
                AreaEvent::Lines { .. } => Role::Dim,
                AreaEvent::Corrected { .. } => Role::Text,
            };
            (text::clean(&event.words()), role)
        }
    }
}
