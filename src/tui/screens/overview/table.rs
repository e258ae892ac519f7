//! The table of sources: one line a source, columns by what fits. A new column is one more row of [`COLUMNS`].

use std::fmt::Write as _;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use super::state::{Panel, State};
use crate::{
    model::{SourceKind, SourceSnapshot, SourceState, StateKind},
    tui::{
        context::Context,
        drawn::Geometry,
        format,
        layout::take_top,
        listing::{Group, Row, SortKey},
        text,
        theme::Role,
        widgets::{Look, describe, put, put_lines, sparkline},
    },
};

/// What a cell is made of.
struct Cell<'a> {
    context: &'a Context,
    source: &'a SourceSnapshot,
    /// Columns that it has.
    width: usize,
    look: &'a Look,
}

impl Cell<'_> {
    /// Whether nothing is to be expected of the source.
    fn is_quiet(&self) -> bool {
        self.source.state.is_over() || self.source.state == SourceState::Queued
    }

    /// What stands before its counts.
    fn about(&self) -> &'static str {
        format::about(self.source.doubt().is_some())
    }
}

/// When a column shows.
enum Shows {
    Always,
    /// Where it leaves names so many columns in a table of a width; in this turn it is offered room.
    LeavingNames(fn(usize) -> usize, u8),
    /// The same, and only where the sources are those of a fleet.
    InFleet(fn(usize) -> usize, u8),
}

/// How many columns it takes of what is left over.
type Takes = fn(&Leftover) -> usize;

/// One column.
struct Column {
    heading: &'static str,
    /// What its heading sorts by.
    sort: Option<SortKey>,
    /// Its least width in a table of a width.
    width: fn(usize) -> usize,
    shows: Shows,
    /// The turn in which it is offered what is left over, and how much of that it takes.
    grows: Option<(u8, Takes)>,
    is_number: bool,
    cell: fn(&Cell) -> (String, Role),
    /// What stands in it for a group.
    group: Option<fn(&Group) -> String>,
}

/// What is to be divided among the columns that can use more.
struct Leftover {
    /// Columns of the terminal that are left.
    left: usize,
    /// The longest name.
    name: usize,
}

/// The columns in the order in which they stand. What is left over goes to names as long as they are, to errors as far as they
/// are read, then to the last hour.
const COLUMNS: &[Column] = &[
    Column {
        heading: "State",
        sort: Some(SortKey::State),
        width: |width| if width < NARROW { 1 } else { 16 },
        shows: Shows::Always,
        grows: None,
        is_number: false,
        cell: |cell| {
            let (glyph, role) = describe::source_state(cell.source, cell.look);
            let words = describe::source_state_words(cell.source, cell.context.shown().taken);
            // Until when it is closed is told elsewhere where it does not fit.
            let fits = text::width(&words) + 2 <= cell.width;
            let words =
                if fits || cell.source.state.kind() != StateKind::Closed { words } else { "Closed".into() };
            (if cell.width == 1 { glyph.to_owned() } else { format!("{glyph} {words}") }, role)
        },
        group: None,
    },
    Column {
        heading: "Source",
        sort: Some(SortKey::Name),
        width: |_| 0,
        shows: Shows::Always,
        grows: Some((1, |leftover| leftover.name.clamp(LEAST_NAME, NAME))),
        is_number: false,
        cell: |cell| {
            let over = cell.source.over_threshold();
            (cell.look.name(cell.source, cell.width), if over { Role::Warn } else { Role::Text })
        },
        group: None,
    },
    Column {
        heading: "Node",
        sort: Some(SortKey::Node),
        width: |width| if width < WITH_TARGET { 10 } else { 14 },
        shows: Shows::InFleet(|_| 20, 1),
        grows: None,
        is_number: false,
        cell: |cell| {
            let holder = cell.source.holder.as_ref();
            let name = holder.map(|holder| text::clean(&holder.node)).unwrap_or_default();
            let role = if cell.source.silent_for().is_some() { Role::Warn } else { Role::Text };
            (cell.look.cut(&name, cell.width), role)
        },
        group: None,
    },
    Column {
        heading: "Site",
        sort: None,
        width: |_| 10,
        shows: Shows::InFleet(|_| 24, 3),
        grows: None,
        is_number: false,
        cell: |cell| {
            let site = cell.source.holder.as_ref().and_then(|holder| holder.site.as_deref());
            (cell.look.cut(&site.map(text::clean).unwrap_or_default(), cell.width), Role::Dim)
        },
        group: None,
    },
    Column {
        heading: "FPS",
        sort: Some(SortKey::Fps),
        width: |width| if width < WITH_TARGET { 6 } else { 8 },
        shows: Shows::LeavingNames(|width| if width < NARROW { NARROW } else { 20 }, 2),
        grows: None,
        is_number: true,
        cell: rate,
        group: None,
    },
    Column {
        heading: "In",
        sort: Some(SortKey::In),
        width: |_| 6,
        shows: Shows::Always,
        grows: None,
        is_number: true,
        cell: |cell| (format!("{}{}", cell.about(), format::count(cell.source.total_in)), Role::In),
        group: Some(|group| format!("{}{}", format::about(group.is_doubted), format::count(group.total_in))),
    },
    Column {
        heading: "Out",
        sort: Some(SortKey::Out),
        width: |_| 6,
        shows: Shows::Always,
        grows: None,
        is_number: true,
        cell: |cell| (format!("{}{}", cell.about(), format::count(cell.source.total_out)), Role::Out),
        group: Some(|group| format!("{}{}", format::about(group.is_doubted), format::count(group.total_out))),
    },
    Column {
        heading: "Current",
        sort: Some(SortKey::Current),
        width: |_| 7,
        shows: Shows::Always,
        grows: None,
        is_number: true,
        cell: |cell| {
            let role = if cell.source.over_threshold() { Role::Alert } else { Role::Text };
            (format!("{}{}", cell.about(), format::current(cell.source.current())), role)
        },
        group: Some(|group| {
            let net = group.total_in as i64 - group.total_out as i64;
            format!("{}{}", format::about(group.is_doubted), format::signed(net))
        }),
    },
    Column {
        heading: "Limit",
        sort: Some(SortKey::Limit),
        width: |_| 9,
        shows: Shows::LeavingNames(|_| 16, 4),
        grows: None,
        is_number: false,
        cell: |cell| match cell.source.threshold {
            Some(limit) => limit_bar(cell.source.current(), limit, cell.width, cell.look),
            None => (String::new(), Role::Dim),
        },
        group: None,
    },
    Column {
        heading: "Last hour",
        sort: None,
        width: |_| HOURS[0],
        shows: Shows::LeavingNames(|_| 22, 6),
        grows: Some((3, |leftover| {
            let more = HOURS.into_iter().map(|hour| hour - HOURS[0]);
            more.rev().find(|more| *more <= leftover.left).unwrap_or(0)
        })),
        is_number: false,
        cell: |cell| {
            let now = cell.context.moment().wall.timestamp().as_second().div_euclid(60);
            let history = cell.context.fetched.history.get(&cell.source.id);
            let symbols = &cell.look.symbols;
            let line = history.map(|history| sparkline::crossings(history, now, 60, cell.width, symbols));
            (line.unwrap_or_default(), Role::Busy)
        },
        group: None,
    },
    Column {
        heading: "Age",
        sort: Some(SortKey::Age),
        width: |_| 4,
        shows: Shows::LeavingNames(|_| 21, 5),
        grows: None,
        is_number: true,
        cell: |cell| match cell.source.last_frame {
            Some(then) if !cell.is_quiet() => {
                let age = cell.context.shown().taken - then;
                (format::age(age), if age.as_secs() >= 5 { Role::Warn } else { Role::Dim })
            }
            _ => (String::new(), Role::Dim),
        },
        group: None,
    },
    Column {
        heading: "Last error",
        sort: None,
        width: |_| 24,
        shows: Shows::LeavingNames(|_| 24, 7),
        grows: Some((2, |_| ERROR - 24)),
        is_number: false,
        cell: |cell| {
            let error = cell.source.last_error.as_deref().map(text::clean);
            let doubt = || cell.source.doubt().map(|doubt| doubt.words().to_owned());
            (error.or_else(doubt).unwrap_or_default(), Role::Dim)
        },
        group: None,
    },
];

/// Columns before the first one: cursor and mark.
const LEAD: usize = 2;

/// Below this width, as beside a preview, the state is a glyph, and names need the room of the rate.
const NARROW: usize = 60;

/// From this width on, the rate stands beside the one that the camera promises.
const WITH_TARGET: usize = 100;

/// Names have this much room before anything else grows ...
const LEAST_NAME: usize = 24;

/// ... and no more than this: a longer one is rare.
const NAME: usize = 40;

/// Columns in which most errors can be read whole.
const ERROR: usize = 60;

/// Columns for the last hour: five minutes in each, down to one.
const HOURS: [usize; 5] = [12, 15, 20, 30, 60];

/// Below this share of what the camera promises, the rate is drawn as a warning.
const SLOW: f32 = 0.7;

/// The columns for a table of `width`, with their own widths, where the longest name has `name` columns; one column of space
/// stands between them. Of a fleet it has nodes and sites.
fn columns(width: usize, name: usize, is_fleet: bool) -> Vec<(&'static Column, usize)> {
    let mut widths: Vec<Option<usize>> = COLUMNS
        .iter()
        .map(|column| matches!(column.shows, Shows::Always).then(|| (column.width)(width)))
        .collect();
    let used = |widths: &[Option<usize>]| LEAD + widths.iter().flatten().map(|wide| wide + 1).sum::<usize>();
    for (at, names) in in_turn(|column| match column.shows {
        Shows::LeavingNames(names, turn) => Some((turn, names)),
        Shows::InFleet(names, turn) => is_fleet.then_some((turn, names)),
        Shows::Always => None,
    }) {
        let wide = (COLUMNS[at].width)(width);
        if used(&widths) + wide + 1 + names(width) <= width {
            widths[at] = Some(wide);
        }
    }
    let growing = in_turn(|column| column.grows);
    let mut left = width.saturating_sub(used(&widths));
    for (at, takes) in &growing {
        let Some(wide) = &mut widths[*at] else { continue };
        let more = takes(&Leftover { left, name }).min(left);
        *wide += more;
        left -= more;
    }
    // What nobody takes goes to the error, or back to the name.
    let last = growing.iter().take(2).rfind(|(at, _)| widths[*at].is_some());
    if let Some(wide) = last.and_then(|(at, _)| widths[*at].as_mut()) {
        *wide += left;
    }
    COLUMNS.iter().zip(widths).filter_map(|(column, wide)| Some((column, wide?))).collect()
}

/// Places of the columns that have a turn, in that order, with what goes with it.
fn in_turn<T>(turn: impl Fn(&Column) -> Option<(u8, T)>) -> Vec<(usize, T)> {
    let turns = COLUMNS.iter().enumerate().filter_map(|(at, column)| Some((at, turn(column)?)));
    let mut turns: Vec<_> = turns.collect();
    turns.sort_by_key(|(_, (turn, _))| *turn);
    turns.into_iter().map(|(at, (_, what))| (at, what)).collect()
}

/// Draws the table with the selected row in view.
pub fn draw(state: &State, context: &Context, area: Rect, buffer: &mut Buffer, look: &Look) -> Geometry {
    let mut rest = area;
    let head = take_top(&mut rest, 1);
    let names = context.shown().sources.iter().map(|source| text::width(&source.name()));
    let columns = columns(usize::from(area.width), names.max().unwrap_or(0), context.shown().is_fleet());
    draw_head(state, context, &columns, head, buffer, look);
    let page = usize::from(rest.height).max(1);
    let selected = context.selected_row().unwrap_or(0);
    let count = context.rows().len();
    let mut first = scrolled(state.offset, selected, count, page);
    // A heading just above the first visible source comes into view with it.
    if selected > 0 && first == selected && matches!(context.rows()[selected - 1], Row::Group(_)) && page > 1
    {
        first -= 1;
    }
    let geometry = Geometry { page, rows: rest, first, ..Geometry::default() };
    if count == 0 {
        let why = if context.shown().sources.is_empty() {
            vec!["No sources yet.".to_string(), "Press 'a' to add a camera, a video or a demo scene.".into()]
        } else {
            vec![
                format!("No source matches the filter '{}'.", context.arrangement().filter),
                format!("{} hidden. Esc clears the filter.", context.shown().sources.len()),
            ]
        };
        let lines = why
            .into_iter()
            .map(|line| look.line(look.cut(&format!("  {line}"), usize::from(rest.width)), Role::Dim));
        put_lines(&lines.collect::<Vec<_>>(), rest, buffer);
        return geometry;
    }
    for (place, row) in context.rows().iter().enumerate().skip(first).take(page) {
        let at = Rect { y: rest.y + (place - first) as u16, height: 1, ..rest };
        match row {
            Row::Group(group) => put(&group_line(group, &columns, look), at, buffer),
            Row::Source(index) => {
                let source = &context.shown().sources[*index];
                put(
                    &source_line(
                        state,
                        &Cell { context, source, width: 0, look },
                        &columns,
                        place == selected,
                    ),
                    at,
                    buffer,
                );
            }
        }
    }
    let below = count.saturating_sub(first + page);
    if below > 0 || first > 0 {
        let [up, _, down, _] = look.symbols.arrows;
        let more = match (first, below) {
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
    geometry
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

fn draw_head(
    state: &State,
    context: &Context,
    columns: &[(&Column, usize)],
    area: Rect,
    buffer: &mut Buffer,
    look: &Look,
) {
    let arrangement = context.arrangement();
    let focused = state.panel == Panel::Sources;
    let mut spans = vec![Span::raw(" ".repeat(LEAD))];
    for (column, width) in columns {
        let name = if *width == 1 { "" } else { column.heading };
        let name = if column.sort == Some(arrangement.sort) && arrangement.sort != SortKey::Order {
            let down = arrangement.sort.is_descending() != arrangement.reversed;
            format!("{}{name}", look.symbols.sorted[usize::from(down)])
        } else {
            name.to_string()
        };
        let cell = aligned(&name, column, *width, look);
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

fn aligned(text: &str, column: &Column, width: usize, look: &Look) -> String {
    if column.is_number { look.right(text, width) } else { look.left(text, width) }
}

fn source_line(state: &State, of: &Cell, columns: &[(&Column, usize)], selected: bool) -> Line<'static> {
    let look = of.look;
    let marked = of.context.listing.is_marked(&of.source.id);
    let bar = selected && state.panel == Panel::Sources;
    let style = |role: Role| if bar { Style::new() } else { look.style(role) };
    let mut spans = vec![
        Span::styled(if selected { look.symbols.cursor } else { " " }, style(Role::Key)),
        Span::styled(if marked { look.symbols.marked } else { " " }, style(Role::Marked)),
    ];
    for (column, width) in columns {
        let (text, role) = (column.cell)(&Cell { width: *width, ..*of });
        spans.push(Span::styled(aligned(&text, column, *width, look), style(role)));
        spans.push(Span::raw(" "));
    }
    let line = Line::from(spans);
    if bar { line.style(look.style(Role::Selected)) } else { line }
}

/// `24.9/25`: frames handled and promised by the second. A video has no target, it is read as fast as can be.
fn rate(cell: &Cell) -> (String, Role) {
    let Cell { source, width, .. } = *cell;
    let now = format::fps(source.fps);
    if cell.is_quiet() || source.state != SourceState::Running {
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

fn group_line(group: &Group, columns: &[(&Column, usize)], look: &Look) -> Line<'static> {
    let title = text::clean(group.title.as_deref().unwrap_or(group.by.without()));
    let mut facts =
        if group.sources == 1 { "1 source".to_string() } else { format!("{} sources", group.sources) };
    if group.troubled > 0 {
        let plural = if group.troubled == 1 { "" } else { "s" };
        let _ = write!(facts, ", {} alert{plural}", group.troubled);
    }
    let before = columns.iter().position(|(column, _)| column.group.is_some()).unwrap_or(0);
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
        let text = column.group.map(|group_of| group_of(group)).unwrap_or_default();
        spans.push(look.span(aligned(&text, column, *width, look), Role::Title));
        spans.push(Span::raw(" "));
    }
    Line::from(spans)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_never_wider_than_its_panel_and_names_stay_readable() {
        let cases = (40..260).flat_map(|width| [(width, 0), (width, 16), (width, 80)]);
        for (width, longest, is_fleet) in cases.flat_map(|(w, n)| [(w, n, false), (w, n, true)]) {
            let columns = columns(width, longest, is_fleet);
            let shown: Vec<_> = columns.iter().map(|(column, wide)| (column.heading, *wide)).collect();
            let used = LEAD + columns.iter().map(|(_, width)| width + 1).sum::<usize>();
            assert!(used <= width, "{width}: {shown:?}");
            let name = shown.iter().find(|(heading, _)| *heading == "Source").unwrap().1;
            assert!(name >= 10, "{width}: {shown:?}");
        }
    }

    #[test]
    fn room_goes_to_names_and_errors_and_then_to_the_last_hour() {
        let width_of = |width, longest, heading| {
            let columns = columns(width, longest, false);
            columns.iter().find(|(column, _)| column.heading == heading).map(|(_, wide)| *wide)
        };
        assert_eq!(width_of(200, 24, "Source"), Some(24));
        assert_eq!(width_of(200, 60, "Source"), Some(NAME));
        assert!(width_of(200, 24, "Last error") >= Some(ERROR));
        assert_eq!(width_of(200, 24, "Last hour"), Some(30));
        assert_eq!(width_of(250, 24, "Last hour"), Some(60));
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
