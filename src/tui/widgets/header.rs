//! Title, workers and queue, detector, load, and what was lost.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use super::{Look, put};
use crate::{
    config::Strategy,
    store::EngineSnapshot,
    tui::{app::UiState, format, text, theme::Role},
};

/// The first line of every screen.
const TITLE: &str = "Parallel People Counting System";

/// Draws the header's three lines.
pub fn draw(ui: &UiState, area: Rect, buffer: &mut Buffer, look: &Look) {
    let snapshot = ui.shown();
    let row = |index: u16| Rect { y: area.y + index, height: u16::from(index < area.height), ..area };
    let clock = ui.clock().wall.strftime("%H:%M:%S").to_string();
    let mut right = Vec::new();
    if ui.read_only() {
        right.push(look.span("read-only ", Role::Warn));
    }
    if let Some(since) = ui.frozen_since() {
        right.push(look.span(format!(" FROZEN since {} ", since.wall.strftime("%H:%M:%S")), Role::Alert));
        right.push(Span::raw(" "));
    }
    right.push(look.span(format!("{clock} "), Role::Text));
    two_sided(vec![Span::raw(" "), look.span(TITLE, Role::Title)], right, row(0), buffer);

    let workers = format!(
        " Workers: {}/{} active | Queue: {} pending",
        snapshot.active_workers(),
        snapshot.worker_count,
        snapshot.queue_pending
    );
    two_sided(vec![look.span(workers, Role::Text)], load(snapshot, look), row(1), buffer);
    let mut left = vec![Span::raw(" "), look.span("Detector: ", Role::Dim)];
    left.push(look.span(text::clean(&snapshot.detector), Role::Text));
    if snapshot.strategy == Strategy::Dedicated {
        left.push(look.span(format!("{}one worker a camera", look.separator()), Role::Dim));
    }
    two_sided(left, losses(snapshot, look), row(2), buffer);
}

fn load(snapshot: &EngineSnapshot, look: &Look) -> Vec<Span<'static>> {
    let facts = [
        format!("CPU {:.1} cores", snapshot.cpu.clamp(0.0, 9999.0)),
        format::bytes(snapshot.rss),
        format!("up {} ", format::duration(snapshot.uptime)),
    ];
    vec![look.span(facts.join(&look.separator()), Role::Dim)]
}

/// What went wrong and what was lost, in sum; nothing when nothing was.
fn losses(snapshot: &EngineSnapshot, look: &Look) -> Vec<Span<'static>> {
    let sum = |of: fn(&crate::store::SourceSnapshot) -> u64| -> u64 {
        snapshot.sources.iter().map(|source| of(source)).sum()
    };
    let facts = [
        (sum(|source| source.errors), "errors", Role::Warn),
        (sum(|source| source.dropped), "frames dropped", Role::Dim),
        (snapshot.events_lost, "events lost", Role::Bad),
        (snapshot.log_lines_lost, "log lines lost", Role::Warn),
    ];
    let mut spans = Vec::new();
    for (count, what, role) in facts.into_iter().filter(|(count, ..)| *count > 0) {
        if !spans.is_empty() {
            spans.push(look.span(look.separator(), Role::Dim));
        }
        spans.push(look.span(format!("{} {what}", format::count(count)), role));
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
