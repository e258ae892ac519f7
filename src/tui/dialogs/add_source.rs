//! Takes any source as text, tries it out while it is typed, and adds it.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use crossterm::event::KeyCode;

use super::outcome::Outcome;
use crate::{
    config::{Address, LABEL_LENGTH, SourceConfig, edit::KeepLogin},
    host::{ConfigPlace, ProbedSource},
    model::Preview,
    tui::{
        effect::HostWork,
        keymap::Key,
        text_input::{TextInput, Typed},
    },
};

mod draw;

/// A text that rests this long is tried out. Not sooner: cameras lock accounts after a few wrong passwords, and
/// half a password is a wrong one.
const REST: Duration = Duration::from_millis(1200);

/// What trying the source out has given.
#[derive(Debug, Clone)]
pub enum Probing {
    /// Being tried.
    Running,
    /// What it sends, or why it cannot be used.
    Done(Result<ProbedSource, String>),
}

/// One try.
#[derive(Debug, Clone)]
pub struct Probe {
    /// Rises with every try; only the answer to the last one counts.
    pub number: u64,
    /// The text that was tried out.
    pub text: String,
    /// What came of it.
    pub state: Probing,
}

/// What is being typed or chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Field {
    /// The source.
    #[default]
    Source,
    /// Its name for people.
    Name,
    /// Where its password goes.
    Login,
}

/// What was typed so far and what is known of it.
#[derive(Debug)]
pub struct AddSource {
    /// The source.
    pub source: TextInput,
    /// Its name for people; empty for the one that follows from the source.
    pub name: TextInput,
    /// Where its password goes.
    pub keep: KeepLogin,
    /// What the keys go to.
    pub field: Field,
    /// What was wrong when Enter was last pressed.
    pub problem: Option<String>,
    /// The last try.
    pub probe: Option<Probe>,
    place: ConfigPlace,
    rests_since: Option<(String, Instant)>,
    /// The text that Enter was pressed on although it does not answer.
    insisted: Option<String>,
    /// The text that Enter has asked to be tried out.
    asked: Option<String>,
    /// The text against which something was said when Enter was pressed.
    warned: Option<String>,
}

impl AddSource {
    /// Empty; what is added is kept in `place`.
    #[must_use]
    pub fn new(place: ConfigPlace) -> Self {
        Self {
            source: TextInput::default(),
            name: TextInput::default(),
            keep: KeepLogin::default(),
            field: Field::default(),
            problem: None,
            probe: None,
            place,
            rests_since: None,
            insisted: None,
            asked: None,
            warned: None,
        }
    }

    /// Says what speaks against adding the source; another Enter adds it all the same.
    pub fn warn(&mut self, doubt: &str) {
        self.problem = Some(format!("{doubt}; Enter again adds it all the same"));
        self.warned = Some(self.text().to_string());
    }

    /// The source as it was typed.
    #[must_use]
    pub fn text(&self) -> &str {
        self.source.text().trim()
    }

    /// The picture that trying out this source has given.
    #[must_use]
    pub fn picture(&self) -> Option<Arc<Preview>> {
        let probe = self.probe.as_ref().filter(|probe| probe.text == self.text())?;
        match &probe.state {
            Probing::Done(Ok(found)) => found.picture.clone(),
            _ => None,
        }
    }

    /// Whether there is a password that can go to more than one place.
    fn has_login(&self) -> bool {
        let typed = self.source.text();
        let has_user = typed.split_once("://").is_some_and(|(_, rest)| rest.contains('@'));
        matches!(self.place, ConfigPlace::File(_))
            && has_user
            && !typed.contains("${")
            && self.source.masked().text() != typed
    }

    fn step(&mut self, forward: bool) {
        let all = [Field::Source, Field::Name, Field::Login];
        let fields = if self.has_login() { &all[..] } else { &all[..2] };
        let now = fields.iter().position(|field| *field == self.field).unwrap_or(0);
        let by = if forward { 1 } else { fields.len() - 1 };
        self.field = fields[(now + by) % fields.len()];
    }

    /// Takes a key.
    pub fn key(&mut self, key: Key) -> Outcome {
        match (key.plain(), self.field) {
            (Some(KeyCode::Esc), _) => return Outcome::Close,
            (Some(KeyCode::Enter), _) => return self.enter(),
            (Some(KeyCode::Tab | KeyCode::Down), _) => self.step(true),
            (Some(KeyCode::BackTab | KeyCode::Up), _) => self.step(false),
            (_, Field::Source) => {
                if self.source.key(key) == Typed::Changed {
                    self.changed();
                }
            }
            (_, Field::Name) => {
                let before = self.name.clone();
                self.name.key(key);
                if self.name.text().chars().count() > LABEL_LENGTH {
                    self.name = before;
                    self.problem = Some(format!("a name has at most {LABEL_LENGTH} characters"));
                }
            }
            (Some(KeyCode::Left | KeyCode::Right | KeyCode::Char(' ')), Field::Login) => {
                self.keep = match self.keep {
                    KeepLogin::Beside => KeepLogin::Inside,
                    KeepLogin::Inside => KeepLogin::Beside,
                };
            }
            (_, Field::Login) => self.problem = Some("left and right choose where the login goes".into()),
        }
        Outcome::Stay
    }

    fn changed(&mut self) {
        self.problem = None;
        self.insisted = None;
        self.asked = None;
        self.warned = None;
    }

    /// Whether Enter tries the source out first. An address with a password is tried when the user says that it is
    /// complete: until then its end is missing, and the password may go to another port or host.
    #[must_use]
    pub fn waits_for_enter(&self) -> bool {
        let text = self.text();
        let is_tried = self.probe.as_ref().is_some_and(|probe| probe.text == text);
        !is_tried && self.asked.as_deref() != Some(text) && !may_be_tried_unasked(text)
    }

    fn enter(&mut self) -> Outcome {
        let text = self.text().to_string();
        if text.is_empty() {
            self.field = Field::Source;
            self.problem = Some("type a source first, such as one of these".into());
            return Outcome::Stay;
        }
        if self.waits_for_enter() && SourceConfig::from_source_string(&text, &BTreeSet::new()).is_ok() {
            self.problem = None;
            self.insisted = Some(text.clone());
            self.asked = Some(text);
            return Outcome::Stay;
        }
        let failed = self
            .probe
            .as_ref()
            .is_some_and(|probe| probe.text == text && matches!(probe.state, Probing::Done(Err(_))));
        if failed && self.insisted.as_ref() != Some(&text) {
            self.problem = Some("it does not answer; Enter again adds it all the same".into());
            self.insisted = Some(text);
            return Outcome::Stay;
        }
        Outcome::Ask(
            HostWork::AddSource {
                name: self.name.text().trim().to_string(),
                keep: self.keep,
                is_silent: failed,
                is_warned: self.warned.as_ref() == Some(&text),
                text,
            }
            .into(),
        )
    }

    /// The text, once it has rested long enough to be tried out, or Enter has asked for it; each text once. The try has
    /// this `number`.
    pub fn text_to_probe(&mut self, now: Instant, number: u64) -> Option<String> {
        let text = self.text();
        if text.is_empty() || self.probe.as_ref().is_some_and(|probe| probe.text == text) {
            return None;
        }
        if self.asked.as_deref() == Some(text) {
            let text = text.to_string();
            self.probe = Some(Probe { number, text: text.clone(), state: Probing::Running });
            return Some(text);
        }
        if !may_be_tried_unasked(text) {
            return None;
        }
        match &self.rests_since {
            Some((resting, since)) if resting == text => {
                if now.saturating_duration_since(*since) < REST {
                    return None;
                }
                let text = text.to_string();
                self.probe = Some(Probe { number, text: text.clone(), state: Probing::Running });
                Some(text)
            }
            _ => {
                self.rests_since = Some((text.to_string(), now));
                None
            }
        }
    }

    /// Takes what a try has given, unless there was another one since.
    pub fn probed(&mut self, number: u64, result: Result<ProbedSource, String>) {
        if let Some(probe) = self.probe.as_mut().filter(|probe| probe.number == number) {
            probe.state = Probing::Done(result);
        }
    }

    /// Takes pasted text.
    pub fn paste(&mut self, text: &str) {
        match self.field {
            Field::Name => {
                let before = self.name.clone();
                self.name.insert(text);
                if self.name.text().trim().chars().count() > LABEL_LENGTH {
                    self.name = before;
                    self.problem = Some(format!("a name has at most {LABEL_LENGTH} characters"));
                }
            }
            Field::Source | Field::Login => {
                self.source.insert(text);
                self.changed();
            }
        }
    }
}

/// Whether trying out `text` while it is typed cannot carry a password, or the start of one, to any machine.
fn may_be_tried_unasked(text: &str) -> bool {
    if Address(text).is_hidden() || text.contains("${") {
        return false;
    }
    let Some((scheme, rest)) = text.split_once("://") else { return true };
    if matches!(scheme, "file" | "demo") {
        return true;
    }
    // The name of a user and a password of digits look like a host and its port.
    match rest.split_once('/') {
        Some((host, _)) => !host.contains(':') || host.contains(['.', '[']) || host.starts_with("localhost"),
        None => false,
    }
}
