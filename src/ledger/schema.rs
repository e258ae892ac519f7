//! The tables, their versions, and opening a file that may be old, new, damaged or not there.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};

use super::LedgerError;

/// Each step takes a ledger one version further; `user_version` counts the steps taken.
pub const MIGRATIONS: [&str; 2] = [
    "
    CREATE TABLE sessions (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        started_ms INTEGER NOT NULL,
        last_seen_ms INTEGER NOT NULL,
        ended_ms INTEGER,
        version TEXT NOT NULL,
        config TEXT NOT NULL
    ) STRICT;
    CREATE TABLE crossings (
        session INTEGER NOT NULL REFERENCES sessions (id),
        source TEXT NOT NULL,
        seq INTEGER NOT NULL,
        line TEXT NOT NULL,
        direction INTEGER NOT NULL CHECK (direction IN (1, -1)),
        wall_ms INTEGER NOT NULL,
        mono_ms INTEGER NOT NULL,
        source_time REAL NOT NULL,
        track INTEGER NOT NULL,
        confidence REAL NOT NULL,
        PRIMARY KEY (session, source, seq)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX crossings_by_time ON crossings (wall_ms);
    CREATE TABLE resets (
        session INTEGER NOT NULL REFERENCES sessions (id),
        source TEXT NOT NULL,
        seq INTEGER NOT NULL,
        wall_ms INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE watches (
        session INTEGER NOT NULL REFERENCES sessions (id),
        source TEXT NOT NULL,
        from_ms INTEGER NOT NULL,
        to_ms INTEGER NOT NULL,
        PRIMARY KEY (session, source, from_ms)
    ) STRICT, WITHOUT ROWID;
    ",
    // Totals of their own: read at once however long the ledger, and kept when old crossings are removed.
    "
    CREATE TABLE totals (
        source TEXT NOT NULL,
        line TEXT NOT NULL,
        total_in INTEGER NOT NULL,
        total_out INTEGER NOT NULL,
        PRIMARY KEY (source, line)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO totals
        SELECT source, line, SUM(direction = 1), SUM(direction = -1) FROM crossings
        WHERE NOT EXISTS (
            SELECT 1 FROM resets
            WHERE resets.source = crossings.source
              AND (resets.session, resets.seq) > (crossings.session, crossings.seq))
        GROUP BY source, line;
    ",
];

/// Files above this size are not read through at every start: SQLite finds damage when it meets it.
const CHECK_BELOW: u64 = 256 << 20;

/// Another process may hold the file for a moment, to read.
const BUSY: Duration = Duration::from_secs(2);

/// Opens `path` for writing, brings it to the newest version and checks it.
pub fn open(path: &Path) -> Result<Connection, LedgerError> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).map_err(|error| LedgerError::io(path, &error))?;
    }
    let sql = |error: rusqlite::Error| LedgerError::sql(path, &error);
    let mut connection = Connection::open(path).map_err(sql)?;
    connection.busy_timeout(BUSY).map_err(sql)?;
    let found = version(&connection, path)?;
    let _mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)).map_err(sql)?;
    // FULL: a commit survives not only a killed program but a machine that loses its power.
    connection.pragma_update(None, "synchronous", "FULL").map_err(sql)?;
    if found > 0 && fs::metadata(path).is_ok_and(|file| file.len() < CHECK_BELOW) {
        check(&connection, path)?;
    }
    for (index, step) in MIGRATIONS.iter().enumerate().skip(usize::try_from(found).unwrap_or(0)) {
        let change = connection.transaction().map_err(sql)?;
        change.execute_batch(step).map_err(sql)?;
        change.pragma_update(None, "user_version", index as i64 + 1).map_err(sql)?;
        change.commit().map_err(sql)?;
    }
    Ok(connection)
}

/// Opens `path` for reading only. `Ok(None)` when it must be brought to the newest version first.
pub fn open_read_only(path: &Path) -> Result<Option<Connection>, LedgerError> {
    if !path.exists() {
        return Err(LedgerError::Missing { path: path.display().to_string() });
    }
    let sql = |error: rusqlite::Error| LedgerError::sql(path, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(sql)?;
    connection.busy_timeout(BUSY).map_err(sql)?;
    let found = version(&connection, path)?;
    Ok((found == MIGRATIONS.len() as i64).then_some(connection))
}

fn version(connection: &Connection, path: &Path) -> Result<i64, LedgerError> {
    let found: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(|error| LedgerError::sql(path, &error))?;
    let known = MIGRATIONS.len() as i64;
    if found > known {
        return Err(LedgerError::Newer { path: path.display().to_string(), found, known });
    }
    Ok(found)
}

fn check(connection: &Connection, path: &Path) -> Result<(), LedgerError> {
    let verdict: String = connection
        .pragma_query_value(None, "quick_check", |row| row.get(0))
        .map_err(|error| LedgerError::sql(path, &error))?;
    if verdict == "ok" {
        return Ok(());
    }
    Err(LedgerError::Sql { path: path.display().to_string(), problem: verdict, damaged: true })
}

/// Renames a damaged ledger, with its side files, and gives the new name.
pub fn set_aside(path: &Path) -> Result<PathBuf, LedgerError> {
    let stamp = jiff::Zoned::now().strftime("%Y%m%d-%H%M%S").to_string();
    let aside = (0..)
        .map(|number| match number {
            0 => path.with_extension(format!("damaged-{stamp}.sqlite")),
            _ => path.with_extension(format!("damaged-{stamp}-{number}.sqlite")),
        })
        .find(|aside| !aside.exists())
        .unwrap_or_else(|| path.with_extension("damaged.sqlite"));
    fs::rename(path, &aside).map_err(|error| LedgerError::io(path, &error))?;
    for side in ["-wal", "-shm"] {
        let with = |path: &Path| {
            let mut name = path.as_os_str().to_owned();
            name.push(side);
            PathBuf::from(name)
        };
        // There is none when the ledger was closed in order.
        let _ = fs::rename(with(path), with(&aside));
    }
    Ok(aside)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_version(path: &Path) -> Connection {
        let connection = Connection::open(path).expect("open");
        connection.execute_batch(MIGRATIONS[0]).expect("tables");
        connection.pragma_update(None, "user_version", 1).expect("version");
        connection
    }

    #[test]
    fn a_ledger_of_the_first_version_is_brought_up_with_its_totals() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("ledger.sqlite");
        first_version(&path)
            .execute_batch(
                "INSERT INTO sessions VALUES (1, 0, 0, NULL, 'v', ''), (2, 0, 0, NULL, 'v', '');
                 INSERT INTO crossings VALUES
                    (1, 'a', 1, 'door', 1, 10, 10, 0, 1, 1), (1, 'a', 3, 'door', 1, 11, 11, 0, 1, 1),
                    (2, 'a', 1, 'door', -1, 12, 12, 0, 1, 1), (1, 'b', 2, 'gate', 1, 10, 10, 0, 1, 1);
                 INSERT INTO resets VALUES (1, 'a', 2, 10);",
            )
            .expect("rows");
        let connection = open(&path).expect("open");
        let mut query = connection.prepare("SELECT * FROM totals ORDER BY source").expect("query");
        let rows: Vec<(String, String, i64, i64)> = query
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
            .expect("rows")
            .map(|row| row.expect("row"))
            .collect();
        assert_eq!(rows, [("a".into(), "door".into(), 1, 1), ("b".into(), "gate".into(), 1, 0)]);
        assert!(open_read_only(&path).expect("open").is_some());
    }

    #[test]
    fn an_old_one_is_not_read_before_it_is_brought_up_and_a_newer_one_never() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("ledger.sqlite");
        assert!(matches!(open_read_only(&path), Err(LedgerError::Missing { .. })));
        let connection = first_version(&path);
        assert!(open_read_only(&path).expect("open").is_none());
        connection.pragma_update(None, "user_version", 99).expect("version");
        drop(connection);
        for error in [open(&path).err(), open_read_only(&path).err()] {
            assert!(matches!(error, Some(LedgerError::Newer { found: 99, .. })), "{error:?}");
        }
    }

    #[test]
    fn damage_is_told_from_other_errors() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("ledger.sqlite");
        fs::write(&path, "this is no database, but it is long enough to be one").expect("write");
        assert!(matches!(open(&path), Err(LedgerError::Sql { damaged: true, .. })));
        let aside = set_aside(&path).expect("set aside");
        assert!(aside.exists() && !path.exists());
        assert!(open(&path).is_ok());
        assert!(matches!(open(dir.path()), Err(LedgerError::Sql { damaged: false, .. })));
    }
}
