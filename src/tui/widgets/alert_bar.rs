//! The lines under the header that are impossible to miss: what endangers the counts, alerts, then notices of the
//! engine.

use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use super::{Look, first_key, put_lines};
use crate::{
    model::{Moment, SourceSnapshot},
    tui::{
        action::Action,
        alerts::{Alert, AlertKind},
        app::{Screen, UiState},
        format, text,
        theme::Role,
    },
};

/// How many lines there are to show.
#[must_use]
pub fn lines_wanted(ui: &UiState) -> usize {
    let unseen = ui.alerts().iter().filter(|alert| !alert.acknowledged).count();
    let seen = usize::from(unseen < ui.alerts().len());
    ui.shown().problems.len() + unseen + seen + ui.shown().notices.len()
}

/// Whether another screen than the overview has to show a line of this: counts are endangered, or there is an alert
/// that nobody has seen, about something else than what the screen shows anyway.
#[must_use]
pub fn is_news_here(ui: &UiState) -> bool {
    let shown = match ui.screen() {
        Screen::Detail => ui.selected().map(|source| &source.id),
        _ => None,
    };
    !ui.shown().problems.is_empty()
        || ui.alerts().iter().any(|alert| !alert.acknowledged && Some(&alert.key.source) != shown)
}

/// Draws as many lines as fit; the last one says how many do not.
pub fn draw(ui: &UiState, area: Rect, buffer: &mut Buffer, look: &Look) {
    let snapshot = ui.shown();
    let width = usize::from(area.width);
    let mut lines: Vec<Line> = Vec::new();
    for problem in &snapshot.problems {
        let what = format!(" {} {}", look.symbols.alert, text::clean(problem));
        lines.push(look.line(look.left(&what, width), Role::Alert));
    }
    let (seen, unseen): (Vec<&Alert>, Vec<&Alert>) = ui.alerts().iter().partition(|alert| alert.acknowledged);
    for alert in &unseen {
        let what = sentence(alert, &snapshot.sources[alert.source], snapshot.taken, width, look);
        lines.push(look.line(look.left(&format!(" {} {what}", look.symbols.alert), width), Role::Alert));
    }
    if !seen.is_empty() {
        let names: Vec<String> = seen.iter().map(|alert| snapshot.sources[alert.source].name()).collect();
        let what = format!(" {} seen: {}", look.symbols.acknowledged, names.join(", "));
        lines.push(look.line(look.cut(&what, width), Role::Warn));
    }
    for notice in &snapshot.notices {
        lines.push(look.line(look.cut(&format!(" note: {notice}"), width), Role::Dim));
    }
    let room = usize::from(area.height);
    if lines.len() > room && room > 0 {
        let hidden = lines.len() - room;
        let more = format!(" +{hidden} more ");
        let keep = width.saturating_sub(text::width(&more));
        let role = if snapshot.problems.len() + unseen.len() >= room { Role::Alert } else { Role::Warn };
        let last = &lines[room - 1];
        let kept = look.left(last.to_string().trim_end(), keep);
        lines[room - 1] = look.line(format!("{kept}{more}"), role);
        lines.truncate(room);
    }
    // The way to silence an alert stands beside the first one that leaves room for it: what is wrong is never cut
    // for it, and the footer names the key as well.
    let key = first_key(&ui.keymap, Action::Acknowledge);
    let hint = format!(" {key} = seen ");
    let kept = width.saturating_sub(text::width(&hint));
    let has_room = |line: &&mut Line| text::width(line.to_string().trim_end()) <= kept;
    let mut alerts = lines.iter_mut().skip(snapshot.problems.len()).take(unseen.len());
    if let Some(line) = alerts.find(has_room).filter(|_| !key.is_empty()) {
        *line = look.line(format!("{}{hint}", look.left(line.to_string().trim_end(), kept)), Role::Alert);
    }
    put_lines(&lines, area, buffer);
}

/// Columns for what stands before the sentence, and behind the last one: ` ▲ ` and ` +2 more `.
const AROUND: usize = 12;

/// The name of a source is shortened, as names are, before what is wrong with it is cut, but no further than this.
const LEAST_NAME: usize = 22;

fn sentence(alert: &Alert, source: &SourceSnapshot, as_of: Moment, width: usize, look: &Look) -> String {
    let what = what(alert, source, as_of);
    let room = width.saturating_sub(text::width(&what) + AROUND);
    format!("{}{what}", look.name(source, room.max(LEAST_NAME)))
}

/// What is wrong, behind the name.
fn what(alert: &Alert, source: &SourceSnapshot, as_of: Moment) -> String {
    match alert.key.kind {
        AlertKind::Limit => {
            let reached = source.limits().find_map(|limit| Some((limit.words()?, limit)));
            let Some((words, limit)) = reached else { return String::new() };
            let whose = limit.zone.map_or(String::new(), |zone| format!("zone '{}' is ", text::clean(&zone)));
            format!(": {whose}{words}, {} of {}", format::current(limit.current), limit.limit)
        }
        AlertKind::Flapping => format!(": {}", source.flapping().unwrap_or_default()),
        AlertKind::Down | AlertKind::Failed => {
            let error = source.last_error.as_deref().unwrap_or("no pictures");
            let next = source
                .state
                .next_attempt()
                .map(|at| format!(", again in {}", format::countdown(at - as_of)))
                .unwrap_or_default();
            let word = source.state.word().to_lowercase();
            // Some errors begin with the same word.
            let error = text::clean(error);
            let error = error.strip_prefix(&format!("{word}: ")).unwrap_or(&error);
            format!(": {word}{next}: {error}")
        }
    }
}
