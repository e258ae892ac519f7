//! How many are inside each area: a line for all on narrow screens, a row for each on others.

use std::time::{Duration, SystemTime};

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use crate::{
    model::{AreaSnapshot, Drift},
    tui::{
        context::Context,
        format, text,
        theme::Role,
        widgets::{Look, put, put_lines},
    },
};

/// Widths from which on a row says more than in and out.
const WITH_SINCE: u16 = 80;
const WITH_DRIFT: u16 = 120;

/// Longest name that is not cut.
const NAME: usize = 20;

/// Draws as many areas as there is room for; the last row says how many are left out.
pub fn draw(context: &Context, area: Rect, buffer: &mut Buffer, look: &Look) {
    let shown = context.shown();
    let (all, rows) = (&shown.areas, usize::from(area.height));
    if rows == 0 {
        return;
    }
    if rows == 1 && (all.len() > 1 || area.width < WITH_SINCE) {
        put(&look_over(all, usize::from(area.width), look), area, buffer);
        return;
    }
    let mut lines: Vec<Line> = all.iter().take(rows).map(|one| row(one, context, area.width, look)).collect();
    if all.len() > rows {
        let left = all.len() - rows + 1;
        lines[rows - 1] = look.line(format!(" and {left} more areas: `pcount-tui ctl area`"), Role::Dim);
    }
    put_lines(&lines, area, buffer);
}

/// All of them in a line: ` Inside: hall 37 of 120 · yard 4`.
fn look_over(all: &[AreaSnapshot], width: usize, look: &Look) -> Line<'static> {
    let words = |area: &AreaSnapshot| {
        let mark = if area.is_over { format!("{} ", look.symbols.alert) } else { String::new() };
        format!("{mark}{} {}", look.cut(&area.name, NAME), area.of_capacity())
    };
    let words: Vec<String> = all.iter().map(words).collect();
    let role = if all.iter().any(|area| area.is_over) { Role::Alert } else { Role::Text };
    look.line(look.cut(&format!(" Inside: {}", words.join(&look.separator())), width), role)
}

fn row(area: &AreaSnapshot, context: &Context, width: u16, look: &Look) -> Line<'static> {
    let (role, mark) = if area.is_over { (Role::Alert, look.symbols.alert) } else { (Role::Title, " ") };
    let mut spans = vec![
        look.span(format!("{mark}Area: "), role),
        look.span(look.left(&text::clean(&area.name), NAME), role),
        look.span(format!(" {} inside", area.of_capacity()), role),
        Span::raw(" | In: "),
        look.span(format::count(area.total_in), Role::In),
        Span::raw(" | Out: "),
        look.span(format::count(area.total_out), Role::Out),
    ];
    if width >= WITH_SINCE {
        let since = u64::try_from(area.corrected.unwrap_or(area.known)).unwrap_or(0);
        let since = SystemTime::UNIX_EPOCH + Duration::from_millis(since);
        spans.push(look.span(format!(" since {}", context.clock().clock_or_day(since)), Role::Dim));
    }
    if width >= WITH_DRIFT {
        let drift = Drift::words(area.drift.as_ref());
        spans.push(look.span(format!(" | drift {drift}"), Role::Dim));
    }
    Line::from(spans)
}
