//! One or two lines on the selected source: what it is, and its trouble or its lines.

use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use super::{Look, put_lines};
use crate::{
    store::SourceSnapshot,
    tui::{app::UiState, format, text, theme::Role},
};

/// Draws what fits; the more important line comes first when there is only one.
pub fn draw(ui: &UiState, area: Rect, buffer: &mut Buffer, look: &Look) {
    let Some(source) = ui.selected() else { return };
    let width = usize::from(area.width);
    let identity = look.line(look.cut(&format!(" {}", identity(source, look)), width), Role::Dim);
    let news = match trouble(source, ui.moment()) {
        Some(trouble) => look.line(look.cut(&format!(" {trouble}"), width), Role::Warn),
        None => look.line(look.cut(&format!(" {}", lines(source, look)), width), Role::Text),
    };
    let lines: Vec<Line> = if area.height >= 2 { vec![identity, news] } else { vec![news] };
    put_lines(&lines, area, buffer);
}

fn identity(source: &SourceSnapshot, look: &Look) -> String {
    let mut facts = vec![source.id.to_string(), text::clean(&source.source)];
    if let Some((width, height)) = source.size {
        let rate = source.declared_fps.map(|fps| format!(" {} fps", format::fps(fps))).unwrap_or_default();
        facts.push(format!("{width}x{height}{rate}"));
    }
    if source.detect_fps > 0.0 {
        facts.push(format!("looked at {}/s", format::fps(source.detect_fps)));
        facts.push(format::latency(source.latency));
    }
    if source.dropped > 0 {
        facts.push(format!("{} dropped", format::count(source.dropped)));
    }
    if source.cpu > 0.0 {
        facts.push(format!("CPU {}", format::percent(source.cpu)));
    }
    if source.picture_bytes > 0 {
        facts.push(format!("pictures {}", format::bytes(source.picture_bytes)));
    }
    if let Some(how) = source.throttled() {
        facts.push(format!("throttled {how}"));
    }
    if let Some(flapping) = source.flapping() {
        facts.push(flapping);
    }
    facts.join(&look.separator())
}

/// What is wrong with the source, with the time of the next attempt.
#[must_use]
pub fn trouble(source: &SourceSnapshot, moment: &format::Moment) -> Option<String> {
    let error = text::clean(source.last_error.as_deref()?);
    Some(match (&source.state, source.state.next_attempt()) {
        (crate::store::SourceState::Retrying { attempt, .. }, Some(at)) if *attempt > 0 => {
            format!("{error} (attempt {attempt}, next in {})", format::countdown(moment.until(at)))
        }
        (_, Some(at)) => format!("{error} (next attempt in {})", format::countdown(moment.until(at))),
        _ => error,
    })
}

fn lines(source: &SourceSnapshot, look: &Look) -> String {
    let mut facts: Vec<String> = source
        .lines
        .iter()
        .map(|line| {
            let name = text::clean(&line.name);
            format!("{name}: in {} out {}", format::count(line.total_in), format::count(line.total_out))
        })
        .collect();
    facts.extend(source.zones.iter().map(|zone| {
        let limit = zone.threshold.map(|limit| format!(" of {limit}")).unwrap_or_default();
        format!("{}: {}{limit} inside", text::clean(&zone.name), zone.occupancy)
    }));
    facts.push(format!("{} in the picture", source.visible));
    let not_counted: u64 = source.suppressed.values().sum();
    if not_counted > 0 {
        facts.push(format!("{} not counted", format::count(not_counted)));
    }
    facts.join(&look.separator())
}
