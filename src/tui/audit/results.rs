//! The result: what was right, missed and false, and the moments at which person and program disagree.

use std::fmt::Write as _;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use super::{found::Results, screen::Screen, state::Audit, watching::fitting};
use crate::{
    audit::{
        findings::{Disagreement, Findings, Tally, words},
        render::{clock, percent, sentence, shares, summary},
        watch::Watching,
    },
    tui::{
        layout::{take_bottom, take_right, take_top},
        text,
        theme::Role,
        widgets::{Look, put, put_lines, rule},
    },
};

/// Columns and rows from which the picture has a place beside the list.
const WITH_PICTURE: (u16, u16) = (100, 24);

/// Columns from which the shares have a place in the table.
const WITH_SHARES: u16 = 96;

/// Draws everything.
pub fn draw(
    audit: &Audit,
    results: &Results,
    screen: &mut Screen,
    watching: &Watching,
    area: Rect,
    buffer: &mut Buffer,
    look: &Look,
) {
    let mut rest = area;
    let footer = take_bottom(&mut rest, 1);
    let found = &results.findings;
    let chosen = found.disagreements.get(results.chosen);
    if let (true, Some(chosen)) = (results.is_open, chosen) {
        facts(chosen, found, results.chosen, take_top(&mut rest, 2), buffer, look);
        moment(audit, results, screen, watching, rest, buffer, look);
        let hold = if results.held.is_some() { "play" } else { "hold" };
        let hints = [("q", "back"), ("j k", "next, previous"), ("space", hold), (", .", "step")];
        return put(&fitting(&hints, usize::from(area.width), look), footer, buffer);
    }
    let lines = table(audit, found, area.width, look);
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(rest.height.saturating_sub(4));
    put_lines(&lines, take_top(&mut rest, height), buffer);
    let title = match found.disagreements.len() {
        0 => "No disagreement".to_owned(),
        1 => "1 disagreement".to_owned(),
        count => format!("{count} disagreements"),
    };
    rule(&title, true, take_top(&mut rest, 1), buffer, look);
    let has_picture = area.width >= WITH_PICTURE.0 && area.height >= WITH_PICTURE.1;
    if has_picture && chosen.is_some() {
        let place = take_right(&mut rest, area.width / 2);
        moment(audit, results, screen, watching, place, buffer, look);
    }
    list(results, rest, buffer, look);
    let width = usize::from(area.width);
    if let Some((said, role)) = audit.said() {
        put(&look.line(look.cut(&format!(" {said}"), width), role), footer, buffer);
    } else {
        let mut hints = vec![("q", "leave"), ("w", "save the taps")];
        if chosen.is_some() {
            hints.extend([("j k", "next, previous"), ("enter", "frame"), ("space", "hold")]);
        }
        put(&fitting(&hints, width, look), footer, buffer);
    }
}

/// The table of lines and directions, as wide as there is room for, and the sentences below it.
fn table(audit: &Audit, found: &Findings, width: u16, look: &Look) -> Vec<Line<'static>> {
    let wide = width >= WITH_SHARES;
    let name_width = found.rows.iter().map(|row| text::width(&row.line)).max().unwrap_or(0).clamp(5, 18);
    let mut columns = format!(
        " {} {:<3} {:>6} {:>8} {:>6} {:>7} {:>6}",
        look.left("line", name_width),
        "way",
        "seen",
        "counted",
        "right",
        "missed",
        "false"
    );
    if wide {
        let _ = write!(columns, "   {:<20} precision (95 %)", "recall (95 %)");
    }
    let row = |line: &str, way: &str, tally: Tally, role: Role| {
        let (right, missed, wrong) = (tally.right, tally.missed, tally.wrong);
        let emphasis = |count: u64| if count > 0 { Role::Warn } else { Role::Dim };
        let mut spans = vec![
            look.span(format!(" {} {way:<3}", look.left(line, name_width)), role),
            look.span(format!(" {:>6} {:>8} {right:>6}", tally.seen(), tally.counted()), Role::Text),
            look.span(format!(" {missed:>7}"), emphasis(missed)),
            look.span(format!(" {wrong:>6}"), emphasis(wrong)),
        ];
        if wide {
            let (recall, precision) = (percent(tally.recall()), percent(tally.precision()));
            spans.push(look.span(format!("   {recall:<20} {precision}"), Role::Text));
        }
        Line::from(spans)
    };
    let until = if audit.watched.is_finite() { clock(audit.watched) } else { clock(0.0) };
    let title = format!("{} until {until}", audit.setup.name);
    let mut lines = vec![
        Line::from(vec![
            look.span(" Audit ", Role::Title),
            look.span(look.cut(&title, usize::from(width).saturating_sub(8)), Role::Text),
        ]),
        look.line(columns, Role::Column),
    ];
    for found in &found.rows {
        let role = if found.direction == crate::model::Direction::In { Role::In } else { Role::Out };
        lines.push(row(&found.line, found.direction.word(), found.tally, role));
    }
    let total = found.total();
    lines.push(row("total", "", total, Role::Title));
    if !wide {
        lines.extend(wrapped(&shares(total), width, look));
    }
    lines.extend(wrapped(&summary(found), width, look));
    lines
}

/// A sentence below the table, in two lines at most.
fn wrapped(sentence: &str, width: u16, look: &Look) -> impl Iterator<Item = Line<'static>> {
    let parts = text::wrap(sentence, usize::from(width).saturating_sub(2));
    let lines = parts.into_iter().take(2).map(|part| look.line(format!(" {part}"), Role::Text));
    lines.collect::<Vec<_>>().into_iter()
}

/// The disagreements around the chosen one.
fn list(results: &Results, area: Rect, buffer: &mut Buffer, look: &Look) {
    let height = usize::from(area.height);
    let first = results.chosen.saturating_sub(height.saturating_sub(1));
    let rows = results.findings.disagreements.iter().enumerate().skip(first).take(height);
    let lines: Vec<Line> = rows
        .map(|(index, disagreement)| {
            let is_chosen = index == results.chosen;
            let cursor = if is_chosen { look.symbols.cursor } else { " " };
            let text = look.left(&format!("{cursor} {}", sentence(disagreement)), usize::from(area.width));
            look.line(text, if is_chosen { Role::Selected } else { Role::Text })
        })
        .collect();
    put_lines(&lines, area, buffer);
}

/// What the chosen disagreement is, in two lines.
fn facts(
    chosen: &Disagreement,
    found: &Findings,
    index: usize,
    area: Rect,
    buffer: &mut Buffer,
    look: &Look,
) {
    let width = usize::from(area.width);
    let seen = match chosen {
        Disagreement::Missed(tap, _) => tap.direction.word(),
        Disagreement::Wrong(_) => "nobody",
    };
    let head = format!(
        "{} of {}{}{} over {}{}you saw {seen}",
        index + 1,
        found.disagreements.len(),
        look.separator(),
        clock(chosen.time()),
        chosen.line(),
        look.separator()
    );
    let kind = match chosen {
        Disagreement::Missed(..) => " Missed ",
        Disagreement::Wrong(_) => " False ",
    };
    let lines = [
        Line::from(vec![
            look.span(kind, Role::Alert),
            Span::raw(" "),
            look.span(look.cut(&head, width.saturating_sub(10)), Role::Text),
        ]),
        look.line(look.cut(&format!(" the program {}", words(chosen)), width), Role::Title),
    ];
    put_lines(&lines, area, buffer);
}

/// The picture around the chosen disagreement.
fn moment(
    audit: &Audit,
    results: &Results,
    screen: &mut Screen,
    watching: &Watching,
    area: Rect,
    buffer: &mut Buffer,
    look: &Look,
) {
    let Some(time) = results.shown(audit.now(), watching.reel()) else {
        return put(&look.line(" its frames were not kept", Role::Dim), area, buffer);
    };
    let mut rest = area;
    put(&look.line(format!(" {}", clock(time)), Role::Dim), take_bottom(&mut rest, 1), buffer);
    screen.draw(watching, time, (&audit.setup.lines, None), rest, (buffer, look));
}
