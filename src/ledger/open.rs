//! Opening a ledger on whatever disk it lies: with a write-ahead log, with a rollback journal where memory cannot be
//! shared, for reading without any right to write; and saying in one sentence why it cannot be.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use rusqlite::{Connection, OpenFlags, ffi};

use super::{
    LedgerError, copies,
    names::{ASIDE, beside},
    salvage::pages::has_damaged_log,
    schema,
};
use crate::files::time_stamp;

/// Files above this size are not read through before counting begins: SQLite finds damage when it meets it.
const CHECK_BELOW: u64 = 32 << 20;

/// Another process may hold the file for a moment, to read.
const BUSY: Duration = Duration::from_millis(500);

/// A file that has no room for its own head is damaged, whatever a log beside it may hold.
const SMALLEST: u64 = 512;

/// Opens `path` for writing, checks it, and brings it to the newest version, with a copy of the older one beside it.
pub fn open(path: &Path) -> Result<Connection, LedgerError> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).map_err(|error| LedgerError::io(path, &error))?;
    }
    let length = |path: &Path| fs::metadata(path).map_or(0, |file| file.len());
    let log = length(&beside(path, "-wal"));
    if path.exists() && length(path) < SMALLEST && log > 0 {
        return Err(LedgerError::damaged(path, "it is shorter than its head".into()));
    }
    if log > 0 && has_damaged_log(path) {
        return Err(LedgerError::damaged(path, "the log beside it is damaged".into()));
    }
    let (mut connection, found) = match with_log(path) {
        Err(error) if is_for_want_of_memory(&error) => with_journal(path)?,
        other => other?,
    };
    let sql = |error: rusqlite::Error| LedgerError::sql(path, &error);
    // FULL: a commit survives not only a killed program but a machine that loses its power.
    connection.pragma_update(None, "synchronous", "FULL").map_err(sql)?;
    if found > 0 && length(path) < CHECK_BELOW {
        check(&connection, path)?;
    }
    if found == 0 || found == schema::KNOWN {
        schema::migrate(&mut connection, path, found)?;
        return Ok(connection);
    }
    let copied = match copies::make(&connection, path, found) {
        Err(error) if error.is_damage() => return Err(error),
        copied => copied,
    };
    schema::migrate(&mut connection, path, found)?;
    copies::log(&copied, found);
    Ok(connection)
}

/// Opens `path` for writing as it is, in whatever version.
pub fn connect(path: &Path) -> Result<Connection, LedgerError> {
    let sql = |error: rusqlite::Error| LedgerError::sql(path, &error);
    let connection = Connection::open(path).map_err(sql)?;
    connection.busy_timeout(BUSY).map_err(sql)?;
    Ok(connection)
}

/// With a write-ahead log, which needs memory that processes share.
fn with_log(path: &Path) -> Result<(Connection, i64), LedgerError> {
    let sql = |error: rusqlite::Error| LedgerError::sql(path, &error);
    let connection = connect(path)?;
    let found = schema::version(&connection, path)?;
    let mode = |mode: &str| {
        connection.pragma_update_and_check(None, "journal_mode", mode, |row| row.get::<_, String>(0))
    };
    if mode("WAL").map_err(sql)? == "wal" {
        // The log is opened with the first reading, and only that tells whether it can be.
        schema::version(&connection, path)?;
    } else {
        mode("TRUNCATE").map_err(sql)?;
    }
    Ok((connection, found))
}

/// With a rollback journal. What a log beside the file holds is brought into it first.
fn with_journal(path: &Path) -> Result<(Connection, i64), LedgerError> {
    let sql = |error: rusqlite::Error| LedgerError::sql(path, &error);
    let connection = connect(path)?;
    // One who has the file for himself needs no shared memory to read the log.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE").map_err(sql)?;
    let mode = |mode: &str| {
        connection.pragma_update_and_check(None, "journal_mode", mode, |row| row.get::<_, String>(0))
    };
    mode("TRUNCATE").map_err(sql)?;
    connection.pragma_update(None, "locking_mode", "NORMAL").map_err(sql)?;
    // The lock is given back with the next reading.
    let found = schema::version(&connection, path)?;
    Ok((connection, found))
}

/// Whether the file system refuses what a write-ahead log needs and a rollback journal does not.
fn is_for_want_of_memory(error: &LedgerError) -> bool {
    let LedgerError::Sql { code, .. } = error else { return false };
    let shared = [ffi::SQLITE_IOERR_SHMOPEN, ffi::SQLITE_IOERR_SHMSIZE, ffi::SQLITE_IOERR_SHMLOCK];
    shared.contains(code) || [ffi::SQLITE_IOERR_SHMMAP, ffi::SQLITE_PROTOCOL].contains(code)
}

/// Opens `path` for reading only, and says whether that was without locks: then what was read counts only if
/// [`stamp`] is the same before and after.
pub fn open_read_only(path: &Path) -> Result<(Connection, bool), LedgerError> {
    if !path.exists() {
        return Err(LedgerError::Missing { path: path.display().to_string() });
    }
    let sql = |error: rusqlite::Error| LedgerError::sql(path, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let with_locks = || -> Result<(Connection, bool), LedgerError> {
        let connection = Connection::open_with_flags(path, flags).map_err(sql)?;
        connection.busy_timeout(BUSY).map_err(sql)?;
        schema::version(&connection, path)?;
        Ok((connection, false))
    };
    match with_locks() {
        Err(error @ LedgerError::Sql { damaged: false, .. }) => {
            open_without_locks(path).map(|connection| (connection, true)).or(Err(error))
        }
        other => other,
    }
}

/// Opens `path` for reading as if nobody else had it open.
fn open_without_locks(path: &Path) -> Result<Connection, LedgerError> {
    if !path.exists() {
        return Err(LedgerError::Missing { path: path.display().to_string() });
    }
    let sql = |error: rusqlite::Error| LedgerError::sql(path, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let log = fs::metadata(beside(path, "-wal")).map_or(0, |log| log.len());
    let connection = if log > 0 {
        let connection = Connection::open_with_flags_and_vfs(path, flags, c"unix-none").map_err(sql)?;
        // A program that has the file for itself reads its log without a file beside it; nobody is locked out.
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE").map_err(sql)?;
        connection
    } else {
        // Otherwise a log would have to be created.
        Connection::open_with_flags(immutable(path), flags | OpenFlags::SQLITE_OPEN_URI).map_err(sql)?
    };
    schema::version(&connection, path)?;
    Ok(connection)
}

/// [`open_read_only`] that leaves no file beside it which was not there: where no program has it open, locks would need one.
pub fn open_untouched(path: &Path) -> Result<(Connection, bool), LedgerError> {
    let is_open = beside(path, "-shm").exists();
    if is_open { open_read_only(path) } else { open_without_locks(path).map(|connection| (connection, true)) }
}

/// The address of a file that is read as if nobody wrote to it.
fn immutable(path: &Path) -> PathBuf {
    use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
    let mut address = b"file:".to_vec();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'%' | b'?' | b'#' => address.extend(format!("%{byte:02X}").bytes()),
            byte => address.push(*byte),
        }
    }
    address.extend(b"?immutable=1");
    std::ffi::OsString::from_vec(address).into()
}

/// What changes with everything that is written to a ledger but the end of its log.
#[derive(Debug, PartialEq, Eq)]
pub struct Stamp([Option<(u64, SystemTime)>; 2], Vec<u8>);

/// The present [`Stamp`] of `path`.
pub fn stamp(path: &Path) -> Stamp {
    let of = |path: &Path| {
        fs::metadata(path).ok().map(|file| (file.len(), file.modified().unwrap_or(SystemTime::UNIX_EPOCH)))
    };
    let mut head = vec![0; 32];
    let read = fs::File::open(beside(path, "-wal")).and_then(|mut log| {
        use std::io::Read as _;
        log.read_exact(&mut head)
    });
    // There is no log.
    if read.is_err() {
        head.clear();
    }
    Stamp([of(path), of(&beside(path, "-journal"))], head)
}

fn check(connection: &Connection, path: &Path) -> Result<(), LedgerError> {
    let verdict: String = connection
        .pragma_query_value(None, "quick_check", |row| row.get(0))
        .map_err(|error| LedgerError::sql(path, &error))?;
    if verdict == "ok" {
        return Ok(());
    }
    let problem = verdict.lines().last().unwrap_or("its pages do not fit").to_owned();
    Err(LedgerError::damaged(path, problem))
}

/// Renames a damaged ledger, with its side files, and gives the new name, which tells when that was: `now`.
pub fn set_aside(path: &Path, now: SystemTime) -> Result<PathBuf, LedgerError> {
    let stamp = time_stamp(now);
    let aside = (0..)
        .map(|number| match number {
            0 => path.with_extension(format!("{ASIDE}{stamp}.sqlite")),
            _ => path.with_extension(format!("{ASIDE}{stamp}-{number}.sqlite")),
        })
        .find(|aside| !aside.exists() && !beside(aside, "-wal").exists())
        .unwrap_or_else(|| path.with_extension("damaged.sqlite"));
    fs::rename(path, &aside).map_err(|error| LedgerError::io(path, &error))?;
    for side in ["-wal", "-shm", "-journal"] {
        // There is none when the ledger was closed in order.
        let _ = fs::rename(beside(path, side), beside(&aside, side));
    }
    Ok(aside)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod upgrades;
