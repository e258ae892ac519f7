//! Removing a source from the file.

use std::{
    cell::RefCell,
    path::{Path, PathBuf},
};

use super::{ConfigFile, EditError, login_files, text};
use crate::{config::Config, model::SourceId};

/// What is left of an entry that was removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// The file as it was before this process changed it.
    pub original: PathBuf,
    /// The file that holds the login of the source, which nothing names any more.
    pub login: Option<PathBuf>,
}

impl ConfigFile {
    /// Removes the entry of source `id`; `None` when the file has none. A login in a file of its own stays there.
    ///
    /// # Errors
    /// When the file cannot be read, understood or written, or the source has no entry of its own because it is one of
    /// the videos of a folder or of a pattern; the file is then unchanged.
    pub fn remove_source(&self, id: &str) -> Result<Option<Removed>, EditError> {
        let mut login = None;
        let others = RefCell::new(Vec::new());
        let ids = |config: &Config| -> Vec<SourceId> {
            config.sources.iter().map(|source| source.id.clone()).filter(|other| **other != *id).collect()
        };
        let changed = self.change(
            |old| {
                let Some(new) = self.edited(text::without_entry(old, id))? else {
                    return Err(self.no_own_entry(old, id));
                };
                let base = self.path.parent().unwrap_or(Path::new(""));
                let named = |text: &str| self.edited(text::tree(text)).map(|root| login_files(&root, base));
                let still = named(&new)?;
                login = named(old)?.into_iter().find(|file| !still.contains(file) && file.exists());
                Ok(new)
            },
            |old| {
                others.replace(ids(old));
                Ok(())
            },
            |new| {
                if ids(new) == *others.borrow() && new.sources.iter().all(|source| *source.id != *id) {
                    return Ok(());
                }
                Err(self.refused(&format!("without '{id}', the videos of a folder would get other ids")))
            },
        );
        match changed {
            Ok(original) => Ok(Some(Removed { original, login })),
            Err(EditError::NoEntry { .. }) => Ok(None),
            Err(problem) => Err(problem),
        }
    }

    /// Why `text` has no entry of source `id`.
    fn no_own_entry(&self, text: &str, id: &str) -> EditError {
        match self.read_as(text) {
            Ok(config) if config.sources.iter().any(|source| *source.id == *id) => {
                let entry = text::entry_before(text, id).ok().flatten().unwrap_or_default();
                self.refused(&format!(
                    "'{id}' is one of the videos of the folder or pattern in its entry '{entry}'; move the video out of \
                     there, or remove that entry"
                ))
            }
            Ok(_) => self.no_entry(id),
            Err(problem) => problem,
        }
    }
}
