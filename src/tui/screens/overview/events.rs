//! What happened: crossings, failures, limits, the latest at the bottom.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use super::{Look, put_lines, rule};
use crate::{
    model::{Direction, Event, EventKind},
    tui::{
        app::{Panel, UiState},
        layout::take_top,
        text,
        theme::Role,
    },
};

/// Draws the latest events that fit; with the keys on it, those scrolled to.
pub fn draw(ui: &UiState, area: Rect, buffer: &mut Buffer, look: &Look) {
    let mut rest = area;
    let focused = ui.panel == Panel::Events;
    let events = &ui.shown().events;
    let rows = usize::from(rest.height.saturating_sub(1));
    // The cursor stands on the lowest line that shows, but at the begin of the list.
    let chosen = ui.chosen_event().filter(|_| focused);
    let back = chosen.map_or(0, |at| (events.len() - 1 - at).min(events.len().saturating_sub(rows)));
    let cursor = chosen.or(events.len().checked_sub(1)).filter(|_| focused);
    let title = if back > 0 { format!("Events, {back} newer below") } else { "Events".to_string() };
    rule(&title, focused, take_top(&mut rest, 1), buffer, look);
    let end = events.len() - back;
    let first = end.saturating_sub(usize::from(rest.height));
    let lines: Vec<Line> = (first..end)
        .map(|at| line(ui, &events[at], cursor == Some(at), usize::from(rest.width), look))
        .collect();
    if lines.is_empty() {
        put_lines(&[look.line(" nothing has happened yet", Role::Dim)], rest, buffer);
    }
    put_lines(&lines, rest, buffer);
}

/// One event as a line of at most `width`.
#[must_use]
pub fn line(ui: &UiState, event: &Event, is_chosen: bool, width: usize, look: &Look) -> Line<'static> {
    let (what, role) = describe(&event.kind, look);
    let lead = if is_chosen { look.symbols.cursor } else { " " };
    let stamp = format!("{lead}{} ", ui.clock().clock(event.wall));
    let room = width.saturating_sub(text::width(&stamp));
    let name = look.name_of(ui.shown(), &event.source, room / 2);
    let name_width = text::width(&name);
    Line::from(vec![
        look.span(stamp, if is_chosen { Role::Key } else { Role::Dim }),
        look.span(name, Role::Text),
        Span::raw(" "),
        look.span(look.cut(&what, room.saturating_sub(name_width + 1)), role),
    ])
}

/// What happened in a few words, without the source's name.
#[must_use]
pub fn describe(kind: &EventKind, look: &Look) -> (String, Role) {
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
            Some(doubt) => (format!("counts cannot be relied upon: {}", doubt.words()), Role::Warn),
            None => {
                (format!("scene: {}", scene.words().unwrap_or_else(|| "nothing known".into())), Role::Dim)
            }
        },
        EventKind::Reset => ("counts set to zero".into(), Role::Text),
    }
}
