//! The end of a log file, followed.

use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use crate::logging::{Level, LogLine};
use crate::tui::{
    app::UiState,
    host::LogTarget,
    layout::take_top,
    text,
    theme::Role,
    widgets::{Look, put_lines, rule},
};

/// Draws the last lines, or those scrolled to.
pub fn draw(ui: &mut UiState, target: &LogTarget, area: Rect, buffer: &mut Buffer, look: &Look) {
    let mut rest = area;
    let rows = usize::from(area.height.saturating_sub(1));
    let count = ui.extras.log.len();
    ui.page = rows.max(1);
    ui.scroll = ui.scroll.min(count.saturating_sub(rows));
    let name = match target {
        LogTarget::Central => "all".to_string(),
        LogTarget::Source(id) => id.to_string(),
    };
    let title = if ui.scroll > 0 {
        format!("Log: {name}, {} newer lines below, G follows", ui.scroll)
    } else {
        format!("Log: {name}, following")
    };
    let level = if ui.log_level == Level::Debug {
        String::new()
    } else {
        format!(", {} and worse", ui.log_level.word())
    };
    let words = if ui.log_filter.is_empty() { String::new() } else { format!(", /{}", ui.log_filter) };
    rule(&format!("{title}{level}{words}"), false, take_top(&mut rest, 1), buffer, look);
    if count == 0 {
        let why = ui.extras.log_problem.clone().unwrap_or_else(|| {
            let all = ui.log_level == Level::Debug && ui.log_filter.is_empty();
            if all {
                "nothing logged yet".into()
            } else {
                "nothing like that in the log; + and / change what is shown".into()
            }
        });
        put_lines(
            &[look.line(look.cut(&format!(" {why}"), usize::from(rest.width)), Role::Dim)],
            rest,
            buffer,
        );
        return;
    }
    let end = count - ui.scroll;
    let first = end.saturating_sub(rows);
    let lines: Vec<Line> = ui.extras.log[first..end]
        .iter()
        .map(|line| one_line(ui, line, usize::from(rest.width), look))
        .collect();
    put_lines(&lines, rest, buffer);
}

/// The line without its date and brackets: `12:34:56 CAMERA-01 WARN  no route to host`.
fn one_line(ui: &UiState, line: &LogLine, width: usize, look: &Look) -> Line<'static> {
    let stamp = format!(" {} ", ui.clock().clock(line.wall));
    let label = format!("{} {} ", look.left(&line.label, 10), look.left(line.level.word(), 5));
    let room = width.saturating_sub(text::width(&stamp) + text::width(&label));
    Line::from(vec![
        look.span(stamp, Role::Dim),
        look.span(label, role(line.level)),
        look.span(look.cut(&line.message, room), role(line.level)),
    ])
}

fn role(level: Level) -> Role {
    match level {
        Level::Error => Role::Bad,
        Level::Warn => Role::Warn,
        Level::Info => Role::Text,
        Level::Debug => Role::Dim,
    }
}
