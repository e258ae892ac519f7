//! The lines under the header that are impossible to miss: what endangers the counts, alerts, then notices of the
//! engine.

use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use super::{Look, first_key, put_lines};
use crate::{
    model::{Moment, SourceSnapshot},
    tui::{
        action::Action,
        alerts::{self, Alert, AlertKind, Subject},
        context::Context,
        format, text,
        theme::Role,
    },
};

/// How many lines there are to show.
#[must_use]
pub fn lines_wanted(context: &Context) -> usize {
    let unseen = context.alerts.standing().iter().filter(|alert| !alert.acknowledged).count();
    let seen = usize::from(unseen < context.alerts.standing().len());
    context.shown().problems.len() + unseen + seen + context.shown().notices.len()
}

/// Whether another screen than the overview has to show a line of this: counts are endangered, or there is an alert
/// that nobody has acknowledged, about something else than the source that the screen shows anyway.
#[must_use]
pub fn is_news(context: &Context, shown: Option<&SourceSnapshot>) -> bool {
    let shown = shown.map(|source| &source.id);
    !context.shown().problems.is_empty()
        || context
            .alerts
            .standing()
            .iter()
            .any(|alert| !alert.acknowledged && Some(&alert.key.source) != shown)
}

/// Draws as many lines as fit; the last one says how many do not.
pub fn draw(context: &Context, area: Rect, buffer: &mut Buffer, look: &Look) {
    let snapshot = context.shown();
    let width = usize::from(area.width);
    let mut lines: Vec<Line> = Vec::new();
    for problem in &snapshot.problems {
        let what = format!(" {} {}", look.symbols.alert, text::clean(problem));
        lines.push(look.line(look.left(&what, width), Role::Alert));
    }
    let (seen, unseen): (Vec<&Alert>, Vec<&Alert>) =
        context.alerts.standing().iter().partition(|alert| alert.acknowledged);
    for alert in &unseen {
        let what = match alert.subject {
            Subject::Source(index) => sentence(alert, &snapshot.sources[index], snapshot.taken, width, look),
            Subject::Area(_) => {
                let (name, cause) =
                    (alert.subject.name(snapshot), alert.subject.cause(alert.key.kind, snapshot));
                format!("{}: {cause}", text::clean(&name))
            }
        };
        lines.push(look.line(look.left(&format!(" {} {what}", look.symbols.alert), width), Role::Alert));
    }
    if !seen.is_empty() {
        let names: Vec<String> = seen.iter().map(|alert| alert.subject.name(snapshot)).collect();
        let what = format!(" {} acknowledged: {}", look.symbols.acknowledged, names.join(", "));
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
    let key = first_key(&context.keymap, Action::Acknowledge);
    let hint = format!(" {key} = ack ");
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
    let cause = alerts::cause(alert.key.kind, source);
    match alert.key.kind {
        AlertKind::Limit | AlertKind::Flapping | AlertKind::Area => format!(": {cause}"),
        AlertKind::Down | AlertKind::Failed => {
            let next = source
                .state
                .next_attempt()
                .map(|at| format!(", again in {}", format::countdown(at - as_of)))
                .unwrap_or_default();
            let word = source.state.word().to_lowercase();
            format!(": {word}{next}: {cause}")
        }
    }
}
