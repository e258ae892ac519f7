//! Whether a file can be trusted: code that is loaded, and models, which native parsers read.
//!
//! A file is as trustworthy as the least trustworthy folder on the way to it. So the way is walked from the root
//! on, links resolved one by one, and each folder, each link and the file itself is checked:
//!
//! - It belongs to root or to the user of this program. [`Owner::Anybody`] leaves the owner open, for what the
//!   user named: who names a file trusts its owner.
//! - Neither its group nor others may write to it. The group too: its bit also stands for whatever an access
//!   control list allows, and who is in a group is known to the name service alone. With the umask 002 of some
//!   systems folders have to be given `chmod go-w` first.
//! - A folder with the sticky bit, such as `/tmp`, may be written to by everybody, for nobody can replace what
//!   another put there. What follows in it belongs to root or the user, whatever [`Owner`] says; and it is a folder,
//!   or a file that the user named: a name among those of everybody says nothing.
//!
//! What stands in a folder that passed cannot be replaced by anybody else while the walk goes on, and the file is
//! given out open: what was checked is what is read.

use std::{
    collections::VecDeque,
    ffi::{OsStr, OsString},
    fs::File,
    io,
    os::{
        fd::{AsRawFd as _, OwnedFd},
        unix::ffi::OsStrExt as _,
    },
    path::{Component, Path, PathBuf},
};

pub mod installed;
pub mod search;

use rustix::{
    fs::{self, FileType, Mode, OFlags, Stat},
    io::Errno,
};

/// Which users a file and the folders on the way to it may belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Root or the user of this program: for what was found, and for code.
    Ours,
    /// Anybody: for what the user named.
    Anybody,
}

/// Why a file is not used; follows its path in a sentence.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// There is nothing under that name.
    #[error("does not exist")]
    Missing,
    /// It is something else, or others could have written it; says how to change that.
    #[error("{0}")]
    Refused(String),
    /// The system refuses.
    #[error("cannot be read: {0}")]
    Failed(io::Error),
}

/// Longest chain of links that the system follows.
const MOST_LINKS: usize = 40;

/// Opens the regular file `path`, which is absolute, if it can be trusted.
///
/// # Errors
/// See [`Problem`].
pub fn open(path: &Path, owner: Owner) -> Result<File, Problem> {
    match walk(path, owner)? {
        OpenedPath::File(file) => Ok(file),
        OpenedPath::Folder => Err(Problem::Refused("is a folder, but a file is needed".into())),
    }
}

/// Checks that what is found in the folder `path`, which is absolute, can be trusted.
///
/// # Errors
/// See [`Problem`].
pub fn folder(path: &Path, owner: Owner) -> Result<(), Problem> {
    match walk(path, owner)? {
        OpenedPath::File(_) => Err(Problem::Refused("is no folder".into())),
        OpenedPath::Folder => Ok(()),
    }
}

/// A name by which the open `file` can be opened again, whatever has become of its path.
#[must_use]
pub fn name_of(file: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

/// `path` without what a terminal would obey.
#[must_use]
pub fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

enum OpenedPath {
    File(File),
    Folder,
}

/// Where the walk stands.
struct Walk {
    folder: OwnedFd,
    /// The same in words, without links.
    at: PathBuf,
    /// Whether everybody may put something into the folder.
    shared: bool,
    owner: Owner,
}

fn walk(path: &Path, owner: Owner) -> Result<OpenedPath, Problem> {
    if !path.is_absolute() {
        let says = "is not used: files in the working folder are not trusted; write the absolute path";
        return Err(Problem::Refused(says.into()));
    }
    let mut walk = Walk::from_root(owner)?;
    let mut rest: VecDeque<OsString> = parts(path).collect();
    let mut links = 0;
    while let Some(part) = rest.pop_front() {
        let entry =
            fs::openat(&walk.folder, &part, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty());
        let entry = entry.map_err(failed)?;
        let stat = fs::fstat(&entry).map_err(failed)?;
        let name = if part == ".." {
            walk.at.parent().unwrap_or(Path::new("/")).to_owned()
        } else {
            walk.at.join(&part)
        };
        let kind = FileType::from_raw_mode(stat.st_mode);
        if !matches!(kind, FileType::Directory | FileType::Symlink | FileType::RegularFile) {
            return Err(Problem::Refused("is no regular file".into()));
        }
        // The folder above was checked before.
        if part != ".." {
            walk.check(&name, &stat)?;
        }
        match kind {
            FileType::Directory => walk = Walk { folder: entry, at: name, shared: is_shared(&stat), owner },
            FileType::Symlink => {
                links += 1;
                if links > MOST_LINKS {
                    return Err(failed(Errno::LOOP));
                }
                let target = fs::readlinkat(&entry, "", Vec::new()).map_err(failed)?;
                let target = PathBuf::from(OsStr::from_bytes(target.as_bytes()));
                if target.is_absolute() {
                    walk = Walk::from_root(owner)?;
                }
                for part in parts(&target).collect::<Vec<_>>().into_iter().rev() {
                    rest.push_front(part);
                }
            }
            FileType::RegularFile if rest.is_empty() && walk.shared && owner == Owner::Ours => {
                return Err(walk.everybody());
            }
            FileType::RegularFile if rest.is_empty() => {
                return walk.open_file(&part, &name).map(OpenedPath::File);
            }
            _ => return Err(failed(Errno::NOTDIR)),
        }
    }
    // Everybody may put something there.
    if walk.shared { Err(walk.everybody()) } else { Ok(OpenedPath::Folder) }
}

impl Walk {
    fn from_root(owner: Owner) -> Result<Self, Problem> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = fs::open("/", flags, Mode::empty()).map_err(failed)?;
        let stat = fs::fstat(&folder).map_err(failed)?;
        let walk = Self { folder, at: "/".into(), shared: false, owner };
        walk.check(Path::new("/"), &stat)?;
        Ok(Self { shared: is_shared(&stat), ..walk })
    }

    fn everybody(&self) -> Problem {
        let folder = shown(&self.at);
        Problem::Refused(format!(
            "is not used: everybody may write to the folder '{folder}'; use a folder of your own"
        ))
    }

    /// Checks what stands under `name` in the folder.
    fn check(&self, name: &Path, stat: &Stat) -> Result<(), Problem> {
        let (file, ours) = (shown(name), rustix::process::geteuid().as_raw());
        let refuse = |why: String| Err(Problem::Refused(format!("is not used: {why}")));
        if stat.st_uid != 0 && stat.st_uid != ours {
            let owner = stat.st_uid;
            if self.shared {
                return refuse(format!(
                    "'{file}' belongs to another user ({owner}), and everybody may write to the folder it is in; \
                     use a folder of your own"
                ));
            }
            if self.owner == Owner::Ours {
                return refuse(format!(
                    "'{file}' belongs to another user ({owner}), neither to root nor to the user of this program \
                     ({ours}); use a folder of your own"
                ));
            }
        }
        let is_link = FileType::from_raw_mode(stat.st_mode) == FileType::Symlink;
        if stat.st_mode & 0o022 == 0 || is_link || is_shared(stat) {
            return Ok(());
        }
        let mode = stat.st_mode & 0o7777;
        refuse(format!("others may write to '{file}' (mode {mode:04o}); run chmod go-w '{file}'"))
    }

    /// Opens what was found to be a regular file, and checks what is open.
    fn open_file(&self, part: &OsStr, name: &Path) -> Result<File, Problem> {
        // Without NONBLOCK the opening of a named pipe waits for its other end.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = fs::openat(&self.folder, part, flags, Mode::empty()).map_err(failed)?;
        let stat = fs::fstat(&file).map_err(failed)?;
        self.check(name, &stat)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Ok(File::from(file)),
            _ => Err(Problem::Refused("is no regular file".into())),
        }
    }
}

/// Whether this is a folder that others may write to but not take away from.
fn is_shared(stat: &Stat) -> bool {
    let is_folder = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
    is_folder && stat.st_mode & 0o1000 != 0 && stat.st_mode & 0o022 != 0
}

/// The names of `path`, one for each step of the walk.
fn parts(path: &Path) -> impl Iterator<Item = OsString> {
    path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    })
}

fn failed(error: Errno) -> Problem {
    if error == Errno::NOENT { Problem::Missing } else { Problem::Failed(error.into()) }
}

#[cfg(test)]
mod tests;
