//! One day's strips: a file of SQLite.
//!
//! A rollback journal, not a write-ahead log: a reader needs no file beside it, and what is deleted is overwritten in
//! place. `synchronous = NORMAL`: a killed program loses what it had not committed, a machine without power perhaps the
//! last commit; the file stays whole in both cases.

use std::{
    fs::{self, File, Permissions},
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, params};

use super::bounds::{Due, Stretch};
use crate::{
    evidence::{EvidenceError, strip::Strip},
    files,
    model::{Direction, Reason},
};

/// Of the tables; `user_version` of the file.
const VERSION: i64 = 2;

/// The first version with what is to be drawn beside the pictures: those before have it in them.
pub const MARKED: i64 = 2;

/// `id` is never used again, so that a key means one strip for ever. The picture comes last: what stands before it is
/// read without it.
const TABLES: &str = "
    CREATE TABLE strips (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        wall_ms INTEGER NOT NULL,
        until_ms INTEGER NOT NULL,
        source TEXT NOT NULL,
        line TEXT NOT NULL,
        direction INTEGER NOT NULL CHECK (direction IN (1, -1)),
        reason TEXT,
        confidence REAL,
        track INTEGER NOT NULL,
        source_time REAL NOT NULL,
        blurred INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        marks TEXT,
        jpeg BLOB NOT NULL
    ) STRICT;
    CREATE INDEX strips_by_source ON strips (source, wall_ms, bytes);
    CREATE INDEX strips_by_time ON strips (wall_ms, until_ms);
";

/// Another process may hold the file for this long, to read or to delete.
const BUSY: Duration = Duration::from_secs(2);

/// Most rows that are deleted in one transaction while strips wait to be written.
const STEP: i64 = 500;

/// Bytes of the file that a strip with a picture of so many takes, at most: a large one has pages of its own, of which the
/// last is not full; the facts and their part of the indexes come beside.
pub fn room(picture: u64) -> u64 {
    const PAGE: u64 = 4096;
    if picture < PAGE / 2 { picture * 5 / 4 + 512 } else { picture + PAGE + 512 }
}

/// An open day.
pub struct Day {
    connection: Connection,
    path: PathBuf,
    inode: u64,
}

impl Day {
    /// Opens the file for writing; it is made, for its owner alone, where it is missing.
    pub fn open(path: &Path) -> Result<Self, EvidenceError> {
        let io = |error: io::Error| EvidenceError::io(path, &error);
        // SQLite would make it with the rights of other files, and its journal has those of the file.
        let file = files::update(path, files::PRIVATE).map_err(io)?;
        let found = file.metadata().map_err(io)?;
        if found.permissions().mode() & 0o077 != 0 {
            file.set_permissions(Permissions::from_mode(files::PRIVATE)).map_err(io)?;
        }
        drop(file);
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let day = Self { connection, path: path.to_owned(), inode: found.ino() };
        day.prepare().map_err(|error| day.sql(&error))?;
        day.check_version()?;
        Ok(day)
    }

    fn prepare(&self) -> rusqlite::Result<()> {
        let connection = &self.connection;
        // Of a file that holds nothing yet: what is deleted can then be given back to the disk.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.pragma_update(None, "cache_size", -512)?;
        connection.pragma_update_and_check(None, "journal_mode", "TRUNCATE", |_| Ok(()))?;
        if is_empty(connection)? {
            let change = connection.unchecked_transaction()?;
            change.execute_batch(TABLES)?;
            change.pragma_update(None, "user_version", VERSION)?;
            change.commit()?;
        } else if version(connection)? == MARKED - 1 {
            let change = connection.unchecked_transaction()?;
            change.execute_batch("ALTER TABLE strips ADD COLUMN marks TEXT")?;
            change.pragma_update(None, "user_version", VERSION)?;
            change.commit()?;
        }
        Ok(())
    }

    fn check_version(&self) -> Result<(), EvidenceError> {
        check_version(&self.connection, &self.path)
    }

    /// Whether the file is still the one under its name.
    pub fn is_there(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|found| found.ino() == self.inode)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes `strips`, all or none.
    pub fn add<'a>(&self, strips: impl Iterator<Item = &'a Strip>) -> Result<(), EvidenceError> {
        self.try_add(strips).map_err(|error| self.sql(&error))
    }

    fn try_add<'a>(&self, strips: impl Iterator<Item = &'a Strip>) -> rusqlite::Result<()> {
        let change = self.connection.unchecked_transaction()?;
        let mut insert = change.prepare_cached(
            "INSERT INTO strips (wall_ms, until_ms, source, line, direction, reason, confidence, track, source_time, \
             blurred, bytes, marks, jpeg) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )?;
        for strip in strips {
            let Strip { facts, until, blurred, jpeg, marks } = strip;
            insert.execute(params![
                facts.wall,
                until,
                &*facts.source,
                facts.line,
                if facts.direction == Direction::In { 1 } else { -1 },
                facts.reason.map(Reason::word),
                facts.confidence.map(f64::from).filter(|score| score.is_finite()),
                facts.track as i64,
                // SQLite has no NaN: it would be taken for a missing value and refused.
                if facts.time.is_finite() { facts.time } else { 0.0 },
                blurred,
                strip.bytes() as i64,
                marks,
                jpeg
            ])?;
        }
        drop(insert);
        change.commit()
    }

    /// Deletes the oldest strips, of `source` or of all, until `bytes` of pictures are gone or nothing is left, and gives
    /// the room back. Gives how many went, and their bytes.
    pub fn drop_oldest(&self, source: Option<&str>, bytes: u64) -> Result<(u64, u64), EvidenceError> {
        let (mut strips, mut gone) = (0, 0);
        while gone < bytes {
            let (count, size) = self.drop_some(source, bytes - gone).map_err(|error| self.sql(&error))?;
            if count == 0 {
                break;
            }
            (strips, gone) = (strips + count, gone + size);
        }
        self.give_back()?;
        Ok((strips, gone))
    }

    fn drop_some(&self, source: Option<&str>, bytes: u64) -> rusqlite::Result<(u64, u64)> {
        let change = self.connection.unchecked_transaction()?;
        let mut oldest = change.prepare_cached(
            "SELECT id, bytes FROM strips WHERE ?1 IS NULL OR source = ?1 ORDER BY id LIMIT ?2",
        )?;
        let mut rows = oldest.query(params![source, STEP])?;
        let (mut last, mut count, mut size) = (0_i64, 0, 0);
        while size < bytes
            && let Some(row) = rows.next()?
        {
            last = row.get(0)?;
            let picture = row.get::<_, i64>(1)?.unsigned_abs();
            // Of a source the pictures are bounded, of all strips the file, from which at least this much goes.
            size += if source.is_some() { picture } else { picture + 100 };
            count += 1;
        }
        drop(rows);
        drop(oldest);
        change.execute(
            "DELETE FROM strips WHERE id <= ?1 AND (?2 IS NULL OR source = ?2)",
            params![last, source],
        )?;
        change.commit()?;
        Ok((count, size))
    }

    /// Deletes what is due, and gives the room back. Gives how many strips are left.
    pub fn expire(&self, due: &Due) -> Result<u64, EvidenceError> {
        self.try_expire(due).map_err(|error| self.sql(&error))
    }

    fn try_expire(&self, due: &Due) -> rusqlite::Result<u64> {
        let change = self.connection.unchecked_transaction()?;
        let mut deleted = change.execute("DELETE FROM strips WHERE until_ms <= ?1", [due.now])?;
        for (source, before) in &due.sources {
            deleted += change.execute(
                "DELETE FROM strips WHERE source = ?1 AND wall_ms <= ?2",
                params![&**source, before],
            )?;
        }
        if let Some(before) = due.before {
            let own: Vec<&str> = due.sources.iter().map(|(source, _)| &**source).collect();
            // A handful of names: as JSON they are one parameter.
            let own = serde_json::to_string(&own).unwrap_or_else(|_| "[]".into());
            deleted += change.execute(
                "DELETE FROM strips WHERE wall_ms <= ?1 AND source NOT IN (SELECT value FROM json_each(?2))",
                params![before, own],
            )?;
        }
        let left: i64 = change.query_row("SELECT COUNT(*) FROM strips", [], |row| row.get(0))?;
        change.commit()?;
        if deleted > 0 {
            self.vacuum()?;
        }
        Ok(left.unsigned_abs())
    }

    /// Bytes of the pictures of `source`.
    pub fn bytes_of(&self, source: &str) -> Result<u64, EvidenceError> {
        let sum = "SELECT COALESCE(SUM(bytes), 0) FROM strips WHERE source = ?1";
        let sum = self.connection.query_row(sum, [source], |row| row.get::<_, i64>(0));
        sum.map(i64::unsigned_abs).map_err(|error| self.sql(&error))
    }

    /// Deletes the strips of a stretch of time so that nothing of them can be read from the file, and gives the room
    /// back. Gives how many, and their bytes.
    pub fn delete(&self, stretch: &Stretch) -> Result<(u64, u64), EvidenceError> {
        let deleted = self.try_delete(stretch).map_err(|error| self.sql(&error));
        // The journal holds the pages as they were. Nobody else writes while the file is held.
        let journal = overwrite(&self.path.with_extension("sqlite-journal"));
        self.release().map_err(|error| self.sql(&error))?;
        let deleted = deleted?;
        journal.map_err(|error| EvidenceError::io(&self.path, &error))?;
        Ok(deleted)
    }

    fn try_delete(&self, Stretch { since, until, source }: &Stretch) -> rusqlite::Result<(u64, u64)> {
        let connection = &self.connection;
        connection.pragma_update_and_check(None, "locking_mode", "EXCLUSIVE", |_| Ok(()))?;
        // The journal is neither cut nor removed, so that it can be overwritten.
        connection.pragma_update_and_check(None, "journal_mode", "PERSIST", |_| Ok(()))?;
        connection.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
        let matching = "wall_ms >= ?1 AND wall_ms < ?2 AND (?3 IS NULL OR source = ?3)";
        let source = source.as_deref();
        let change = connection.unchecked_transaction()?;
        let found = change.query_row(
            &format!("SELECT COUNT(*), COALESCE(SUM(bytes), 0) FROM strips WHERE {matching}"),
            params![since, until, source],
            |row| Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get::<_, i64>(1)?.unsigned_abs())),
        )?;
        change.execute(&format!("DELETE FROM strips WHERE {matching}"), params![since, until, source])?;
        change.commit()?;
        self.vacuum()?;
        Ok(found)
    }

    /// Lets others write again.
    fn release(&self) -> rusqlite::Result<()> {
        let connection = &self.connection;
        connection.pragma_update_and_check(None, "secure_delete", false, |_| Ok(()))?;
        connection.pragma_update_and_check(None, "locking_mode", "NORMAL", |_| Ok(()))?;
        // The lock is given back with the next reading.
        version(connection)?;
        connection.pragma_update_and_check(None, "journal_mode", "TRUNCATE", |_| Ok(()))
    }

    fn give_back(&self) -> Result<(), EvidenceError> {
        self.vacuum().map_err(|error| self.sql(&error))
    }

    /// Gives the room of deleted strips back to the disk.
    fn vacuum(&self) -> rusqlite::Result<()> {
        let mut vacuum = self.connection.prepare_cached("PRAGMA incremental_vacuum")?;
        let mut rows = vacuum.query([])?;
        // A page with each step.
        while rows.next()?.is_some() {}
        Ok(())
    }

    fn sql(&self, error: &rusqlite::Error) -> EvidenceError {
        EvidenceError::sql(&self.path, error)
    }
}

/// Opens the file at `path` as `flags` say, without making it.
pub fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, EvidenceError> {
    let sql = |error: rusqlite::Error| EvidenceError::sql(path, &error);
    let connection =
        Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(sql)?;
    connection.busy_timeout(BUSY).map_err(sql)?;
    Ok(connection)
}

/// Refuses a file of another program, or of a newer version of this one.
pub fn check_version(connection: &Connection, path: &Path) -> Result<(), EvidenceError> {
    match version(connection).map_err(|error| EvidenceError::sql(path, &error))? {
        1..=VERSION => Ok(()),
        found if found > VERSION => Err(EvidenceError::said(
            path,
            format!(
                "written by a newer version of the program (schema {found}, this one knows {VERSION}); use that version \
                 or another folder with --output"
            ),
        )),
        _ => Err(EvidenceError::said(path, "it is another program's database; move it away")),
    }
}

/// Version of the tables; 0 of an empty file.
pub fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Whether the file holds nothing, not even tables.
pub fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    Ok(version(connection)? == 0 && !connection.prepare("SELECT 1 FROM sqlite_master")?.exists([])?)
}

/// Overwrites the file with zeros, if there is one, and leaves it empty.
pub fn overwrite(path: &Path) -> io::Result<()> {
    let mut file = match File::options().write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    let mut left = file.metadata()?.len();
    let zeros = vec![0; 64 << 10];
    while left > 0 {
        let some = left.min(zeros.len() as u64) as usize;
        file.write_all(&zeros[..some])?;
        left -= some as u64;
    }
    file.sync_all()?;
    file.set_len(0)
}
