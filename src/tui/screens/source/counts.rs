//! Counts of one source, and what they rest on.

use ratatui::text::{Line, Span};

use crate::{
    model::{Scene, SourceSnapshot},
    tui::{context::Context, format, text, theme::Role, widgets::Look},
};

/// Columns of the names.
const NAMES: usize = 12;

/// Most lines of one fact.
const LINES: usize = 3;

/// The facts as lines of at most `width` columns, the most important first.
#[must_use]
pub fn lines(context: &Context, source: &SourceSnapshot, width: usize, look: &Look) -> Vec<Line<'static>> {
    facts(context, source, look)
        .into_iter()
        .flat_map(|(name, value, role)| {
            let parts = text::wrap(&value, width.saturating_sub(NAMES));
            parts.into_iter().take(LINES).enumerate().map(move |(index, part)| {
                let name = if index == 0 { name } else { "" };
                Line::from(vec![
                    look.span(look.left(name, NAMES), Role::Dim),
                    Span::styled(part, look.style(role)),
                ])
            })
        })
        .collect()
}

fn facts(context: &Context, source: &SourceSnapshot, look: &Look) -> Vec<(&'static str, String, Role)> {
    let limit = source.threshold.map(|limit| format!(" of {limit}")).unwrap_or_default();
    let about = format::about(source.doubt().is_some());
    let (total_in, total_out) = (format::count(source.total_in), format::count(source.total_out));
    let counts = format!("in {about}{total_in}, out {about}{total_out}");
    let current = format!("{about}{}{limit}", format::current(source.current()));
    let over = if source.over_threshold() { Role::Alert } else { Role::Title };
    let mut facts = vec![("Counts", counts, Role::Title), ("Current", current, over)];
    if let Some(doubt) = source.doubt() {
        facts.push(("Unreliable", format!("{}; {}", doubt.words(), doubt.expected()), Role::Warn));
    }
    for line in source.lines.iter().filter(|_| source.lines.len() > 1) {
        let (name, total_in, total_out) = (text::clean(&line.name), line.total_in, line.total_out);
        let value = format!("{name}: in {about}{total_in} out {about}{total_out}");
        facts.push(("  line", value, Role::Text));
    }
    for zone in &source.zones {
        let limit = zone.threshold.map(|limit| format!(" of {limit}")).unwrap_or_default();
        let value =
            format!("{}: {}{limit}, stays {:.0} s", text::clean(&zone.name), zone.occupancy, zone.mean_dwell);
        facts.push(("  zone", value, Role::Text));
    }
    for (reason, count) in &source.suppressed {
        facts.push(("Not counted", format!("{count} {}", reason.words()), Role::Dim));
    }
    if source.ignored > 0 {
        let count = format::count(source.ignored);
        facts.push(("Ignored", format!("{count} detections, by place or height"), Role::Dim));
    }
    let rate = source.declared_fps.map(|fps| format!(" of {}", format::fps(fps))).unwrap_or_default();
    facts.push(("FPS", format!("{}{rate}", format::fps(source.fps)), Role::Text));
    facts.push(("Detections", format!("{} a second", format::fps(source.detect_fps)), Role::Text));
    if let Some(how) = source.throttled() {
        facts.push(("Throttled", how, Role::Warn));
    }
    if let Some(words) = source.rest.words() {
        facts.push(("Sleep", words.to_owned(), Role::Text));
    }
    let size = source.size.map(|(width, height)| format!("{width}x{height}, ")).unwrap_or_default();
    let people = if source.visible == 1 { "1 person".into() } else { format!("{} people", source.visible) };
    facts.push(("Frame", format!("{size}{people} in it"), Role::Text));
    if let Some(words) = source.scene.as_ref().and_then(Scene::words) {
        facts.push(("Scene", words, Role::Text));
    }
    facts.push(("Source", text::clean(&source.source), Role::Text));
    let of = source.frames_total.map(|total| format!(" of {}", format::count(total))).unwrap_or_default();
    let dropped = if source.dropped > 0 {
        format!(", {} dropped", format::count(source.dropped))
    } else {
        String::new()
    };
    facts.push(("Frames", format!("{}{of}{dropped}", format::count(source.frames)), Role::Text));
    let age = source.last_frame.map_or("none yet".into(), |then| format::age(context.shown().taken - then));
    facts.push((
        "Last frame",
        format!("{age}{}{} behind", look.separator(), format::latency(source.latency)),
        Role::Text,
    ));
    if source.cpu > 0.0 {
        let pictures = format::bytes(source.picture_bytes);
        facts.push(("Costs", format!("{:.2} cores, buffers {pictures}", source.cpu), Role::Text));
    }
    if source.errors + source.reconnects > 0 {
        facts.push((
            "Errors",
            format!("{} errors, {} reconnects", source.errors, source.reconnects),
            Role::Warn,
        ));
    }
    if !source.detector.is_empty() {
        facts.push(("Detector", text::clean(&source.detector), Role::Text));
    }
    if let Some((width, height)) = source.substream {
        facts.push(("Substream", format!("{width}x{height} would do"), Role::Dim));
    }
    facts
}
