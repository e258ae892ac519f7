//! Dialogs: each takes the keys while it is open and ends in an [`Outcome`].

use super::{effect::Question, keymap::Key};
use crate::{config::SourceConfig, host::ConfigPlace, model::AreaSnapshot};

pub mod add_source;
pub mod confirm;
pub mod edit_source;
mod outcome;
pub mod palette;
pub mod set_area;

use add_source::AddSource;
use confirm::Confirm;
use edit_source::EditSource;
pub use outcome::Outcome;
use palette::Palette;
use set_area::SetArea;

/// An open dialog.
#[derive(Debug)]
pub enum Dialog {
    /// A question.
    Confirm(Confirm),
    /// Which source to add.
    AddSource(Box<AddSource>),
    /// Which settings of a source to change.
    EditSource(Box<EditSource>),
    /// How many are inside an area.
    SetArea(SetArea),
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

    /// Asks which settings of a source to change.
    #[must_use]
    pub fn edit_source(source: &SourceConfig) -> Self {
        Self::EditSource(Box::new(EditSource::new(source)))
    }

    /// Asks how many are inside one of `areas`.
    #[must_use]
    pub fn set_area(areas: &[AreaSnapshot]) -> Self {
        Self::SetArea(SetArea::new(areas))
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
            Self::EditSource(dialog) => dialog.key(key),
            Self::SetArea(dialog) => dialog.key(key),
            Self::Palette(dialog) => dialog.key(key),
        }
    }

    /// Takes pasted text.
    pub fn paste(&mut self, text: &str) {
        match self {
            Self::Confirm(_) => {}
            Self::AddSource(dialog) => dialog.paste(text),
            Self::EditSource(dialog) => dialog.paste(text),
            Self::SetArea(dialog) => dialog.paste(text),
            Self::Palette(dialog) => dialog.paste(text),
        }
    }
}
