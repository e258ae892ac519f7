//! A folder held open, so that what is done in it is done in that very folder, whatever its path leads to later.

use std::{
    collections::VecDeque,
    ffi::{OsStr, OsString},
    fs::File,
    io,
    os::{fd::OwnedFd, unix::ffi::OsStringExt as _},
    path::{Component, Path, PathBuf},
};

use rustix::{
    fs::{
        AtFlags, CWD, FileType, Mode, OFlags, RenameFlags, Stat, fstat, linkat, mkdirat, openat, readlinkat,
        renameat, renameat_with, statat, unlinkat,
    },
    io::Errno,
    process::geteuid,
};

/// Links on one path; a longer chain is a circle.
const MAX_LINKS: usize = 40;

/// Bits of the mode that let others than the owner write.
const OTHERS_WRITE: u32 = 0o022;

/// An open folder.
#[derive(Debug)]
pub struct Folder(OwnedFd);

impl Folder {
    /// The folder that `path` is in, and the last part of its name.
    pub fn of(path: &Path) -> io::Result<(Self, OsString)> {
        let name = path.file_name().ok_or_else(|| io::Error::other("this is not the name of a file"))?;
        let parent = path.parent().unwrap_or(Path::new(""));
        Ok((Self::walk(parent, false)?, name.to_owned()))
    }

    /// Makes the folder `path` and those on the way to it.
    pub fn make(path: &Path) -> io::Result<Self> {
        Self::walk(path, true)
    }

    /// Opens `path` part by part. A link on the way is followed when only a trusted user can have put it
    /// there.
    fn walk(path: &Path, make: bool) -> io::Result<Self> {
        let mut at = step(CWD, OsStr::new(if path.is_absolute() { "/" } else { "." }))?;
        let mut parts = VecDeque::new();
        push_front(&mut parts, path);
        let (mut links, mut walked) = (0, PathBuf::new());
        while let Some(part) = parts.pop_front() {
            walked.push(&part);
            at = match step(&at, &part) {
                Err(Errno::NOENT) if make => {
                    match mkdirat(&at, &part, Mode::from_raw_mode(0o777)) {
                        Ok(()) | Err(Errno::EXIST) => {}
                        Err(error) => return Err(error.into()),
                    }
                    step(&at, &part)?
                }
                Err(error @ (Errno::NOTDIR | Errno::LOOP)) => {
                    let link =
                        openat(&at, &part, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
                    let found = fstat(&link)?;
                    links += 1;
                    if FileType::from_raw_mode(found.st_mode) != FileType::Symlink || links > MAX_LINKS {
                        return Err(error.into());
                    }
                    if !trusted(&found, &fstat(&at)?) {
                        return Err(planted(&walked, found.st_uid));
                    }
                    let target = readlinkat(&link, "", Vec::new())?.into_bytes();
                    push_front(&mut parts, Path::new(&OsString::from_vec(target)));
                    walked.pop();
                    at
                }
                next => next?,
            };
        }
        Ok(Self(at))
    }

    /// What is under `name`, a link itself and not what it points to; `None` when there is nothing.
    pub fn find(&self, name: &OsStr) -> io::Result<Option<Stat>> {
        match statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => Ok(Some(found)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Fails when `name` is a link that is not followed: see [`trusted`].
    pub fn refuse_planted(&self, name: &OsStr) -> io::Result<()> {
        match self.find(name)? {
            Some(found) if FileType::from_raw_mode(found.st_mode) == FileType::Symlink => {
                if trusted(&found, &fstat(&self.0)?) {
                    Ok(())
                } else {
                    Err(planted(Path::new(name), found.st_uid))
                }
            }
            _ => Ok(()),
        }
    }

    /// Opens `name`, which must be no link. A named pipe without its other end does not block.
    pub fn open(&self, name: &OsStr, flags: OFlags, mode: u32) -> io::Result<File> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        Ok(File::from(openat(&self.0, name, flags, Mode::from_raw_mode(mode))?))
    }

    /// Renames within the folder; a file under the new name is replaced.
    pub fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(renameat(&self.0, from, &self.0, to)?)
    }

    /// Renames within the folder; [`io::ErrorKind::AlreadyExists`] when there is anything under the new name.
    pub fn rename_new(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        match renameat_with(&self.0, from, &self.0, to, RenameFlags::NOREPLACE) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            done => return Ok(done?),
        }
        match linkat(&self.0, from, &self.0, to, AtFlags::empty()) {
            Err(Errno::PERM | Errno::NOSYS | Errno::NOTSUP) => {}
            done => {
                done?;
                return self.remove(from);
            }
        }
        // Neither is known here (FAT over FUSE): the moment between the two calls is all that can go wrong.
        if self.find(to)?.is_some() { Err(Errno::EXIST.into()) } else { self.rename(from, to) }
    }

    /// Removes the file `name`.
    pub fn remove(&self, name: &OsStr) -> io::Result<()> {
        Ok(unlinkat(&self.0, name, AtFlags::empty())?)
    }

    /// Makes names last. File systems that cannot sync a folder say so; they keep names in their own way.
    pub fn sync(&self) -> io::Result<()> {
        match self.readable().and_then(|folder| folder.sync_all()) {
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::InvalidInput
                        | io::ErrorKind::Unsupported
                        | io::ErrorKind::PermissionDenied
                ) =>
            {
                Ok(())
            }
            done => done,
        }
    }

    /// The folder as a file that can be read, locked and synced.
    pub fn readable(&self) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(File::from(openat(&self.0, ".", flags, Mode::empty())?))
    }

    /// Whether others than its owner may put files into it.
    pub fn is_shared(&self) -> io::Result<bool> {
        Ok(fstat(&self.0)?.st_mode & OTHERS_WRITE != 0)
    }
}

/// One part of the way. With `DIRECTORY` a link is refused, and an automounted folder is mounted.
fn step(at: impl std::os::fd::AsFd, part: &OsStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(at, part, flags, Mode::empty())
}

fn push_front(parts: &mut VecDeque<OsString>, path: &Path) {
    let new = path.components().filter_map(|part| match part {
        Component::CurDir | Component::Prefix(_) => None,
        // From the root, wherever the walk is.
        Component::RootDir => Some(OsString::from("/")),
        Component::ParentDir | Component::Normal(_) => Some(part.as_os_str().to_owned()),
    });
    for part in new.collect::<Vec<_>>().into_iter().rev() {
        parts.push_front(part);
    }
}

/// Whether a link in a folder is followed: when it is root's or ours; for everybody but root also when it belongs to
/// the owner of the folder and nobody else may write there.
fn trusted(link: &Stat, folder: &Stat) -> bool {
    let me = geteuid().as_raw();
    link.st_uid == 0
        || link.st_uid == me
        || (me != 0 && link.st_uid == folder.st_uid && folder.st_mode & OTHERS_WRITE == 0)
}

fn planted(link: &Path, owner: u32) -> io::Error {
    io::Error::other(format!(
        "'{}' is a symbolic link of another user (number {owner}), which is not followed; name the folder itself, or \
         remove the link",
        link.display()
    ))
}
