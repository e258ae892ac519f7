//! What happened: crossings, failures, limits, the latest at the bottom.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use super::state::{Panel, State};
use crate::{
    model::Event,
    tui::{
        context::Context,
        layout::take_top,
        text,
        theme::Role,
        widgets::{Look, describe, put_lines, rule},
    },
};

/// Draws the latest events that fit; with the keys on it, those scrolled to.
pub fn draw(state: &State, context: &Context, area: Rect, buffer: &mut Buffer, look: &Look) {
    let mut rest = area;
    let focused = state.panel == Panel::Events;
    let events = &context.shown().events;
    let rows = usize::from(rest.height.saturating_sub(1));
    // The cursor stands on the lowest line that shows, but at the begin of the list.
    let chosen = state.chosen_event(context).filter(|_| focused);
    let back = chosen.map_or(0, |at| (events.len() - 1 - at).min(events.len().saturating_sub(rows)));
    let cursor = chosen.or(events.len().checked_sub(1)).filter(|_| focused);
    let title = if back > 0 { format!("Events, {back} newer below") } else { "Events".to_string() };
    rule(&title, focused, take_top(&mut rest, 1), buffer, look);
    let end = events.len() - back;
    let first = end.saturating_sub(usize::from(rest.height));
    let lines: Vec<Line> = (first..end)
        .map(|at| line(context, &events[at], cursor == Some(at), usize::from(rest.width), look))
        .collect();
    if lines.is_empty() {
        put_lines(&[look.line(" nothing has happened yet", Role::Dim)], rest, buffer);
    }
    put_lines(&lines, rest, buffer);
}

/// One event as a line of at most `width`.
#[must_use]
pub fn line(context: &Context, event: &Event, is_chosen: bool, width: usize, look: &Look) -> Line<'static> {
    let (what, role) = describe::event(&event.kind, look);
    let lead = if is_chosen { look.symbols.cursor } else { " " };
    let stamp = format!("{lead}{} ", context.clock().clock(event.wall));
    let room = width.saturating_sub(text::width(&stamp));
    let name = look.name_of(context.shown(), &event.source, room / 2);
    let name_width = text::width(&name);
    Line::from(vec![
        look.span(stamp, if is_chosen { Role::Key } else { Role::Dim }),
        look.span(name, Role::Text),
        Span::raw(" "),
        look.span(look.cut(&what, room.saturating_sub(name_width + 1)), role),
    ])
}
