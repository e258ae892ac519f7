//! Files whose place no other can take: they are written where they are.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::Path,
};

use rustix::{
    fs::{FallocateFlags, OFlags, fallocate},
    io::Errno,
    process::{getegid, geteuid, getgroups},
};

/// Why [`overwrite`] has not written a file.
#[derive(Debug)]
pub enum NotWritten {
    /// The file is as it was.
    Unchanged(io::Error),
    /// A part of the new content is in the file, and the old content could not be put back.
    Damaged(io::Error),
}

/// Gives the file `path`, which holds `old`, the content `new`; it keeps its owner, its mode and its other names.
///
/// A new file takes its place where that can be ([`super::replace`]). It cannot where the file has a second name
/// (hard link), is mounted by itself, stands in a folder that this user may not write to, or belongs to somebody
/// else: then it is written in place. A crash on that way leaves half a file, so the caller has a copy on the disk
/// before. When the disk is full the file keeps its old content. `path` must be no link. Blocks until it is on the
/// disk.
///
/// # Errors
/// When the system refuses, or the file does not hold `old` any more.
pub fn overwrite(path: &Path, old: &[u8], new: &[u8]) -> Result<(), NotWritten> {
    if can_be_replaced(path).map_err(NotWritten::Unchanged)? {
        match super::replace(path, new, super::PRIVATE) {
            Err(error) if is_about_its_place(&error) => {}
            done => return done.map_err(NotWritten::Unchanged),
        }
    }
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
        .map_err(NotWritten::Unchanged)?;
    let mut found = Vec::new();
    file.read_to_end(&mut found).map_err(NotWritten::Unchanged)?;
    if found != old {
        return Err(NotWritten::Unchanged(io::Error::other("another program is writing it at the moment")));
    }
    reserve(&file, old.len(), new.len()).map_err(NotWritten::Unchanged)?;
    put_or_restore(|content| put(&mut file, content), old, new)
}

/// Whether `error` says that a file cannot be made in a folder, or cannot take the place of another; a full disk is
/// another matter.
#[must_use]
pub fn is_about_its_place(error: &io::Error) -> bool {
    use io::ErrorKind::{CrossesDevices, PermissionDenied, ReadOnlyFilesystem, ResourceBusy};
    matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem | ResourceBusy | CrossesDevices)
}

/// Whether a new file could be the same to everybody: of the same owner and with no other name.
fn can_be_replaced(path: &Path) -> io::Result<bool> {
    let file = fs::symlink_metadata(path)?;
    let (user, group) = (geteuid(), getegid());
    let is_in = |gid: u32| {
        group.as_raw() == gid || getgroups().is_ok_and(|all| all.iter().any(|g| g.as_raw() == gid))
    };
    Ok(file.nlink() == 1 && (user.is_root() || (user.as_raw() == file.uid() && is_in(file.gid()))))
}

/// Takes the room that the new content needs, so that a full disk is noticed before the old one is touched.
fn reserve(file: &File, old: usize, new: usize) -> io::Result<()> {
    if new <= old {
        return Ok(());
    }
    match fallocate(file, FallocateFlags::KEEP_SIZE, old as u64, (new - old) as u64) {
        // Many file systems cannot.
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => Ok(()),
        done => Ok(done?),
    }
}

fn put(file: &mut File, content: &[u8]) -> io::Result<()> {
    file.rewind()?;
    file.write_all(content)?;
    file.set_len(content.len() as u64)?;
    file.sync_all()
}

fn put_or_restore(
    mut put: impl FnMut(&[u8]) -> io::Result<()>,
    old: &[u8],
    new: &[u8],
) -> Result<(), NotWritten> {
    let Err(problem) = put(new) else { return Ok(()) };
    match put(old) {
        Ok(()) => Err(NotWritten::Unchanged(problem)),
        Err(_) => Err(NotWritten::Damaged(problem)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_two_names_keeps_both() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        fs::write(&one, "old and longer").unwrap();
        fs::hard_link(&one, &other).unwrap();
        overwrite(&one, b"old and longer", b"new").unwrap();
        assert_eq!(fs::read(&other).unwrap(), b"new");
        overwrite(&one, b"new", b"longer than before").unwrap();
        assert_eq!(fs::read(&other).unwrap(), b"longer than before");
    }

    #[test]
    fn what_somebody_else_has_written_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        fs::write(&one, "theirs").unwrap();
        fs::hard_link(&one, &other).unwrap();
        assert!(matches!(overwrite(&one, b"old", b"new"), Err(NotWritten::Unchanged(_))));
        assert_eq!(fs::read(&one).unwrap(), b"theirs");
    }

    #[test]
    fn a_disk_that_fails_half_way_leaves_the_old_content_or_says_that_it_did_not() {
        let mut disk = b"old".to_vec();
        let mut fails = true;
        let put = |content: &[u8]| {
            disk = content[..content.len() / 2].to_vec();
            if std::mem::take(&mut fails) {
                return Err(io::Error::from(io::ErrorKind::StorageFull));
            }
            disk = content.to_vec();
            Ok(())
        };
        assert!(matches!(put_or_restore(put, b"old", b"new content"), Err(NotWritten::Unchanged(_))));
        assert_eq!(disk, b"old");
        let broken = |_: &[u8]| Err(io::Error::from(io::ErrorKind::StorageFull));
        assert!(matches!(put_or_restore(broken, b"old", b"new"), Err(NotWritten::Damaged(_))));
    }
}
