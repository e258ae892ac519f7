//! Files that are written beside others: whole or not at all, through no link, and by the program that opened them.
//!
//! Everything that the program writes under a name that somebody else may also write to (configuration, logins,
//! status, summary, CSV, logs, lock) goes through here. A folder that other users may write to can hold a link
//! under any name, so a name is never followed, and a file that is open is compared with its name before more is
//! written to it.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown},
    path::{Path, PathBuf},
};

use rustix::fs::OFlags;

/// Mode of a new file that anybody may read, before the umask.
pub const SHARED: u32 = 0o666;

/// Mode of a new file for its owner alone.
pub const PRIVATE: u32 = 0o600;

/// Replaces the file `path` by one that holds `content`, or creates it with `mode` less the umask.
///
/// The content is written to a file with a random name beside it, which is then renamed: readers see the old file
/// or the new one, and a full disk leaves the old one. Owner, group and mode are those of the old file. A link
/// under that name is replaced, not followed. Blocks until file and folder are on the disk.
///
/// # Errors
/// When the system refuses; also when the new file could not be given to the owner of the old one. The old file
/// is then unchanged.
pub fn replace(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let old = regular(path)?;
    let mut draft = draft(path, mode)?;
    if let Some(old) = old {
        adopt(draft.as_file(), &old)?;
    }
    draft.write_all(content)?;
    draft.as_file().sync_all()?;
    draft.persist(path).map_err(|error| error.error)?;
    sync_folder(path)
}

/// Creates `path`, which must not exist, with `content` and `mode` less the umask. It appears whole: nobody finds
/// half of it. Blocks until file and folder are on the disk.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] when there is anything under that name, a link included; or when the system
/// refuses.
pub fn create(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let mut draft = draft(path, mode)?;
    draft.write_all(content)?;
    draft.as_file().sync_all()?;
    draft.persist_noclobber(path).map_err(|error| error.error)?;
    sync_folder(path)
}

/// Opens `path` for reading and appending; creates it with `mode` less the umask where there is none.
///
/// # Errors
/// When it is a link or anything but a regular file, or the system refuses.
pub fn append(path: &Path, mode: u32) -> io::Result<File> {
    open(path, OpenOptions::new().read(true).append(true).create(true).mode(mode))
}

/// Opens `path` for reading and writing, at its start and without emptying it; creates it with `mode` less the
/// umask where there is none.
///
/// # Errors
/// When it is a link or anything but a regular file, or the system refuses.
pub fn update(path: &Path, mode: u32) -> io::Result<File> {
    open(path, OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(mode))
}

/// Whether `path` is still the name of the open `file`: false after it was deleted, or renamed by logrotate.
#[must_use]
pub fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    // Without NONBLOCK the opening of a named pipe waits for its other end.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = options.custom_flags(flags.bits().cast_signed()).open(path).map_err(|error| {
        if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) { link() } else { error }
    })?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(not_regular()) }
}

/// What is known of the regular file `path`; `None` where there is no file, or a link that will be replaced.
fn regular(path: &Path) -> io::Result<Option<fs::Metadata>> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => Ok(Some(found)),
        Ok(found) if found.is_symlink() => Ok(None),
        Ok(_) => Err(not_regular()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// An empty file with a random name in the folder of `path`, removed unless it is renamed.
fn draft(path: &Path, mode: u32) -> io::Result<tempfile::NamedTempFile> {
    let name = path.file_name().ok_or_else(|| io::Error::other("this is no name of a file"))?;
    // A name may be 255 bytes long, and this one gets longer.
    let name: String = name.to_string_lossy().chars().take(40).collect();
    tempfile::Builder::new()
        .prefix(&format!(".{name}."))
        .suffix(".new")
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(folder(path))
}

/// Gives `file` owner, group and mode of `old`. The owner comes first: to change it takes special bits away.
fn adopt(file: &File, old: &fs::Metadata) -> io::Result<()> {
    let new = file.metadata()?;
    if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
        fchown(file, Some(old.uid()), Some(old.gid()))?;
    }
    file.set_permissions(Permissions::from_mode(old.mode() & 0o7777))
}

fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Makes a new name last. File systems that cannot sync a folder say so; they keep names in their own way.
fn sync_folder(path: &Path) -> io::Result<()> {
    match File::open(folder(path)).and_then(|folder| folder.sync_all()) {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        done => done,
    }
}

fn link() -> io::Error {
    io::Error::other("it is a symbolic link, which is not followed; name the file itself, or remove the link")
}

fn not_regular() -> io::Error {
    io::Error::other("there is something other than a file under that name")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_replaced_file_keeps_its_mode_and_leaves_no_draft() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        replace(&path, b"one", PRIVATE).unwrap();
        assert_eq!(mode(&path), 0o600);
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        replace(&path, b"two", PRIVATE).unwrap();
        assert_eq!((mode(&path), fs::read(&path).unwrap()), (0o640, b"two".to_vec()));
        assert_eq!(names(folder.path()), ["f"]);
    }

    #[test]
    fn a_replaced_file_keeps_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        fs::write(&path, "").unwrap();
        if std::os::unix::fs::chown(&path, Some(12345), Some(12346)).is_err() {
            return; // Only root can give files away, and only root meets this.
        }
        replace(&path, b"two", SHARED).unwrap();
        let found = fs::metadata(&path).unwrap();
        assert_eq!((found.uid(), found.gid()), (12345, 12346));
    }

    #[test]
    fn no_link_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (victim, path) = (folder.path().join("victim"), folder.path().join("f"));
        fs::write(&victim, "untouched").unwrap();
        symlink(&victim, &path).unwrap();
        assert!(append(&path, SHARED).unwrap_err().to_string().contains("symbolic link"));
        assert!(update(&path, SHARED).unwrap_err().to_string().contains("symbolic link"));
        assert_eq!(create(&path, b"x", SHARED).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        replace(&path, b"x", SHARED).unwrap();
        assert!(!path.is_symlink());
        assert_eq!(fs::read_to_string(&victim).unwrap(), "untouched");
    }

    #[test]
    fn a_pipe_or_a_folder_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
            0,
        )
        .unwrap();
        assert!(append(&pipe, SHARED).is_err());
        assert!(replace(&pipe, b"x", SHARED).is_err());
        assert!(replace(folder.path(), b"x", SHARED).is_err());
    }

    #[test]
    fn what_exists_is_not_created() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        create(&path, b"one", PRIVATE).unwrap();
        assert_eq!(create(&path, b"two", SHARED).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!((mode(&path), fs::read(&path).unwrap()), (0o600, b"one".to_vec()));
        assert_eq!(names(folder.path()), ["f"]);
    }

    #[test]
    fn a_file_that_was_moved_or_deleted_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let file = append(&path, SHARED).unwrap();
        assert!(is_at(&file, &path));
        fs::rename(&path, folder.path().join("f.1")).unwrap();
        assert!(!is_at(&file, &path));
        fs::write(&path, "").unwrap();
        assert!(!is_at(&file, &path));
    }

    #[test]
    fn a_name_of_full_length_can_be_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ä".repeat(127));
        replace(&path, b"x", SHARED).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"x");
    }
}
