//! What people did with the program: pauses, resets, additions, reloads and the like, with who and when.
//!
//! These rows are written beside the thread that counts, see [`notes`]. Nothing is changed afterwards.

use std::path::Path;

use rusqlite::{Connection, params};

use super::{LedgerError, notes};
use crate::{
    clock::Clock,
    model::{Action, SourceId},
};

/// Writes `action` into the ledger at `path`. Blocks for the disk, and for up to some seconds where another program holds
/// the file.
///
/// # Errors
/// When there is no ledger, it is of a newer version, or cannot be written.
pub fn note_action(path: &Path, action: &Action, clock: &dyn Clock) -> Result<(), LedgerError> {
    notes::note(path, clock, |connection| write(connection, action))
}

/// Inserts the row of `action`.
pub(super) fn write(change: &Connection, action: &Action) -> rusqlite::Result<()> {
    let Action { wall, who, from, source, what, detail } = action;
    change
        .execute(
            "INSERT INTO actions VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![wall, who, from, source.as_deref(), what, detail],
        )
        .map(drop)
}

/// The last `limit` actions from `since` up to but without `until`, in the order in which they were written.
pub(super) fn read(
    connection: &Connection,
    since: i64,
    until: i64,
    limit: usize,
) -> rusqlite::Result<Vec<Action>> {
    let mut query = connection.prepare(
        "SELECT wall_ms, who, came_from, source, what, detail FROM actions \
         WHERE wall_ms >= ?1 AND wall_ms < ?2 ORDER BY rowid DESC LIMIT ?3",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = query.query_map(params![since, until, limit], |row| {
        Ok(Action {
            wall: row.get(0)?,
            who: row.get(1)?,
            from: row.get(2)?,
            source: row.get::<_, Option<String>>(3)?.map(SourceId::from),
            what: row.get(4)?,
            detail: row.get(5)?,
        })
    })?;
    let mut found: Vec<Action> = rows.collect::<Result<_, _>>()?;
    found.reverse();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::SystemClock,
        ledger::{FILE_NAME, Reader, open},
    };

    fn action(wall: i64, source: Option<&str>, detail: Option<&str>) -> Action {
        Action {
            wall,
            who: "anna".into(),
            from: "dashboard".into(),
            source: source.map(SourceId::from),
            what: Action::PAUSED.into(),
            detail: detail.map(str::to_owned),
        }
    }

    #[test]
    fn actions_are_kept_in_their_order_and_the_newest_are_read_last() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE_NAME);
        let missing = note_action(&path, &action(1, None, None), &SystemClock).unwrap_err();
        assert!(matches!(missing, LedgerError::Missing { .. }));
        let older = open::open(&path).unwrap();
        older.execute_batch(crate::ledger::schema::WITHOUT_AREAS).unwrap();
        older.execute_batch("DROP TABLE actions; DROP TABLE schedules; PRAGMA user_version = 6").unwrap();
        drop(older);
        let reader = Reader::open(&path).unwrap();
        assert_eq!(reader.actions(0, i64::MAX, 9).unwrap(), [], "an older ledger has none");
        drop(reader);
        let all =
            [action(1, Some("gate"), None), action(2, None, Some("all")), action(3, Some("yard"), None)];
        for action in &all {
            note_action(&path, action, &SystemClock).unwrap();
        }
        let reader = Reader::open(&path).unwrap();
        assert_eq!(reader.actions(0, i64::MAX, 9).unwrap(), all);
        assert_eq!(reader.actions(0, i64::MAX, 2).unwrap(), all[1..], "the last two");
        assert_eq!(reader.actions(2, 3, 9).unwrap(), all[1..2]);
    }
}
