//! The last line: a message, the filter being typed, or the keys that matter here.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    text::{Line, Span},
    widgets::{Clear, Widget},
};

use super::{Look, caret, first_key, input_line, put, put_lines};
use crate::tui::{
    action::Action,
    context::{Context, Tone},
    keymap::COMMANDS,
    screen::Hint,
    text,
    text_input::TextInput,
    theme::Role,
};

/// Most lines of a message.
const MOST_LINES: usize = 4;

/// Draws the footer with the `filter` being typed, a message or `hints`; gives the place of the caret while a filter is typed.
pub fn draw(
    context: &Context,
    hints: &[Hint],
    filter: Option<&TextInput>,
    area: Rect,
    buffer: &mut Buffer,
    look: &Look,
) -> Option<Position> {
    let width = usize::from(area.width);
    if let Some(input) = filter {
        let hint = " enter accepts, esc clears ";
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
    if let Some(toast) = context.toast() {
        let role = match toast.tone {
            Tone::Done => Role::Good,
            Tone::Refused => Role::Warn,
        };
        let leave = if context.is_attached() { "detach" } else { "quit" };
        let own = hints.iter().find(|(action, word)| *action == Action::Quit && !word.is_empty());
        let way = own.map_or(leave, |(_, word)| word);
        let [help, quit] = [Action::Help, Action::Quit].map(|action| first_key(&context.keymap, action));
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
    put(&hint_line(context, hints, width, look), area, buffer);
    None
}

/// The keys that matter here, as many as fit; help and the way back always come first.
fn hint_line(context: &Context, hints: &[Hint], width: usize, look: &Look) -> Line<'static> {
    let mut spans = vec![Span::raw(" ")];
    let mut used = 1;
    let (ways, others) = hints.split_at(hints.len().min(2));
    let acknowledge = (context.alerts.open() > 0).then_some(&(Action::Acknowledge, ""));
    for (action, word) in ways.iter().chain(acknowledge).chain(others) {
        let Some(command) = COMMANDS.iter().find(|command| command.action == *action) else { continue };
        let is_of_fleet = *action == Action::Nodes;
        if (context.read_only() && command.changes) || (is_of_fleet && !context.shown().is_fleet()) {
            continue;
        }
        let label = if word.is_empty() { context.keymap.label(command) } else { word };
        let key = first_key(&context.keymap, *action);
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
