//! Changes to a configuration file that leave every other byte of it as the user wrote it.
//!
//! A new text is read as the program would read it at its next start before it takes the place of the old one: what
//! would not load, or would mean something else than what runs, is never written.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use parking_lot::Mutex;

use super::{
    Config, Overrides, SourceConfig, env,
    json::{Node, Value},
    validate::readable_by_all,
};
use crate::{
    files::{self, NotWritten},
    model::Drawn,
};

mod copies;
mod entry;
mod fleet;
mod logins;
mod members;
mod names;
mod remove;
mod rename;
mod same;
mod settings;
mod splice;
mod text;

pub use copies::state_folder;
pub use entry::{KeepLogin, NewEntry, entry_of, shapes_of};
pub use fleet::EntryChange;
pub use rename::{Rename, Renamed};
pub use same::same_place;

use logins::Written;
use same::{has_drawn, same_spec};
use text::Syntax;

/// Somebody else may write the file at the same moment; after that many times it is left to them.
const MOST_TRIES: usize = 5;

/// A file that cannot be changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// It cannot be read or written.
    #[error("'{path}': {problem}")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        problem: io::Error,
    },
    /// It is not JSON any more.
    #[error("'{path}' is not valid JSON any more (line {line}: {problem}); fix it first")]
    Syntax {
        /// The file.
        path: String,
        /// Where.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// The source stands nowhere in it.
    #[error(
        "'{path}' has no source with the id '{id}'; add it to the file by hand, or save the sources of this run with ':write-config' in the dashboard"
    )]
    NoEntry {
        /// The file.
        path: String,
        /// The source.
        id: String,
    },
    /// It would not be read as what runs, or must not be written.
    #[error("'{path}' is left as it is: {reason}")]
    Refused {
        /// The file.
        path: String,
        /// Why, without secrets.
        reason: String,
    },
    /// It was half written and could not be put back.
    #[error("'{path}' is damaged ({problem}), for example by a full disk; restore its copy '{copy}'")]
    Damaged {
        /// The file.
        path: String,
        /// Where the file is whole.
        copy: String,
        /// What the system said.
        problem: io::Error,
    },
}

/// What a change has written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// The file as it was before this process changed it.
    pub original: PathBuf,
    /// The file that holds the login, when one was written.
    pub login: Option<PathBuf>,
    /// Whether the configuration file holds a password now that every user of the machine can read.
    pub is_exposed: bool,
}

/// A configuration file that this process changes.
///
/// Before its first change the file is copied, to its name with `.bak` behind it (`.bak2` and so on where there
/// is such a file already), and again when somebody else has changed it since. Further changes leave that copy
/// alone. Where nothing can be written beside the file, the copy is in the user's folder of states, or in the
/// configuration's output folder.
#[derive(Debug)]
pub struct ConfigFile {
    path: PathBuf,
    /// Where copies go that cannot be beside the file.
    states: Option<PathBuf>,
    kept: Mutex<Option<LatestCopy>>,
}

/// The copy made last, and what was written over the file since.
#[derive(Debug)]
struct LatestCopy {
    original: PathBuf,
    written: String,
}

impl ConfigFile {
    /// The file at `path`.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), states: state_folder(), kept: Mutex::new(None) }
    }

    /// Writes a new file with the sources of `text` (a configuration that came from elsewhere, with paths relative to
    /// the new file's folder) and `sources` with their lines, for its owner alone where it holds a password. The
    /// logins of sources that are not in `text` go into files beside it.
    ///
    /// # Errors
    /// When there is such a file already, it cannot be written, or would not be read as these sources.
    pub fn create(
        path: impl Into<PathBuf>,
        text: Option<&str>,
        sources: &[&SourceConfig],
    ) -> Result<Self, EditError> {
        let file = Self::new(path);
        let before = text.map(|text| file.read_as(text)).transpose()?.unwrap_or_default();
        let mut entries: Vec<(NewEntry, Option<Written>)> = Vec::new();
        let mut done = text.map_or_else(text::empty, str::to_owned);
        let mut add = || {
            for &source in sources {
                let Some(old) = before.sources.iter().find(|old| old.id == source.id) else {
                    let entry = NewEntry::new(source, None, &file.path, KeepLogin::Beside);
                    let login = file.login_of(&entry, &done)?;
                    let members = entry.members(login.as_ref().map(|login| &*login.name));
                    entries.push((entry, login));
                    done = file.edited(text::with_entry(&done, source.kind, &members))?;
                    continue;
                };
                if !has_drawn(old, &source.drawn()) {
                    let changed = text::with_shapes(&done, &source.id, &source.drawn());
                    done = file.edited(changed)?.ok_or_else(|| file.no_entry(&source.id))?;
                }
            }
            // What was removed in this run is no source of the new file; videos of a folder come and go with it.
            for old in &before.sources {
                if sources.iter().all(|source| source.id != old.id) {
                    let without = file.edited(text::without_entry(&done, &old.id))?;
                    done = without.unwrap_or_else(|| done.clone());
                }
            }
            let read = file.read_as(&done)?;
            for &source in sources {
                file.means(&read, source)?;
            }
            let holds_secret = read.holds_secret || entries.iter().any(|(entry, _)| entry.holds_secret);
            let mode = if holds_secret { files::PRIVATE } else { files::SHARED };
            files::create(&file.path, done.as_bytes(), mode)
                .map_err(|problem| Self::failed(&file.path, problem))
        };
        let created = add();
        if let Err(problem) = created {
            entries.iter().filter_map(|(_, login)| login.as_ref()).for_each(Written::remove);
            return Err(problem);
        }
        Ok(file)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All its sources as it is now, those of folders and patterns included. Reads the file and the folders that it
    /// names.
    ///
    /// # Errors
    /// When it cannot be read or would not load.
    pub fn sources(&self) -> Result<Vec<SourceConfig>, EditError> {
        let text = fs::read_to_string(&self.path).map_err(|problem| Self::failed(&self.path, problem))?;
        Ok(self.read_as(&text)?.sources)
    }

    /// Writes what is drawn on the frame of source `id`.
    ///
    /// # Errors
    /// When the file cannot be read, understood or written, or would not be read as that; it is then unchanged.
    pub fn save_lines(&self, id: &str, drawn: &Drawn) -> Result<Saved, EditError> {
        let original = self.change(
            |old| self.edited(text::with_shapes(old, id, drawn))?.ok_or_else(|| self.no_entry(id)),
            |_| Ok(()),
            |new| {
                let saved = new.sources.iter().find(|source| &*source.id == id);
                if saved.is_some_and(|saved| has_drawn(saved, drawn)) {
                    return Ok(());
                }
                Err(self.refused("these lines would be different after saving and loading"))
            },
        )?;
        Ok(Saved { original, login: None, is_exposed: false })
    }

    /// Adds a source at the end of its list, and its login in a file of its own.
    ///
    /// # Errors
    /// When a file cannot be read, understood or written, the id is taken there, or the file would not be read as
    /// that source; the configuration is then unchanged.
    pub fn add_source(&self, entry: &NewEntry) -> Result<Saved, EditError> {
        let mut login: Option<Written> = None;
        let changed = self.change(
            |old| {
                if login.is_none() {
                    login = self.login_of(entry, old)?;
                }
                let members = entry.members(login.as_ref().map(|login| &*login.name));
                self.edited(text::with_entry(old, entry.source.kind, &members))
            },
            |old| {
                if old.sources.iter().any(|source| source.id == entry.source.id) {
                    let id = &entry.source.id;
                    return Err(self.refused(&format!("it now has another source with the id '{id}'")));
                }
                Ok(())
            },
            |new| self.means(new, &entry.source),
        );
        match changed {
            Ok(original) => Ok(Saved {
                original,
                login: login.map(|login| login.path),
                is_exposed: entry.holds_secret && readable_by_all(&self.path),
            }),
            Err(problem) => {
                // A login that nothing names would only lie about.
                login.iter().for_each(Written::remove);
                Err(problem)
            }
        }
    }

    fn failed(path: &Path, problem: io::Error) -> EditError {
        EditError::File { path: path.display().to_string(), problem }
    }

    fn refused(&self, reason: &str) -> EditError {
        EditError::Refused { path: self.path.display().to_string(), reason: reason.to_owned() }
    }

    fn no_entry(&self, id: &str) -> EditError {
        EditError::NoEntry { path: self.path.display().to_string(), id: id.into() }
    }

    fn edited<T>(&self, text: Result<T, Syntax>) -> Result<T, EditError> {
        let path = self.path.display().to_string();
        text.map_err(|(line, problem)| EditError::Syntax { path, line, problem })
    }

    /// `text` as the next start would read it.
    fn read_as(&self, text: &str) -> Result<Config, EditError> {
        Config::from_bytes(text.as_bytes(), &self.path, &Overrides::default()).map_err(|errors| {
            let problem = errors.problems.first().map(ToString::to_string).unwrap_or_default();
            self.refused(&format!("with this change it would not load: {problem}"))
        })
    }

    /// The same of the text before a change.
    fn read_old(&self, text: &str) -> Result<Config, EditError> {
        self.read_as(text).map_err(|error| match error {
            EditError::Refused { path, reason } => {
                EditError::Refused { path, reason: format!("{reason}; fix that first") }
            }
            other => other,
        })
    }

    /// Whether `config` holds `source` as it runs.
    fn means(&self, config: &Config, source: &SourceConfig) -> Result<(), EditError> {
        let read = config.sources.iter().find(|read| read.id == source.id);
        let is_same = |read: &SourceConfig| {
            read.kind == source.kind
                && same_spec(&read.source, &source.source)
                && (&read.alias, &read.location, read.threshold)
                    == (&source.alias, &source.location, source.threshold)
                && has_drawn(read, &source.drawn())
        };
        if read.is_some_and(is_same) {
            return Ok(());
        }
        Err(self.refused(&format!("'{}' would open another source than the one that is running", source.id)))
    }

    /// Writes the login of `entry`, where it has one, beside those that `text` names.
    fn login_of(&self, entry: &NewEntry, text: &str) -> Result<Option<Written>, EditError> {
        entry.login.as_ref().map(|line| self.write_login(entry.id(), line, text)).transpose()
    }

    /// Writes the login of source `id` beside those that `text` names.
    fn write_login(&self, id: &str, line: &str, text: &str) -> Result<Written, EditError> {
        let base = self.path.parent().unwrap_or(Path::new(""));
        let used = self.edited(text::tree(text)).map(|root| login_files(&root, base))?;
        let is_used = |name: &Path| used.contains(&base.join(name));
        logins::write(&self.path, id, line, &is_used).map_err(|(path, problem)| {
            self.refused(&format!(
                "the login cannot be saved in '{}' ({problem}); leave it in the address instead, or \
                     write ${{NAME}} there for an environment variable",
                path.display()
            ))
        })
    }

    /// Replaces the text of the file by what `change` makes of it, if `allow` has nothing against the configuration
    /// before and `check` nothing against the one after; gives the copy of the old text.
    fn change(
        &self,
        mut change: impl FnMut(&str) -> Result<String, EditError>,
        allow: impl Fn(&Config) -> Result<(), EditError>,
        check: impl Fn(&Config) -> Result<(), EditError>,
    ) -> Result<PathBuf, EditError> {
        let mut kept = self.kept.lock();
        let failed = |problem| Self::failed(&self.path, problem);
        // Behind a link it is the file that is replaced, not the link.
        let path = if self.path.is_symlink() {
            fs::canonicalize(&self.path).map_err(failed)?
        } else {
            self.path.clone()
        };
        for _ in 0..MOST_TRIES {
            let text = fs::read_to_string(&path).map_err(failed)?;
            let changed = change(&text)?;
            let before = self.read_old(&text)?;
            allow(&before)?;
            check(&self.read_as(&changed)?)?;
            let original = if let Some(kept) =
                kept.take().filter(|kept| kept.written == text && kept.original.exists())
            {
                kept.original
            } else {
                let output = &before.parallel.result_output;
                copies::keep(&path, text.as_bytes(), self.states.as_deref(), output)
                    .map_err(|reason| self.refused(&reason))?
            };
            // To read what folders hold takes a while, and somebody may have saved the file meanwhile.
            if fs::read(&path).map_err(failed)? != text.as_bytes() {
                continue;
            }
            let (written, done) = match files::overwrite(&path, text.as_bytes(), changed.as_bytes()) {
                Ok(()) => (changed, Ok(original.clone())),
                Err(NotWritten::Unchanged(problem)) => (text, Err(failed(problem))),
                Err(NotWritten::Damaged(problem)) => {
                    let copy = original.display().to_string();
                    (text, Err(EditError::Damaged { path: self.path.display().to_string(), copy, problem }))
                }
            };
            *kept = Some(LatestCopy { original, written });
            return done;
        }
        Err(self.refused("another program keeps writing to it"))
    }
}

/// The files that `credentials` anywhere in a configuration name.
fn login_files(node: &Node, base: &Path) -> Vec<PathBuf> {
    let variable = |name: &str| std::env::var(name).ok();
    match &node.value {
        Value::Array(items) => items.iter().flat_map(|item| login_files(item, base)).collect(),
        Value::Object(members) => members
            .iter()
            .flat_map(|member| match &member.node.value {
                Value::String(text) if member.key == "file" => {
                    let text = env::expand(text, &variable).unwrap_or_else(|_| text.clone());
                    vec![env::resolve(&text, base, &variable)]
                }
                _ => login_files(&member.node, base),
            })
            .collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
