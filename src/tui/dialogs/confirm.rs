//! A question before something that is hard to take back.

use crossterm::event::KeyCode;
use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use super::outcome::Outcome;
use crate::tui::{
    effect::Question,
    keymap::Key,
    text,
    theme::Role,
    widgets::{Look, frame},
};

/// A question on the screen.
#[derive(Debug)]
pub struct Confirm {
    /// What is asked.
    pub question: Question,
    /// Whether another key than yes and no was tried.
    hint: bool,
}

impl Confirm {
    /// Asks `question`.
    #[must_use]
    pub fn new(question: Question) -> Self {
        Self { question, hint: false }
    }

    /// Takes a key.
    pub fn key(&mut self, key: Key) -> Outcome {
        match key.plain() {
            Some(KeyCode::Enter | KeyCode::Char('q')) if self.question.is_quit => {
                Outcome::Done(String::new(), std::mem::take(&mut self.question.effects))
            }
            Some(KeyCode::Char(key))
                if self.question.further.as_ref().is_some_and(|further| further.key == key) =>
            {
                let Some(further) = &mut self.question.further else { return Outcome::Stay };
                Outcome::Done(std::mem::take(&mut further.done), std::mem::take(&mut further.effects))
            }
            Some(KeyCode::Char('y' | 'Y')) => Outcome::Done(
                std::mem::take(&mut self.question.done),
                std::mem::take(&mut self.question.effects),
            ),
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
            self.question.lines.iter().flat_map(|line| text::wrap(line, inner)).map(Line::from).collect();
        if lines.len() > room {
            let hidden = lines.len() - room.saturating_sub(1);
            lines.truncate(room.saturating_sub(1));
            lines.push(look.line(format!("and {hidden} more"), Role::Dim));
        }
        lines.push(Line::default());
        let yes = if self.question.is_quit { "q enter y" } else { "y" };
        let further = self.question.further.as_ref();
        let plain = further.map_or("yes", |further| &further.plain);
        let mut choices = vec![look.span(yes, Role::Key), look.span(format!(" {plain}   "), Role::Text)];
        if let Some(further) = further {
            choices.push(look.span(further.key.to_string(), Role::Key));
            choices.push(look.span(format!(" {}   ", further.what), Role::Text));
        }
        choices.extend([look.span("n", Role::Key), look.span(" no   ", Role::Text)]);
        let hint = match further {
            _ if !self.hint => String::new(),
            Some(further) => format!("press y, {} or n", further.key),
            None => "press y for yes, n for no".into(),
        };
        let hint = look.span(hint, Role::Warn);
        if Line::from(choices.clone()).width() + hint.width() <= inner {
            choices.push(hint);
        } else {
            lines.push(Line::from(hint));
        }
        lines.push(Line::from(choices));
        frame(area, width, &self.question.title, &lines, buffer, look);
    }
}
