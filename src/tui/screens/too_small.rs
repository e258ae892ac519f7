//! What is shown when there is no room for anything else.

use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use crate::tui::{
    app::UiState,
    dialogs::Dialog,
    format,
    layout::{SMALLEST, centered},
    theme::Role,
    widgets::{Look, put_lines},
};

/// Draws the card: the sizes, and the totals as long as they fit.
pub fn draw(ui: &UiState, area: Rect, buffer: &mut Buffer, look: &Look) {
    let (total_in, total_out, net) = ui.shown().totals();
    let (width, height) = SMALLEST;
    let mut lines: Vec<Line> = vec![
        look.line(format!("too small: {}x{}", area.width, area.height), Role::Warn),
        look.line(format!("needs {width}x{height}"), Role::Text),
        look.line(
            format!(
                "In {} Out {} Net {}",
                format::count(total_in),
                format::count(total_out),
                format::signed(net)
            ),
            Role::Text,
        ),
        look.line("q quits", Role::Dim),
    ];
    match &ui.dialog {
        Some(Dialog::Confirm(dialog)) if dialog.is_quit => {
            lines.pop();
            lines.push(look.line("q again quits, Esc does not", Role::Warn));
        }
        Some(_) => lines.push(look.line("a dialog is open, Esc closes it", Role::Dim)),
        None => {}
    }
    let widest = lines.iter().map(Line::width).max().unwrap_or(0);
    let card = centered(
        area,
        u16::try_from(widest).unwrap_or(u16::MAX),
        u16::try_from(lines.len()).unwrap_or(u16::MAX),
    );
    put_lines(&lines, card, buffer);
}
