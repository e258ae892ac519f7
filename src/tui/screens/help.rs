//! All keys, from the table of commands.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use crate::tui::{
    action::Action,
    app::UiState,
    keymap::{COMMANDS, Keymap, Section},
    layout::take_top,
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
pub fn draw(ui: &mut UiState, area: Rect, buffer: &mut Buffer, look: &Look) {
    let mut rest = area;
    rule("Keys: the same on every screen", false, take_top(&mut rest, 1), buffer, look);
    let columns: u16 = if usize::from(rest.width) >= 2 * NAMES_FROM { 2 } else { 1 };
    let width = usize::from(rest.width / columns);
    let lines = lines(&ui.keymap, width, look);
    let per_column = lines.len().div_ceil(usize::from(columns));
    let rows = usize::from(rest.height);
    ui.page = rows.max(1);
    ui.scroll = ui.scroll.min(per_column.saturating_sub(rows));
    for (index, column) in lines.chunks(per_column.max(1)).enumerate() {
        let x = rest.x + index as u16 * (rest.width / columns);
        let at = Rect { x, width: rest.width / columns, ..rest };
        put_lines(column.iter().skip(ui.scroll), at, buffer);
    }
    let below = per_column.saturating_sub(ui.scroll + rows);
    if below > 0 {
        let more = format!(" {below} more below ");
        let width = more.len() as u16;
        let at = Rect {
            x: area.right().saturating_sub(width),
            y: area.y,
            width: width.min(area.width),
            height: 1,
        };
        put_lines(&[look.line(more, Role::Key)], at, buffer);
    }
}

fn lines(keymap: &Keymap, width: usize, look: &Look) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for section in Section::ALL {
        lines.push(look.line(format!(" {}", section.title()), Role::Title));
        for command in COMMANDS.iter().filter(|command| command.section == section) {
            // The number keys stand in one line.
            let (keys, help) = match command.action {
                Action::SortBy(1) => (sort_keys(keymap), "sort by this column; pane of a source's screen"),
                Action::SortBy(_) => continue,
                action => (keymap.keys_text(action), command.help),
            };
            let names = if width >= NAMES_FROM { NAMES } else { 0 };
            let name = match command.action {
                Action::SortBy(_) => "sort-order ...",
                _ => command.name,
            };
            lines.push(Line::from(vec![
                Span::raw("   "),
                look.span(look.left(&keys, KEYS), Role::Key),
                look.span(look.left(name, names), Role::Dim),
                Span::raw(look.cut(help, width.saturating_sub(KEYS + names + 4))),
            ]));
        }
        lines.push(Line::default());
    }
    lines
}

fn sort_keys(keymap: &Keymap) -> String {
    let all: Vec<String> = (1..=9).map(|column| keymap.keys_text(Action::SortBy(column))).collect();
    if all.iter().enumerate().all(|(index, keys)| *keys == (index + 1).to_string()) {
        "1-9".into()
    } else {
        all.join(" ")
    }
}
