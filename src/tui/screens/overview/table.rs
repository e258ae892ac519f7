//! The table of sources: one line a source, columns by what fits.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use super::{Look, put, sparkline};
use crate::{
    model::{Moment, SourceKind, SourceSnapshot, SourceState},
    tui::{
        app::{Panel, UiState},
        format,
        layout::take_top,
        text,
        theme::Role,
        view_model::{Group, Row, SortKey},
    },
};

/// Columns, in the order in which they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    State,
    Name,
    Fps,
    In,
    Out,
    Current,
    Limit,
    Hour,
    Age,
    Note,
}

/// Columns before the first one: cursor and mark.
const LEAD: usize = 2;

/// Below this width the state is a glyph and the rate is left out.
const NARROW: usize = 60;

/// From this width on, the rate stands beside the one that the camera promises.
const WITH_TARGET: usize = 100;

/// A name longer than this is rare.
const NAME: usize = 32;

/// Columns for the last hour: five minutes in each, down to one.
const HOURS: [usize; 5] = [12, 15, 20, 30, 60];

/// Below this share of what the camera promises, the rate is worth a look.
const SLOW: f32 = 0.7;

/// The columns for a width, with their own widths; one column of space stands between them.
///
/// State, name, in, out and current are always there; the others join in the order of their worth, where they leave
/// names room.
fn columns(width: usize) -> Vec<(Column, usize)> {
    // Beside a picture there is room for the glyph alone.
    let narrow = width < NARROW;
    let mut shown = vec![(Column::State, if narrow { 1 } else { 16 }), (Column::Name, 0)];
    shown.extend([(Column::In, 6), (Column::Out, 6), (Column::Current, 7)]);
    let used = |shown: &[(Column, usize)]| LEAD + shown.iter().map(|(_, width)| width + 1).sum::<usize>();
    let offers = [
        (Column::Fps, if width < WITH_TARGET { 6 } else { 8 }, if narrow { NAME + NARROW } else { 20 }),
        (Column::Limit, 9, 16),
        (Column::Age, 4, 22),
        (Column::Hour, HOURS[0], 22),
        (Column::Note, 24, 24),
    ];
    for (column, wide, name_needs) in offers {
        if used(&shown) + wide + 1 + name_needs <= width {
            shown.push((column, wide));
        }
    }
    let order = |column: Column| match column {
        Column::State => 0,
        Column::Name => 1,
        Column::Fps => 2,
        Column::In => 3,
        Column::Out => 4,
        Column::Current => 5,
        Column::Limit => 6,
        Column::Hour => 7,
        Column::Age => 8,
        Column::Note => 9,
    };
    shown.sort_by_key(|(column, _)| order(*column));
    // What is left goes to the name as far as names go, then to the last hour in whole minutes a column, then
    // to the error or back to the name.
    let mut left = width.saturating_sub(used(&shown));
    let has_note = shown.iter().any(|(column, _)| *column == Column::Note);
    let name = left.min(NAME);
    left -= name;
    let has_hour = shown.iter().any(|(column, _)| *column == Column::Hour);
    let hour = if has_hour {
        HOURS.into_iter().rfind(|hour| hour - HOURS[0] <= left).unwrap_or(HOURS[0])
    } else {
        HOURS[0]
    };
    left -= hour - HOURS[0];
    for (column, width) in &mut shown {
        match column {
            Column::Name => *width = if has_note { name } else { name + left },
            Column::Hour => *width = hour,
            Column::Note => *width += left,
            _ => {}
        }
    }
    shown
}

fn heading(column: Column) -> (&'static str, Option<SortKey>) {
    match column {
        Column::State => ("State", Some(SortKey::State)),
        Column::Name => ("Source", Some(SortKey::Name)),
        Column::Fps => ("FPS", Some(SortKey::Fps)),
        Column::In => ("In", Some(SortKey::In)),
        Column::Out => ("Out", Some(SortKey::Out)),
        Column::Current => ("Current", Some(SortKey::Current)),
        Column::Limit => ("Limit", Some(SortKey::Limit)),
        Column::Hour => ("Last hour", None),
        Column::Age => ("Age", Some(SortKey::Age)),
        Column::Note => ("Last error", None),
    }
}

fn is_number(column: Column) -> bool {
    matches!(column, Column::Fps | Column::In | Column::Out | Column::Current | Column::Age)
}

/// Draws the table and keeps the selected row in view.
pub fn draw(ui: &mut UiState, area: Rect, buffer: &mut Buffer, look: &Look) {
    let mut rest = area;
    let head = take_top(&mut rest, 1);
    let columns = columns(usize::from(area.width));
    draw_head(ui, &columns, head, buffer, look);
    ui.table_area = rest;
    ui.page = usize::from(rest.height).max(1);
    let selected = ui.selected_row().unwrap_or(0);
    let count = ui.rows().len();
    ui.offset = scrolled(ui.offset, selected, count, ui.page);
    // A heading just above the first visible source comes into view with it.
    if selected > 0
        && ui.offset == selected
        && matches!(ui.rows()[selected - 1], Row::Group(_))
        && ui.page > 1
    {
        ui.offset -= 1;
    }
    if count == 0 {
        let why = if ui.shown().sources.is_empty() {
            vec!["No sources yet.".to_string(), "Press 'a' to add a camera, a video or a demo scene.".into()]
        } else {
            vec![
                format!("No source matches the filter '{}'.", ui.arrangement().filter),
                format!("{} hidden. Esc clears the filter.", ui.shown().sources.len()),
            ]
        };
        let lines = why
            .into_iter()
            .map(|line| look.line(look.cut(&format!("  {line}"), usize::from(rest.width)), Role::Dim));
        super::put_lines(&lines.collect::<Vec<_>>(), rest, buffer);
        return;
    }
    for (place, row) in ui.rows().iter().enumerate().skip(ui.offset).take(ui.page) {
        let at = Rect { y: rest.y + (place - ui.offset) as u16, height: 1, ..rest };
        match row {
            Row::Group(group) => put(&group_line(group, &columns, look), at, buffer),
            Row::Source(index) => {
                let source = &ui.shown().sources[*index];
                put(&source_line(ui, source, &columns, place == selected, look), at, buffer);
            }
        }
    }
    let below = count.saturating_sub(ui.offset + ui.page);
    if below > 0 || ui.offset > 0 {
        let [up, _, down, _] = look.symbols.arrows;
        let more = match (ui.offset, below) {
            (0, below) => format!(" {down}{below} "),
            (above, 0) => format!(" {up}{above} "),
            (above, below) => format!(" {up}{above} {down}{below} "),
        };
        // In the gap behind the heading of the first column.
        let width = text::width(&more) as u16;
        let gap = if columns[0].1 > 1 { columns[0].1 } else { columns[0].1 + columns[1].1 };
        let end = head.x + (LEAD + gap) as u16;
        let at = Rect { x: end.saturating_sub(width), width, ..head }.intersection(head);
        put(&look.line(more, Role::Key), at, buffer);
    }
}

/// The first visible row, moved as little as possible so that `selected` shows.
fn scrolled(offset: usize, selected: usize, count: usize, page: usize) -> usize {
    let offset = offset.min(count.saturating_sub(page));
    if selected < offset {
        selected
    } else if selected >= offset + page {
        selected + 1 - page
    } else {
        offset
    }
}

fn draw_head(ui: &UiState, columns: &[(Column, usize)], area: Rect, buffer: &mut Buffer, look: &Look) {
    let arrangement = ui.arrangement();
    let focused = ui.panel == Panel::Sources;
    let mut spans = vec![Span::raw(" ".repeat(LEAD))];
    for (column, width) in columns {
        let (name, key) = heading(*column);
        let name = if *width == 1 { "" } else { name };
        let name = if key == Some(arrangement.sort) && arrangement.sort != SortKey::Order {
            let down = arrangement.sort.is_descending() != arrangement.reversed;
            format!("{}{name}", look.symbols.sorted[usize::from(down)])
        } else {
            name.to_string()
        };
        let cell = if is_number(*column) { look.right(&name, *width) } else { look.left(&name, *width) };
        // Only the word is underlined: a rule through the gaps would look like one wide column.
        let blank = cell.len() - cell.trim_start().len();
        let word = cell.trim().to_string();
        let tail = cell.trim_start().len() - word.len();
        spans.push(Span::raw(" ".repeat(blank)));
        spans.push(look.span(word, if focused { Role::Column } else { Role::Dim }));
        spans.push(Span::raw(" ".repeat(tail + 1)));
    }
    put(&Line::from(spans), area, buffer);
}

/// Glyph, role of a state.
#[must_use]
pub fn state_look(source: &SourceSnapshot, look: &Look) -> (&'static str, Role) {
    let s = &look.symbols;
    match source.state {
        SourceState::Running => (s.running, Role::Good),
        SourceState::Connecting => (s.connecting, Role::Busy),
        SourceState::Queued => (s.queued, Role::Dim),
        SourceState::Stalled | SourceState::Retrying { .. } => (s.retrying, Role::Warn),
        SourceState::AuthFailed { .. } | SourceState::NoSuchStream { .. } => (s.failed, Role::Bad),
        SourceState::Failed { .. } | SourceState::Unsupported => (s.failed, Role::Bad),
        SourceState::Paused => (s.paused, Role::Busy),
        SourceState::Completed => (s.completed, Role::Text),
        SourceState::Disabled => (s.disabled, Role::Dim),
    }
}

/// The state's word with its countdown or its progress.
#[must_use]
pub fn state_words(source: &SourceSnapshot, as_of: Moment) -> String {
    let word = match source.state {
        // Short enough to stand beside their countdown.
        SourceState::NoSuchStream { .. } => "No stream",
        SourceState::AuthFailed { .. } => "Auth fail",
        _ => source.state.word(),
    };
    if let Some(at) = source.state.next_attempt() {
        return format!("{word} {}", format::countdown(at - as_of));
    }
    match (&source.state, source.frames_total) {
        (SourceState::Running, Some(total)) if total > 0 => {
            format!("{word} {}", format::percent((source.frames as f32 / total as f32).min(1.0)))
        }
        _ => word.to_string(),
    }
}

fn source_line(
    ui: &UiState,
    source: &SourceSnapshot,
    columns: &[(Column, usize)],
    selected: bool,
    look: &Look,
) -> Line<'static> {
    let marked = ui.is_marked(&source.id);
    let bar = selected && ui.panel == Panel::Sources;
    let style = |role: Role| if bar { Style::new() } else { look.style(role) };
    let mut spans = vec![
        Span::styled(if selected { look.symbols.cursor } else { " " }, style(Role::Key)),
        Span::styled(if marked { look.symbols.marked } else { " " }, style(Role::Marked)),
    ];
    for (column, width) in columns {
        let (text, role) = cell(ui, source, *column, *width, look);
        let text = if is_number(*column) { look.right(&text, *width) } else { look.left(&text, *width) };
        spans.push(Span::styled(text, style(role)));
        spans.push(Span::raw(" "));
    }
    let line = Line::from(spans);
    if bar { line.style(look.style(Role::Selected)) } else { line }
}

fn cell(ui: &UiState, source: &SourceSnapshot, column: Column, width: usize, look: &Look) -> (String, Role) {
    let over = source.over_threshold();
    let quiet = source.state.is_over() || source.state == SourceState::Queued;
    let about = format::about(source.doubt().is_some());
    match column {
        Column::State => {
            let (glyph, role) = state_look(source, look);
            let words = if width == 1 {
                String::new()
            } else {
                format!(" {}", state_words(source, ui.shown().taken))
            };
            (format!("{glyph}{words}"), role)
        }
        Column::Name => (look.name(source, width), if over { Role::Warn } else { Role::Text }),
        Column::Fps => rate(source, width, quiet),
        Column::In => (format!("{about}{}", format::count(source.total_in)), Role::In),
        Column::Out => (format!("{about}{}", format::count(source.total_out)), Role::Out),
        Column::Current => (
            format!("{about}{}", format::current(source.current())),
            if over { Role::Alert } else { Role::Text },
        ),
        Column::Limit => match source.threshold {
            Some(limit) => limit_bar(source.current(), limit, width, look),
            None => (String::new(), Role::Dim),
        },
        Column::Hour => {
            let now = ui.moment().wall.timestamp().as_second().div_euclid(60);
            let history = ui.extras.history.get(&source.id);
            let line = history.map(|history| sparkline::crossings(history, now, 60, width, &look.symbols));
            (line.unwrap_or_default(), Role::Busy)
        }
        Column::Age => match source.last_frame {
            Some(then) if !quiet => {
                let age = ui.shown().taken - then;
                let role = if age.as_secs() >= 5 { Role::Warn } else { Role::Dim };
                (format::age(age), role)
            }
            _ => (String::new(), Role::Dim),
        },
        Column::Note => {
            let error = source.last_error.as_deref().map(text::clean);
            (
                error.or_else(|| source.doubt().map(|doubt| doubt.words().to_owned())).unwrap_or_default(),
                Role::Dim,
            )
        }
    }
}

/// `24.9/25`: frames handled and promised by the second. A video has no target, it is read as fast as can be.
fn rate(source: &SourceSnapshot, width: usize, quiet: bool) -> (String, Role) {
    let now = format::fps(source.fps);
    if quiet || source.state != SourceState::Running {
        return (now, Role::Dim);
    }
    let target = source.declared_fps.filter(|_| source.kind == SourceKind::Camera);
    let Some(target) = target.filter(|target| target.is_finite() && *target > 0.0) else {
        return (now, Role::Text);
    };
    let role = if source.fps < SLOW * target { Role::Warn } else { Role::Text };
    let both = format!("{now}/{target:.0}");
    (if text::width(&both) <= width && width > 6 { both } else { now }, role)
}

/// `███░░ 10`: the current count as a share of the limit.
fn limit_bar(current: i64, limit: i64, width: usize, look: &Look) -> (String, Role) {
    let number = format::current(limit);
    let cells = width.saturating_sub(text::width(&number) + 1).min(5);
    let share = if limit <= 0 { 1.0 } else { (current as f64 / limit as f64).clamp(0.0, 1.0) };
    let full = (share * cells as f64).floor() as usize;
    let bar = look.symbols.full.repeat(full) + &look.symbols.empty.repeat(cells - full);
    // Not the alert's reverse: a full bar would look empty.
    let role = if current >= limit {
        Role::Bad
    } else if share >= 0.8 {
        Role::Warn
    } else {
        Role::Dim
    };
    (format!("{bar} {number}"), role)
}

fn group_line(group: &Group, columns: &[(Column, usize)], look: &Look) -> Line<'static> {
    let net = group.total_in as i64 - group.total_out as i64;
    let about = format::about(group.is_doubted);
    let title = text::clean(group.location.as_deref().unwrap_or("Elsewhere"));
    let mut facts =
        if group.sources == 1 { "1 source".to_string() } else { format!("{} sources", group.sources) };
    if group.troubled > 0 {
        facts.push_str(&format!(", {} in trouble", group.troubled));
    }
    let before = columns.iter().position(|(column, _)| *column == Column::In).unwrap_or(0);
    let head: usize = columns.iter().take(before).map(|(_, width)| width + 1).sum::<usize>() + LEAD;
    let title_width = text::width(&title).min(head.saturating_sub(4));
    let facts_width = head.saturating_sub(title_width + 4);
    let role = if group.troubled > 0 { Role::Warn } else { Role::Dim };
    let mut spans = vec![
        look.span(format!("{} ", look.symbols.rule), Role::Border),
        look.span(look.cut(&title, title_width), Role::Title),
        Span::raw("  "),
        look.span(look.left(&facts, facts_width), role),
    ];
    for (column, width) in columns.iter().skip(before) {
        let text = match column {
            Column::In => format!("{about}{}", format::count(group.total_in)),
            Column::Out => format!("{about}{}", format::count(group.total_out)),
            Column::Current => format!("{about}{}", format::signed(net)),
            _ => break,
        };
        spans.push(look.span(look.right(&text, *width), Role::Title));
        spans.push(Span::raw(" "));
    }
    Line::from(spans)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_never_wider_than_its_panel_and_names_stay_readable() {
        for width in 40..260 {
            let columns = columns(width);
            let used = LEAD + columns.iter().map(|(_, width)| width + 1).sum::<usize>();
            assert!(used <= width, "{width}: {columns:?}");
            let name = columns.iter().find(|(column, _)| *column == Column::Name).unwrap().1;
            assert!(name >= 10, "{width}: {columns:?}");
        }
    }

    #[test]
    fn scrolling_moves_as_little_as_it_can() {
        assert_eq!(scrolled(0, 3, 10, 5), 0);
        assert_eq!(scrolled(0, 5, 10, 5), 1);
        assert_eq!(scrolled(4, 2, 10, 5), 2);
        assert_eq!(scrolled(8, 9, 10, 5), 5);
        assert_eq!(scrolled(3, 0, 0, 5), 0);
    }
}
