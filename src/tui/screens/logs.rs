//! The end of a log file, followed.

use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use crate::logging::Level;
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
    rule(&title, false, take_top(&mut rest, 1), buffer, look);
    if count == 0 {
        let why = ui.extras.log_problem.clone().unwrap_or_else(|| "nothing logged yet".into());
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
        .map(|line| look.line(text::clean(&line.text), role(line.level)))
        .collect();
    put_lines(&lines, rest, buffer);
}

fn role(level: Level) -> Role {
    match level {
        Level::Error => Role::Bad,
        Level::Warn => Role::Warn,
        Level::Info => Role::Text,
        Level::Debug => Role::Dim,
    }
}
