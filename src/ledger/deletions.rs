//! What was deleted of the evidence: when, which stretch of time, and by which user.
//!
//! The command that deletes writes these rows itself, see [`notes`].

use std::path::Path;

use rusqlite::{Connection, params};

use super::{LedgerError, notes};
use crate::{clock::Clock, model::SourceId};

/// A stretch of time whose strips were deleted. Times are in milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletion {
    /// When that was done.
    pub wall: i64,
    /// First moment of the stretch.
    pub from: i64,
    /// First moment after it.
    pub to: i64,
    /// Whose strips; `None`: those of all sources.
    pub source: Option<SourceId>,
    /// How many there were.
    pub strips: u64,
    /// Name of the user who did it.
    pub who: String,
}

/// Writes `deletion` into the ledger at `path`. Blocks for the disk, and for up to some seconds where another program
/// holds the file.
///
/// # Errors
/// When there is no ledger, it is of a newer version, or cannot be written.
pub fn note_deletion(path: &Path, deletion: &Deletion, clock: &dyn Clock) -> Result<(), LedgerError> {
    notes::note(path, clock, |connection| write(connection, deletion))
}

/// Inserts the row of `deletion`.
pub(super) fn write(change: &Connection, deletion: &Deletion) -> rusqlite::Result<()> {
    let Deletion { wall, from, to, source, strips, who } = deletion;
    let strips = i64::try_from(*strips).unwrap_or(i64::MAX);
    change
        .execute(
            "INSERT INTO evidence_deletions VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![wall, from, to, source.as_deref(), strips, who],
        )
        .map(drop)
}

/// All of them, in the order in which they were written.
pub(super) fn read(connection: &Connection) -> rusqlite::Result<Vec<Deletion>> {
    let mut query = connection.prepare(
        "SELECT wall_ms, from_ms, to_ms, source, strips, who FROM evidence_deletions ORDER BY rowid",
    )?;
    let rows = query.query_map([], |row| {
        Ok(Deletion {
            wall: row.get(0)?,
            from: row.get(1)?,
            to: row.get(2)?,
            source: row.get::<_, Option<String>>(3)?.map(SourceId::from),
            strips: row.get::<_, i64>(4)?.unsigned_abs(),
            who: row.get(5)?,
        })
    })?;
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::SystemClock,
        ledger::{FILE_NAME, Reader, lock::Lock, open},
    };

    fn deletion(source: Option<&str>) -> Deletion {
        let source = source.map(SourceId::from);
        Deletion { wall: 3_000, from: 1_000, to: 2_000, source, strips: 7, who: "anna".into() }
    }

    #[test]
    fn a_deletion_is_in_the_ledger_also_while_another_program_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE_NAME);
        let missing = note_deletion(&path, &deletion(None), &SystemClock).unwrap_err();
        assert!(matches!(missing, LedgerError::Missing { .. }));
        let lock = Lock::take(&path).unwrap();
        let writer = open::open(&path).unwrap();
        note_deletion(&path, &deletion(Some("gate")), &SystemClock).unwrap();
        note_deletion(&path, &deletion(None), &SystemClock).unwrap();
        let reader = Reader::open(&path).unwrap();
        assert_eq!(reader.deletions().unwrap(), [deletion(Some("gate")), deletion(None)]);
        drop((lock, writer));
    }

    #[test]
    fn an_older_ledger_is_brought_up_to_date_first_unless_a_program_counts_into_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE_NAME);
        let older = open::open(&path).unwrap();
        older.execute_batch(crate::ledger::schema::WITHOUT_AREAS).unwrap();
        older
            .execute_batch(
                "DROP TABLE evidence_deletions; DROP TABLE judgments; DROP TABLE actions; DROP TABLE schedules; PRAGMA user_version = 4",
            )
            .unwrap();
        drop(older);
        assert_eq!(Reader::open(&path).unwrap().deletions().unwrap(), []);
        note_deletion(&path, &deletion(None), &SystemClock).unwrap();
        assert_eq!(Reader::open(&path).unwrap().deletions().unwrap(), [deletion(None)]);
    }
}
