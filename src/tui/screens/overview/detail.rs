//! The selected source beside the table: its preview, its counts, what happened at it.

use ratatui::{layout::Rect, text::Line};

use crate::{
    model::SourceSnapshot,
    tui::{
        canvas::Canvas,
        context::Context,
        layout::take_top,
        screens::source::counts,
        theme::Role,
        widgets::{
            describe,
            picture::{Overlay, fitted},
            put_lines, rule, source_facts,
        },
    },
};

/// Rows kept for what happened.
const EVENTS: u16 = 8;

/// Draws it, the preview where that is on.
pub fn draw(context: &Context, has_preview: bool, area: Rect, canvas: &mut Canvas) {
    let mut rest = area;
    let Some(source) = context.selected() else { return };
    let look = canvas.look;
    let width = usize::from(rest.width);
    let name = look.name(source, width.saturating_sub(4));
    rule(&name, false, take_top(&mut rest, 1), canvas.buffer, look);
    if has_preview {
        draw_preview(context, source, &mut rest, canvas);
    }
    let counts = counts::lines(context, source, width, look);
    let room = rest.height.saturating_sub(EVENTS + 1).max(rest.height / 2);
    put_lines(&counts, take_top(&mut rest, (counts.len() as u16 + 1).min(room)), canvas.buffer);
    rule("Its events", false, take_top(&mut rest, 1), canvas.buffer, look);
    let rows = usize::from(rest.height);
    let events: Vec<_> = context.shown().events.iter().filter(|event| event.source == source.id).collect();
    let mut lines: Vec<Line> = events[events.len().saturating_sub(rows)..]
        .iter()
        .map(|event| {
            let stamp = format!("{} ", context.clock().clock(event.wall));
            let (what, role) = describe::event(&event.kind, look);
            let room = width.saturating_sub(stamp.len());
            Line::from(vec![look.span(stamp, Role::Dim), look.span(look.cut(&what, room), role)])
        })
        .collect();
    if lines.is_empty() {
        lines.push(look.line("nothing has happened yet", Role::Dim));
    }
    put_lines(&lines, rest, canvas.buffer);
}

/// Draws the preview into the top of `rest`, as high as its shape and two fifths of the room allow.
fn draw_preview(context: &Context, source: &SourceSnapshot, rest: &mut Rect, canvas: &mut Canvas) {
    let most = rest.height * 2 / 5;
    if let Some(preview) = context.fetched.previews.get(&source.id) {
        let filled = fitted(Rect { height: most, ..*rest }, preview.size);
        let place = take_top(rest, filled.height + 1);
        let place = Rect { height: filled.height, ..place };
        canvas.picture(preview, Overlay::of(context, &source.id), place);
    } else {
        let lines = source_facts::no_picture_lines(context, source, usize::from(rest.width), canvas.look);
        put_lines(&lines, take_top(rest, (lines.len() as u16 + 1).min(most)), canvas.buffer);
    }
}
