//! What was counted at other times, out of the ledger: a list of sources and lines with their sums, and the
//! times of the chosen one.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use super::state::{self, Entry, Row, State};
use crate::{
    ledger::{
        local_time::LocalTime,
        report::{Report, Step},
    },
    model::SourceKind,
    tui::{
        canvas::Canvas,
        context::Context,
        drawn::Geometry,
        format,
        layout::{take_bottom, take_left, take_top},
        text,
        theme::Role,
        widgets::{Look, put, put_lines, rule},
    },
};

/// From this width on, list and table stand side by side.
const BOTH: u16 = 80;

/// Most gaps that are listed one by one.
const MOST_GAPS: usize = 6;

/// Draws the list and the table, or the one that keys move in.
pub fn draw(state: &State, context: &Context, area: Rect, canvas: &mut Canvas) -> Geometry {
    let mut rest = area;
    let look = canvas.look;
    let title = format!(" History: {}, {}", state.title(), state.scale.words());
    let title = look.line(look.cut(&title, usize::from(rest.width)), Role::Title);
    put(&title, take_top(&mut rest, 1), canvas.buffer);
    let geometry =
        Geometry { page: usize::from(rest.height.saturating_sub(2)).max(1), ..Geometry::default() };
    let report = match state.report() {
        None => {
            put(&look.line(" reading what was counted", Role::Dim), rest, canvas.buffer);
            return geometry;
        }
        Some(Err(problem)) => {
            let lines: Vec<Line> = text::wrap(problem, usize::from(rest.width.saturating_sub(2)))
                .into_iter()
                .map(|line| look.line(format!(" {line}"), Role::Warn))
                .collect();
            put_lines(&lines, rest, canvas.buffer);
            return geometry;
        }
        Some(Ok(report)) => report,
    };
    let entries = state::entries(report);
    let chosen = state.entry.min(entries.len().saturating_sub(1));
    let entry = entries.get(chosen).copied().unwrap_or(Entry::All);
    let page = Page { state, context, report, look };
    if area.width < BOTH {
        if state.in_rows {
            page.draw_times(entry, rest, canvas.buffer);
        } else {
            page.draw_list(&entries, chosen, rest, canvas.buffer);
        }
        return geometry;
    }
    let list = take_left(&mut rest, (area.width / 2).min(88));
    take_left(&mut rest, 1);
    page.draw_list(&entries, chosen, list, canvas.buffer);
    page.draw_times(entry, rest, canvas.buffer);
    geometry
}

/// What is drawn.
struct Page<'a> {
    state: &'a State,
    context: &'a Context,
    report: &'a Report,
    look: &'a Look,
}

/// Columns of the list beside the names: heading, columns with the space before them, and the width from which they
/// show. The hour may stand with its day.
const SUMS: [(&str, usize, usize); 6] = [
    ("In", 7, 0),
    ("Out", 7, 0),
    ("Net", 8, 0),
    ("Inside", 8, 68),
    ("Peak hour", 14, 82),
    ("Watched", 9, 50),
];

impl Page<'_> {
    fn draw_list(&self, entries: &[Entry], chosen: usize, area: Rect, buffer: &mut Buffer) {
        let Self { state, report, look, .. } = *self;
        let mut rest = area;
        rule("Sources", !state.in_rows, take_top(&mut rest, 1), buffer, look);
        let width = usize::from(rest.width);
        let sums: Vec<&(&str, usize, usize)> = SUMS.iter().filter(|(.., from)| width >= *from).collect();
        let name_width = width.saturating_sub(2 + sums.iter().map(|(_, wide, _)| wide).sum::<usize>());
        let mut head = format!("  {}", " ".repeat(name_width));
        for (name, wide, _) in &sums {
            head.push_str(&apart(name, *wide, look));
        }
        put(&look.line(head, Role::Dim), take_top(&mut rest, 1), buffer);
        let rows = usize::from(rest.height);
        let first = (chosen + 1).saturating_sub(rows);
        let lines: Vec<Line> = entries
            .iter()
            .enumerate()
            .skip(first)
            .take(rows)
            .map(|(index, entry)| {
                let is_chosen = index == chosen;
                let bar = is_chosen && !state.in_rows;
                let style = |role: Role| if bar { Style::new() } else { look.style(role) };
                let totals = state::totals(report, *entry);
                let net = totals.total_in as i64 - totals.total_out as i64;
                let role = match entry {
                    Entry::All => Role::Title,
                    Entry::Source(_) => Role::Text,
                    Entry::Line(..) => Role::Dim,
                };
                let mut spans = vec![
                    Span::styled(if is_chosen { look.symbols.cursor } else { " " }, style(Role::Key)),
                    Span::styled(
                        format!(" {}", look.left(&self.name(*entry, name_width), name_width)),
                        style(role),
                    ),
                ];
                for (what, wide, _) in &sums {
                    let (text, role) = match *what {
                        "In" => (format::count(totals.total_in), Role::In),
                        "Out" => (format::count(totals.total_out), Role::Out),
                        "Net" => (format::signed(net), Role::Text),
                        "Inside" => (totals.occupancy.map(format::current).unwrap_or_default(), Role::Text),
                        "Peak hour" => (
                            totals.peak_hour.as_ref().map(|peak| self.hour(&peak.start)).unwrap_or_default(),
                            Role::Text,
                        ),
                        _ => match totals.coverage {
                            Some(share) => (percent(share), coverage_role(share)),
                            None => (String::new(), Role::Dim),
                        },
                    };
                    spans.push(Span::styled(apart(&text, *wide, look), style(role)));
                }
                let line = Line::from(spans);
                if bar { line.style(look.style(Role::Selected)) } else { line }
            })
            .collect();
        put_lines(&lines, rest, buffer);
    }

    fn name(&self, entry: Entry, width: usize) -> String {
        let Self { context, report, look, .. } = *self;
        match entry {
            Entry::All => "All sources".into(),
            Entry::Source(index) => report
                .sources
                .get(index)
                .map_or_else(String::new, |source| look.name_of(context.shown(), &source.camera_id, width)),
            Entry::Line(index, line) => {
                let line = report.sources.get(index).and_then(|source| source.lines.get(line));
                format!("  line {}", line.map_or_else(String::new, |line| text::clean(&line.line)))
            }
        }
    }

    fn draw_times(&self, entry: Entry, area: Rect, buffer: &mut Buffer) {
        let Self { state, report, look, .. } = *self;
        let mut rest = area;
        let title = self.name(entry, usize::from(rest.width.saturating_sub(4)));
        rule(title.trim(), state.in_rows, take_top(&mut rest, 1), buffer, look);
        let width = usize::from(rest.width);
        let facts = self.facts(entry, width);
        let most = rest.height / 3;
        let foot = take_bottom(&mut rest, (facts.len() as u16).min(most));
        put_lines(&facts, foot, buffer);
        let rows = state::rows(report, entry);
        if rows.is_empty() {
            put(&look.line(" nothing was watched in this time", Role::Dim), rest, buffer);
            return;
        }
        let with_occupancy = rows.iter().any(|row| row.occupancy.is_some());
        let with_coverage = width >= 52;
        let time = if report.by == Step::Day { 11 } else { 6 };
        let mut head = format!(
            " {}{}{}{}",
            look.left("", time),
            apart("In", 7, look),
            apart("Out", 7, look),
            apart("Net", 8, look)
        );
        if with_occupancy {
            head.push_str(&apart("Inside", 8, look));
        }
        if with_coverage {
            head.push_str(&apart("Watched", 9, look));
        }
        put(&look.line(head.clone(), Role::Dim), take_top(&mut rest, 1), buffer);
        let room = width.saturating_sub(head.len() + 2);
        let shown = usize::from(rest.height).max(1);
        let row = state.row.min(rows.len() - 1);
        // Where nobody has moved, what is latest of today shows.
        let first = (row + 1).saturating_sub(shown);
        let top = rows.iter().map(|row| row.total_in + row.total_out).max().unwrap_or(0);
        let lines: Vec<Line> = rows
            .iter()
            .enumerate()
            .skip(first)
            .take(shown)
            .map(|(index, of)| {
                let chosen = index == row && state.in_rows;
                let label = look.left(&label(report.by, &of.start), time);
                let mut spans = time_cells(of, label, (with_occupancy, with_coverage), chosen, look);
                spans.extend(bar(of, top, room, chosen, look));
                let line = Line::from(spans);
                if chosen { line.style(look.style(Role::Selected)) } else { line }
            })
            .collect();
        let below = rows.len().saturating_sub(first + shown);
        put_lines(&lines, rest, buffer);
        if below > 0 {
            let more = format!(" {}{below} ", look.symbols.arrows[2]);
            let wide = text::width(&more) as u16;
            let at = Rect { x: area.right().saturating_sub(wide), width: wide, height: 1, ..area };
            put(&look.line(more, Role::Key), at, buffer);
        }
    }

    /// The busiest hour, how much was watched, and when not.
    fn facts(&self, entry: Entry, width: usize) -> Vec<Line<'static>> {
        let Self { context, report, look, .. } = *self;
        let totals = state::totals(report, entry);
        let mut facts = Vec::new();
        for (name, doubt) in state::doubts(report, entry) {
            let whose = name.map(|name| format!("{}: ", text::clean(name))).unwrap_or_default();
            facts.push((format!("{whose}not reliable, {}; {}", doubt.words(), doubt.expected()), Role::Warn));
        }
        if let Some(peak) = &totals.peak_hour {
            let (hour, total_in, total_out) = (self.hour(&peak.start), peak.total_in, peak.total_out);
            facts.push((format!("busiest hour: {hour}, {total_in} in, {total_out} out"), Role::Title));
        }
        if let Some(share) = totals.coverage {
            facts.push((format!("watched {} of the time", percent(share)), coverage_role(share)));
        }
        facts.extend(self.otherwise(entry).map(|fact| (fact, Role::Text)));
        if entry == Entry::All {
            let is_known = |id: &str| report.sources.iter().any(|source| source.camera_id == id);
            let unknown = context.shown().sources.iter().filter(|source| !is_known(&source.id));
            let unknown: Vec<String> = unknown.map(|source| text::clean(&source.name())).collect();
            if !unknown.is_empty() {
                facts.push((format!("never watched: {}", unknown.join(", ")), Role::Warn));
            }
        }
        for change in &report.clock_changes {
            let (from, to) = (moment(&change.from), moment(&change.to));
            facts.push((format!("the clock was set from {from} to {to}"), Role::Warn));
        }
        let gaps = state::gaps(report, entry);
        if !gaps.is_empty() {
            let by_day = report.by == Step::Day;
            let mut list: Vec<String> = gaps
                .iter()
                .take(MOST_GAPS)
                .map(|gap| {
                    if by_day {
                        let same = gap.from.date() == gap.to.date();
                        let to = if same { clock(&gap.to) } else { moment(&gap.to) };
                        format!("{} to {to}", moment(&gap.from))
                    } else {
                        format!("{} to {}", clock(&gap.from), clock(&gap.to))
                    }
                })
                .collect();
            if gaps.len() > MOST_GAPS {
                list.push(format!("{} more", gaps.len() - MOST_GAPS));
            }
            facts.push((format!("not watched: {}", list.join(", ")), Role::Dim));
        }
        let wrap = |(fact, role): (String, Role)| {
            let lines = text::wrap(&fact, width.saturating_sub(2));
            lines.into_iter().map(move |line| look.line(format!(" {line}"), role)).collect::<Vec<_>>()
        };
        facts.into_iter().flat_map(wrap).collect()
    }

    /// Why the overview has other sums than these, which go on now; nothing where it has the same.
    fn otherwise(&self, entry: Entry) -> Option<String> {
        let Self { state, context, report, .. } = *self;
        let overview = &state.overview;
        let (counts, why) = match entry {
            Entry::All => {
                let sum = |at: usize| {
                    overview.values().fold((0, 0), |sum, counts| (sum.0 + counts[at].0, sum.1 + counts[at].1))
                };
                ([sum(0), sum(1)], "has the last run of each video, and cameras since their reset")
            }
            Entry::Source(index) => {
                let id = &report.sources.get(index)?.camera_id;
                let source = context.shown().sources.iter().find(|source| *source.id == **id)?;
                let why = match source.kind {
                    SourceKind::Video => "has its last run; here each run counts",
                    SourceKind::Camera => "counts since the last reset",
                };
                (*overview.get(id)?, why)
            }
            Entry::Line(..) => return None,
        };
        let [before, after] = counts;
        let here = state::totals(report, entry);
        // People go on crossing while it is read.
        let is_same =
            (before.0..=after.0).contains(&here.total_in) && (before.1..=after.1).contains(&here.total_out);
        (state.is_current() && !is_same).then(|| format!("the overview {why}"))
    }

    /// A begin of an hour: its time alone where the screen shows one day.
    fn hour(&self, start: &LocalTime) -> String {
        if self.state.scale.step() == Step::Day { moment(start) } else { clock(start) }
    }
}

/// `text` to the right of `wide` columns, the first of which is always free.
fn apart(text: &str, wide: usize, look: &Look) -> String {
    format!(" {}", look.right(text, wide.saturating_sub(1)))
}

fn time_cells(
    row: &Row,
    label: String,
    (with_occupancy, with_coverage): (bool, bool),
    chosen: bool,
    look: &Look,
) -> Vec<Span<'static>> {
    let style = |role: Role| if chosen { Style::new() } else { look.style(role) };
    let net = row.total_in as i64 - row.total_out as i64;
    let mut spans = vec![
        Span::styled(if chosen { look.symbols.cursor } else { " " }, style(Role::Key)),
        Span::styled(label, style(Role::Text)),
        Span::styled(apart(&format::count(row.total_in), 7, look), style(Role::In)),
        Span::styled(apart(&format::count(row.total_out), 7, look), style(Role::Out)),
        Span::styled(apart(&format::signed(net), 8, look), style(Role::Text)),
    ];
    if with_occupancy {
        let inside = row.occupancy.map(format::current).unwrap_or_default();
        spans.push(Span::styled(apart(&inside, 8, look), style(Role::Text)));
    }
    if with_coverage {
        let (share, role) = if row.is_closed() {
            ("closed".to_owned(), Role::Dim)
        } else {
            (percent(row.coverage), coverage_role(row.coverage))
        };
        spans.push(Span::styled(apart(&share, 9, look), style(role)));
    }
    spans
}

/// In, then out, as a bar against the busiest row.
fn bar(row: &Row, top: u64, room: usize, chosen: bool, look: &Look) -> Vec<Span<'static>> {
    let cells = |count: u64| if top == 0 { 0 } else { (count as usize * room).div_ceil(top as usize) };
    let all = cells(row.total_in + row.total_out).min(room);
    let of_in = cells(row.total_in).min(all);
    let style = |role: Role| if chosen { Style::new() } else { look.style(role) };
    vec![
        Span::raw("  "),
        Span::styled(look.symbols.full.repeat(of_in), style(Role::In)),
        Span::styled(look.symbols.shades[2].repeat(all - of_in), style(Role::Out)),
    ]
}

/// Watched for less than nearly all of the time: what was counted is not all there was.
fn coverage_role(share: f64) -> Role {
    if share >= 0.99 { Role::Dim } else { Role::Warn }
}

/// A share as a percentage, never 100 % for less than all of it.
fn percent(share: f64) -> String {
    match share {
        1.0.. => "100%".into(),
        0.01.. => format!("{:.0}%", (share * 100.0).floor()),
        share if share > 0.0 => "<1%".into(),
        _ => "0%".into(),
    }
}

/// What stands before a row: `08:00`, or `Fri 13 Mar` for days.
fn label(by: Step, start: &LocalTime) -> String {
    if by == Step::Day { start.shown("%a %-d %b") } else { clock(start) }
}

fn clock(time: &LocalTime) -> String {
    time.shown("%H:%M")
}

fn moment(time: &LocalTime) -> String {
    time.shown("%-d %b %H:%M")
}
