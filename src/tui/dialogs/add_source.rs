//! Takes any source as text and adds it once it is right.

use std::time::{Duration, Instant};

use crossterm::event::KeyCode;
use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use super::Outcome;
use crate::tui::{
    app::Effect,
    keymap::Key,
    text,
    text_input::{TextInput, Typed},
    theme::Role,
    widgets::{Look, frame, input_line},
};

const EXAMPLES: [(&str, &str); 4] = [
    ("rtsp://10.0.0.17/stream1", "a camera; also http(s)://"),
    ("0 or /dev/video0", "a capture device"),
    ("videos/door.mp4", "a file, a folder or a pattern like videos/*.mp4"),
    ("demo:lobby?people=6&seed=1", "a scene drawn by the program"),
];

/// A text that rests this long is tried out.
const REST: Duration = Duration::from_millis(1200);

/// What trying the source out has given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probing {
    /// Being tried.
    Running,
    /// What it sends, or why it cannot be used.
    Done(Result<String, String>),
}

/// The text so far and what is wrong with it.
#[derive(Debug, Default)]
pub struct AddSource {
    /// The text.
    pub input: TextInput,
    /// What was wrong when Enter was last pressed.
    pub problem: Option<String>,
    /// The text that was tried out last, and what came of it.
    pub probe: Option<(String, Probing)>,
    rests_since: Option<(String, Instant)>,
}

impl AddSource {
    /// Takes a key.
    pub fn key(&mut self, key: Key) -> Outcome {
        match key.code {
            KeyCode::Esc => Outcome::Close,
            KeyCode::Enter if self.input.text().trim().is_empty() => {
                self.problem = Some("type a source first, such as one of these".into());
                Outcome::Stay
            }
            KeyCode::Enter => Outcome::Ask(Effect::AddSource(self.input.text().trim().to_string())),
            _ => {
                if self.input.key(key) == Typed::Changed {
                    self.problem = None;
                }
                Outcome::Stay
            }
        }
    }

    /// The text, once it has rested long enough to be tried out; each text once.
    pub fn text_to_probe(&mut self, now: Instant) -> Option<String> {
        let text = self.input.text().trim();
        if text.is_empty() || self.probe.as_ref().is_some_and(|(probed, _)| probed == text) {
            return None;
        }
        match &self.rests_since {
            Some((resting, since)) if resting == text => {
                if now.saturating_duration_since(*since) < REST {
                    return None;
                }
                let text = text.to_string();
                self.probe = Some((text.clone(), Probing::Running));
                Some(text)
            }
            _ => {
                self.rests_since = Some((text.to_string(), now));
                None
            }
        }
    }

    /// Takes what trying `text` out has given, unless another text has been typed since.
    pub fn probed(&mut self, text: &str, result: Result<String, String>) {
        if let Some((probed, state)) = &mut self.probe
            && probed == text
        {
            *state = Probing::Done(result);
        }
    }

    /// Takes pasted text.
    pub fn paste(&mut self, text: &str) {
        self.input.insert(text);
        self.problem = None;
    }

    /// Draws it in the middle of `area`.
    pub fn draw(&self, area: Rect, buffer: &mut Buffer, look: &Look) {
        let width = area.width.saturating_sub(4).min(76);
        let inner = usize::from(width.saturating_sub(4));
        let shown = self.input.masked();
        let mut lines = vec![input_line("", &shown, inner, look), Line::default()];
        if let Some(problem) = &self.problem {
            lines.extend(text::wrap(problem, inner).into_iter().map(|line| look.line(line, Role::Bad)));
            lines.push(Line::default());
        }
        if let Some((_, probing)) = self.probe.as_ref().filter(|(text, _)| text == self.input.text().trim()) {
            let (text, role) = match probing {
                Probing::Running => (format!("{} trying it out", look.symbols.connecting), Role::Busy),
                Probing::Done(Ok(found)) => {
                    (format!("{} it answers: {found}", look.symbols.running), Role::Good)
                }
                Probing::Done(Err(problem)) => (format!("{} {problem}", look.symbols.retrying), Role::Warn),
            };
            lines.extend(text::wrap(&text, inner).into_iter().map(|line| look.line(line, role)));
            lines.push(Line::default());
        }
        for (example, what) in EXAMPLES {
            let example = text::left(example, 28, look.symbols.ellipsis);
            let what = text::cut(what, inner.saturating_sub(28), look.symbols.ellipsis);
            lines.push(Line::from(vec![look.span(example, Role::Text), look.span(what, Role::Dim)]));
        }
        lines.push(Line::default());
        lines.push(look.hints(&[("enter", "add"), ("esc", "cancel")]));
        frame(area, width, "Add a source", &lines, buffer, look);
    }
}
