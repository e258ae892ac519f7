//! What was counted on other days, out of the ledger.

use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use crate::tui::{
    app::UiState,
    layout::take_top,
    text,
    theme::Role,
    widgets::{Look, put, put_lines, rule},
};

/// Draws the report that was asked for.
pub fn draw(ui: &mut UiState, area: Rect, buffer: &mut Buffer, look: &Look) {
    let mut rest = area;
    let title = format!("Counted: {} (+ - changes)", ui.report.period.name());
    rule(&title, false, take_top(&mut rest, 1), buffer, look);
    let rows = usize::from(rest.height);
    ui.page = rows.max(1);
    match &ui.report.text {
        None => put(&look.line(" reading the ledger", Role::Dim), rest, buffer),
        Some(Err(problem)) => {
            let lines: Vec<Line> = text::wrap(problem, usize::from(rest.width.saturating_sub(2)))
                .into_iter()
                .map(|line| look.line(format!(" {line}"), Role::Warn))
                .collect();
            put_lines(&lines, rest, buffer);
        }
        Some(Ok(report)) => {
            ui.scroll = ui.scroll.min(report.len().saturating_sub(rows));
            let lines: Vec<Line> = report
                .iter()
                .skip(ui.scroll)
                .map(|line| {
                    let role = if line.starts_with(' ') { Role::Text } else { Role::Title };
                    look.line(look.cut(&format!(" {line}"), usize::from(rest.width)), role)
                })
                .collect();
            put_lines(&lines, rest, buffer);
        }
    }
}
