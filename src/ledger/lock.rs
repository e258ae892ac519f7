//! What keeps a second writer away from a ledger.
//!
//! Two locks are held as long as the writer lives, and the system frees them however it ends: one on the folder, which
//! nobody can delete while something is in it, and one on a file (`ledger.sqlite.lock`), for network file systems on
//! which folders cannot be locked. Either alone keeps others away. Both are checked before every commit: a user who has
//! deleted the file, or put another folder in place of the old one, has let a second writer in that locks the new one.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};

use super::{LedgerError, names::beside};
use crate::{clock::Clock, files};

/// The locks of one ledger.
#[derive(Debug)]
pub(super) struct Lock {
    ledger: PathBuf,
    folder: Locked,
    file: Locked,
}

/// Something that is locked, if it can be.
#[derive(Debug)]
struct Locked {
    path: PathBuf,
    file: Option<File>,
}

/// What is locked for the ledger `path`: its folder, and a file beside it.
pub(super) fn places(path: &Path) -> [PathBuf; 2] {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    [parent.unwrap_or(Path::new(".")).to_owned(), beside(path, ".lock")]
}

impl Lock {
    /// Takes the locks for the ledger `path`. What cannot be opened is not locked: where no file can be made there is
    /// nothing to protect, and [`Self::hold`] tries again.
    ///
    /// # Errors
    /// [`LedgerError::Busy`] when somebody else has one of them; perhaps for a moment only, such as the cleaner of
    /// temporary files.
    pub fn take(path: &Path) -> Result<Self, LedgerError> {
        let [folder, file] = places(path).map(|path| Locked { path, file: None });
        let mut lock = Self { ledger: path.to_owned(), folder, file };
        lock.hold().map(|()| lock)
    }

    /// Sees to it that both locks are held on what has their names now.
    ///
    /// # Errors
    /// [`LedgerError::Busy`] when somebody else has one of them, [`LedgerError::Sql`] when the ledger is a link that
    /// another user has put there: nothing must be written then.
    pub fn hold(&mut self) -> Result<(), LedgerError> {
        let busy = || LedgerError::Busy { path: self.ledger.display().to_string() };
        // The folder first: a lock file is made by the one that may write.
        let folder = self.folder.hold(files::make_folder, |folder, path| files::leads_to(path, folder));
        if !folder || !self.file.hold(|path| files::update(path, files::SHARED), files::is_at) {
            return Err(busy());
        }
        match files::refuse_planted(&self.ledger) {
            // Where the folder is missing or closed there is nothing to write to.
            Err(error) if error.kind() == io::ErrorKind::Other => Err(LedgerError::io(&self.ledger, &error)),
            _ => Ok(()),
        }
    }
}

impl Locked {
    /// `false` when somebody else has it. `is_at` says whether what is open is what has the name.
    fn hold(
        &mut self,
        open: impl Fn(&Path) -> io::Result<File>,
        is_at: impl Fn(&File, &Path) -> bool,
    ) -> bool {
        if self.file.as_ref().is_some_and(|file| is_at(file, &self.path)) {
            return true;
        }
        // What has lost its name protects nothing.
        self.file = None;
        let Ok(file) = open(&self.path) else { return true };
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => false,
            // Deleted between the two calls: the next program locks another one.
            Ok(()) if !is_at(&file, &self.path) => false,
            // Some network file systems know no locks.
            Ok(()) | Err(_) => {
                self.file = Some(file);
                true
            }
        }
    }
}

/// How long a program that has just been ended may still hold the ledger.
const HANDOVER: Duration = Duration::from_millis(1500);

/// Tries again for a moment of `clock` while the ledger is another program's: the one before this may be ending.
pub(super) fn patiently<T>(
    clock: &dyn Clock,
    take: impl Fn() -> Result<T, LedgerError>,
) -> Result<T, LedgerError> {
    let deadline = clock.now() + HANDOVER;
    loop {
        match take() {
            Err(LedgerError::Busy { .. }) if clock.now() < deadline => {
                clock.rest(Duration::from_millis(20));
            }
            taken => return taken,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn busy(taken: &Result<Lock, LedgerError>) -> bool {
        matches!(taken, Err(LedgerError::Busy { .. }))
    }

    #[test]
    fn the_first_keeps_others_away_whatever_happens_to_the_lock_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.sqlite");
        let file = dir.path().join("ledger.sqlite.lock");
        let mut first = Lock::take(&path).unwrap();
        assert!(busy(&Lock::take(&path)));
        fs::remove_file(&file).unwrap();
        assert!(busy(&Lock::take(&path)));
        fs::write(&file, "").unwrap();
        assert!(busy(&Lock::take(&path)));
        fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink("elsewhere", &file).unwrap();
        assert!(busy(&Lock::take(&path)));
        fs::remove_file(&file).unwrap();
        first.hold().unwrap();
        assert!(file.exists() && !dir.path().join("elsewhere").exists());
        drop(first);
        Lock::take(&path).unwrap();
    }

    #[test]
    fn a_folder_that_is_a_link_is_locked_under_each_of_its_names() {
        let dir = tempfile::tempdir().unwrap();
        let (disk, link) = (dir.path().join("disk"), dir.path().join("results"));
        fs::create_dir(&disk).unwrap();
        std::os::unix::fs::symlink("disk", &link).unwrap();
        let mut first = Lock::take(&link.join("ledger.sqlite")).unwrap();
        assert!(busy(&Lock::take(&disk.join("ledger.sqlite"))));
        first.hold().unwrap();
        // The link leads elsewhere: what is written from now on is written there.
        fs::create_dir(dir.path().join("other")).unwrap();
        fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink("other", &link).unwrap();
        first.hold().unwrap();
        assert!(busy(&Lock::take(&dir.path().join("other/ledger.sqlite"))));
    }

    #[test]
    fn the_file_alone_keeps_others_away_where_folders_cannot_be_locked() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.sqlite");
        let mut first = Lock::take(&path).unwrap();
        first.folder.file = None;
        let other = files::make_folder(dir.path()).unwrap();
        flock(&other, FlockOperation::NonBlockingLockExclusive).unwrap();
        assert!(busy(&Lock::take(&path)), "somebody else may hold the folder alone");
        drop(other);
        assert!(busy(&Lock::take(&path)));
    }

    #[test]
    fn a_program_that_lost_the_name_to_another_writes_no_more_until_that_one_ends() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("results/ledger.sqlite");
        let mut first = Lock::take(&path).unwrap();
        fs::rename(dir.path().join("results"), dir.path().join("away")).unwrap();
        let mut second = Lock::take(&path).unwrap();
        assert!(matches!(first.hold(), Err(LedgerError::Busy { .. })));
        second.hold().unwrap();
        drop(second);
        first.hold().unwrap();
        assert!(busy(&Lock::take(&path)));
    }

    #[test]
    fn a_ledger_that_is_a_link_of_another_user_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.sqlite");
        std::os::unix::fs::symlink("elsewhere", &path).unwrap();
        Lock::take(&path).expect("a link of one's own is meant");
        if std::os::unix::fs::lchown(&path, Some(12345), None).is_err() {
            return crate::require::skip("root", "only root can make links that belong to others");
        }
        let said = Lock::take(&path).unwrap_err().to_string();
        assert!(said.contains("symbolic link of another user"), "{said}");
    }

    #[test]
    fn a_lock_is_taken_when_its_folder_can_be_made_later() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("results/ledger.sqlite");
        fs::write(dir.path().join("results"), "a file in the way").unwrap();
        let mut first = Lock::take(&path).unwrap();
        fs::remove_file(dir.path().join("results")).unwrap();
        first.hold().unwrap();
        assert!(busy(&Lock::take(&path)));
    }
}
