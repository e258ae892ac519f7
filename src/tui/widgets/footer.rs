//! The last line: a message, the filter being typed, or the keys that matter here.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    text::{Line, Span},
    widgets::{Clear, Widget},
};

use super::{Look, caret, first_key, input_line, put, put_lines};
use crate::model::Verdict;
use crate::tui::{
    action::Action,
    app::{Screen, Tone, UiState, judging_key},
    keymap::COMMANDS,
    text,
    theme::Role,
};

/// Most lines of a message.
const MOST_LINES: usize = 4;

/// What is worth a hint on a screen, the most useful first.
fn hints(screen: &Screen) -> &'static [Action] {
    match screen {
        Screen::Overview => &[
            Action::Help,
            Action::Quit,
            Action::Enter,
            Action::Report,
            Action::Pause,
            Action::Restart,
            Action::Add,
            Action::Preview,
            Action::Logs,
            Action::Workers,
            Action::Crossings,
            Action::Filter,
            Action::SortNext,
            Action::Freeze,
            Action::EditLines,
            Action::Remove,
            Action::Mark,
            Action::NextPanel,
            Action::Export,
            Action::Palette,
        ],
        Screen::Detail => &[
            Action::Help,
            Action::Quit,
            Action::NextPanel,
            Action::Down,
            Action::Up,
            Action::More,
            Action::Fewer,
            Action::Preview,
            Action::Crossings,
            Action::EditLines,
            Action::Pause,
            Action::Restart,
            Action::PageDown,
            Action::Logs,
            Action::Reset,
            Action::Copy,
        ],
        Screen::Editor => &[
            Action::Help,
            Action::Quit,
            Action::Enter,
            Action::NextPanel,
            Action::Flip,
            Action::Turn,
            Action::Rename,
            Action::Add,
            Action::AddZone,
            Action::Remove,
            Action::Undo,
            Action::LinePoint,
        ],
        Screen::Help => {
            &[Action::Help, Action::Quit, Action::Down, Action::Up, Action::Filter, Action::Palette]
        }
        Screen::Report => &[
            Action::Help,
            Action::Quit,
            Action::Left,
            Action::Right,
            Action::More,
            Action::Fewer,
            Action::NextPanel,
            Action::Down,
            Action::Enter,
            Action::Crossings,
            Action::Sample,
            Action::Export,
            Action::Copy,
        ],
        Screen::Crossings => &[
            Action::Help,
            Action::Quit,
            Action::JudgeRight,
            Action::JudgeWrong,
            Action::JudgeBoth,
            Action::Down,
            Action::Right,
            Action::Preview,
            Action::More,
            Action::Up,
        ],
        Screen::Workers => &[
            Action::Help,
            Action::Quit,
            Action::More,
            Action::Fewer,
            Action::Enter,
            Action::Down,
            Action::Up,
            Action::AllLogs,
        ],
        Screen::Logs(_) => &[
            Action::Help,
            Action::Quit,
            Action::Up,
            Action::Bottom,
            Action::Filter,
            Action::More,
            Action::Fewer,
            Action::NextPanel,
            Action::Right,
            Action::Copy,
            Action::AllLogs,
        ],
    }
}

/// The word for an action where another one than that of its command says more.
fn label(action: Action, screen: &Screen) -> Option<&'static str> {
    Some(match (action, screen) {
        (Action::Help, Screen::Help) => "close",
        (Action::Filter, Screen::Help) => "search",
        (Action::Quit, screen) if *screen != Screen::Overview => "back",
        (Action::Enter, Screen::Overview) => "details",
        (Action::Enter, Screen::Editor) => "use and save",
        (Action::NextPanel, Screen::Editor) => "next end",
        (Action::Add, Screen::Editor) => "new line",
        (Action::Up, Screen::Detail) => "previous",
        (Action::Down, Screen::Detail) => "next source",
        (Action::NextPanel, Screen::Detail) => "next pane",
        (Action::More, Screen::Detail) => "wider",
        (Action::Fewer, Screen::Detail) => "narrower",
        (Action::PageDown, Screen::Detail) => "scroll",
        (Action::Left, Screen::Report) => "earlier",
        (Action::Right, Screen::Report) => "later",
        (Action::More, Screen::Report) => "longer",
        (Action::Fewer, Screen::Report) => "shorter",
        (Action::NextPanel, Screen::Report) => "times",
        (Action::Export, Screen::Report) => "write files",
        (Action::Down, Screen::Report) => "next",
        (Action::Down, Screen::Crossings) => "next",
        (Action::Up, Screen::Crossings) => "previous",
        (Action::Right, Screen::Crossings) => "next picture",
        (Action::Preview, Screen::Crossings) => "one or all",
        (Action::More, Screen::Crossings) => "nearer",
        (Action::More, Screen::Workers) => "one more",
        (Action::Fewer, Screen::Workers) => "one fewer",
        (Action::Enter, Screen::Workers) => "its log",
        (Action::Bottom, Screen::Logs(_)) => "follow",
        (Action::Filter, Screen::Logs(_)) => "search",
        (Action::NextPanel, Screen::Logs(_)) => "next log",
        (Action::Right, Screen::Logs(_)) => "rest of lines",
        _ => return None,
    })
}

/// Draws the footer; gives the place of the caret while a filter is typed.
pub fn draw(ui: &UiState, area: Rect, buffer: &mut Buffer, look: &Look) -> Option<Position> {
    let width = usize::from(area.width);
    if let Some(input) = &ui.filter_input {
        let hint = " enter keeps, esc clears ";
        let room = width.saturating_sub(hint.len() + 1);
        let (typed, column) = input_line(" /", input, room, look);
        put(&typed, area, buffer);
        if width > 50 {
            let hint_width = u16::try_from(hint.len()).unwrap_or(0);
            let right = Rect { x: area.right().saturating_sub(hint_width), width: hint_width, ..area };
            put(&look.line(hint, Role::Dim), right, buffer);
        }
        return Some(caret(area, column));
    }
    if let Some(toast) = ui.toast() {
        let role = match toast.tone {
            Tone::Done => Role::Good,
            Tone::Refused => Role::Warn,
        };
        let leave = if ui.is_attached() { "detach" } else { "quit" };
        let way = label(Action::Quit, ui.screen()).unwrap_or(leave);
        let [help, quit] = [Action::Help, Action::Quit].map(|action| first_key(&ui.keymap, action));
        let ways = format!(" {help} help  {quit} {way} ");
        let ways_width = text::width(&ways);
        let room = width.saturating_sub(ways_width).max(1);
        // What does not fit on the line takes those above it for a while: a path that is cut leads nowhere.
        let wrapped = text::wrap(&toast.text, room.saturating_sub(1));
        let lines: Vec<Line> = wrapped
            .into_iter()
            .take(MOST_LINES)
            .map(|part| look.line(look.left(&format!(" {part}"), room), role))
            .collect();
        let above = (lines.len().saturating_sub(1) as u16).min(area.y);
        let place = Rect { y: area.y - above, height: above + 1, ..area };
        Clear.render(place.intersection(*buffer.area()), buffer);
        put_lines(&lines, place, buffer);
        let ways_width = u16::try_from(ways_width).unwrap_or(u16::MAX).min(area.width);
        put(
            &look.line(ways, Role::Dim),
            Rect { x: area.right() - ways_width, width: ways_width, ..area },
            buffer,
        );
        return None;
    }
    put(&hint_line(ui, width, look), area, buffer);
    None
}

/// The key of an action on the screen on top.
fn key_of(ui: &UiState, action: Action) -> String {
    match action {
        Action::JudgeRight => judging_key(&ui.keymap, Verdict::Right),
        Action::JudgeWrong => judging_key(&ui.keymap, Verdict::Wrong),
        Action::JudgeBoth => judging_key(&ui.keymap, Verdict::OtherWay),
        action => first_key(&ui.keymap, action),
    }
}

/// The keys that matter here, as many as fit; help and the way back always come first.
fn hint_line(ui: &UiState, width: usize, look: &Look) -> Line<'static> {
    let mut spans = vec![Span::raw(" ")];
    let mut used = 1;
    let unseen = ui.alerts().iter().any(|alert| !alert.acknowledged);
    let (ways, others) = hints(ui.screen()).split_at(2);
    let seen = unseen.then_some(&Action::Acknowledge);
    for action in ways.iter().chain(seen).chain(others) {
        let Some(command) = COMMANDS.iter().find(|command| command.action == *action) else { continue };
        if ui.read_only() && command.changes {
            continue;
        }
        let label = label(*action, ui.screen()).unwrap_or(ui.keymap.label(command));
        let key = key_of(ui, *action);
        let size = text::width(&key) + text::width(label) + 3;
        if key.is_empty() || used + size > width {
            continue;
        }
        used += size;
        spans.push(look.span(key, Role::Key));
        spans.push(look.span(format!(" {label}  "), Role::Dim));
    }
    Line::from(spans)
}
