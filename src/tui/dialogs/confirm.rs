//! A question before something that is hard to take back.

use crossterm::event::KeyCode;
use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use super::Outcome;
use crate::tui::{
    app::Effect,
    keymap::Key,
    text,
    theme::Role,
    widgets::{Look, frame},
};

/// A question.
#[derive(Debug)]
pub struct Confirm {
    /// What is asked.
    pub title: String,
    /// What it is about.
    pub lines: Vec<String>,
    /// What is said afterwards.
    pub done: String,
    /// What happens on yes.
    pub effects: Vec<Effect>,
    /// Whether another key than yes and no was tried.
    pub hint: bool,
    /// Whether it asks to quit: the key that opened it, and Enter, then mean yes.
    pub is_quit: bool,
}

impl Confirm {
    /// Takes a key.
    pub fn key(&mut self, key: Key) -> Outcome {
        match key.plain() {
            Some(KeyCode::Enter | KeyCode::Char('q')) if self.is_quit => {
                Outcome::Done(String::new(), std::mem::take(&mut self.effects))
            }
            Some(KeyCode::Char('y' | 'Y')) => {
                Outcome::Done(std::mem::take(&mut self.done), std::mem::take(&mut self.effects))
            }
            Some(KeyCode::Char('n' | 'N' | 'q') | KeyCode::Esc) => Outcome::Close,
            _ => {
                self.hint = true;
                Outcome::Stay
            }
        }
    }

    /// Draws it in the middle of `area`.
    pub fn draw(&self, area: Rect, buffer: &mut Buffer, look: &Look) {
        let width = area.width.saturating_sub(4).min(64);
        let inner = usize::from(width.saturating_sub(4));
        let room = usize::from(area.height.saturating_sub(6));
        let mut lines: Vec<Line> =
            self.lines.iter().flat_map(|line| text::wrap(line, inner)).map(Line::from).collect();
        if lines.len() > room {
            let hidden = lines.len() - room.saturating_sub(1);
            lines.truncate(room.saturating_sub(1));
            lines.push(look.line(format!("and {hidden} more"), Role::Dim));
        }
        lines.push(Line::default());
        let keys = if self.hint { "press y for yes, n for no" } else { "" };
        let yes = if self.is_quit { "q enter y" } else { "y" };
        lines.push(Line::from(vec![
            look.span(yes, Role::Key),
            look.span(" yes   ", Role::Text),
            look.span("n", Role::Key),
            look.span(" no   ", Role::Text),
            look.span(keys, Role::Warn),
        ]));
        frame(area, width, &self.title, &lines, buffer, look);
    }
}
