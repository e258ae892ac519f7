//! One source in full, in panes: picture, counts, what happened, charts, times, log, configuration.

use std::sync::Arc;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

mod config;
mod counts;
mod stages;

use crate::{
    model::{Event, SourceSnapshot},
    tui::{
        action::Action,
        app::UiState,
        layout::take_top,
        panes::{self, Pane, Wanted},
        text,
        theme::Role,
        widgets::{
            Look, chart, event_list, first_key, log_lines, picture, put, put_lines, rule, source_facts,
            source_table,
        },
    },
};

/// Draws the selected source.
pub fn draw(ui: &mut UiState, area: Rect, buffer: &mut Buffer, look: &Look) {
    let mut rest = area;
    let Some(source) = ui.selected().cloned() else {
        put(&look.line(format!(" {}", ui.why_empty()), Role::Dim), rest, buffer);
        return;
    };
    title(ui, &source, take_top(&mut rest, 1), buffer, look);
    if let Some(trouble) = source_facts::trouble(&source, ui.shown().taken) {
        let lines = text::wrap(&trouble, usize::from(rest.width.saturating_sub(4)));
        let lines: Vec<Line> = lines
            .into_iter()
            .take(if area.height < 20 { 1 } else { 3 })
            .enumerate()
            .map(|(index, line)| {
                let lead = if index == 0 { look.symbols.alert } else { " " };
                look.line(look.left(&format!(" {lead} {line}"), usize::from(rest.width)), Role::Alert)
            })
            .collect();
        put_lines(&lines, take_top(&mut rest, lines.len() as u16), buffer);
    }
    let config = ui.extras.config.as_ref().filter(|config| config.id == source.id).cloned();
    let config_lines =
        |width| config.as_ref().map_or(Vec::new(), |config| config::lines(config, width, look));
    let count = |lines: Vec<Line>| u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let wanted = Wanted {
        chosen: ui.pane,
        picture: ui.picture_in_detail,
        counts: count(counts::lines(ui, &source, 40, look)),
        config: count(config_lines(56)),
    };
    let arranged = panes::arrange(rest, (area.width, area.height), wanted);
    if arranged.tabs.height > 0 {
        draw_tabs(ui, arranged.tabs, buffer, look);
    }
    ui.picture_shows = arranged.panes.iter().any(|(pane, _)| *pane == Pane::Picture);
    // Pages of a chosen pane without a list are of one size all the same.
    ui.page = 2;
    let alone = arranged.panes.len() == 1;
    for (pane, area) in arranged.panes {
        let chosen = pane == ui.pane;
        let mut rest = area;
        // Alone below the list of all, a pane needs a heading only where that says more than its name.
        let heading = take_top(&mut rest, u16::from(!alone || pane == Pane::Chart));
        let width = usize::from(rest.width);
        let mut title = format!("{} {}", number(ui, pane), pane.name());
        match pane {
            Pane::Picture => draw_picture(ui, &source, rest, buffer, look),
            Pane::Chart => title = draw_chart(ui, &source, rest, buffer, look),
            Pane::Counts | Pane::Events | Pane::Stages | Pane::Log | Pane::Config => {
                let rows = usize::from(rest.height);
                let (lines, hidden) = match pane {
                    Pane::Counts => scrolled(ui, pane, counts::lines(ui, &source, width, look), rows),
                    Pane::Events => events(ui, &source, (width, rows), look),
                    Pane::Stages => scrolled(ui, pane, stages::lines(&ui.extras.stages, width, look), rows),
                    Pane::Log => log(ui, (width, rows), look),
                    _ => scrolled(ui, pane, config_lines(width), rows),
                };
                put_lines(&lines, rest, buffer);
                if hidden > 0 && chosen {
                    let more = more(ui, pane, hidden, look);
                    if alone {
                        let wide = text::width(&more) as u16;
                        let at = Rect { x: rest.right().saturating_sub(wide), width: wide, ..rest };
                        let last = Rect { y: rest.bottom().saturating_sub(1), height: 1, ..at };
                        put(&look.line(more, Role::Key), last.intersection(rest), buffer);
                    } else {
                        title.push(',');
                        title.push_str(more.trim_end());
                    }
                }
            }
        }
        rule(&title, chosen, heading, buffer, look);
    }
}

/// That there are more lines, and the key that shows them: ` ↓12 more (pgdn) `.
fn more(ui: &UiState, pane: Pane, hidden: usize, look: &Look) -> String {
    let [up, _, down, _] = look.symbols.arrows;
    let (arrow, key) =
        if pane.is_read_from_its_end() { (up, Action::PageUp) } else { (down, Action::PageDown) };
    format!(" {arrow}{hidden} more ({}) ", first_key(&ui.keymap, key))
}

/// The key of a pane as shown.
fn number(ui: &UiState, pane: Pane) -> String {
    first_key(&ui.keymap, Action::SortBy(pane.place() as u8 + 1))
}

fn draw_tabs(ui: &UiState, area: Rect, buffer: &mut Buffer, look: &Look) {
    let mut spans = Vec::new();
    for pane in Pane::ALL {
        let name = format!("{} ", pane.name());
        let key = format!("{} ", number(ui, pane));
        if pane == ui.pane {
            spans.push(look.span(format!("{key}{}", pane.name()), Role::Selected));
            spans.push(Span::raw(" "));
        } else {
            spans.push(look.span(key, Role::Key));
            let off = pane == Pane::Picture && !ui.picture_in_detail;
            spans.push(look.span(name, if off { Role::Dim } else { Role::Text }));
        }
    }
    put(&Line::from(spans), area, buffer);
}

fn title(ui: &UiState, source: &SourceSnapshot, area: Rect, buffer: &mut Buffer, look: &Look) {
    let (glyph, role) = source_table::state_look(source, look);
    let words = source_table::state_words(source, ui.shown().taken);
    let place = source.location.as_deref().map(|place| format!("{}{}", look.separator(), text::clean(place)));
    let state = format!(" {glyph} {words} ");
    let room = usize::from(area.width).saturating_sub(text::width(&state) + 1);
    let mut spans = vec![
        look.span(look.name(source, room), Role::Title),
        look.span(place.unwrap_or_default(), Role::Dim),
    ];
    spans.insert(0, look.span(state, role));
    if let Some(since) = ui.frozen_since() {
        spans.push(Span::raw("  "));
        spans.push(look.span(format!(" FROZEN since {} ", since.wall.strftime("%H:%M:%S")), Role::Alert));
    }
    put(&Line::from(spans), area, buffer);
    let clock = format!("{} ", ui.clock().wall.strftime("%H:%M:%S"));
    let width = clock.len() as u16;
    if area.width > 70 {
        put(&look.line(clock, Role::Text), Rect { x: area.right() - width, width, ..area }, buffer);
    }
}

fn draw_picture(ui: &mut UiState, source: &SourceSnapshot, area: Rect, buffer: &mut Buffer, look: &Look) {
    match &ui.extras.preview {
        Some((id, preview)) if *id == source.id => {
            let config = ui.extras.config.as_ref().filter(|config| config.id == source.id);
            let overlay = picture::Overlay {
                lines: config.map_or(&[], |config| &config.lines),
                zones: config.map_or(&[], |config| &config.zones),
                trails: &ui.extras.trails,
                ..picture::Overlay::default()
            };
            // A dialog over pixels would be painted over with the next picture.
            if ui.dialog.is_none()
                && let Some(graphics) = &mut ui.graphics
                && graphics.draw(preview, overlay, area, buffer)
            {
                return;
            }
            picture::draw(preview, overlay, area, buffer, look);
        }
        _ => {
            // What is wrong stands above already.
            let lines = text::wrap(&source_facts::no_picture(ui, source), usize::from(area.width));
            let lines: Vec<Line> = lines.into_iter().map(|line| look.line(line, Role::Dim)).collect();
            put_lines(&lines, area, buffer);
        }
    }
}

/// Draws the columns that were read and gives the heading.
fn draw_chart(ui: &UiState, source: &SourceSnapshot, area: Rect, buffer: &mut Buffer, look: &Look) -> String {
    let width = ui.chart;
    let keys = [Action::Fewer, Action::More].map(|action| first_key(&ui.keymap, action)).join(" ");
    let heading = |reach: &str| {
        let number = number(ui, Pane::Chart);
        format!("{number} In and out {}, {reach} ({keys} changes)", chart::words(width))
    };
    let read = ui.extras.chart.as_ref().filter(|(of, wide, _)| *of == source.id && *wide == width);
    let Some((.., columns)) = read else {
        put(&look.line("reading what was counted", Role::Dim), area, buffer);
        return heading("");
    };
    let mut area = area;
    if let Some(problem) = ui.extras.chart_problem.as_deref().filter(|_| area.height > 0) {
        let said = look.cut(problem, usize::from(area.width));
        put(&look.line(said, Role::Warn), Rect { height: 1, ..area }, buffer);
        area = Rect { y: area.y + 1, height: area.height - 1, ..area };
    }
    let shown = chart::draw_counts(columns, width, &ui.moment().wall, area, buffer, look);
    heading(&chart::reach(width, shown))
}

/// What happened at this source, the latest last, as far as it shows, and how many lines more there are.
fn events(
    ui: &mut UiState,
    source: &SourceSnapshot,
    (width, rows): (usize, usize),
    look: &Look,
) -> (Vec<Line<'static>>, usize) {
    let known = ui.extras.events.take().filter(|(of, _)| *of == source.id);
    let events: &[Arc<Event>] = known.as_ref().map_or(&[], |(_, events)| events);
    if events.is_empty() {
        ui.extras.events = known;
        return (vec![look.line("nothing has happened yet", Role::Dim)], 0);
    }
    let (shown, hidden) = window(ui, Pane::Events, events.len(), rows);
    let line = |event: &Arc<Event>| {
        let stamp = format!("{} ", ui.clock().clock(event.wall));
        let (what, role) = event_list::describe(&event.kind, look);
        let room = width.saturating_sub(stamp.len());
        Line::from(vec![look.span(stamp, Role::Dim), look.span(look.cut(&what, room), role)])
    };
    let lines = events[shown].iter().map(line).collect();
    ui.extras.events = known;
    (lines, hidden)
}

/// The log of this source as far as it shows, and how many lines more there are.
fn log(ui: &mut UiState, (width, rows): (usize, usize), look: &Look) -> (Vec<Line<'static>>, usize) {
    if ui.extras.log.is_empty() {
        let why = ui.extras.log_problem.as_deref().unwrap_or("nothing has been logged about it yet");
        return (vec![look.line(look.cut(why, width), Role::Dim)], 0);
    }
    let lines = std::sync::Arc::clone(&ui.extras.log);
    let (shown, hidden) = window(ui, Pane::Log, lines.len(), rows);
    (lines[shown].iter().map(|line| log_lines::short(ui, line, width, look)).collect(), hidden)
}

/// The lines that a pane shows, and how many more there are.
fn scrolled(
    ui: &mut UiState,
    pane: Pane,
    mut lines: Vec<Line<'static>>,
    rows: usize,
) -> (Vec<Line<'static>>, usize) {
    let (shown, hidden) = window(ui, pane, lines.len(), rows);
    (lines.drain(shown).collect(), hidden)
}

/// Which of `count` lines a pane shows in `rows`, and how many lie beyond them in the direction of reading.
fn window(ui: &mut UiState, pane: Pane, count: usize, rows: usize) -> (std::ops::Range<usize>, usize) {
    let most = count.saturating_sub(rows);
    let scroll = if pane == ui.pane {
        ui.page = rows.saturating_sub(1).max(2);
        ui.pane_scroll = ui.pane_scroll.min(most);
        ui.pane_scroll
    } else {
        0
    };
    let first = if pane.is_read_from_its_end() { most - scroll } else { scroll };
    (first..(first + rows).min(count), most - scroll)
}
