//! Dialogs: each takes the keys while it is open and ends in an [`Outcome`].

use super::{app::Effect, keymap::Key};
use crate::host::ConfigPlace;

pub mod add_source;
pub mod confirm;
mod outcome;
pub mod palette;

use add_source::AddSource;
use confirm::{Confirm, Further};
pub use outcome::Outcome;
use palette::Palette;

/// An open dialog.
#[derive(Debug)]
pub enum Dialog {
    /// A question.
    Confirm(Confirm),
    /// Which source to add.
    AddSource(Box<AddSource>),
    /// Which command to run.
    Palette(Palette),
}

impl Dialog {
    /// Asks `title` about `lines`; on yes, says `done` and lets `effects` happen.
    #[must_use]
    pub fn confirm(title: &str, lines: Vec<String>, done: &str, effects: Vec<Effect>) -> Self {
        Self::Confirm(Confirm {
            title: title.into(),
            lines,
            done: done.into(),
            effects,
            hint: false,
            further: None,
            is_quit: false,
        })
    }

    /// Asks whether to remove the sources in `lines` with `here`, or `further` from the configuration file, too.
    #[must_use]
    pub fn remove(lines: Vec<String>, here: Vec<Effect>, further: Option<Further>) -> Self {
        Self::Confirm(Confirm {
            title: "Stop and remove from the list?".into(),
            lines,
            done: if further.is_some() { "removed here" } else { "removed" }.into(),
            effects: here,
            hint: false,
            further,
            is_quit: false,
        })
    }

    /// Asks whether to quit with `effects`, which ends what `lines` say. A second press of the key is a yes.
    #[must_use]
    pub fn quit(lines: Vec<String>, effects: Vec<Effect>) -> Self {
        let title = "Quit? This is still being counted:".into();
        Self::Confirm(Confirm {
            title,
            lines,
            done: String::new(),
            effects,
            hint: false,
            further: None,
            is_quit: true,
        })
    }

    /// Asks for a source, which is kept in `place`.
    #[must_use]
    pub fn add_source(place: ConfigPlace) -> Self {
        Self::AddSource(Box::new(AddSource::new(place)))
    }

    /// Asks for a command.
    #[must_use]
    pub fn palette() -> Self {
        Self::Palette(Palette::default())
    }

    /// Takes a key.
    pub fn key(&mut self, key: Key) -> Outcome {
        match self {
            Self::Confirm(dialog) => dialog.key(key),
            Self::AddSource(dialog) => dialog.key(key),
            Self::Palette(dialog) => dialog.key(key),
        }
    }

    /// Takes pasted text.
    pub fn paste(&mut self, text: &str) {
        match self {
            Self::Confirm(_) => {}
            Self::AddSource(dialog) => dialog.paste(text),
            Self::Palette(dialog) => dialog.paste(text),
        }
    }
}
