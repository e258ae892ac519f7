//! One crossing: its strip, what is known of it, what was said of it; and what a random sample says of the day.

use std::sync::Arc;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use super::state::State;
use crate::{
    audit::{render::percent, sample::Estimate},
    evidence::Facts,
    host::crossings::{CrossingDetails, Strip},
    model::{Direction, Judgment, Verdict},
    tui::{
        action::Action,
        canvas::Canvas,
        context::Context,
        drawn::Geometry,
        layout::{take_left, take_right, take_top},
        text,
        theme::Role,
        widgets::{
            Look, first_key,
            picture::fitted,
            put, put_lines, rule,
            strip::{self, View},
        },
    },
};

/// From this width on, half blocks show the five pictures side by side.
pub const SIDE_BY_SIDE: u16 = 120;

/// Rows that the facts take, at least.
const FACTS: u16 = 10;

/// Columns of the names of facts, with the space behind them.
const NAMES: usize = 12;

/// Seconds after a crossing during which its strip may still be on the way.
const SOON: i64 = 10;

/// Draws the chosen crossing.
pub fn draw(state: &State, context: &Context, area: Rect, canvas: &mut Canvas) -> Geometry {
    let mut rest = area;
    let look = canvas.look;
    let geometry = Geometry { page: 10, ..Geometry::default() };
    rule(&title(state), true, take_top(&mut rest, 1), canvas.buffer, look);
    let estimates = estimates(state, usize::from(rest.width), look);
    put_lines(&estimates, take_top(&mut rest, estimates.len() as u16), canvas.buffer);
    let Some(facts) = state.list.chosen() else {
        let (said, role) = nothing(state);
        let lines = text::wrap(&said, usize::from(rest.width.saturating_sub(2)));
        let lines: Vec<Line> = lines.into_iter().map(|line| look.line(format!(" {line}"), role)).collect();
        put_lines(&lines, rest, canvas.buffer);
        return geometry;
    };
    let read = state.list.read();
    let known = read.and_then(|read| read.as_ref().ok());
    let facts = known.map_or(facts, |known| &known.facts);
    if let Some(strip) = known.and_then(|known| known.strip.as_ref()) {
        draw_strip(state, strip, facts, state.is_alone(context), &mut rest, canvas);
    }
    let lines = lines(state, context, facts, read, usize::from(rest.width), look);
    put_lines(&lines, rest, canvas.buffer);
    geometry
}

/// Why there is no crossing to show.
fn nothing(state: &State) -> (String, Role) {
    let crossings = &state.list;
    match (&crossings.problem, &crossings.reading) {
        (Some(problem), _) => (problem.clone(), Role::Warn),
        (None, Some(_)) => ("reading which crossings there are".into(), Role::Dim),
        (None, None) => (
            "no snapshots of crossings are recorded of this time: \"evidence\": true in the configuration records them from then on"
                .into(),
            Role::Dim,
        ),
    }
}

fn title(state: &State) -> String {
    let (at, of) = state.list.place();
    let title = text::clean(&state.list.title);
    match &state.list.sample {
        Some(_) if of > 0 => format!("Random sample of {of} crossings: {title}"),
        None if of > 0 => format!("Crossing {at} of {of}: {title}"),
        _ => format!("Crossings: {title}"),
    }
}

/// What a sample says so far, a line for each kind of crossing.
fn estimates(state: &State, width: usize, look: &Look) -> Vec<Line<'static>> {
    let Some([counted, suppressed]) = state.list.estimates().filter(|_| state.list.chosen().is_some()) else {
        return Vec::new();
    };
    let line = |what: &str, right_words: &str, estimate: Estimate| {
        let Estimate { judged, right, of, share } = estimate;
        let so_far = match judged {
            0 => format!(" {what}: none of {of} judged yet"),
            _ => format!(" {what}: {right} of {judged} {right_words} {} (95 % interval)", percent(share)),
        };
        look.line(look.cut(&so_far, width), if judged == 0 { Role::Dim } else { Role::Text })
    };
    let done = state.list.sample.as_ref().is_some_and(|sample| sample.next().is_none());
    let end = done.then(|| look.line(" all of them are judged", Role::Good));
    [line("counted", "right, precision", counted), line("not counted", "rightly left out,", suppressed)]
        .into_iter()
        .chain(end)
        .collect()
}

/// Draws the pictures into the top of `rest`, or one of them into its left, and leaves what is left.
fn draw_strip(
    state: &State,
    strip: &Strip,
    facts: &Facts,
    is_alone: bool,
    rest: &mut Rect,
    canvas: &mut Canvas,
) {
    let look = canvas.look;
    let count = strip.pictures.len().max(1);
    let picture = state.list.picture.min(count - 1);
    let numbers = if is_alone { vec![picture] } else { (0..count).collect() };
    let view = View { numbers, near: state.near };
    // A cell is twice as high as it is wide.
    let place = if is_alone {
        let width = (rest.height * 2).min(rest.width.saturating_sub(28));
        let place = take_left(rest, width);
        take_left(rest, 1);
        Rect { height: width.div_ceil(2).min(place.height), ..place }
    } else {
        let most = rest.height.saturating_sub(FACTS + 1).max(4);
        let size = ((view.aspect() * 1000.0) as u32, 1000);
        let area = Rect { height: most.min(rest.height), ..*rest };
        let filled = canvas
            .graphics
            .as_ref()
            .map_or_else(|| fitted(area, size), |graphics| graphics.place(area, size));
        let place = take_top(rest, filled.height);
        let below = Rect { x: filled.x, width: filled.width, ..take_top(rest, 1) };
        captions(strip, picture, below, canvas.buffer, look);
        // Half blocks are coarse: the chosen one stands once more beside the facts, where there is room.
        if canvas.graphics.is_none() && rest.height >= FACTS + 2 && rest.width >= SIDE_BY_SIDE {
            let large = take_right(rest, (rest.height * 2).min(rest.width / 2));
            let view = View { numbers: vec![picture], near: view.near };
            strip::draw(strip, facts.track, &view, large, canvas);
        }
        place
    };
    strip::draw(strip, facts.track, &view, place, canvas);
}

/// When each of the pictures above was taken, over the columns that they fill.
fn captions(strip: &Strip, chosen: usize, area: Rect, buffer: &mut Buffer, look: &Look) {
    let count = strip.pictures.len().max(1) as u16;
    let each = area.width / count;
    for number in 0..count {
        let words = when(strip, usize::from(number));
        let room = usize::from(each.saturating_sub(1));
        let words = look.cut(&words, room);
        let role = if usize::from(number) == chosen { Role::Text } else { Role::Dim };
        let pad = (room - text::width(&words)) / 2;
        let at = Rect { x: area.x + number * area.width / count, width: each, ..area };
        put(&look.line(format!("{}{words}", " ".repeat(pad)), role), at, buffer);
    }
}

/// When a picture was taken.
fn when(strip: &Strip, number: usize) -> String {
    let Some(time) = strip.marks.as_ref().and_then(|marks| Some(marks.pictures.get(number)?.time)) else {
        return format!("{} of {}", number + 1, strip.pictures.len());
    };
    match time {
        time if time.abs() < 0.05 => "on the line".into(),
        time if time < 0.0 => format!("{:.1} s before", -time),
        time => format!("{time:.1} s after"),
    }
}

/// The facts, each with its name.
fn lines(
    state: &State,
    context: &Context,
    facts: &Facts,
    read: Option<&Result<Arc<CrossingDetails>, String>>,
    width: usize,
    look: &Look,
) -> Vec<Line<'static>> {
    let known = read.and_then(|read| read.as_ref().ok());
    let strip = known.and_then(|known| known.strip.as_ref());
    let judgment = known.and_then(|known| known.judgment.as_ref());
    let mut rows: Vec<(&str, String, Role)> = Vec::new();
    let role = if facts.direction == Direction::In { Role::In } else { Role::Out };
    let outcome = match facts.reason {
        None => (format!("{}, counted", facts.direction.word()), role),
        Some(reason) => (format!("{}, not counted: {}", facts.direction.word(), reason.words()), Role::Warn),
    };
    rows.push(("direction", outcome.0, outcome.1));
    rows.push((
        "judged",
        judged(state, context, facts, judgment),
        if judgment.is_some() { Role::Good } else { Role::Key },
    ));
    rows.push(("time", stamp(context, facts.wall), Role::Text));
    rows.push((
        "source",
        look.name_of(context.shown(), &facts.source, width.saturating_sub(NAMES)),
        Role::Text,
    ));
    rows.push(("line", text::clean(&facts.line), Role::Text));
    let sure = facts.confidence.map_or_else(|| "not known".into(), |score| format!("{score:.2}"));
    rows.push(("confidence", sure, Role::Text));
    let path = strip.and_then(|strip| strip.marks.as_ref()).map_or_else(String::new, |marks| {
        match (marks.path.first(), marks.path.last()) {
            (Some(first), Some(last)) => {
                format!(", seen from {:.1} s before to {:.1} s after", -first.time, last.time.max(0.0))
            }
            _ => String::new(),
        }
    });
    rows.push(("track", format!("#{}{path}", facts.track), Role::Text));
    if let Some(strip) = strip {
        let picture = state.list.picture;
        rows.push((
            "snapshot",
            format!("{}, {} of {}", when(strip, picture), picture + 1, strip.pictures.len()),
            Role::Text,
        ));
        let heads = if strip.blurred { "heads blurred" } else { "heads not blurred" };
        rows.push(("strip", format!("{}, {heads}", strip.key), Role::Dim));
    } else {
        let (said, role) = no_strip(context, facts, read);
        rows.push(("strip", said, role));
    }
    let room = width.saturating_sub(NAMES).max(8);
    let mut lines = Vec::new();
    for (name, value, role) in rows {
        for (number, part) in text::wrap(&value, room).into_iter().enumerate() {
            let name = if number == 0 { name } else { "" };
            let name = look.span(look.left(&format!(" {name}"), NAMES), Role::Dim);
            lines.push(Line::from(vec![name, Span::styled(part, look.style(role))]));
        }
    }
    lines
}

/// What was said of it, or how to say something.
fn judged(state: &State, context: &Context, facts: &Facts, judgment: Option<&Judgment>) -> String {
    if state.judging {
        return "is being saved".into();
    }
    match judgment {
        Some(Judgment { verdict, who, wall, .. }) => {
            format!("{}, by {} on {}", words(*verdict, facts), text::clean(who), stamp(context, *wall))
        }
        None if context.read_only() => "not yet".into(),
        None => {
            let key = |action| first_key(&context.keymap, action);
            let way = if facts.direction == Direction::In { "out" } else { "in" };
            format!(
                "not yet: {} right, {} wrong, {} wrong way (went {way})",
                key(Action::JudgeRight),
                key(Action::JudgeWrong),
                key(Action::JudgeBoth)
            )
        }
    }
}

/// A verdict in words.
fn words(verdict: Verdict, facts: &Facts) -> String {
    match (verdict, facts.reason) {
        (Verdict::Right, None) => "right: it happened".into(),
        (Verdict::Right, Some(_)) => "right: it was not to be counted".into(),
        (Verdict::Wrong, None) => "wrong: it did not happen".into(),
        (Verdict::Wrong, Some(_)) => "wrong: it was to be counted".into(),
        (Verdict::OtherWay, _) => "both wrong: it went the other way".into(),
    }
}

/// Why there are no pictures.
fn no_strip(
    context: &Context,
    facts: &Facts,
    read: Option<&Result<Arc<CrossingDetails>, String>>,
) -> (String, Role) {
    let age = context.clock().wall.timestamp().as_millisecond().saturating_sub(facts.wall) / 1000;
    match read {
        None => ("being read".into(), Role::Dim),
        Some(Err(problem)) => (text::clean(problem), Role::Warn),
        Some(Ok(_)) if age < SOON => {
            ("comes a second or two after the crossing, if one is recorded".into(), Role::Dim)
        }
        Some(Ok(_)) => (
            "none is kept: \"evidence\" was off for this source, or it has gone with its age or the size"
                .into(),
            Role::Dim,
        ),
    }
}

/// A moment in the zone of the screens.
fn stamp(context: &Context, wall: i64) -> String {
    let moment = jiff::Timestamp::from_millisecond(wall).unwrap_or_default();
    let zone = context.clock().wall.time_zone().clone();
    moment.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S").to_string()
}
