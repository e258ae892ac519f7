//! All keys, from the table of commands; what glyphs and columns say.

use ratatui::{
    layout::Rect,
    text::{Line, Span},
};

use super::state::State;
use crate::tui::{
    action::Action,
    canvas::Canvas,
    context::Context,
    drawn::Geometry,
    keymap::{COMMANDS, Keymap, Section},
    layout::take_top,
    symbols::Symbols,
    text,
    theme::Role,
    widgets::{Look, put_lines, rule},
};

/// Width of the column of keys.
const KEYS: usize = 15;

/// Width of the column of names, by which keys are changed in the configuration.
const NAMES: usize = 15;

/// Below this width the names are left out.
const NAMES_FROM: usize = 76;

/// Draws the list, in two columns where they fit.
pub fn draw(state: &State, context: &Context, area: Rect, canvas: &mut Canvas) -> Geometry {
    let mut rest = area;
    let look = canvas.look;
    let filter = text::clean(&state.filter);
    let title = match filter.as_str() {
        "" => "Keys: the same on every screen".to_owned(),
        filter => format!("Keys, glyphs and columns with '{filter}'"),
    };
    rule(&title, false, take_top(&mut rest, 1), canvas.buffer, look);
    let columns: u16 = if usize::from(rest.width) >= 2 * NAMES_FROM { 2 } else { 1 };
    let width = usize::from(rest.width / columns);
    let lines = lines(&context.keymap, &filter, width, look);
    let per_column = lines.len().div_ceil(usize::from(columns));
    let rows = usize::from(rest.height);
    let scroll = state.scroll.min(per_column.saturating_sub(rows));
    for (index, column) in lines.chunks(per_column.max(1)).enumerate() {
        let x = rest.x + index as u16 * (rest.width / columns);
        let at = Rect { x, width: rest.width / columns, ..rest };
        put_lines(column.iter().skip(scroll), at, canvas.buffer);
    }
    let below = per_column.saturating_sub(scroll + rows);
    if below > 0 {
        let more = format!(" {below} more below ");
        let width = more.len() as u16;
        let at = Rect {
            x: area.right().saturating_sub(width),
            y: area.y,
            width: width.min(area.width),
            height: 1,
        };
        put_lines(&[look.line(more, Role::Key)], at, canvas.buffer);
    }
    Geometry { page: rows.max(1), first: scroll, ..Geometry::default() }
}

/// What a glyph says.
fn glyphs(symbols: &Symbols) -> Vec<(String, &'static str)> {
    let one = |glyph: &str| glyph.to_owned();
    vec![
        (one(symbols.running), "running: frames are coming"),
        (one(symbols.connecting), "connecting: it is being opened"),
        (one(symbols.retrying), "no frames: it waits before the next attempt; also: an alert"),
        (one(symbols.failed), "failed, or refused"),
        (one(symbols.paused), "paused by the user"),
        (one(symbols.completed), "completed: read to its end"),
        (one(symbols.queued), "waits for an open slot"),
        (one(symbols.disabled), "disabled in the configuration, or closed by its schedule"),
        (one(symbols.cursor), "the selected row"),
        (one(symbols.marked), "a marked row"),
        (one(symbols.acknowledged), "an alert that was acknowledged"),
        (format!("{}{}", symbols.full, symbols.empty), "share of the limit; for workers, share of the time"),
        (symbols.levels.concat(), "people in and out over the last hour, a column for each few minutes"),
    ]
}

/// What stands in a column of the overview.
const COLUMNS: &[(&str, &str)] = &[
    ("State", "what the source does, and the seconds until the next attempt"),
    ("Source", "its name"),
    ("FPS", "frames a second that are counted on, beside those that the camera promises"),
    ("In, Out", "crossings of all its lines since the counts were last set to zero"),
    ("Current", "in minus out; below zero where more people left than came"),
    ("Limit", "'threshold' of the configuration"),
    ("Last hour", "crossings by time"),
    ("Age", "how old the last frame is"),
];

/// The lines of the list. Of those, the ones with `wanted` in them, under the titles that have any.
fn lines(keymap: &Keymap, wanted: &str, width: usize, look: &Look) -> Vec<Line<'static>> {
    let wanted = wanted.trim().to_lowercase();
    let names = if width >= NAMES_FROM { NAMES } else { 0 };
    let mut lines = Vec::new();
    let mut list = |title: &str, rows: &mut dyn Iterator<Item = (String, &str, &str)>| {
        let is_wanted = |(keys, name, help): &(String, &str, &str)| {
            wanted.is_empty() || format!("{keys} {name} {help}").to_lowercase().contains(&wanted)
        };
        let mut rows = rows.filter(is_wanted).peekable();
        if rows.peek().is_none() {
            return;
        }
        lines.push(look.line(format!(" {title}"), Role::Title));
        lines.extend(rows.map(|(keys, name, help)| {
            Line::from(vec![
                Span::raw("   "),
                look.span(look.left(&keys, KEYS - 1), Role::Key),
                Span::raw(" "),
                look.span(look.left(name, names), Role::Dim),
                Span::raw(look.cut(help, width.saturating_sub(KEYS + names + 4))),
            ])
        }));
        lines.push(Line::default());
    };
    for section in Section::ALL {
        let commands = COMMANDS.iter().filter(|command| command.section == section);
        list(
            section.title(),
            &mut commands.filter_map(|command| match command.action {
                // The number keys stand in one line.
                Action::SortBy(1) => Some((sort_keys(keymap), "sort-order ...", "sort by this column")),
                Action::Pane(1) => Some((pane_keys(keymap), "pane-preview ...", "the pane of this number")),
                Action::SortBy(_) | Action::Pane(_) => None,
                action => Some((keymap.keys_text(action), command.name, keymap.help(command))),
            }),
        );
    }
    list("Glyphs", &mut glyphs(&look.symbols).into_iter().map(|(glyph, says)| (glyph, "", says)));
    list("Columns", &mut COLUMNS.iter().map(|(column, says)| ((*column).to_owned(), "", *says)));
    if lines.is_empty() {
        lines.push(look.line(" no key, glyph or column has this in its line; Esc clears it", Role::Warn));
    }
    lines
}

fn sort_keys(keymap: &Keymap) -> String {
    numbers(keymap, 9, Action::SortBy)
}

fn pane_keys(keymap: &Keymap) -> String {
    numbers(keymap, 7, Action::Pane)
}

/// `1-9` where the keys are the numbers themselves.
fn numbers(keymap: &Keymap, last: u8, action: fn(u8) -> Action) -> String {
    let all: Vec<String> = (1..=last).map(|number| keymap.keys_text(action(number))).collect();
    if all.iter().enumerate().all(|(index, keys)| *keys == (index + 1).to_string()) {
        format!("1-{last}")
    } else {
        all.join(" ")
    }
}
