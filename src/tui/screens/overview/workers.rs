//! The table of workers.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use super::state::{Panel, State};
use crate::{
    model::WorkerSnapshot,
    tui::{
        context::Context,
        drawn::Geometry,
        format,
        layout::take_top,
        theme::Role,
        widgets::{Look, describe, put, put_lines, rule},
    },
};

/// Draws the table, as many workers as fit.
pub fn draw(state: &State, context: &Context, area: Rect, buffer: &mut Buffer, look: &Look) -> Geometry {
    let mut rest = area;
    let snapshot = context.shown();
    let title = format!("Workers {} of {}", snapshot.worker_count, snapshot.max_workers);
    let focused = state.panel == Panel::Workers;
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
        state.scroll.min(snapshot.workers.len().saturating_sub(usize::from(rest.height)))
    } else {
        0
    };
    let lines: Vec<Line> =
        snapshot.workers.iter().skip(first).map(|worker| line(context, worker, source, look)).collect();
    put_lines(&lines, rest, buffer);
    Geometry { first, page: usize::from(rest.height), ..Geometry::default() }
}

fn line(context: &Context, worker: &WorkerSnapshot, source_width: usize, look: &Look) -> Line<'static> {
    let (glyph, word, role) = describe::worker_state(worker, look);
    let name = describe::works_on(context, worker, source_width, look);
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
