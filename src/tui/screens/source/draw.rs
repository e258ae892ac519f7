//! One source in full, in panes: picture, counts, what happened, charts, times, log, configuration.

use std::sync::Arc;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use super::{
    config, counts,
    panes::{self, Pane},
    state::State,
    times,
};
use crate::{
    model::{Event, SourceSnapshot},
    tui::{
        action::Action,
        canvas::Canvas,
        context::Context,
        drawn::Geometry,
        layout::take_top,
        text,
        theme::Role,
        widgets::{Look, chart, describe, first_key, log_lines, picture, put, put_lines, rule, source_facts},
    },
};

/// Most lines of what is wrong, above the panes.
const MOST_ERROR_LINES: usize = 3;

/// Draws the selected source.
pub fn draw(state: &State, context: &Context, area: Rect, canvas: &mut Canvas) -> Geometry {
    let mut rest = area;
    let look = canvas.look;
    // Pages of a chosen pane without a list are of one size all the same.
    let mut geometry = Geometry { page: 2, first: state.scroll, ..Geometry::default() };
    let Some(source) = context.selected() else {
        put(&look.line(format!(" {}", context.why_empty()), Role::Dim), rest, canvas.buffer);
        return geometry;
    };
    title(context, source, take_top(&mut rest, 1), canvas.buffer, look);
    if let Some(error) = source_facts::error(source, context.shown().taken) {
        let lines = text::wrap(&error, usize::from(rest.width.saturating_sub(4)));
        let most = if area.height < 20 { 1 } else { MOST_ERROR_LINES };
        let lines: Vec<Line> = lines
            .into_iter()
            .take(most)
            .enumerate()
            .map(|(index, line)| {
                let lead = if index == 0 { look.symbols.alert } else { " " };
                look.line(look.left(&format!(" {lead} {line}"), usize::from(rest.width)), Role::Alert)
            })
            .collect();
        put_lines(&lines, take_top(&mut rest, lines.len() as u16), canvas.buffer);
    }
    let config = context.config_of(&source.id);
    let config_lines = |width| config.map_or(Vec::new(), |config| config::lines(config, width, look));
    let count = |lines: Vec<Line>| u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let wanted = state.wanted(count(counts::lines(context, source, 40, look)), count(config_lines(56)));
    let arranged = panes::arrange(rest, (area.width, area.height), wanted);
    if arranged.tabs.height > 0 {
        draw_tabs(state, context, arranged.tabs, canvas.buffer, look);
    }
    let alone = arranged.panes.len() == 1;
    for (pane, area) in arranged.panes {
        let chosen = pane == state.pane;
        let mut rest = area;
        // Alone below the list of all, a pane needs a heading only where that says more than its name.
        let heading = take_top(&mut rest, u16::from(!alone || pane == Pane::Chart));
        let width = usize::from(rest.width);
        let rows = usize::from(rest.height);
        let mut title = format!("{} {}", number(context, pane), pane.name());
        let lines = match pane {
            Pane::Preview => {
                draw_preview(context, source, rest, canvas);
                None
            }
            Pane::Chart => {
                title = draw_chart(state, context, source, rest, canvas.buffer, look);
                None
            }
            Pane::Counts => Some(counts::lines(context, source, width, look)),
            Pane::Events => Some(events(state, context, source, width, look)),
            Pane::Times => Some(times::lines(&state.times, width, look)),
            Pane::Log => Some(log(context, width, look)),
            Pane::Config => Some(config_lines(width)),
        };
        if let Some(lines) = lines {
            let (shown, hidden) = window(state, pane, lines.len(), rows);
            if chosen {
                geometry.page = rows.saturating_sub(1).max(2);
                geometry.first = state.scroll.min(lines.len().saturating_sub(rows));
            }
            put_lines(&lines[shown], rest, canvas.buffer);
            if hidden > 0 && chosen {
                let more = more(context, pane, hidden, look);
                if alone {
                    let wide = text::width(&more) as u16;
                    let at = Rect { x: rest.right().saturating_sub(wide), width: wide, ..rest };
                    let last = Rect { y: rest.bottom().saturating_sub(1), height: 1, ..at };
                    put(&look.line(more, Role::Key), last.intersection(rest), canvas.buffer);
                } else {
                    title.push(',');
                    title.push_str(more.trim_end());
                }
            }
        }
        rule(&title, chosen, heading, canvas.buffer, look);
    }
    geometry
}

/// That there are more lines, and the key that shows them: ` ↓12 more (pgdn) `.
fn more(context: &Context, pane: Pane, hidden: usize, look: &Look) -> String {
    let [up, _, down, _] = look.symbols.arrows;
    let (arrow, key) =
        if pane.is_read_from_its_end() { (up, Action::PageUp) } else { (down, Action::PageDown) };
    format!(" {arrow}{hidden} more ({}) ", first_key(&context.keymap, key))
}

/// The key of a pane as shown.
fn number(context: &Context, pane: Pane) -> String {
    first_key(&context.keymap, Action::Pane(pane.place() as u8 + 1))
}

fn draw_tabs(state: &State, context: &Context, area: Rect, buffer: &mut Buffer, look: &Look) {
    let mut spans = Vec::new();
    for pane in Pane::ALL {
        let name = format!("{} ", pane.name());
        let key = format!("{} ", number(context, pane));
        if pane == state.pane {
            spans.push(look.span(format!("{key}{}", pane.name()), Role::Selected));
            spans.push(Span::raw(" "));
        } else {
            spans.push(look.span(key, Role::Key));
            let off = pane == Pane::Preview && !state.preview;
            spans.push(look.span(name, if off { Role::Dim } else { Role::Text }));
        }
    }
    put(&Line::from(spans), area, buffer);
}

fn title(context: &Context, source: &SourceSnapshot, area: Rect, buffer: &mut Buffer, look: &Look) {
    let (glyph, role) = describe::source_state(source, look);
    let words = describe::source_state_words(source, context.shown().taken);
    let place = source.location.as_deref().map(|place| format!("{}{}", look.separator(), text::clean(place)));
    let state = format!(" {glyph} {words} ");
    let room = usize::from(area.width).saturating_sub(text::width(&state) + 1);
    let mut spans = vec![
        look.span(look.name(source, room), Role::Title),
        look.span(place.unwrap_or_default(), Role::Dim),
    ];
    spans.insert(0, look.span(state, role));
    if let Some(since) = context.frozen_since() {
        spans.push(Span::raw("  "));
        spans.push(look.span(format!(" FROZEN since {} ", since.wall.strftime("%H:%M:%S")), Role::Alert));
    }
    put(&Line::from(spans), area, buffer);
    let clock = format!("{} ", context.clock().wall.strftime("%H:%M:%S"));
    let width = clock.len() as u16;
    if area.width > 70 {
        put(&look.line(clock, Role::Text), Rect { x: area.right() - width, width, ..area }, buffer);
    }
}

fn draw_preview(context: &Context, source: &SourceSnapshot, area: Rect, canvas: &mut Canvas) {
    if let Some(preview) = context.fetched.previews.get(&source.id) {
        canvas.picture(preview, picture::Overlay::of(context, &source.id), area);
    } else {
        // What is wrong stands above already.
        let lines = text::wrap(&source_facts::no_picture(context, source), usize::from(area.width));
        let lines: Vec<Line> = lines.into_iter().map(|line| canvas.look.line(line, Role::Dim)).collect();
        put_lines(&lines, area, canvas.buffer);
    }
}

/// Draws the columns that were read and gives the heading.
fn draw_chart(
    state: &State,
    context: &Context,
    source: &SourceSnapshot,
    area: Rect,
    buffer: &mut Buffer,
    look: &Look,
) -> String {
    let width = state.chart_width;
    let keys = [Action::NarrowerColumns, Action::WiderColumns]
        .map(|action| first_key(&context.keymap, action))
        .join(" ");
    let heading = |reach: &str| {
        let number = number(context, Pane::Chart);
        format!("{number} In and out {}, {reach} ({keys} changes)", chart::words(width))
    };
    let read = state.chart.as_ref().filter(|(of, wide, _)| *of == source.id && *wide == width);
    let Some((.., columns)) = read else {
        put(&look.line("reading what was counted", Role::Dim), area, buffer);
        return heading("");
    };
    let mut area = area;
    if let Some(problem) = state.chart_problem.as_deref().filter(|_| area.height > 0) {
        let said = look.cut(problem, usize::from(area.width));
        put(&look.line(said, Role::Warn), Rect { height: 1, ..area }, buffer);
        area = Rect { y: area.y + 1, height: area.height - 1, ..area };
    }
    let shown = chart::draw_counts(columns, width, &context.moment().wall, area, buffer, look);
    heading(&chart::reach(width, shown))
}

/// What happened at this source, the latest last.
fn events(
    state: &State,
    context: &Context,
    source: &SourceSnapshot,
    width: usize,
    look: &Look,
) -> Vec<Line<'static>> {
    let line = |event: &Arc<Event>| {
        let stamp = format!("{} ", context.clock().clock(event.wall));
        let (what, role) = describe::event(&event.kind, look);
        let room = width.saturating_sub(stamp.len());
        Line::from(vec![look.span(stamp, Role::Dim), look.span(look.cut(&what, room), role)])
    };
    let lines: Vec<Line> = state.events_of(&source.id).iter().map(line).collect();
    if lines.is_empty() { vec![look.line("nothing has happened yet", Role::Dim)] } else { lines }
}

/// The log of this source.
fn log(context: &Context, width: usize, look: &Look) -> Vec<Line<'static>> {
    if context.fetched.log.is_empty() {
        let why = context.fetched.log_problem.as_deref().unwrap_or("nothing has been logged about it yet");
        return vec![look.line(look.cut(why, width), Role::Dim)];
    }
    context.fetched.log.iter().map(|line| log_lines::short(context, line, width, look)).collect()
}

/// Which of `count` lines a pane shows in `rows`, and how many lie beyond them in the direction of reading.
fn window(state: &State, pane: Pane, count: usize, rows: usize) -> (std::ops::Range<usize>, usize) {
    let most = count.saturating_sub(rows);
    let scroll = if pane == state.pane { state.scroll.min(most) } else { 0 };
    let first = if pane.is_read_from_its_end() { most - scroll } else { scroll };
    (first..(first + rows).min(count), most - scroll)
}
