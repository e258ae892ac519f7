//! What is shown when there is no room for anything else.

use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use super::{Look, put_lines};
use crate::tui::{
    context::Context,
    format,
    layout::{SMALLEST, centered},
    theme::Role,
};

/// Draws the card: the sizes, the totals as long as they fit, and what is `asked` by an open dialog.
pub fn draw(context: &Context, asked: Option<&str>, area: Rect, buffer: &mut Buffer, look: &Look) {
    let (total_in, total_out, net) = context.shown().totals();
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
    if let Some(asked) = asked {
        lines.pop();
        lines.push(look.line(asked.to_owned(), Role::Warn));
    }
    let widest = lines.iter().map(Line::width).max().unwrap_or(0);
    let card = centered(
        area,
        u16::try_from(widest).unwrap_or(u16::MAX),
        u16::try_from(lines.len()).unwrap_or(u16::MAX),
    );
    put_lines(&lines, card, buffer);
}
