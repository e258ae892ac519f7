//! While a person watches: the picture with its lines, what was tapped, and nothing of what the program counts.

use crossterm::event::KeyCode;
use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use super::{
    screen::Screen,
    state::{Audit, Phase},
};
use crate::{
    audit::{render::clock, watch::Watching},
    model::{Direction, SourceState},
    tui::{
        layout::{take_bottom, take_top},
        text,
        theme::Role,
        widgets::{Look, put},
    },
};

/// Draws everything.
pub fn draw(
    audit: &Audit,
    screen: &mut Screen,
    watching: &Watching,
    area: Rect,
    buffer: &mut Buffer,
    look: &Look,
) {
    let mut rest = area;
    let (title, taps) = (take_top(&mut rest, 1), take_top(&mut rest, 1));
    let (footer, message) = (take_bottom(&mut rest, 1), take_bottom(&mut rest, 1));
    put(&title_line(audit, watching, usize::from(area.width), look), title, buffer);
    put(&tap_line(audit, usize::from(area.width), look), taps, buffer);
    let position = audit.playback.position().and_then(|position| watching.reel().shown_at(position));
    match position {
        Some(time) => {
            let chosen = (audit.setup.lines.len() > 1).then_some(audit.line);
            screen.draw(watching, time, (&audit.setup.lines, chosen), rest, (buffer, look));
        }
        None => put(&look.line(" waiting for the first frame", Role::Dim), rest, buffer),
    }
    put(&message_line(audit, watching, usize::from(area.width), look), message, buffer);
    put(&hint_line(audit, usize::from(area.width), look), footer, buffer);
}

/// What is watched, where it stands, how fast it goes.
fn title_line(audit: &Audit, watching: &Watching, width: usize, look: &Look) -> Line<'static> {
    let playback = &audit.playback;
    let at = playback.position().map_or_else(|| "-:--.-".into(), clock);
    let how = if playback.is_seeking() && playback.position().is_some() {
        "passing over what was watched".into()
    } else if playback.is_paused() {
        format!("{} paused", look.symbols.paused)
    } else {
        format!("{}x", playback.speed())
    };
    let source = watching.state();
    let length = source.as_ref().and_then(|source| {
        let frames = source.frames_total? as f32;
        source
            .declared_fps
            .filter(|fps| *fps > 0.0)
            .map(|fps| format!(" of {}", clock(f64::from(frames / fps))))
    });
    let length = length.unwrap_or_default();
    let problem = match source.as_ref().map(|source| &source.state) {
        None | Some(SourceState::Running | SourceState::Completed | SourceState::Queued) => String::new(),
        Some(state) => format!("{}{}", look.separator(), state.kind().word()),
    };
    let facts = format!("{}{at}{length}{}{how}{problem}", look.separator(), look.separator());
    let room = width.saturating_sub(text::width(&facts) + 8);
    Line::from(vec![
        look.span(" Audit ", Role::Title),
        look.span(look.cut(&audit.setup.name, room), Role::Text),
        look.span(facts, if playback.is_paused() { Role::Warn } else { Role::Text }),
    ])
}

/// The line that taps are for, the arrows that mean in and out, and what was tapped.
fn tap_line(audit: &Audit, width: usize, look: &Look) -> Line<'static> {
    let keys = [KeyCode::Up, KeyCode::Right, KeyCode::Down, KeyCode::Left];
    let arrows = |direction: Direction| -> String {
        let meant =
            keys.iter().zip(look.symbols.arrows).filter(|(key, _)| audit.arrow(**key) == Some(direction));
        meant.map(|(_, arrow)| arrow).collect()
    };
    let line = audit.chosen();
    let tapped = |direction: Direction| {
        audit.taps.iter().filter(|tap| tap.line == line.name && tap.direction == direction).count()
    };
    let number = match audit.setup.lines.len() {
        1 => String::new(),
        lines => format!(" ({} of {lines})", audit.line + 1),
    };
    let taps = format!("you saw in {} out {}", tapped(Direction::In), tapped(Direction::Out));
    let used = text::width(&number) + text::width(&taps) + 24;
    Line::from(vec![
        look.span(
            format!(" {}{number}", look.cut(&line.name, width.saturating_sub(used).max(8))),
            Role::Text,
        ),
        look.span("  in ", Role::Dim),
        look.span(format!("i {}", arrows(Direction::In)), Role::In),
        look.span("  out ", Role::Dim),
        look.span(format!("o {}  ", arrows(Direction::Out)), Role::Out),
        look.span(taps, Role::Text),
    ])
}

/// What is to be known now.
fn message_line(audit: &Audit, watching: &Watching, width: usize, look: &Look) -> Line<'static> {
    let (text, role) = match (&audit.phase, audit.said()) {
        (Phase::Watching { asked: true }, _) => {
            ("End here? q again shows the result, other keys go on".into(), Role::Alert)
        }
        (Phase::Counting, _) => ("counting what was read to its end".into(), Role::Busy),
        (_, Some((said, role))) => (said.to_owned(), role),
        _ if audit.is_at_end(watching.reel()) => {
            ("The clip is over: Enter shows the result, b goes back".into(), Role::Good)
        }
        _ => return Line::default(),
    };
    look.line(look.cut(&format!(" {text}"), width), role)
}

/// The keys, the most useful first, as many as fit.
fn hint_line(audit: &Audit, width: usize, look: &Look) -> Line<'static> {
    let hold = if audit.playback.is_paused() { "go on" } else { "pause" };
    let mut hints = vec![
        ("i", "in"),
        ("o", "out"),
        ("space", hold),
        ("b", "10 s back"),
        ("u", "undo"),
        ("q", "end"),
        ("x", "in/out"),
        ("+ -", "speed"),
        (", .", "step"),
    ];
    if audit.setup.lines.len() > 1 {
        hints.insert(5, ("tab", "next line"));
    }
    fitting(&hints, width, look)
}

/// As many hints as fit into `width` columns.
pub fn fitting(hints: &[(&str, &str)], width: usize, look: &Look) -> Line<'static> {
    let mut used = 1;
    let count = hints.iter().take_while(|(key, what)| {
        used += text::width(key) + text::width(what) + 3;
        used <= width + 2
    });
    let count = count.count();
    let mut line = look.hints(&hints[..count]);
    line.spans.insert(0, ratatui::text::Span::raw(" "));
    line
}
