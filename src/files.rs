//! Files that are written beside others: whole or not at all, through no link, and by the program that opened them.
//!
//! Everything that the program writes under a name that somebody else may also write to (configuration, logins,
//! status, summary, CSV, logs, lock, reports) goes through here. A folder that other users may write to can hold a
//! link under any name, so a name is never followed, and a link to a folder only when it is root's or the user's own.
//! A file that is open is compared with its name before more is written to it ([`is_at`]).

mod folder;

mod in_place;

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File, Permissions},
    hash::{BuildHasher as _, RandomState},
    io::{self, Read as _, Write},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown},
    path::{Path, PathBuf},
    time::SystemTime,
};

use rustix::{
    fs::{FileType, OFlags, Stat, XattrFlags, fremovexattr, fsetxattr, lgetxattr},
    io::Errno,
    process::geteuid,
};

use self::folder::Folder;

pub use in_place::{NotWritten, is_about_its_place, overwrite};

/// Mode of a new file that anybody may read, before the umask.
pub const SHARED: u32 = 0o666;

/// Mode of a new file for its owner alone.
pub const PRIVATE: u32 = 0o600;

/// The extended attribute in which Linux keeps an access control list.
const ACL: &str = "system.posix_acl_access";

/// Longest access control list that is kept, in bytes: some thousand entries.
const MAX_ACL: usize = 8192;

/// A file that is being written under a random name beside the one that it will get. Dropping it removes it.
#[derive(Debug)]
pub struct Draft {
    folder: Folder,
    name: OsString,
    /// Its name until then.
    beside: OsString,
    /// `None` once it has its name.
    file: Option<File>,
}

impl Draft {
    /// Begins a file that will take the place of `path`, with owner, group and access rights of the file that is
    /// there if this user may give them; else with `mode` less the umask. A link under that name will be replaced,
    /// not followed.
    ///
    /// # Errors
    /// When there is something other than a file or a link under that name, or the system refuses.
    pub fn new(path: &Path, mode: u32) -> io::Result<Self> {
        match Self::adopting(path, mode) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Self::begin(path, mode),
            begun => begun,
        }
    }

    /// [`Self::new`], which fails when owner, group and access rights cannot be kept.
    fn adopting(path: &Path, mode: u32) -> io::Result<Self> {
        let (folder, name) = Folder::of(path)?;
        let old = match folder.find(&name)? {
            Some(found) if is_file(&found) => found,
            Some(found) if FileType::from_raw_mode(found.st_mode) != FileType::Symlink => {
                return Err(not_regular());
            }
            _ => return Self::begin(path, mode),
        };
        // The rights come before the content: until the file has its owner nobody else may open it.
        let draft = Self::begin(path, PRIVATE)?;
        draft.file.as_ref().map_or(Ok(()), |file| adopt(file, path, &old))?;
        Ok(draft)
    }

    fn begin(path: &Path, mode: u32) -> io::Result<Self> {
        let (folder, name) = Folder::of(path)?;
        // A name may be 255 bytes long, and this one gets longer.
        let short: String = name.to_string_lossy().chars().take(40).collect();
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        loop {
            let random = RandomState::new().hash_one(&short);
            let beside = OsString::from(format!(".{short}.{random:016x}.new"));
            match folder.open(&beside, flags, mode) {
                Ok(file) => return Ok(Self { folder, name, beside, file: Some(file) }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Gives the file its name, in place of the one that has it. Blocks until file and folder are on the disk.
    ///
    /// # Errors
    /// When the system refuses; the old file is then unchanged.
    pub fn keep(mut self) -> io::Result<()> {
        self.sync()?;
        self.place(Folder::rename)?;
        self.folder.sync()
    }

    fn sync(&self) -> io::Result<()> {
        self.file.as_ref().map_or(Ok(()), File::sync_all)
    }

    fn place(&mut self, rename: fn(&Folder, &OsStr, &OsStr) -> io::Result<()>) -> io::Result<File> {
        rename(&self.folder, &self.beside, &self.name)?;
        self.file.take().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_ref().map_or(Err(io::ErrorKind::NotFound.into()), |mut file| file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // What cannot be removed is a small hidden file.
            let _ = self.folder.remove(&self.beside);
        }
    }
}

/// Replaces the file `path` by one that holds `content`, or creates it with `mode` less the umask.
///
/// The content is written to a file with a random name beside it, which is then renamed: readers see the old file
/// or the new one, and a full disk leaves the old one. Owner, group, mode and access control list are those of the
/// old file. A link under that name is replaced, not followed. Blocks until file and folder are on the disk.
///
/// # Errors
/// When the system refuses; also when the new file could not be given to the owner of the old one. The old file
/// is then unchanged.
pub fn replace(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let mut draft = Draft::adopting(path, mode)?;
    draft.write_all(content)?;
    draft.keep()
}

/// [`replace`] for what is written over and over: it does not wait for the disk, and a machine that loses its power
/// may have any of the last versions, or an empty file. Owner and rights as [`Draft::new`]. Gives the open file, for
/// [`is_at`].
///
/// # Errors
/// When there is something other than a file or a link under that name, or the system refuses.
pub fn publish(path: &Path, content: &[u8], mode: u32) -> io::Result<File> {
    let mut draft = Draft::new(path, mode)?;
    draft.write_all(content)?;
    draft.place(Folder::rename)
}

/// Creates `path`, which must not exist, with `content` and `mode` less the umask. It appears whole: nobody finds
/// half of it. Blocks until file and folder are on the disk.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] when there is anything under that name, a link included; or when the system
/// refuses.
pub fn create(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let mut draft = Draft::begin(path, mode)?;
    draft.write_all(content)?;
    draft.sync()?;
    draft.place(Folder::rename_new)?;
    draft.folder.sync()
}

/// Opens `path` for reading and appending; creates it with `mode` less the umask where there is none.
///
/// # Errors
/// When it is a link, anything but a regular file, or another name (hard link) of a file that may be somebody
/// else's; or the system refuses.
pub fn append(path: &Path, mode: u32) -> io::Result<File> {
    open(path, OFlags::RDWR | OFlags::APPEND | OFlags::CREATE, mode)
}

/// Opens `path` for reading and writing, at its start and without emptying it; creates it with `mode` less the
/// umask where there is none.
///
/// # Errors
/// As [`append`].
pub fn update(path: &Path, mode: u32) -> io::Result<File> {
    open(path, OFlags::RDWR | OFlags::CREATE, mode)
}

/// The first `limit` bytes of the file `path`. Does not wait for the other end of a named pipe.
///
/// # Errors
/// [`io::ErrorKind::NotFound`]; or when it is a link or anything but a regular file, or the system refuses.
pub fn read_start(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    open(path, OFlags::RDONLY, 0)?.take(limit).read_to_end(&mut content)?;
    Ok(content)
}

/// Whether `path` is still the name of the open `file`: false after it was deleted, or renamed by logrotate.
#[must_use]
pub fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

/// Whether `path` leads to the open `folder`, itself or by links: a folder of results may lie on another disk.
#[must_use]
pub fn leads_to(path: &Path, folder: &File) -> bool {
    match (folder.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

/// Whether the open `file` has no name any more: what is written to it is lost.
#[must_use]
pub fn is_deleted(file: &File) -> bool {
    file.metadata().is_ok_and(|file| file.nlink() == 0)
}

/// Fails when `path`, or a folder on the way to it, is a link of another user: for libraries that open files by
/// themselves. Links of root and of this user are taken for meant.
///
/// # Errors
/// When there is such a link, or the folder is missing.
pub fn refuse_planted(path: &Path) -> io::Result<()> {
    let (folder, name) = Folder::of(path)?;
    folder.refuse_planted(&name)
}

/// Makes the folder `path` and those on the way to it, where they are missing, and opens it: to be locked, or to be
/// compared with its name.
///
/// # Errors
/// When there is a link of another user on the way, or the system refuses.
pub fn make_folder(path: &Path) -> io::Result<File> {
    Folder::make(path)?.readable()
}

/// [`make_folder`] for what only its owner may enter: its mode is 0700, also where it was there before.
///
/// # Errors
/// As [`make_folder`]; also when the folder is another user's.
pub fn make_private_folder(path: &Path) -> io::Result<File> {
    const PRIVATE_FOLDER: u32 = 0o700;
    let folder = make_folder(path)?;
    if folder.metadata()?.mode() & 0o7777 != PRIVATE_FOLDER {
        folder.set_permissions(Permissions::from_mode(PRIVATE_FOLDER))?;
    }
    Ok(folder)
}

/// Renames `path` to `to`, in the same folder, where there must be nothing.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] when there is anything under the new name; or when the system refuses.
pub fn rename_new(path: &Path, to: &Path) -> io::Result<()> {
    let (folder, from) = Folder::of(path)?;
    folder.rename_new(&from, to.file_name().ok_or(io::ErrorKind::InvalidInput)?)
}

/// A moment of wall time in a name, in the time zone of the machine: `20240115-102345`.
#[must_use]
pub fn time_stamp(moment: SystemTime) -> String {
    let moment = jiff::Timestamp::try_from(moment).unwrap_or_default();
    moment.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y%m%d-%H%M%S").to_string()
}

/// Renames `NAME.EXT` to `NAME.TIME.EXT`, such as `results.20240115-102345.csv`, and gives the new path; the time is
/// `now`. Where that is taken, it is followed by a number (`-001`).
///
/// # Errors
/// When the system refuses.
pub fn set_aside(path: &Path, now: SystemTime) -> io::Result<PathBuf> {
    let stamp = time_stamp(now);
    let extension =
        path.extension().map(|extension| format!(".{}", extension.to_string_lossy())).unwrap_or_default();
    for number in 0..1000 {
        let number = if number == 0 { String::new() } else { format!("-{number:03}") };
        let mut name = path.file_stem().unwrap_or_default().to_owned();
        name.push(format!(".{stamp}{number}{extension}"));
        let aside = path.with_file_name(name);
        match rename_new(path, &aside) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            done => return done.map(|()| aside),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// The time in a name that [`set_aside`] has given to `path`; `None` for every other name. It sorts by time.
#[must_use]
pub fn time_set_aside(path: &Path, aside: &Path) -> Option<String> {
    let (stem, name) = (path.file_stem()?.to_str()?, aside.file_name()?.to_str()?);
    let extension = path.extension().map(|e| format!(".{}", e.to_string_lossy())).unwrap_or_default();
    let time = name.strip_prefix(stem)?.strip_prefix('.')?.strip_suffix(&extension)?;
    let (stamp, number) = time.split_at_checked(15)?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let counted = number.is_empty() || number.strip_prefix('-').is_some_and(|n| n.len() == 3 && digits(n));
    let shape =
        stamp.split_once('-').is_some_and(|(day, clock)| day.len() == 8 && digits(day) && digits(clock));
    let real = jiff::civil::DateTime::strptime("%Y%m%d-%H%M%S", stamp).is_ok();
    (counted && shape && real).then(|| time.to_owned())
}

/// `error` with the name of the file that it is about.
#[must_use]
pub fn named(path: &Path, error: &io::Error) -> io::Error {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    io::Error::new(error.kind(), format!("'{name}': {error}"))
}

fn open(path: &Path, flags: OFlags, mode: u32) -> io::Result<File> {
    let (folder, name) = Folder::of(path)?;
    // Checked first: to open a device can do something.
    if let Some(found) = folder.find(&name)? {
        regular(&found)?;
    }
    let file = folder.open(&name, flags, mode).map_err(|error| {
        if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) { link() } else { error }
    })?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(not_regular());
    }
    let writes = flags.intersects(OFlags::WRONLY | OFlags::RDWR);
    if writes && found.nlink() > 1 && (found.uid() != geteuid().as_raw() || folder.is_shared()?) {
        return Err(io::Error::other(
            "the file has a second name (hard link) and may belong to another user; remove it, or replace \
             it by a copy",
        ));
    }
    Ok(file)
}

fn regular(found: &Stat) -> io::Result<()> {
    match FileType::from_raw_mode(found.st_mode) {
        FileType::RegularFile => Ok(()),
        FileType::Symlink => Err(link()),
        _ => Err(not_regular()),
    }
}

fn is_file(found: &Stat) -> bool {
    FileType::from_raw_mode(found.st_mode) == FileType::RegularFile
}

/// Gives `file` the owner and the rights of `old`, which is at `path`. The owner comes first: to change it takes
/// rights away. Bits that let a program run as its owner are not passed on.
fn adopt(file: &File, path: &Path, old: &Stat) -> io::Result<()> {
    let new = file.metadata()?;
    if (new.uid(), new.gid()) != (old.st_uid, old.st_gid) {
        fchown(file, Some(old.st_uid), Some(old.st_gid))?;
    }
    let mut list = vec![0; MAX_ACL];
    match lgetxattr(path, ACL, list.as_mut_slice()) {
        // With a list the group's bits of the mode are the most that anybody in it has, not the group's own.
        Ok(length) => fsetxattr(file, ACL, &list[..length], XattrFlags::empty())?,
        Err(error @ Errno::RANGE) => return Err(error.into()),
        // A folder may give its new files a list.
        Err(_) => drop(fremovexattr(file, ACL)),
    }
    file.set_permissions(Permissions::from_mode(old.st_mode & 0o777))
}

fn link() -> io::Error {
    io::Error::other("it is a symbolic link, which is not followed; name the file itself, or remove the link")
}

fn not_regular() -> io::Error {
    io::Error::other("there is something other than a file under that name")
}

/// A cell of free text. One that a spreadsheet would take for a formula is led by an apostrophe.
#[must_use]
pub fn text_cell(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests;
