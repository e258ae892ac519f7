//! The end of a log, followed, or an earlier part of it.

use std::fmt::Write as _;

use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use super::state::{LogTarget, State};
use crate::{
    logging::Level,
    tui::{
        action::Action,
        canvas::Canvas,
        context::Context,
        drawn::Geometry,
        layout::take_top,
        text,
        theme::Role,
        widgets::{Look, first_key, log_lines, put, put_lines, rule},
    },
};

/// Draws the last lines, or those scrolled to.
pub fn draw(state: &State, context: &Context, area: Rect, canvas: &mut Canvas) -> Geometry {
    let mut rest = area;
    let look = canvas.look;
    let heading = take_top(&mut rest, 1);
    let (rows, width) = (usize::from(rest.height), usize::from(rest.width));
    let log = &context.fetched.log;
    let scroll = state.scroll.min(log.len().saturating_sub(rows));
    rule(&title(state, scroll, context, look), false, heading, canvas.buffer, look);
    draw_tally(context, heading, canvas.buffer, look);
    let end = log.len() - scroll;
    let first = end.saturating_sub(rows);
    let filter = (state.filter.as_str(), state.across);
    let mut lines: Vec<Line> =
        log[first..end].iter().map(|line| log_lines::full(context, line, filter, width, look)).collect();
    if lines.is_empty() {
        let why = context.fetched.log_problem.clone().unwrap_or_else(|| why_empty(state, context));
        lines.push(look.line(look.cut(&format!(" {why}"), width), Role::Dim));
    }
    put_lines(&lines, rest, canvas.buffer);
    Geometry { page: rows.max(1), first: scroll, ..Geometry::default() }
}

fn title(state: &State, scroll: usize, context: &Context, look: &Look) -> String {
    let name = match state.target() {
        LogTarget::Central => "all".to_string(),
        LogTarget::Source(id) => look.name_of(context.shown(), id, 40),
        LogTarget::Worker(number) => format!("worker {number}"),
    };
    let mut title = format!("Log: {name}");
    if scroll > 0 {
        let key = first_key(&context.keymap, Action::Bottom);
        let _ = write!(title, ", {}{} newer, {key} follows", look.symbols.arrows[2], scroll);
    } else {
        title.push_str(", following");
    }
    if state.level != Level::Debug {
        let _ = write!(title, ", {} and above", state.level.word());
    }
    if !state.filter.is_empty() {
        let _ = write!(title, ", /{}", state.filter);
    }
    if state.across > 0 {
        let _ = write!(title, ", from column {}", state.across + 1);
    }
    title
}

/// How many of the lines shown are errors and warnings, at the right of the heading.
fn draw_tally(context: &Context, area: Rect, buffer: &mut Buffer, look: &Look) {
    let of = |level: Level| context.fetched.log.iter().filter(|line| line.level == level).count();
    let tally = [(of(Level::Error), "error", Role::Bad), (of(Level::Warn), "warning", Role::Warn)];
    let mut spans = Vec::new();
    for (count, what, role) in tally.into_iter().filter(|(count, ..)| *count > 0) {
        let plural = if count == 1 { "" } else { "s" };
        spans.push(look.span(format!(" {count} {what}{plural} "), role));
    }
    let line = Line::from(spans);
    let width = u16::try_from(text::width(&line.to_string())).unwrap_or(u16::MAX);
    if width > 0 && area.width > width + 56 {
        put(&line, Rect { x: area.right() - width, width, ..area }, buffer);
    }
}

fn why_empty(state: &State, context: &Context) -> String {
    if state.level == Level::Debug && state.filter.is_empty() {
        return "nothing logged yet".into();
    }
    let more = first_key(&context.keymap, Action::MoreLevels);
    let filter = first_key(&context.keymap, Action::Filter);
    let words = text::clean(&state.filter);
    if words.is_empty() {
        format!("nothing so serious has been logged; {more} shows more")
    } else {
        format!("no line with '{words}'; {filter} changes the words, {more} shows more levels")
    }
}
