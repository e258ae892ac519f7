//! What is known of a ledger that somebody asks about and that nothing is done to: no lock is taken, nothing is brought up to
//! date, and no file is left beside it.

use std::{fs, os::unix::fs::MetadataExt as _, path::Path, time::Duration};

use crossbeam_channel::{RecvTimeoutError, bounded};
use rusqlite::{Connection, ErrorCode, OptionalExtension as _};

use super::{LedgerError, lock, names::beside, open, schema};

/// A ledger that is being written may be torn where it is read without locks; then it is read again, so often.
const ATTEMPTS: usize = 3;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// Version of its tables.
    pub version: i64,
    /// The version that this program writes.
    pub known: i64,
    /// Bytes on disk, its log included.
    pub bytes: u64,
    /// When its last run was last seen, in milliseconds since the Unix epoch.
    pub seen_ms: Option<i64>,
    /// Whether it is whole.
    pub pages: Pages,
}

/// Whether the pages of a ledger fit together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pages {
    /// They do.
    Whole,
    /// Not all of them were checked: time was over, or a program that was killed has left a change that the next run takes back.
    Unchecked,
    /// They do not, for this reason.
    Damaged(String),
}

/// Reads the ledger at `path` through, for about as long as `patience`.
///
/// # Errors
/// When there is none, when it is of a newer version or another program's, or cannot be read.
pub fn examine(path: &Path, patience: Duration) -> Result<Examined, LedgerError> {
    let mut left = ATTEMPTS;
    loop {
        left -= 1;
        let stamp = open::stamp(path);
        let found = read(path, patience);
        let is_torn = |(_, unlocked): &(Examined, bool)| *unlocked && open::stamp(path) != stamp;
        let is_worth = match &found {
            Ok(found) => is_torn(found),
            Err(error) => error.is_damage() && open::stamp(path) != stamp,
        };
        if !is_worth || left == 0 {
            return found.map(|(examined, _)| examined);
        }
    }
}

fn read(path: &Path, patience: Duration) -> Result<(Examined, bool), LedgerError> {
    let sql = |error: rusqlite::Error| LedgerError::sql(path, &error);
    let (connection, unlocked) = open::open_untouched(path)?;
    let version = schema::version(&connection, path)?;
    if version == 0 {
        return Err(LedgerError::Missing { path: path.display().to_string() });
    }
    let length = |path: &Path| fs::metadata(path).map_or(0, |file| file.len());
    let is_unfinished = length(&beside(path, "-journal")) > 0;
    let pages = if is_unfinished { Pages::Unchecked } else { check(&connection, patience).map_err(sql)? };
    let seen = "SELECT last_seen_ms FROM sessions ORDER BY id DESC LIMIT 1";
    let seen = connection.query_row(seen, [], |row| row.get(0)).optional();
    // Of one that is damaged it need not be known.
    let seen_ms = seen.unwrap_or_default();
    let bytes = length(path) + length(&beside(path, "-wal"));
    Ok((Examined { version, known: schema::KNOWN, bytes, seen_ms, pages }, unlocked))
}

/// Has SQLite check all pages, until `patience` is over.
fn check(connection: &Connection, patience: Duration) -> rusqlite::Result<Pages> {
    let handle = connection.get_interrupt_handle();
    let (done, wait) = bounded::<()>(0);
    let verdict: rusqlite::Result<String> = std::thread::scope(|scope| {
        let watch = move || {
            if wait.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
                handle.interrupt();
            }
        };
        // Where the system refuses a thread, it is read to the end.
        let _ = std::thread::Builder::new().name("ledger-check".into()).spawn_scoped(scope, watch);
        let verdict = connection.pragma_query_value(None, "integrity_check", |row| row.get(0));
        drop(done);
        verdict
    });
    match verdict {
        Ok(verdict) if verdict == "ok" => Ok(Pages::Whole),
        Ok(verdict) => {
            Ok(Pages::Damaged(verdict.lines().last().unwrap_or("its pages do not fit").to_owned()))
        }
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {
            Ok(Pages::Unchecked)
        }
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
            Ok(Pages::Damaged(error.to_string()))
        }
        Err(error) => Err(error),
    }
}

/// The process that holds the ledger at `path` to write it, as the system's list of locks has it: no lock is tried.
#[must_use]
pub fn writer(path: &Path) -> Option<u32> {
    let locks = fs::read_to_string("/proc/locks").ok()?;
    lock::places(path).iter().find_map(|place| holder(&locks, place))
}

/// The process that has the lock of the file at `place` in `locks`, lines as in `/proc/locks`.
fn holder(locks: &str, place: &Path) -> Option<u32> {
    let found = fs::metadata(place).ok()?;
    let device = (rustix::fs::major(found.dev()), rustix::fs::minor(found.dev()));
    let file = format!("{:02x}:{:02x}:{}", device.0, device.1, found.ino());
    locks.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let is_it = fields.get(1) == Some(&"FLOCK") && fields.get(5) == Some(&file.as_str());
        if is_it { fields.get(4)?.parse().ok() } else { None }
    })
}

/// The version of SQLite.
#[must_use]
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    fn listed(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_ledger_is_examined_and_nothing_changes_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.sqlite");
        assert!(matches!(examine(&path, LONG), Err(LedgerError::Missing { .. })));
        assert_eq!(listed(folder.path()), Vec::<String>::new());
        let connection = open::open(&path).unwrap();
        let session = "INSERT INTO sessions (id, started_ms, last_seen_ms, version, config) VALUES (1, 1000, 2000, '0', '')";
        connection.execute(session, []).unwrap();
        let with_log = listed(folder.path());
        let examined = examine(&path, LONG).unwrap();
        assert_eq!((examined.version, examined.known), (schema::KNOWN, schema::KNOWN));
        assert_eq!((examined.seen_ms, &examined.pages), (Some(2000), &Pages::Whole));
        assert_eq!(listed(folder.path()), with_log);
        // The log of a program that was killed.
        let copy = tempfile::tempdir().unwrap();
        for name in ["ledger.sqlite", "ledger.sqlite-wal"] {
            fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
        }
        let before = listed(copy.path());
        let of_killed = examine(&copy.path().join("ledger.sqlite"), LONG).unwrap();
        assert_eq!((of_killed.seen_ms, listed(copy.path())), (Some(2000), before));
        drop(connection);
        let closed = listed(folder.path());
        assert_eq!(closed, ["ledger.sqlite"]);
        assert_eq!(examine(&path, LONG).unwrap().seen_ms, Some(2000));
        assert_eq!(listed(folder.path()), closed);
    }

    #[test]
    fn pages_that_do_not_fit_are_damage() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.sqlite");
        let connection = open::open(&path).unwrap();
        for source in 0..2000 {
            let totals = "INSERT INTO totals VALUES (?1, 'door', 1, 1)";
            connection.execute(totals, [format!("{source:0200}")]).unwrap();
        }
        drop(connection);
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..middle + 8192].fill(0xAB);
        fs::write(&path, bytes).unwrap();
        let found = examine(&path, LONG);
        let is_damaged = match &found {
            Ok(examined) => matches!(examined.pages, Pages::Damaged(_)),
            Err(error) => error.is_damage(),
        };
        assert!(is_damaged, "{found:?}");
    }

    #[test]
    fn who_holds_a_ledger_is_read_from_the_list_of_locks() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.sqlite");
        assert_eq!(writer(&path), None);
        let lock = lock::Lock::take(&path).unwrap();
        let file = fs::metadata(folder.path()).unwrap();
        let (major, minor) = (rustix::fs::major(file.dev()), rustix::fs::minor(file.dev()));
        let place = format!("{major:02x}:{minor:02x}:{}", file.ino());
        let locks = format!(
            "1: POSIX  ADVISORY  WRITE 7 {place} 0 EOF\n2: FLOCK  ADVISORY  WRITE 42 {place} 0 EOF\n3: -> FLOCK ADVISORY WRITE 8 x 0 EOF\n"
        );
        assert_eq!(holder(&locks, folder.path()), Some(42));
        assert_eq!(holder("", folder.path()), None);
        drop(lock);
    }
}
