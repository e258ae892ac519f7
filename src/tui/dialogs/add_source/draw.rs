//! The dialog on the screen.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    text::{Line, Span},
};

use super::{AddSource, Field, Probing};
use crate::{
    config::edit::KeepLogin,
    host::{ConfigPlace, ProbedSource},
    tui::{
        text,
        text_input::TextInput,
        theme::Role,
        widgets::{Look, caret, frame, input_line, picture},
    },
};

const EXAMPLES: [(&str, &str); 4] = [
    ("rtsp://10.0.0.17/stream1", "a camera; also http(s)://"),
    ("0 or /dev/video0", "a capture device"),
    ("videos/door.mp4", "a file, a folder or a pattern like videos/*.mp4"),
    ("demo:lobby?people=6&seed=1", "a scene drawn by the program"),
];

/// Width of the names of the fields.
const LABELS: usize = 8;

/// Widest and tallest picture, in cells.
const LARGEST: (u16, u16) = (92, 24);

impl AddSource {
    /// Draws it in the middle of `area`; gives the place of the caret.
    pub fn draw(&self, area: Rect, buffer: &mut Buffer, look: &Look) -> Option<Position> {
        let width = area.width.saturating_sub(4).min(LARGEST.0 + 4);
        let inner = usize::from(width.saturating_sub(4));
        let name_hint = "for people; else it follows from the source";
        let (source, in_source) = self.input(Field::Source, "Source", &self.source.masked(), "", inner, look);
        let (name, in_name) = self.input(Field::Name, "Name", &self.name, name_hint, inner, look);
        let mut lines = vec![source, name];
        lines.extend(self.kept(inner, look));
        lines.push(Line::default());
        if let Some(problem) = &self.problem {
            lines.extend(text::wrap(problem, inner).into_iter().map(|line| look.line(line, Role::Bad)));
        }
        let found = self.probe.as_ref().filter(|probe| probe.text == self.text()).map(|probe| &probe.state);
        if let Some(probing) = found {
            let (words, role) = match probing {
                Probing::Running => (format!("{} trying it out", look.symbols.connecting), Role::Busy),
                Probing::Done(Ok(ProbedSource { words, .. })) => {
                    (format!("{} it answers: {words}", look.symbols.running), Role::Good)
                }
                Probing::Done(Err(problem)) => (format!("{} {problem}", look.symbols.retrying), Role::Warn),
            };
            lines.extend(text::wrap(&words, inner).into_iter().map(|line| look.line(line, role)));
        }
        let preview = match found {
            Some(Probing::Done(Ok(ProbedSource { picture: Some(preview), .. }))) => Some(preview),
            _ => None,
        };
        let first = lines.len() as u16;
        let room = area.height.saturating_sub(first + 3);
        if let Some(preview) = preview {
            let most = Rect::new(0, 0, inner as u16, room.min(LARGEST.1));
            let rows = picture::fitted(most, preview.size).height;
            lines.extend((0..rows).map(|_| Line::default()));
        } else if found.is_none() {
            if self.problem.is_some() {
                lines.push(Line::default());
            }
            for (example, what) in EXAMPLES {
                let example = text::left(example, 28, look.symbols.ellipsis);
                let what = text::cut(what, inner.saturating_sub(28), look.symbols.ellipsis);
                lines.push(Line::from(vec![look.span(example, Role::Text), look.span(what, Role::Dim)]));
            }
            lines.push(Line::default());
        } else {
            lines.push(Line::default());
        }
        let rows = lines.len() as u16 - first;
        let add_words = if inner < 60 { "add" } else { "add, then draw its line" };
        let add = if self.waits_for_enter() && !self.text().is_empty() { "try it out" } else { add_words };
        let next = if inner < 60 { "next" } else { "next field" };
        lines.push(match self.field {
            Field::Login => look.hints(&[
                ("left right", "another place"),
                ("enter", if add == add_words { "add" } else { add }),
                ("esc", "cancel"),
            ]),
            _ => look.hints(&[("enter", add), ("tab", next), ("esc", "cancel")]),
        });
        let inside = frame(area, width, "Add a source", &lines, buffer, look);
        if let Some(preview) = preview {
            let y = inside.y + first;
            let at = Rect { y, height: rows.min(inside.bottom().saturating_sub(y)), ..inside };
            picture::draw(preview, picture::Overlay::default(), at, buffer, look);
        }
        let row = u16::from(in_source.is_none());
        in_source.or(in_name).map(|column| caret(Rect { y: inside.y + row, ..inside }, column))
    }

    fn input(
        &self,
        field: Field,
        label: &str,
        input: &TextInput,
        empty: &str,
        width: usize,
        look: &Look,
    ) -> (Line<'static>, Option<u16>) {
        let label = look.left(label, LABELS);
        if self.field == field {
            let (line, column) = input_line(&label, input, width, look);
            return (line, Some(column));
        }
        let (text, role) = match input.text() {
            "" => (empty, Role::Dim),
            text => (text, Role::Text),
        };
        let shown = look.cut(&text::clean(text), width.saturating_sub(LABELS));
        (Line::from(vec![look.span(label, Role::Dim), look.span(shown, role)]), None)
    }

    /// Where the source and its password are kept.
    fn kept(&self, width: usize, look: &Look) -> Vec<Line<'static>> {
        let words = match (&self.place, self.has_login().then_some(self.keep)) {
            (ConfigPlace::File(file), None) => format!("in '{file}'"),
            (ConfigPlace::File(file), Some(KeepLogin::Beside)) => {
                format!("in '{file}'; user and password in a file beside it that only you can read")
            }
            (ConfigPlace::File(file), Some(KeepLogin::Inside)) => {
                format!("in '{file}', with user and password in the address")
            }
            (ConfigPlace::CouldBe(_), _) => "for this run; 'w' writes a configuration file later".into(),
            (ConfigPlace::Fleet | ConfigPlace::Nowhere, _) => "for this run".into(),
        };
        let focused = self.field == Field::Login;
        let role = if focused { Role::Selected } else { Role::Dim };
        let label = if focused { Role::Key } else { Role::Dim };
        text::wrap(&words, width.saturating_sub(LABELS))
            .into_iter()
            .enumerate()
            .map(|(index, part)| {
                let name = look.left(if index == 0 { "Kept" } else { "" }, LABELS);
                Line::from(vec![look.span(name, label), Span::styled(part, look.style(role))])
            })
            .collect()
    }
}
