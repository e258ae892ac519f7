//! Finds any command by a few letters of its name.

use crossterm::event::KeyCode;
use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    text::{Line, Span},
};

use super::outcome::Outcome;
use crate::tui::{
    keymap::{COMMANDS, Command, Key, Keymap, Section},
    text,
    text_input::{TextInput, Typed},
    theme::Role,
    widgets::{Look, caret, frame, input_line},
};

/// Most columns for keys; a user may have given many to one command.
const MOST_KEYS: usize = 16;

/// The letters so far and the command chosen.
#[derive(Debug, Default)]
pub struct Palette {
    /// The letters.
    pub input: TextInput,
    chosen: usize,
}

/// How well `letters` fit `command`, smaller is better: in its name, in its description, scattered over its
/// name; `None` when they do not.
fn fit(letters: &str, command: &Command) -> Option<usize> {
    let letters = letters.trim().to_lowercase();
    if let Some(at) = command.name.find(&letters) {
        return Some(at);
    }
    if command.help.to_lowercase().contains(&letters) {
        return Some(100);
    }
    let mut rest = command.name.chars();
    letters.chars().filter(|c| *c != ' ').all(|c| rest.any(|other| other == c)).then_some(200)
}

impl Palette {
    /// The commands that fit, the best first.
    #[must_use]
    pub fn matches(&self) -> Vec<&'static Command> {
        let mut found: Vec<(usize, &Command)> =
            COMMANDS.iter().filter_map(|command| Some((fit(self.input.text(), command)?, command))).collect();
        // What can be done to the selected source comes first, as long as nothing else is asked for.
        let is_asked = !self.input.text().trim().is_empty();
        found.sort_by_key(|(fit, command)| (*fit, !is_asked && command.section != Section::Act));
        found.into_iter().map(|(_, command)| command).collect()
    }

    /// Takes a key.
    pub fn key(&mut self, key: Key) -> Outcome {
        let last = self.matches().len().saturating_sub(1);
        match key.plain() {
            Some(KeyCode::Esc) => return Outcome::Close,
            Some(KeyCode::Enter) => {
                return match self.matches().get(self.chosen) {
                    Some(command) => Outcome::Act(command.action),
                    None => Outcome::Stay,
                };
            }
            Some(KeyCode::Up) => self.chosen = self.chosen.saturating_sub(1),
            Some(KeyCode::Down) => self.chosen = (self.chosen + 1).min(last),
            _ => {
                if self.input.key(key) == Typed::Changed {
                    self.chosen = 0;
                }
            }
        }
        Outcome::Stay
    }

    /// Takes pasted text.
    pub fn paste(&mut self, text: &str) {
        self.input.insert(text);
        self.chosen = 0;
    }

    /// Draws it in the middle of `area`.
    pub fn draw(&self, area: Rect, buffer: &mut Buffer, look: &Look, keymap: &Keymap) -> Position {
        let width = area.width.saturating_sub(4).min(72);
        let inner = usize::from(width.saturating_sub(4));
        let (typed, column) = input_line(":", &self.input, inner, look);
        let mut lines = vec![typed, Line::default()];
        let found = self.matches();
        let rows = usize::from(area.height.saturating_sub(6));
        let first = (self.chosen + 1).saturating_sub(rows);
        let widest = |of: &dyn Fn(&Command) -> usize| COMMANDS.iter().map(of).max().unwrap_or(0);
        let names = widest(&|command| text::width(command.name));
        let keys = widest(&|command| text::width(&keymap.keys_text(command.action))).min(MOST_KEYS);
        for (index, command) in found.iter().enumerate().skip(first).take(rows) {
            let name = text::left(command.name, names, look.symbols.ellipsis);
            let key = text::left(&keymap.keys_text(command.action), keys, look.symbols.ellipsis);
            let help = text::left(
                keymap.help(command),
                inner.saturating_sub(names + keys + 4),
                look.symbols.ellipsis,
            );
            let line = if index == self.chosen {
                look.line(format!("{name}  {key}  {help}"), Role::Selected)
            } else {
                Line::from(vec![
                    look.span(name, Role::Text),
                    Span::raw("  "),
                    look.span(key, Role::Key),
                    Span::raw("  "),
                    look.span(help, Role::Dim),
                ])
            };
            lines.push(line);
        }
        if found.is_empty() {
            lines.push(look.line("no command is called like that", Role::Warn));
        }
        lines.resize((rows + 2).min(COMMANDS.len() + 2), Line::default());
        let inside = frame(area, width, "Commands", &lines, buffer, look);
        caret(inside, column)
    }
}
