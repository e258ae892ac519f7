//! Dialogs: each takes the keys while it is open and ends in an [`Outcome`].

use super::{effect::Question, keymap::Key};
use crate::host::ConfigPlace;

pub mod add_source;
pub mod confirm;
mod outcome;
pub mod palette;

use add_source::AddSource;
use confirm::Confirm;
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
    /// Asks a question.
    #[must_use]
    pub fn confirm(question: Question) -> Self {
        Self::Confirm(Confirm::new(question))
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
