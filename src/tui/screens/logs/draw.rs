//! The end of a log, followed, or an earlier part of it.

use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use crate::{
    logging::Level,
    tui::{
        action::Action,
        app::UiState,
        layout::take_top,
        log_target::LogTarget,
        text,
        theme::Role,
        widgets::{Look, first_key, log_lines, put, put_lines, rule},
    },
};

/// Draws the last lines, or those scrolled to.
pub fn draw(ui: &mut UiState, target: &LogTarget, area: Rect, buffer: &mut Buffer, look: &Look) {
    let mut rest = area;
    let heading = take_top(&mut rest, 1);
    let (rows, width) = (usize::from(rest.height), usize::from(rest.width));
    let count = ui.extras.log.len();
    ui.page = rows.max(1);
    ui.scroll = ui.scroll.min(count.saturating_sub(rows));
    rule(&title(ui, target, look), false, heading, buffer, look);
    draw_tally(ui, heading, buffer, look);
    if count == 0 {
        let why = ui.extras.log_problem.clone().unwrap_or_else(|| why_empty(ui));
        put(&look.line(look.cut(&format!(" {why}"), width), Role::Dim), rest, buffer);
        return;
    }
    let end = count - ui.scroll;
    let first = end.saturating_sub(rows);
    let lines: Vec<Line> =
        ui.extras.log[first..end].iter().map(|line| log_lines::full(ui, line, width, look)).collect();
    put_lines(&lines, rest, buffer);
}

fn title(ui: &UiState, target: &LogTarget, look: &Look) -> String {
    let name = match target {
        LogTarget::Central => "all".to_string(),
        LogTarget::Source(id) => look.name_of(ui.shown(), id, 40),
        LogTarget::Worker(number) => format!("worker {number}"),
    };
    let mut title = format!("Log: {name}");
    if ui.scroll > 0 {
        let key = first_key(&ui.keymap, Action::Bottom);
        title.push_str(&format!(", {}{} newer, {key} follows", look.symbols.arrows[2], ui.scroll));
    } else {
        title.push_str(", following");
    }
    if ui.log_level != Level::Debug {
        title.push_str(&format!(", {} and worse", ui.log_level.word()));
    }
    if !ui.log_filter.is_empty() {
        title.push_str(&format!(", /{}", ui.log_filter));
    }
    if ui.log_across > 0 {
        title.push_str(&format!(", from column {}", ui.log_across + 1));
    }
    title
}

/// How many of the lines shown are errors and warnings, at the right of the heading.
fn draw_tally(ui: &UiState, area: Rect, buffer: &mut Buffer, look: &Look) {
    let of = |level: Level| ui.extras.log.iter().filter(|line| line.level == level).count();
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

fn why_empty(ui: &UiState) -> String {
    if ui.log_level == Level::Debug && ui.log_filter.is_empty() {
        return "nothing logged yet".into();
    }
    let more = first_key(&ui.keymap, Action::More);
    let filter = first_key(&ui.keymap, Action::Filter);
    let words = text::clean(&ui.log_filter);
    if words.is_empty() {
        format!("nothing so serious has been logged; {more} shows more")
    } else {
        format!("no line with '{words}'; {filter} changes what is looked for, {more} shows more levels")
    }
}
