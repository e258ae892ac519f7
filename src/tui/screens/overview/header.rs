//! Title, workers and queue, detector, load, and what was lost.

use std::sync::Arc;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use crate::{
    model::{EngineSnapshot, Event, EventKind, NodeState, Strategy},
    tui::{
        context::Context,
        format, text,
        theme::Role,
        widgets::{Look, put},
    },
};

/// The first line of every screen.
const TITLE: &str = "Parallel People Counting System";

/// From this share of its rate on, a source is not called throttled.
const NOT_THROTTLED: f32 = 0.995;

/// Draws the header's three lines.
pub fn draw(context: &Context, area: Rect, buffer: &mut Buffer, look: &Look) {
    let snapshot = context.shown();
    let row = |index: u16| Rect { y: area.y + index, height: u16::from(index < area.height), ..area };
    let clock = context.clock().wall.strftime("%H:%M:%S").to_string();
    let title = vec![Span::raw(" "), look.span(TITLE, Role::Title)];
    two_sided(title, marks(context, area, &clock, look), row(0), buffer);

    let workers = format!(
        " Workers: {}/{} active | Queue: {} pending",
        snapshot.active_workers(),
        snapshot.worker_count,
        snapshot.queue_pending
    );
    let left = vec![look.span(workers, Role::Text)];
    let right = fitting(load(snapshot), &left, area, look);
    two_sided(left, right, row(1), buffer);
    let losses = losses(context, snapshot);
    let mut left = vec![Span::raw(" "), look.span("Detector: ", Role::Dim)];
    let mut detector = text::clean(&snapshot.detector);
    if let Some((worst, _)) = losses.first().filter(|(_, role)| *role == Role::Bad) {
        // What is bad goes before the detector's name.
        let taken: usize = left.iter().map(Span::width).sum();
        let room = usize::from(area.width).saturating_sub(taken + text::width(worst) + 4);
        detector = text::cut(&detector, room, look.symbols.ellipsis);
    }
    left.push(look.span(detector, Role::Text));
    if snapshot.strategy == Strategy::Dedicated {
        left.push(look.span(format!("{}one worker a camera", look.separator()), Role::Dim));
    }
    let right = fitting(losses, &left, area, look);
    two_sided(left, right, row(2), buffer);
}

/// What is to be known of all that is shown, then the time. What does not fit beside the title gives way, the mark of old and
/// frozen values last.
fn marks(context: &Context, area: Rect, clock: &str, look: &Look) -> Vec<Span<'static>> {
    let time = format!("{clock} ");
    let mut room = usize::from(area.width).saturating_sub(text::width(TITLE) + 2);
    let mut fitting = |text: String, role: Role| {
        let needs = text::width(&text) + usize::from(role == Role::Alert);
        if needs > room {
            return Vec::new();
        }
        room -= needs;
        let after = (role == Role::Alert).then(|| Span::raw(" "));
        std::iter::once(look.span(text, role)).chain(after).collect()
    };
    let old = context.age().map(|age| fitting(format!(" OLD, {} ", format::duration(age)), Role::Alert));
    let frozen = context
        .frozen_since()
        .map(|since| fitting(format!(" FROZEN since {} ", since.wall.strftime("%H:%M:%S")), Role::Alert));
    let time = fitting(time, Role::Text);
    let read_only = context.read_only().then(|| fitting("read-only ".into(), Role::Warn));
    let parts = !context.config.differs.is_empty() || !context.config.unsaved.is_empty();
    let parts = parts.then(|| fitting("FILE DIFFERS (:reload) ".into(), Role::Warn));
    let attached = (context.is_attached() && old.is_none()).then(|| fitting("attached ".into(), Role::Dim));
    let spans = [read_only, parts, old, attached, frozen].into_iter().flatten().flatten();
    spans.chain(time).collect()
}

fn load(snapshot: &EngineSnapshot) -> Vec<(String, Role)> {
    let mut facts = Vec::new();
    let least = snapshot.sources.iter().map(|source| source.rate_share).fold(1.0, f32::min);
    if least < NOT_THROTTLED {
        facts.push((format!("throttled to {}", format::percent(least)), Role::Warn));
    }
    let memory = match snapshot.memory_limit {
        Some(limit) => format!("{} of {}", format::bytes(snapshot.rss), format::bytes(limit)),
        None => format::bytes(snapshot.rss),
    };
    facts.extend([
        (format!("CPU {:.1} cores", snapshot.cpu.clamp(0.0, 9999.0)), Role::Dim),
        (memory, Role::Dim),
        // Each node has a time of its own.
        match nodes(snapshot) {
            Some(nodes) => nodes,
            None => (format!("up {}", format::duration(snapshot.taken.since_start())), Role::Dim),
        },
    ]);
    facts
}

/// How many nodes of a fleet answer.
fn nodes(snapshot: &EngineSnapshot) -> Option<(String, Role)> {
    let there = |state: NodeState| matches!(state, NodeState::Runs | NodeState::Draining);
    let answering = snapshot.nodes.iter().filter(|node| there(node.state)).count();
    let all = snapshot.nodes.iter().filter(|node| node.state != NodeState::Left).count();
    let role = if answering < all { Role::Warn } else { Role::Dim };
    snapshot.is_fleet().then(|| (format!("{answering} of {all} nodes"), role))
}

/// What went wrong and what was lost, in sum; nothing when nothing was.
fn losses(context: &Context, snapshot: &EngineSnapshot) -> Vec<(String, Role)> {
    let sum = |of: fn(&crate::model::SourceSnapshot) -> u64| -> u64 {
        snapshot.sources.iter().map(|source| of(source)).sum()
    };
    let facts = [
        (snapshot.events_lost, ["event lost", "events lost"], Role::Bad),
        (sum(|source| source.errors), ["error", "errors"], Role::Warn),
        (sum(|source| source.dropped), ["frame dropped", "frames dropped"], Role::Dim),
        (snapshot.log_lines_lost, ["log line lost", "log lines lost"], Role::Warn),
    ];
    let fresh = recent_errors(context, snapshot);
    facts
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, [one, many], role)| {
            let what = if count == 1 { one } else { many };
            let rate =
                if many == "errors" && fresh > 0 { format!(" ({fresh} a minute)") } else { String::new() };
            (format!("{} {what}{rate}", format::count(count)), role)
        })
        .collect()
}

/// Failures of the last minute.
fn recent_errors(context: &Context, snapshot: &EngineSnapshot) -> usize {
    let now = std::time::SystemTime::from(context.moment().wall.timestamp());
    let is_recent = |event: &&Arc<Event>| now.duration_since(event.wall).is_ok_and(|age| age.as_secs() < 60);
    let failed = |event: &&Arc<Event>| matches!(event.kind, EventKind::State { error: Some(_), .. });
    snapshot.events.iter().rev().take_while(is_recent).filter(failed).count()
}

/// As many of `facts` as fit beside `left`, the first ones first.
fn fitting(facts: Vec<(String, Role)>, left: &[Span], area: Rect, look: &Look) -> Vec<Span<'static>> {
    let taken: usize = left.iter().map(Span::width).sum();
    let mut room = usize::from(area.width).saturating_sub(taken + 3);
    let mut spans = Vec::new();
    for (fact, role) in facts {
        let needs = text::width(&fact) + if spans.is_empty() { 0 } else { 3 };
        if needs > room {
            break;
        }
        room -= needs;
        if !spans.is_empty() {
            spans.push(look.span(look.separator(), Role::Dim));
        }
        spans.push(look.span(fact, role));
    }
    spans.push(Span::raw(" "));
    spans
}

/// One line with something at each end; the right end gives way when both do not fit.
fn two_sided(left: Vec<Span>, right: Vec<Span>, area: Rect, buffer: &mut Buffer) {
    let (left, right) = (Line::from(left), Line::from(right));
    put(&left, area, buffer);
    let width = u16::try_from(right.width()).unwrap_or(u16::MAX);
    if usize::from(area.width) > left.width() + right.width() {
        put(&right, Rect { x: area.right() - width, width, ..area }, buffer);
    }
}
