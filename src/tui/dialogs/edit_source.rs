//! Changes the settings of a source: its name and place, limits, how often it is detected in, its login, whether it runs.

use crossterm::event::KeyCode;
use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    text::{Line, Span},
};

use super::outcome::Outcome;
use crate::{
    config::{LABEL_LENGTH, Secret, SourceConfig, SourceSpec},
    host::Settings,
    model::SourceId,
    tui::{
        effect::{HostWork, SettingsChange},
        keymap::Key,
        text,
        text_input::TextInput,
        theme::Role,
        widgets::{Look, caret, frame, input_line},
    },
};

/// Columns of the names of fields.
const NAMES: usize = 14;

/// What a field is about.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Field {
    Name,
    Location,
    Limit,
    /// Limit of the zone of this name.
    Zone(String),
    Rate,
    Login,
    Enabled,
}

impl Field {
    fn name(&self) -> String {
        match self {
            Self::Name => "Name".into(),
            Self::Location => "Location".into(),
            Self::Limit => "Limit".into(),
            Self::Zone(zone) => format!("Limit of {}", text::clean(zone)),
            Self::Rate => "Detections/s".into(),
            Self::Login => "Login".into(),
            Self::Enabled => "Enabled".into(),
        }
    }

    /// What stands in it while it is empty.
    fn hint(&self) -> &'static str {
        match self {
            Self::Name => "empty: its id is shown",
            Self::Location => "groups sources in the overview",
            Self::Limit | Self::Zone(_) => "people; empty: no limit",
            Self::Rate => "empty: as many as are needed",
            Self::Login => "unchanged; user:password replaces it",
            Self::Enabled => "",
        }
    }
}

/// The settings being changed.
#[derive(Debug)]
pub struct EditSource {
    source: SourceId,
    before: Settings,
    fields: Vec<(Field, TextInput)>,
    chosen: usize,
    enabled: bool,
    /// What is wrong with what was typed, or why it could not be saved.
    pub problem: Option<String>,
    /// Whether it is being saved.
    pub is_saving: bool,
}

impl EditSource {
    /// The settings of `source` as it runs.
    #[must_use]
    pub fn new(source: &SourceConfig) -> Self {
        let before = Settings::of(source);
        let number = |limit: Option<i64>| limit.map(|limit| limit.to_string()).unwrap_or_default();
        let mut fields = vec![
            (Field::Name, before.alias.clone()),
            (Field::Location, before.location.clone().unwrap_or_default()),
            (Field::Limit, number(before.threshold)),
        ];
        fields.extend(
            before.zone_limits.iter().map(|(zone, limit)| (Field::Zone(zone.clone()), number(*limit))),
        );
        fields.push((Field::Rate, before.detect_fps.map(|rate| rate.to_string()).unwrap_or_default()));
        if matches!(source.source, SourceSpec::Url { .. }) {
            fields.push((Field::Login, String::new()));
        }
        fields.push((Field::Enabled, String::new()));
        let fields = fields.into_iter().map(|(field, text)| (field, TextInput::new(&text))).collect();
        let enabled = before.enabled;
        Self {
            source: source.id.clone(),
            before,
            fields,
            chosen: 0,
            enabled,
            problem: None,
            is_saving: false,
        }
    }

    /// Whose settings.
    #[must_use]
    pub fn source(&self) -> &SourceId {
        &self.source
    }

    /// Takes a key.
    pub fn key(&mut self, key: Key) -> Outcome {
        if self.is_saving {
            return if key.plain() == Some(KeyCode::Esc) { Outcome::Close } else { Outcome::Stay };
        }
        let count = self.fields.len();
        match key.plain() {
            Some(KeyCode::Esc) => return Outcome::Close,
            Some(KeyCode::Enter) => return self.save(),
            Some(KeyCode::Tab | KeyCode::Down) => self.chosen = (self.chosen + 1) % count,
            Some(KeyCode::BackTab | KeyCode::Up) => self.chosen = (self.chosen + count - 1) % count,
            plain => {
                let (field, input) = &mut self.fields[self.chosen];
                if *field == Field::Enabled {
                    self.enabled ^=
                        matches!(plain, Some(KeyCode::Char(' ') | KeyCode::Left | KeyCode::Right));
                } else {
                    input.key(key);
                }
                self.problem = None;
            }
        }
        Outcome::Stay
    }

    /// Takes pasted text.
    pub fn paste(&mut self, text: &str) {
        let (field, input) = &mut self.fields[self.chosen];
        if *field != Field::Enabled {
            input.insert(text);
        }
    }

    fn save(&mut self) -> Outcome {
        match self.settings() {
            Err((field, problem)) => {
                (self.chosen, self.problem) = (field, Some(problem));
                Outcome::Stay
            }
            Ok(after) if after == self.before => {
                self.problem = Some("nothing was changed; Esc closes".into());
                Outcome::Stay
            }
            Ok(after) => {
                self.is_saving = true;
                let (source, before) = (self.source.clone(), self.before.clone());
                let change = SettingsChange { source, before, after, is_undo: false };
                Outcome::Ask(HostWork::SaveSettings(Box::new(change)).into())
            }
        }
    }

    /// What was typed, or which field is wrong and why.
    fn settings(&self) -> Result<Settings, (usize, String)> {
        let mut settings = Settings { enabled: self.enabled, ..self.before.clone() };
        for (at, (field, input)) in self.fields.iter().enumerate() {
            let typed = input.text().trim();
            let wrong = |problem: &str| (at, format!("{}: {problem}", field.name()));
            let label = || {
                if typed.chars().count() <= LABEL_LENGTH {
                    Ok(typed.to_owned())
                } else {
                    Err(wrong(&format!("at most {LABEL_LENGTH} characters")))
                }
            };
            let limit = || match typed {
                "" => Ok(None),
                typed => match typed.parse::<i64>() {
                    Ok(limit) if (1..=1_000_000).contains(&limit) => Ok(Some(limit)),
                    _ => Err(wrong("a number of people from 1 to 1000000, or nothing")),
                },
            };
            match field {
                Field::Name => settings.alias = label()?,
                Field::Location => settings.location = Some(label()?).filter(|place| !place.is_empty()),
                Field::Limit => settings.threshold = limit()?,
                Field::Zone(zone) => {
                    settings.zone_limits.insert(zone.clone(), limit()?);
                }
                Field::Rate => {
                    settings.detect_fps = match typed {
                        "" => None,
                        typed => match typed.parse::<f64>() {
                            Ok(rate) if (0.1..=120.0).contains(&rate) => Some(rate),
                            _ => return Err(wrong("a rate from 0.1 to 120, or nothing")),
                        },
                    }
                }
                Field::Login => {
                    settings.login = match typed {
                        "" => None,
                        login if login.contains(':') => Some(Secret::new(login)),
                        _ => return Err(wrong("write it as user:password")),
                    }
                }
                Field::Enabled => {}
            }
        }
        Ok(settings)
    }

    /// Draws it in the middle of `area`; gives the place of the caret.
    pub fn draw(&self, area: Rect, buffer: &mut Buffer, look: &Look) -> Option<Position> {
        let width = area.width.saturating_sub(4).min(76);
        let inner = usize::from(width.saturating_sub(4));
        let mut lines = Vec::new();
        let mut column = None;
        // The chosen field stays in sight on a small terminal.
        let room = usize::from(area.height.saturating_sub(5)).max(1);
        let first = (self.chosen + 1).saturating_sub(room);
        for (at, (field, input)) in self.fields.iter().enumerate().skip(first).take(room) {
            let is_chosen = at == self.chosen;
            let lead = if is_chosen { look.symbols.cursor } else { " " };
            let name = format!("{lead}{} ", look.left(&field.name(), NAMES));
            let role = if is_chosen { Role::Key } else { Role::Dim };
            let line = match field {
                Field::Enabled => {
                    let words = if self.enabled { "yes" } else { "no, it is not opened" };
                    Line::from(vec![look.span(name, role), look.span(words, Role::Text)])
                }
                Field::Login if !input.text().is_empty() && !is_chosen => {
                    Line::from(vec![look.span(name, role), Span::raw("***")])
                }
                _ if is_chosen => {
                    let hidden = TextInput::new(&without_password(input.text()));
                    let shown = if *field == Field::Login { &hidden } else { input };
                    let (line, at) = input_line(&name, shown, inner, look);
                    column = Some((lines.len() as u16, at));
                    line
                }
                _ if input.text().is_empty() => {
                    Line::from(vec![look.span(name, role), look.span(field.hint(), Role::Dim)])
                }
                _ => {
                    let shown = look.cut(&text::clean(input.text()), inner.saturating_sub(NAMES + 2));
                    Line::from(vec![look.span(name, role), look.span(shown, Role::Text)])
                }
            };
            lines.push(line);
        }
        let said = match (&self.problem, self.is_saving) {
            (Some(problem), _) => look.line(look.cut(&text::clean(problem), inner), Role::Warn),
            (None, true) => look.line("saving", Role::Busy),
            (None, false) => look.line(look.cut(self.fields[self.chosen].0.hint(), inner), Role::Dim),
        };
        lines.push(said);
        let enabled = self.fields[self.chosen].0 == Field::Enabled;
        let hints: &[(&str, &str)] = if enabled {
            &[("enter", "save"), ("space", "yes/no"), ("tab", "next"), ("esc", "cancel")]
        } else {
            &[("enter", "save"), ("tab", "next"), ("esc", "cancel")]
        };
        lines.push(look.hints(hints));
        let title = format!("Settings of {}", text::clean(&self.source));
        let inside = frame(area, width, &title, &lines, buffer, look);
        column.map(|(row, column)| caret(Rect { y: inside.y + row, ..inside }, column))
    }
}

/// `user:***`, a star for each character of the password.
fn without_password(login: &str) -> String {
    match login.split_once(':') {
        Some((user, password)) => format!("{user}:{}", "*".repeat(password.chars().count())),
        None => login.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn dialog() -> EditSource {
        let source =
            SourceConfig::from_source_string("rtsp://u:hunter2@10.0.0.9/1", &BTreeSet::new()).unwrap();
        EditSource::new(&source)
    }

    fn press(dialog: &mut EditSource, keys: &[&str]) -> Outcome {
        let mut last = Outcome::Stay;
        for key in keys {
            last = dialog.key(Key::parse(key).unwrap());
        }
        last
    }

    #[test]
    fn only_what_was_typed_is_changed_and_wrong_fields_are_said() {
        let mut dialog = dialog();
        assert!(matches!(press(&mut dialog, &["enter"]), Outcome::Stay));
        assert_eq!(dialog.problem.as_deref(), Some("nothing was changed; Esc closes"));
        press(&mut dialog, &["D", "o", "o", "r", "tab", "tab", "x", "enter"]);
        assert!(dialog.problem.as_deref().is_some_and(|said| said.starts_with("Limit: a number")));
        press(&mut dialog, &["backspace", "1", "2"]);
        let Outcome::Ask(effect) = press(&mut dialog, &["enter"]) else { panic!("{:?}", dialog.problem) };
        let said = format!("{effect:?}");
        assert!(said.contains("alias: \"Door\"") && said.contains("threshold: Some(12)"), "{said}");
        assert!(!said.contains("hunter"), "{said}");
    }
}
