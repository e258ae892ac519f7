//! Rows that others write than the thread that counts.

use std::{path::Path, time::Duration};

use rusqlite::Connection;

use super::{
    LedgerError,
    lock::{Lock, patiently},
    open, schema,
};
use crate::clock::Clock;

/// A program that counts holds the file while it commits, which takes seconds on a busy disk.
const PATIENCE: Duration = Duration::from_secs(10);

/// Opens the ledger at `path` beside a program that counts, in whatever version. Blocks for the disk.
///
/// # Errors
/// When there is no ledger, or it cannot be opened.
fn beside(path: &Path) -> Result<Connection, LedgerError> {
    if !path.exists() {
        return Err(LedgerError::Missing { path: path.display().to_string() });
    }
    let connection = open::connect(path)?;
    connection.busy_timeout(PATIENCE).map_err(|error| LedgerError::sql(path, &error))?;
    Ok(connection)
}

/// Opens the ledger at `path` for what is sent out of it, beside the program that counts. What a loss of power takes back of what
/// is written here is sent again under the same id, so that nothing waits for the disk. Blocks for the disk to open it.
///
/// # Errors
/// When there is no ledger, it is of another version, or cannot be opened.
pub fn book(path: &Path) -> Result<Connection, LedgerError> {
    let connection = beside(path)?;
    connection
        .pragma_update(None, "synchronous", "NORMAL")
        .map_err(|error| LedgerError::sql(path, &error))?;
    let (found, known) = (schema::version(&connection, path)?, schema::KNOWN);
    if found != known {
        return Err(LedgerError::Older { path: path.display().to_string(), found, known });
    }
    Ok(connection)
}

/// Writes into the ledger at `path` what `write` does, also beside a program that counts: that one never touches the
/// tables of notes, and SQLite keeps the two transactions apart. Blocks for the disk, and for up to ten seconds where
/// another program holds the file.
///
/// # Errors
/// When there is no ledger, it is of a newer version, or cannot be written.
pub fn note(
    path: &Path,
    clock: &dyn Clock,
    write: impl Fn(&Connection) -> rusqlite::Result<()>,
) -> Result<(), LedgerError> {
    let sql = |error: rusqlite::Error| LedgerError::sql(path, &error);
    let connection = beside(path)?;
    if schema::version(&connection, path)? == schema::KNOWN {
        return write(&connection).map_err(sql);
    }
    drop(connection);
    // A program of an older version may be counting.
    let _lock = patiently(clock, || Lock::take(path))?;
    let connection = open::open(path)?;
    write(&connection).map_err(sql)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_of_an_older_version_is_said_to_be_one_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.sqlite");
        assert!(matches!(book(&path), Err(LedgerError::Missing { .. })));
        let ledger = open::open(&path).unwrap();
        book(&path).unwrap();
        ledger.execute_batch(&format!("{}; PRAGMA user_version = 8", schema::WITHOUT_AREAS)).unwrap();
        let said = book(&path).unwrap_err().to_string();
        assert!(said.contains("by an older version") && said.contains("schema 8"), "{said}");
        assert_eq!(schema::version(&ledger, &path).unwrap(), 8);
    }
}
