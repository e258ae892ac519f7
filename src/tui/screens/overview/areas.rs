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
        action::Action,
        context::Context,
        format, text,
        theme::Role,
        widgets::{Look, put, put_lines},
    },
};

/// Columns without which the drift would say nothing: it is left out, and the dialog that corrects has it.
const DRIFT: usize = 44;

/// Longest name that is not cut.
const NAME: usize = 20;

/// Draws as many areas as there is room for; the last row says how many are left out.
pub fn draw(context: &Context, area: Rect, buffer: &mut Buffer, look: &Look) {
    let shown = context.shown();
    let (all, rows) = (&shown.areas, usize::from(area.height));
    if rows == 0 {
        return;
    }
    if rows == 1 && (all.len() > 1 || area.width < 80) {
        put(&look_over(all, usize::from(area.width), look), area, buffer);
        return;
    }
    let names = all.iter().take(rows).map(|one| text::width(&text::clean(&one.name)));
    let name = names.max().unwrap_or(0).min(NAME);
    let mut lines: Vec<Line> =
        all.iter().take(rows).map(|one| row(one, context, (area.width, name), look)).collect();
    if all.len() > rows {
        let left = all.len() - rows + 1;
        lines[rows - 1] = look.line(format!(" and {left} more areas: `pcount-tui ctl area`"), Role::Dim);
    }
    add_hint(&mut lines, context, usize::from(area.width), look);
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

fn row(area: &AreaSnapshot, context: &Context, (width, name): (u16, usize), look: &Look) -> Line<'static> {
    let (role, mark) = if area.is_over { (Role::Alert, look.symbols.alert) } else { (Role::Title, " ") };
    let mut spans = vec![
        look.span(format!("{mark}Area: "), role),
        look.span(look.left(&text::clean(&area.name), name), role),
        look.span(format!(" {} inside", area.of_capacity()), role),
        Span::raw(" | In: "),
        look.span(format::count(area.total_in), Role::In),
        Span::raw(" | Out: "),
        look.span(format::count(area.total_out), Role::Out),
    ];
    let room = |spans: &[Span]| usize::from(width).saturating_sub(spans.iter().map(Span::width).sum());
    let since = u64::try_from(area.corrected.unwrap_or(area.known)).unwrap_or(0);
    let since = SystemTime::UNIX_EPOCH + Duration::from_millis(since);
    let since = context.clock().clock_or_day(since);
    // Of a time of today, hours and minutes.
    let since = if since.contains(':') { since.get(..5).unwrap_or(&since) } else { &since };
    let since = format!(" since {since}");
    if text::width(&since) <= room(&spans) {
        spans.push(look.span(since, Role::Dim));
    }
    let drift = format!(" | drift {}", Drift::words(area.drift.as_ref()));
    if text::width(&drift).min(DRIFT) <= room(&spans) {
        spans.push(look.span(look.cut(&drift, room(&spans)), Role::Dim));
    }
    Line::from(spans)
}

/// Says at the end of the first row that has room which key corrects.
fn add_hint(rows: &mut [Line<'static>], context: &Context, width: usize, look: &Look) {
    if context.read_only() {
        return;
    }
    let Some(key) = context.keymap.keys(Action::SetArea).first().map(ToString::to_string) else { return };
    let hint = format!(" | {key} corrects");
    if let Some(row) = rows.iter_mut().find(|row| row.width() + text::width(&hint) <= width) {
        row.push_span(look.span(hint, Role::Dim));
    }
}
