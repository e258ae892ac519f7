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
    if !path.exists() {
        return Err(LedgerError::Missing { path: path.display().to_string() });
    }
    let sql = |error: rusqlite::Error| LedgerError::sql(path, &error);
    let connection = open::connect(path)?;
    connection.busy_timeout(PATIENCE).map_err(sql)?;
    if schema::version(&connection, path)? == schema::KNOWN {
        return write(&connection).map_err(sql);
    }
    drop(connection);
    // A program of an older version may be counting.
    let _lock = patiently(clock, || Lock::take(path))?;
    let connection = open::open(path)?;
    write(&connection).map_err(sql)
}
