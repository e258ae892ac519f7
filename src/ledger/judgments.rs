//! What people said of single crossings after they had seen their pictures.
//!
//! A screen writes these rows itself, see [`notes`]. Nothing is changed afterwards: a second judgment of a crossing adds
//! a row, and the last one holds.

use std::path::Path;

use rusqlite::{Connection, params};

use super::{LedgerError, notes};
use crate::{
    clock::Clock,
    model::{Crossed, Direction, Judgment, Reason, Verdict},
};

/// Writes `judgment` into the ledger at `path`. Blocks for the disk, and for up to some seconds where another program
/// holds the file.
///
/// # Errors
/// When there is no ledger, it is of a newer version, or cannot be written.
pub fn note_judgment(path: &Path, judgment: &Judgment, clock: &dyn Clock) -> Result<(), LedgerError> {
    notes::note(path, clock, |connection| write(connection, judgment))
}

/// Inserts the row of `judgment`.
pub(super) fn write(change: &Connection, judgment: &Judgment) -> rusqlite::Result<()> {
    let Judgment { wall, crossed, direction, reason, verdict, weight, who } = judgment;
    change
        .execute(
            "INSERT INTO judgments VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            params![
                wall,
                crossed.wall,
                &*crossed.source,
                crossed.line,
                crossed.track.cast_signed(),
                if *direction == Direction::In { 1 } else { -1 },
                reason.map(Reason::word),
                verdict.word(),
                weight,
                who
            ],
        )
        .map(drop)
}

/// Those of crossings from `from` up to but without `to`, in the order in which they were written.
pub(super) fn read(connection: &Connection, from: i64, to: i64) -> rusqlite::Result<Vec<Judgment>> {
    let mut query = connection.prepare(
        "SELECT judged_ms, wall_ms, source, line, track, direction, reason, verdict, weight, who FROM judgments \
         WHERE wall_ms >= ?1 AND wall_ms < ?2 ORDER BY rowid",
    )?;
    let mut rows = query.query(params![from, to])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        // A word of a later version tells this one nothing.
        let Some(verdict) = Verdict::of_word(&row.get::<_, String>(7)?) else { continue };
        let reason: Option<String> = row.get(6)?;
        found.push(Judgment {
            wall: row.get(0)?,
            crossed: Crossed {
                wall: row.get(1)?,
                source: row.get::<_, String>(2)?.into(),
                line: row.get(3)?,
                track: row.get::<_, i64>(4)?.cast_unsigned(),
            },
            direction: if row.get::<_, i64>(5)? == 1 { Direction::In } else { Direction::Out },
            reason: reason.and_then(|word| Reason::of_word(&word)),
            verdict,
            weight: row.get(8)?,
            who: row.get(9)?,
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::SystemClock,
        ledger::{FILE_NAME, Reader, open},
        model::TrackId,
    };

    fn judgment(track: TrackId, verdict: Verdict) -> Judgment {
        Judgment {
            wall: 9_000,
            crossed: Crossed { wall: 1_000, source: "gate".into(), line: "door".into(), track },
            direction: Direction::Out,
            reason: (track > 1).then_some(Reason::UTurn),
            verdict,
            weight: (track > 1).then_some(2.5),
            who: "anna".into(),
        }
    }

    #[test]
    fn judgments_are_kept_in_their_order_and_read_by_the_time_of_the_crossing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE_NAME);
        let missing = note_judgment(&path, &judgment(1, Verdict::Right), &SystemClock).unwrap_err();
        assert!(matches!(missing, LedgerError::Missing { .. }));
        let older = open::open(&path).unwrap();
        older.execute_batch(crate::ledger::schema::WITHOUT_AREAS).unwrap();
        older
            .execute_batch(
                "DROP TABLE judgments; DROP TABLE actions; DROP TABLE schedules; PRAGMA user_version = 5",
            )
            .unwrap();
        drop(older);
        assert_eq!(
            Reader::open(&path).unwrap().judgments(0, i64::MAX).unwrap(),
            [],
            "an older ledger has none"
        );
        let all: Vec<Judgment> =
            (1..=3).zip(Verdict::ALL).map(|(track, verdict)| judgment(track, verdict)).collect();
        for judgment in &all {
            note_judgment(&path, judgment, &SystemClock).unwrap();
        }
        let reader = Reader::open(&path).unwrap();
        assert_eq!(reader.judgments(0, 1_001).unwrap(), all);
        assert_eq!(reader.judgments(0, 1_000).unwrap(), []);
    }
}
