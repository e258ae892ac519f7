//! The workers: what each of them does, what it has cost, and who waits for one.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use super::state::State;
use crate::{
    model::{EngineSnapshot, Strategy, WorkerSnapshot},
    tui::{
        action::Action,
        canvas::Canvas,
        context::Context,
        drawn::Geometry,
        format,
        layout::take_top,
        text,
        theme::Role,
        widgets::{Look, describe, first_key, log_lines, put, put_lines, rule},
    },
};

/// Columns of the figures, with their least width of the screen.
const FIGURES: [(&str, usize, usize); 7] = [
    ("Busy", 5, 0),
    ("CPU", 5, 0),
    ("Frames", 8, 0),
    ("Detect", 8, 66),
    ("Errors", 7, 0),
    ("Restarts", 9, 76),
    ("Detect/frame", 13, 100),
];

/// Columns before the name of the source: cursor, number, state.
const LEAD: usize = 18;

/// Draws the table and the queue below it.
pub fn draw(state: &State, context: &Context, area: Rect, canvas: &mut Canvas) -> Geometry {
    let snapshot = context.shown();
    let look = canvas.look;
    let mut rest = area;
    let keys = [Action::MoreWorkers, Action::FewerWorkers]
        .map(|action| first_key(&context.keymap, action))
        .join(" ");
    let title = format!("Workers: {} of {} on ({keys} changes)", snapshot.worker_count, snapshot.max_workers);
    rule(&title, true, take_top(&mut rest, 1), canvas.buffer, look);
    put(&summary(snapshot, usize::from(rest.width), look), take_top(&mut rest, 1), canvas.buffer);
    let waiting = queue(snapshot, usize::from(rest.width), look);
    let most = rest.height / 4;
    let below = (waiting.len() as u16 + 1).min(most).max(2);
    let table = (snapshot.workers.len() as u16 + 1).min(rest.height.saturating_sub(below));
    let chosen = state.chosen.min(snapshot.workers.len().saturating_sub(1));
    draw_table(context, chosen, take_top(&mut rest, table), canvas.buffer, look);
    let title = format!("Queue: {} pending", snapshot.queue_pending);
    rule(&title, false, take_top(&mut rest, 1), canvas.buffer, look);
    put_lines(&waiting, take_top(&mut rest, below - 1), canvas.buffer);
    draw_log(context, chosen, rest, canvas.buffer, look);
    Geometry { page: usize::from(table.saturating_sub(1)).max(1), ..Geometry::default() }
}

/// The end of the log of the chosen worker, where there is room.
fn draw_log(context: &Context, chosen: usize, area: Rect, buffer: &mut Buffer, look: &Look) {
    let mut rest = area;
    let Some(worker) = context.shown().workers.get(chosen).filter(|_| area.height >= 3) else { return };
    let title = format!("Log of worker {}", worker.number);
    rule(&title, false, take_top(&mut rest, 1), buffer, look);
    let (rows, width) = (usize::from(rest.height), usize::from(rest.width));
    let log = &context.fetched.log;
    let mut lines: Vec<Line> = log[log.len().saturating_sub(rows)..]
        .iter()
        .map(|line| log_lines::full(context, line, ("", 0), width, look))
        .collect();
    if lines.is_empty() {
        lines.push(look.line(" it has logged nothing yet", Role::Dim));
    }
    put_lines(&lines, rest, buffer);
}

fn summary(snapshot: &EngineSnapshot, width: usize, look: &Look) -> Line<'static> {
    let busy: f32 = snapshot.workers.iter().map(|worker| worker.busy).sum();
    // Those that have just been turned off were busy until now.
    let busy = busy.min(snapshot.worker_count as f32);
    let cpu: f32 = snapshot.workers.iter().map(|worker| worker.cpu).sum();
    let strategy = match snapshot.strategy {
        Strategy::Shared => "sources share them",
        Strategy::Dedicated => "each source has its own",
    };
    let facts = [
        format!("{:.1} of {} busy", busy, snapshot.worker_count),
        format!("CPU {cpu:.1} of {:.1} cores in all", snapshot.cpu),
        strategy.to_string(),
    ];
    let role = if busy >= snapshot.worker_count as f32 * 0.95 { Role::Warn } else { Role::Dim };
    look.line(look.cut(&format!(" {}", facts.join(&look.separator())), width), role)
}

fn draw_table(context: &Context, chosen: usize, area: Rect, buffer: &mut Buffer, look: &Look) {
    let mut rest = area;
    let width = usize::from(rest.width);
    let figures: Vec<(usize, usize)> = FIGURES
        .iter()
        .enumerate()
        .filter(|(_, (_, _, from))| width >= *from)
        .map(|(index, (_, wide, _))| (index, *wide))
        .collect();
    let used: usize = figures.iter().map(|(_, wide)| wide).sum();
    let name = width.saturating_sub(LEAD + used + 1).min(40);
    let mut head = format!("   # {}{}", look.left("State", LEAD - 5), look.left("Works on", name));
    for (index, wide) in &figures {
        head.push_str(&look.right(FIGURES[*index].0, *wide));
    }
    put(&look.line(head, Role::Dim), take_top(&mut rest, 1), buffer);
    let rows = usize::from(rest.height);
    let first = (chosen + 1).saturating_sub(rows);
    let lines: Vec<Line> = context
        .shown()
        .workers
        .iter()
        .enumerate()
        .skip(first)
        .take(rows)
        .map(|(index, worker)| line(context, worker, index == chosen, name, &figures, look))
        .collect();
    put_lines(&lines, rest, buffer);
}

fn line(
    context: &Context,
    worker: &WorkerSnapshot,
    chosen: bool,
    name: usize,
    figures: &[(usize, usize)],
    look: &Look,
) -> Line<'static> {
    let (glyph, word, role) = describe::worker_state(worker, look);
    let style = |role: Role| if chosen { ratatui::style::Style::new() } else { look.style(role) };
    let source = describe::works_on(context, worker, name, look);
    let number = look.right(&worker.number.to_string(), 3);
    let mut spans = vec![
        Span::styled(if chosen { look.symbols.cursor } else { " " }, style(Role::Key)),
        Span::styled(format!("{number} "), style(Role::Dim)),
        Span::styled(look.left(&format!("{glyph} {word}"), LEAD - 5), style(role)),
        Span::styled(look.left(&source, name), style(Role::Text)),
    ];
    let looks_a_frame = if worker.frames > 0 { worker.looks as f32 / worker.frames as f32 } else { 0.0 };
    for (index, wide) in figures {
        let (text, role) = match index {
            0 => (format::percent(worker.busy), Role::Text),
            1 => (format::percent(worker.cpu), Role::Text),
            2 => (format::count(worker.frames), Role::Text),
            3 => (format::count(worker.looks), Role::Text),
            4 => (format::count(worker.errors), trouble(worker.errors)),
            5 => (format::count(worker.restarts), trouble(worker.restarts)),
            _ => (format::percent(looks_a_frame), Role::Dim),
        };
        spans.push(Span::styled(look.right(&text, *wide), style(role)));
    }
    let line = Line::from(spans);
    if chosen { line.style(look.style(Role::Selected)) } else { line }
}

fn trouble(count: u64) -> Role {
    if count > 0 { Role::Warn } else { Role::Dim }
}

/// Who waits: sources in the order in which workers will take them, then files that wait to be opened.
fn queue(snapshot: &EngineSnapshot, width: usize, look: &Look) -> Vec<Line<'static>> {
    let names: Vec<String> = snapshot.queue.iter().map(|id| look.name_of(snapshot, id, width)).collect();
    let files = snapshot.queue_pending.saturating_sub(names.len());
    let mut lines = Vec::new();
    if !names.is_empty() {
        let waiting = format!("next: {}", names.join(", "));
        let room = width.saturating_sub(2);
        lines.extend(
            text::wrap(&waiting, room).into_iter().map(|line| look.line(format!(" {line}"), Role::Text)),
        );
    }
    if files > 0 {
        let what = if files == 1 { "1 file waits".into() } else { format!("{files} files wait") };
        lines.push(
            look.line(look.cut(&format!(" {what} to be opened ('max_open_sources')"), width), Role::Text),
        );
    }
    if lines.is_empty() {
        lines.push(look.line(" nothing waits for a worker", Role::Dim));
    }
    lines
}
