//! Corrects the number inside an area.

use crossterm::event::KeyCode;
use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    text::Line,
};

use super::outcome::Outcome;
use crate::{
    engine::Control,
    model::{AreaSnapshot, Drift, MOST_INSIDE},
    tui::{
        keymap::Key,
        text,
        text_input::TextInput,
        theme::Role,
        widgets::{Look, caret, frame, input_line},
    },
};

/// The number being typed, and the area that it is for.
#[derive(Debug)]
pub struct SetArea {
    /// As they were when it was opened; at least one.
    areas: Vec<AreaSnapshot>,
    chosen: usize,
    input: TextInput,
    /// What is wrong with what was typed.
    pub problem: Option<String>,
}

impl SetArea {
    /// Asks for the number inside one of `areas`; first the one with an alert.
    #[must_use]
    pub fn new(areas: &[AreaSnapshot]) -> Self {
        let chosen = areas.iter().position(|area| area.is_over).unwrap_or(0);
        Self { areas: areas.to_vec(), chosen, input: TextInput::default(), problem: None }
    }

    /// Takes a key.
    pub fn key(&mut self, key: Key) -> Outcome {
        let count = self.areas.len().max(1);
        match key.plain() {
            Some(KeyCode::Esc) => return Outcome::Close,
            Some(KeyCode::Enter) => return self.correct(),
            Some(KeyCode::Tab | KeyCode::Down) => self.chosen = (self.chosen + 1) % count,
            Some(KeyCode::BackTab | KeyCode::Up) => self.chosen = (self.chosen + count - 1) % count,
            _ => {
                self.input.key(key);
            }
        }
        self.problem = None;
        Outcome::Stay
    }

    /// Takes pasted text.
    pub fn paste(&mut self, text: &str) {
        self.input.insert(text);
        self.problem = None;
    }

    fn correct(&mut self) -> Outcome {
        let Some(area) = self.areas.get(self.chosen) else { return Outcome::Close };
        match self.input.text().trim().parse::<u64>() {
            Ok(inside) if inside <= MOST_INSIDE => {
                let name = area.name.clone();
                let said = format!("area '{}' is corrected to {inside}", text::clean(&name));
                let order = Control::SetArea { area: name, inside, who: String::new() };
                Outcome::Done(said, vec![order.into()])
            }
            _ => {
                self.problem = Some(format!("write how many are inside, a number from 0 to {MOST_INSIDE}"));
                Outcome::Stay
            }
        }
    }

    /// Draws it in the middle of `area`; gives the place of the caret.
    pub fn draw(&self, area: Rect, buffer: &mut Buffer, look: &Look) -> Option<Position> {
        let width = area.width.saturating_sub(4).min(64);
        let inner = usize::from(width.saturating_sub(4));
        let chosen = self.areas.get(self.chosen)?;
        let name = look.cut(&text::clean(&chosen.name), inner.saturating_sub(24));
        let place = match self.areas.len() {
            0 | 1 => String::new(),
            count => format!("  ({} of {count})", self.chosen + 1),
        };
        let of = chosen.capacity.map_or_else(String::new, |capacity| format!(" of {capacity}"));
        let AreaSnapshot { inside, total_in, total_out, .. } = chosen;
        let counted = format!("Counted: {inside}{of}  In: {total_in}  Out: {total_out}");
        let (typed, column) = input_line("Inside: ", &self.input, inner, look);
        let said = match &self.problem {
            Some(problem) => look.line(look.cut(problem, inner), Role::Warn),
            None => look.line(look.cut("how many are inside now", inner), Role::Dim),
        };
        let hints: &[(&str, &str)] = if self.areas.len() > 1 {
            &[("enter", "correct"), ("tab", "next area"), ("esc", "cancel")]
        } else {
            &[("enter", "correct"), ("esc", "cancel")]
        };
        let lines: Vec<Line> = vec![
            Line::from(vec![look.span(format!("Area: {name}"), Role::Title), look.span(place, Role::Dim)]),
            look.line(look.cut(&counted, inner), Role::Text),
            look.line(
                look.cut(&format!("Drift:   {}", Drift::words(chosen.drift.as_ref())), inner),
                Role::Dim,
            ),
            typed,
            said,
            look.hints(hints),
        ];
        let inside = frame(area, width, "Correct the number inside", &lines, buffer, look);
        Some(caret(Rect { y: inside.y + 3, ..inside }, column))
    }
}
