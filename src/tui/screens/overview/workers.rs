//! The table of workers.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use super::{Look, put, put_lines, rule};
use crate::{
    model::WorkerSnapshot,
    tui::{
        app::{Panel, UiState},
        format,
        layout::take_top,
        theme::Role,
    },
};

/// Draws the table, as many workers as fit.
pub fn draw(ui: &UiState, area: Rect, buffer: &mut Buffer, look: &Look) {
    let mut rest = area;
    let snapshot = ui.shown();
    let title = format!("Workers {} of {}", snapshot.worker_count, snapshot.max_workers);
    let focused = ui.panel == Panel::Workers;
    rule(&title, focused, take_top(&mut rest, 1), buffer, look);
    let width = usize::from(rest.width);
    let source = width.saturating_sub(4 + 10 + 8 + 5);
    if rest.height > 2 {
        let head = format!(
            " {} {}{} {} {}",
            look.left("#", 2),
            look.left("State", 10),
            look.left("Source", source),
            look.right("Frames", 7),
            look.right("Busy", 4)
        );
        put(&look.line(head, Role::Dim), take_top(&mut rest, 1), buffer);
    }
    let first = if focused {
        ui.scroll.min(snapshot.workers.len().saturating_sub(usize::from(rest.height)))
    } else {
        0
    };
    let lines: Vec<Line> =
        snapshot.workers.iter().skip(first).map(|worker| line(ui, worker, source, look)).collect();
    put_lines(&lines, rest, buffer);
}

/// Glyph, word and role of what a worker does.
#[must_use]
pub fn state_look(worker: &WorkerSnapshot, look: &Look) -> (&'static str, &'static str, Role) {
    match (&worker.source, worker.enabled) {
        (Some(_), _) => (look.symbols.running, "working", Role::Good),
        (None, true) => (look.symbols.queued, "waiting", Role::Text),
        (None, false) => (look.symbols.disabled, "off", Role::Dim),
    }
}

/// Name of the source that a worker works on, in at most `width` columns; nothing when it waits.
#[must_use]
pub fn works_on(ui: &UiState, worker: &WorkerSnapshot, width: usize, look: &Look) -> String {
    worker.source.as_ref().map_or_else(String::new, |id| look.name_of(ui.shown(), id, width))
}

fn line(ui: &UiState, worker: &WorkerSnapshot, source_width: usize, look: &Look) -> Line<'static> {
    let (glyph, word, role) = state_look(worker, look);
    let name = works_on(ui, worker, source_width, look);
    Line::from(vec![
        look.span(format!(" {} ", look.right(&worker.number.to_string(), 2)), Role::Dim),
        look.span(look.left(&format!("{glyph} {word}"), 10), role),
        look.span(look.left(&name, source_width), Role::Text),
        Span::raw(" "),
        look.span(look.right(&format::count(worker.frames), 7), Role::Text),
        Span::raw(" "),
        look.span(look.right(&format::percent(worker.busy), 4), Role::Text),
    ])
}
