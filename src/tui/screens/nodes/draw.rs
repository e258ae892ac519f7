//! The nodes: a row for each, and what is to be said of the chosen one below.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use super::state::State;
use crate::{
    model::{EngineSnapshot, NodeSnapshot, NodeState},
    tui::{
        canvas::Canvas,
        context::Context,
        drawn::Geometry,
        format,
        layout::take_top,
        text,
        theme::Role,
        widgets::{Look, put, put_lines, rule},
    },
};

/// One column.
struct Column {
    heading: &'static str,
    width: usize,
    /// Least width of the screen on which it shows.
    from: usize,
    is_number: bool,
    cell: fn(&NodeSnapshot, &Look) -> (String, Role),
}

const COLUMNS: &[Column] = &[
    Column {
        heading: "State",
        width: 15,
        from: 0,
        is_number: false,
        cell: |node, look| {
            let (glyph, role) = glyph(node, look);
            let words = match node.state {
                NodeState::Silent => format!("{} {}", node.state.word(), format::age(node.age)),
                _ if node.is_throttled => "throttled".to_owned(),
                state => state.word().to_owned(),
            };
            (format!("{glyph} {words}"), role)
        },
    },
    Column {
        heading: "Site",
        width: 12,
        from: 80,
        is_number: false,
        cell: |node, _| (node.site.as_deref().map(text::clean).unwrap_or_default(), Role::Dim),
    },
    Column {
        heading: "Sources",
        width: 7,
        from: 0,
        is_number: true,
        cell: |node, _| (format::count(node.sources as u64), Role::Text),
    },
    Column {
        heading: "Room",
        width: 5,
        from: 0,
        is_number: true,
        cell: |node, _| {
            let role = if is_here(node) && node.room == 0 { Role::Warn } else { Role::Text };
            (if is_here(node) { format::count(node.room as u64) } else { "-".into() }, role)
        },
    },
    Column {
        heading: "CPU",
        width: 5,
        from: 0,
        is_number: true,
        cell: |node, _| {
            let share = node.cpu / node.cores.max(1) as f32;
            let role = if share > 0.9 { Role::Warn } else { Role::Text };
            (if is_here(node) { format::percent(share) } else { "-".into() }, role)
        },
    },
    Column {
        heading: "Cores",
        width: 5,
        from: 80,
        is_number: true,
        cell: |node, _| (format::count(node.cores as u64), Role::Dim),
    },
    Column {
        heading: "Memory",
        width: 8,
        from: 100,
        is_number: true,
        cell: |node, _| (if is_here(node) { format::bytes(node.rss) } else { "-".into() }, Role::Dim),
    },
    Column {
        heading: "Seen",
        width: 5,
        from: 80,
        is_number: true,
        cell: |node, _| {
            let role = if is_here(node) { Role::Dim } else { Role::Warn };
            (format::age(node.age), role)
        },
    },
    Column {
        heading: "Version",
        width: 10,
        from: 100,
        is_number: false,
        cell: |node, _| (text::clean(&node.version), Role::Dim),
    },
    Column {
        heading: "Detector",
        width: 40,
        from: 140,
        is_number: false,
        cell: |node, _| (text::clean(&node.detector), Role::Dim),
    },
];

/// Longest name that is not cut.
const NAME: usize = 24;

/// Whether it answers.
fn is_here(node: &NodeSnapshot) -> bool {
    matches!(node.state, NodeState::Runs | NodeState::Draining)
}

fn glyph(node: &NodeSnapshot, look: &Look) -> (&'static str, Role) {
    let symbols = &look.symbols;
    match node.state {
        NodeState::Runs if node.is_throttled => (symbols.running, Role::Warn),
        NodeState::Runs => (symbols.running, Role::Good),
        NodeState::Draining => (symbols.paused, Role::Busy),
        NodeState::Silent => (symbols.retrying, Role::Bad),
        NodeState::Left => (symbols.disabled, Role::Dim),
    }
}

/// Draws the table, and what is to be said of the chosen node below it.
pub fn draw(state: &State, context: &Context, area: Rect, canvas: &mut Canvas) -> Geometry {
    let snapshot = context.shown();
    let look = canvas.look;
    let mut rest = area;
    let answering = snapshot.nodes.iter().filter(|node| is_here(node)).count();
    let title = format!("Nodes: {answering} of {} answer", snapshot.nodes.len());
    rule(&title, true, take_top(&mut rest, 1), canvas.buffer, look);
    put(&summary(snapshot, usize::from(rest.width), look), take_top(&mut rest, 1), canvas.buffer);
    let chosen = state.row(snapshot);
    let about = snapshot
        .nodes
        .get(chosen)
        .map(|node| about(node, snapshot, usize::from(rest.width), look))
        .unwrap_or_default();
    let below = (about.len() as u16 + 1).min(rest.height / 2);
    let table = (snapshot.nodes.len() as u16 + 1).min(rest.height.saturating_sub(below));
    draw_table(snapshot, chosen, take_top(&mut rest, table), canvas.buffer, look);
    if let Some(node) = snapshot.nodes.get(chosen) {
        let name = look.cut(&text::clean(&node.name), usize::from(rest.width.saturating_sub(8)));
        rule(&name, false, take_top(&mut rest, 1), canvas.buffer, look);
        put_lines(&about, rest, canvas.buffer);
    }
    Geometry { page: usize::from(table.saturating_sub(1)).max(1), ..Geometry::default() }
}

fn summary(snapshot: &EngineSnapshot, width: usize, look: &Look) -> Line<'static> {
    let here = || snapshot.nodes.iter().filter(|node| is_here(node));
    let cores: usize = here().map(|node| node.cores).sum();
    let cpu: f32 = here().map(|node| node.cpu).sum();
    let room: usize = here().map(|node| node.room).sum();
    let facts = [
        format!("{} sources", format::count(snapshot.sources.len() as u64)),
        format!("room for {} more", format::count(room as u64)),
        format!("CPU {cpu:.1} of {cores} cores"),
    ];
    look.line(look.cut(&format!(" {}", facts.join(&look.separator())), width), Role::Dim)
}

fn draw_table(snapshot: &EngineSnapshot, chosen: usize, area: Rect, buffer: &mut Buffer, look: &Look) {
    let mut rest = area;
    let width = usize::from(rest.width);
    let columns: Vec<&Column> = COLUMNS.iter().filter(|column| width >= column.from).collect();
    let used: usize = columns.iter().map(|column| column.width + 1).sum();
    let longest = snapshot.nodes.iter().map(|node| text::width(&text::clean(&node.name))).max().unwrap_or(0);
    let name = longest.clamp(10, NAME).min(width.saturating_sub(used + 2)).max(6);
    let mut head = format!("  {} ", look.left("Node", name));
    for column in &columns {
        head.push_str(&aligned(column.heading, column, look));
        head.push(' ');
    }
    put(&look.line(head, Role::Dim), take_top(&mut rest, 1), buffer);
    let rows = usize::from(rest.height);
    let first = (chosen + 1).saturating_sub(rows);
    let shown = snapshot.nodes.iter().enumerate().skip(first).take(rows);
    let lines: Vec<Line> =
        shown.map(|(index, node)| line(node, index == chosen, name, &columns, look)).collect();
    put_lines(&lines, rest, buffer);
}

fn aligned(text: &str, column: &Column, look: &Look) -> String {
    if column.is_number { look.right(text, column.width) } else { look.left(text, column.width) }
}

fn line(
    node: &NodeSnapshot,
    is_chosen: bool,
    name: usize,
    columns: &[&Column],
    look: &Look,
) -> Line<'static> {
    let style = |role: Role| if is_chosen { Style::new() } else { look.style(role) };
    let role = if is_here(node) { Role::Text } else { Role::Dim };
    let mut spans = vec![
        Span::styled(if is_chosen { look.symbols.cursor } else { " " }, style(Role::Key)),
        Span::raw(" "),
        Span::styled(look.left(&text::clean(&node.name), name), style(role)),
        Span::raw(" "),
    ];
    for column in columns {
        let (text, role) = (column.cell)(node, look);
        spans.push(Span::styled(aligned(&text, column, look), style(role)));
        spans.push(Span::raw(" "));
    }
    let line = Line::from(spans);
    if is_chosen { line.style(look.style(Role::Selected)) } else { line }
}

/// What there is no column for: how it does, what endangers it, its version and detector.
fn about(node: &NodeSnapshot, snapshot: &EngineSnapshot, width: usize, look: &Look) -> Vec<Line<'static>> {
    let room = width.saturating_sub(2);
    let wrapped = |text: &str, role: Role| -> Vec<Line<'static>> {
        text::wrap(text, room).into_iter().map(|line| look.line(format!(" {line}"), role)).collect()
    };
    let mut lines = Vec::new();
    match node.state {
        NodeState::Silent => lines.extend(wrapped(
            &format!(
                "it has not answered for {}; its sources are shown as they were, until other nodes have them",
                format::duration(node.age)
            ),
            Role::Warn,
        )),
        NodeState::Draining => {
            lines.extend(wrapped("it takes no more sources, and hands over those that it has", Role::Text));
        }
        NodeState::Left => lines.extend(wrapped("it has left the fleet", Role::Dim)),
        NodeState::Runs => {}
    }
    for problem in &node.problems {
        lines.extend(wrapped(&text::clean(problem), Role::Warn));
    }
    let own = node.sources.saturating_sub(node.leased);
    let own = if own > 0 { format!(", {own} of its own configuration") } else { String::new() };
    lines.extend(wrapped(&format!("{} sources of the fleet{own}", node.leased), Role::Text));
    let site = node.site.as_deref().map(|site| format!("site {}, ", text::clean(site))).unwrap_or_default();
    let what = format!(
        "{site}pcount-tui {}, {}, {} cores",
        text::clean(&node.version),
        text::clean(&node.detector),
        node.cores
    );
    lines.extend(wrapped(&what, Role::Dim));
    let names: Vec<String> = snapshot
        .sources
        .iter()
        .filter(|source| source.holder.as_ref().is_some_and(|holder| holder.node == node.name))
        .map(|source| text::clean(&source.name()))
        .collect();
    if !names.is_empty() {
        lines.extend(wrapped(&names.join(", "), Role::Dim));
    }
    lines
}
