//! Changes to a configuration file that leave every other byte of it as the user wrote it.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use parking_lot::Mutex;

use super::{Credentials, LineConfig, ZoneConfig, validate::readable_by_all};

mod entry;
mod text;

pub use entry::{KeepLogin, NewEntry};

use text::Syntax;

/// Most copies of the file as it once was; the last is written over from then on.
const MOST_COPIES: usize = 99;

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
    #[error("'{path}' is not valid JSON any more (line {line}: {problem}); mend it first")]
    Syntax {
        /// The file.
        path: String,
        /// Where.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// The source stands nowhere in it.
    #[error("'{path}' has no entry with the id '{id}'; write one to keep its lines")]
    NoEntry {
        /// The file.
        path: String,
        /// The source.
        id: String,
    },
}

/// What a change has left behind.
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
/// alone.
#[derive(Debug)]
pub struct ConfigFile {
    path: PathBuf,
    kept: Mutex<Option<Kept>>,
}

/// The copy made last, and what was written over the file since.
#[derive(Debug)]
struct Kept {
    original: PathBuf,
    written: String,
}

impl ConfigFile {
    /// The file at `path`.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), kept: Mutex::new(None) }
    }

    /// Writes a new file with these sources, for its owner alone where it holds a password.
    ///
    /// # Errors
    /// When there is such a file already, or it cannot be written.
    pub fn create(path: impl Into<PathBuf>, entries: &[NewEntry]) -> Result<Self, EditError> {
        let file = Self::new(path);
        let written = entries.iter().map(|entry| (entry.kind, entry.members.clone())).collect::<Vec<_>>();
        let holds_secret = entries.iter().any(|entry| entry.holds_secret);
        let mode = if holds_secret { 0o600 } else { 0o666 };
        let mut out = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&file.path)
            .map_err(|problem| file.refused(&file.path, problem))?;
        let mut logins = entries.iter().filter_map(|entry| entry.login.as_ref());
        let done =
            logins.try_for_each(|(name, login)| file.write_login(name, login).map(drop)).and_then(|()| {
                out.write_all(text::new_file(&written).as_bytes())
                    .map_err(|problem| file.refused(&file.path, problem))
            });
        if let Err(problem) = done {
            // Half a file would be taken for a whole one.
            let _ = fs::remove_file(&file.path);
            return Err(problem);
        }
        Ok(file)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the counting lines and zones of source `id`.
    ///
    /// # Errors
    /// When the file cannot be read, understood or written; it is then unchanged.
    pub fn save_lines(
        &self,
        id: &str,
        lines: &[LineConfig],
        zones: &[ZoneConfig],
    ) -> Result<Saved, EditError> {
        let original = self
            .change(|old| text::with_shapes(old, id, lines, zones))?
            .ok_or_else(|| EditError::NoEntry { path: self.path.display().to_string(), id: id.into() })?;
        Ok(Saved { original, login: None, is_exposed: false })
    }

    /// Adds a source at the end of its list, and its login in a file of its own.
    ///
    /// # Errors
    /// When a file cannot be read, understood or written; the configuration is then unchanged.
    pub fn add_source(&self, entry: &NewEntry) -> Result<Saved, EditError> {
        let login = entry.login.as_ref().map(|(name, login)| self.write_login(name, login)).transpose()?;
        let changed = self.change(|old| text::with_entry(old, entry.kind, &entry.members).map(Some));
        match (changed, login) {
            (Ok(original), login) => Ok(Saved {
                original: original.unwrap_or_default(),
                login,
                is_exposed: entry.holds_secret && readable_by_all(&self.path),
            }),
            (Err(problem), login) => {
                // A login that nothing names would only lie about.
                if let Some(login) = login {
                    let _ = fs::remove_file(login);
                }
                Err(problem)
            }
        }
    }

    fn refused(&self, path: &Path, problem: io::Error) -> EditError {
        EditError::File { path: path.display().to_string(), problem }
    }

    /// Writes `user:password` for its owner alone; a file that is there already belongs to a source that was
    /// removed and is written over.
    fn write_login(&self, name: &Path, login: &Credentials) -> Result<PathBuf, EditError> {
        let path = self.path.parent().unwrap_or(Path::new("")).join(name);
        let write = || {
            if let Some(folder) = path.parent() {
                fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            }
            let mut file =
                OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
            writeln!(file, "{}:{}", login.user, login.password.0)
        };
        write().map_err(|problem| self.refused(&path, problem))?;
        Ok(path)
    }

    /// Replaces the file by what `change` makes of it; gives the copy of the old one, or `None` when `change`
    /// does.
    fn change(
        &self,
        change: impl FnOnce(&str) -> Result<Option<String>, Syntax>,
    ) -> Result<Option<PathBuf>, EditError> {
        let mut kept = self.kept.lock();
        let file = |problem| self.refused(&self.path, problem);
        // Behind a link it is the file that is replaced, not the link.
        let path = if self.path.is_symlink() {
            fs::canonicalize(&self.path).map_err(file)?
        } else {
            self.path.clone()
        };
        let text = fs::read_to_string(&path).map_err(file)?;
        let changed = match change(&text) {
            Ok(Some(changed)) => changed,
            Ok(None) => return Ok(None),
            Err((line, problem)) => {
                return Err(EditError::Syntax { path: self.path.display().to_string(), line, problem });
            }
        };
        let original = match kept.take().filter(|kept| kept.written == text && kept.original.exists()) {
            Some(kept) => kept.original,
            None => {
                let copy = free_copy(&path);
                fs::copy(&path, &copy).map_err(file)?;
                copy
            }
        };
        // Written whole beside the old one and then renamed: a full disk leaves the old file. The permissions
        // come before the content, which may hold a password.
        let new = beside(&path, ".new");
        let replaced = fs::write(&new, "")
            .and_then(|()| fs::set_permissions(&new, fs::metadata(&path)?.permissions()))
            .and_then(|()| fs::write(&new, &changed))
            .and_then(|()| fs::rename(&new, &path));
        if let Err(problem) = replaced {
            let _ = fs::remove_file(&new);
            *kept = Some(Kept { original, written: text });
            return Err(file(problem));
        }
        *kept = Some(Kept { original: original.clone(), written: changed });
        Ok(Some(original))
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Where the file as it is now is copied to.
fn free_copy(path: &Path) -> PathBuf {
    let name = |number: usize| match number {
        1 => beside(path, ".bak"),
        _ => beside(path, &format!(".bak{number}")),
    };
    (1..MOST_COPIES).map(name).find(|copy| !copy.exists()).unwrap_or_else(|| name(MOST_COPIES))
}

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
