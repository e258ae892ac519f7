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
    let mut all: Vec<&AreaSnapshot> = shown.areas.iter().collect();
    let rows = usize::from(area.height);
    if rows == 0 {
        return;
    }
    if rows == 1 && (all.len() > 1 || area.width < 80) {
        let width = usize::from(area.width);
        if text::width(&look_over(&all, look)) > width {
            first_those_over(&mut all);
        }
        let role = if all.iter().any(|area| area.is_over) { Role::Alert } else { Role::Text };
        put(&look.line(look.cut(&look_over(&all, look), width), role), area, buffer);
        return;
    }
    let mut left = &[][..];
    if all.len() > rows {
        first_those_over(&mut all);
        left = &all[rows - 1..];
    }
    let shown = &all[..all.len() - left.len()];
    let names = shown.iter().map(|one| text::width(&text::clean(&one.name)));
    let name = names.max().unwrap_or(0).min(NAME);
    let mut lines: Vec<Line> = shown.iter().map(|one| row(one, context, (area.width, name), look)).collect();
    if !left.is_empty() {
        lines.push(rest(left, look));
    }
    add_hint(&mut lines, context, usize::from(area.width), look);
    put_lines(&lines, area, buffer);
}

/// Puts those over their threshold first: they must not be among those for which there is no room.
fn first_those_over(areas: &mut [&AreaSnapshot]) {
    areas.sort_by_key(|area| !area.is_over);
}

/// Says of how many there is no row.
fn rest(left: &[&AreaSnapshot], look: &Look) -> Line<'static> {
    let count = left.len();
    let plural = if count == 1 { "" } else { "s" };
    let text = format!("and {count} more area{plural}");
    match left.iter().filter(|area| area.is_over).count() {
        0 => look.line(format!(" {text}: `pcount-tui ctl area`"), Role::Dim),
        over => look.line(
            format!("{}{text}, {over} over the threshold: `pcount-tui ctl area`", look.symbols.alert),
            Role::Alert,
        ),
    }
}

/// All of them in a line: ` Inside: hall: 37 of 120 · yard: 4`.
fn look_over(all: &[&AreaSnapshot], look: &Look) -> String {
    let words = |area: &&AreaSnapshot| {
        let mark = if area.is_over { format!("{} ", look.symbols.alert) } else { String::new() };
        format!("{mark}{}: {}", look.cut(&area.name, NAME), area.of_capacity())
    };
    let words: Vec<String> = all.iter().map(words).collect();
    format!(" Inside: {}", words.join(&look.separator()))
}

fn row(area: &AreaSnapshot, context: &Context, (width, name): (u16, usize), look: &Look) -> Line<'static> {
    let (role, mark) = if area.is_over { (Role::Alert, look.symbols.alert) } else { (Role::Title, " ") };
    let mut spans = vec![
        look.span(format!("{mark}Area: "), role),
        look.span(look.left(&text::clean(&area.name), name), role),
        look.span(format!("  {}", area.words()), role),
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
