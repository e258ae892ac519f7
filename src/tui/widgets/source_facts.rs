//! One or two lines on the selected source: what it is, and its trouble or its lines.

use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use super::{Look, first_key, put_lines};
use crate::{
    model::{Holder, Moment, SourceSnapshot, SourceState},
    tui::{action::Action, context::Context, format, text, theme::Role},
};

/// Draws what fits; the more important line comes first when there is only one.
pub fn draw(context: &Context, area: Rect, buffer: &mut Buffer, look: &Look) {
    let Some(source) = context.selected() else { return };
    let width = usize::from(area.width);
    let identity = look.line(look.cut(&format!(" {}", identity(source, look)), width), Role::Dim);
    let news = match error(source, context.shown().taken) {
        Some(error) => look.line(look.cut(&format!(" {error}"), width), Role::Warn),
        None => look.line(look.cut(&format!(" {}", lines(source, look)), width), Role::Text),
    };
    let lines: Vec<Line> = if area.height >= 2 { vec![identity, news] } else { vec![news] };
    put_lines(&lines, area, buffer);
}

fn identity(source: &SourceSnapshot, look: &Look) -> String {
    let mut facts = vec![source.name()];
    if let SourceState::Closed { opens: Some(opens) } = &source.state {
        facts.push(format!("closed until {}", text::clean(&opens.shown)));
    }
    facts.extend(source.holder.as_ref().map(|holder| node(holder)));
    facts.push(text::clean(&source.source));
    if let Some((width, height)) = source.size {
        let rate = source.declared_fps.map(|fps| format!(" {} fps", format::fps(fps))).unwrap_or_default();
        facts.push(format!("{width}x{height}{rate}"));
    }
    if source.detect_fps > 0.0 {
        facts.push(format!("{} detections/s", format::fps(source.detect_fps)));
        facts.push(format::latency(source.latency));
    }
    if source.dropped > 0 {
        facts.push(format!("{} dropped", format::count(source.dropped)));
    }
    if source.cpu > 0.0 {
        facts.push(format!("CPU {}", format::percent(source.cpu)));
    }
    if source.picture_bytes > 0 {
        facts.push(format!("buffers {}", format::bytes(source.picture_bytes)));
    }
    if let Some(how) = source.throttled() {
        facts.push(format!("throttled {how}"));
    }
    if let Some(flapping) = source.flapping() {
        facts.push(flapping);
    }
    facts.join(&look.separator())
}

/// Which node holds it, and by which lease.
fn node(holder: &Holder) -> String {
    let site = holder.site.as_deref().map(|site| format!(", {}", text::clean(site))).unwrap_or_default();
    let lease = match (holder.age, holder.epoch) {
        (Some(age), _) => format!(" does not answer, all of this is {} old", format::age(age)),
        (None, Some(epoch)) => format!(" by lease {epoch}"),
        (None, None) => " by its own configuration".to_owned(),
    };
    format!("node {}{site}{lease}", text::clean(&holder.node))
}

/// What is wrong with the source, with the time of the next attempt.
#[must_use]
pub fn error(source: &SourceSnapshot, as_of: Moment) -> Option<String> {
    let error = text::clean(source.last_error.as_deref()?);
    Some(match (&source.state, source.state.next_attempt()) {
        (SourceState::Retrying { attempt, .. }, Some(at)) if *attempt > 0 => {
            format!("{error} (attempt {attempt}, next in {})", format::countdown(at - as_of))
        }
        (_, Some(at)) => format!("{error} (next attempt in {})", format::countdown(at - as_of)),
        _ => error,
    })
}

/// Why there is no picture of the source: what is waited for, or that none comes and what would bring one.
#[must_use]
pub fn no_picture(context: &Context, source: &SourceSnapshot) -> String {
    let key = |action| first_key(&context.keymap, action);
    let as_of = context.shown().taken;
    let next = source
        .state
        .next_attempt()
        .map_or_else(String::new, |at| format!(", the next attempt is in {}", format::countdown(at - as_of)));
    match source.state {
        SourceState::Running | SourceState::Connecting => {
            format!("waiting for a frame ({})", source.state.word().to_lowercase())
        }
        SourceState::Queued => "no preview yet: it waits for an open slot ('max_open_sources')".into(),
        SourceState::Stalled => "no preview: it is connected and sends no frames".into(),
        SourceState::Paused => format!("no preview while it is paused; {} resumes it", key(Action::Pause)),
        SourceState::Completed => {
            format!(
                "no preview: the video has ended; {} counts it again from its start",
                key(Action::Restart)
            )
        }
        SourceState::Closed { opens: None } => "no preview: it is closed by its schedule".into(),
        SourceState::Closed { opens: Some(ref opens) } => {
            format!("no preview: it is closed by its schedule until {}", text::clean(&opens.shown))
        }
        SourceState::Disabled => {
            format!("no preview: it is disabled; {} starts it for this run", key(Action::Restart))
        }
        SourceState::Unsupported => "no preview: nothing in it can be decoded".into(),
        SourceState::Failed { next: None } => {
            format!("no preview: it has failed; {} tries it again", key(Action::Restart))
        }
        SourceState::Failed { .. } => format!("no preview: it has failed{next}"),
        SourceState::Retrying { .. } => format!("no preview: the connection is lost{next}"),
        SourceState::AuthFailed { .. } => format!("no preview: the login is refused{next}"),
        SourceState::NoSuchStream { .. } => format!("no preview: there is no such stream{next}"),
    }
}

/// [`no_picture`] as lines, with what is wrong behind it.
#[must_use]
pub fn no_picture_lines(
    context: &Context,
    source: &SourceSnapshot,
    width: usize,
    look: &Look,
) -> Vec<Line<'static>> {
    let error = source.last_error.as_deref().map(text::clean);
    let facts = [(Some(no_picture(context, source)), Role::Dim), (error, Role::Warn)];
    let wrap = |(fact, role): (Option<String>, Role)| {
        let lines = fact.map(|fact| text::wrap(&fact, width.saturating_sub(2))).unwrap_or_default();
        lines.into_iter().map(move |line| look.line(format!(" {line}"), role)).collect::<Vec<_>>()
    };
    facts.into_iter().flat_map(wrap).collect()
}

fn lines(source: &SourceSnapshot, look: &Look) -> String {
    let about = format::about(source.doubt().is_some());
    let doubt = source.doubt().map(|doubt| format!("unreliable counts: {}", doubt.words()));
    let mut facts: Vec<String> = doubt.into_iter().collect();
    facts.extend(source.lines.iter().map(|line| {
        let (total_in, total_out) = (format::count(line.total_in), format::count(line.total_out));
        format!("{}: in {about}{total_in} out {about}{total_out}", text::clean(&line.name))
    }));
    facts.extend(source.zones.iter().map(|zone| {
        let limit = zone.threshold.map(|limit| format!(" of {limit}")).unwrap_or_default();
        format!("{}: {}{limit} inside", text::clean(&zone.name), zone.occupancy)
    }));
    facts.push(format!("{} in the frame", source.visible));
    let not_counted: u64 = source.suppressed.values().sum();
    if not_counted > 0 {
        facts.push(format!("{} not counted", format::count(not_counted)));
    }
    facts.join(&look.separator())
}
