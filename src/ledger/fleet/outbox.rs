//! What a node has not sent yet, in its own ledger.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};

use super::Outgoing;
use crate::{
    ledger::{LedgerError, notes},
    model::Epoch,
};

/// A connection that knows what has not been sent.
pub struct OutboxBook {
    connection: Connection,
    path: PathBuf,
}

impl OutboxBook {
    /// Opens the ledger at `path`. Blocks for the disk.
    ///
    /// # Errors
    /// When there is none, it is of another version, or cannot be written.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        Ok(Self { connection: notes::book(path)?, path: path.to_owned() })
    }

    /// The first `most` of what has not been sent, each with its place.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn next(&self, most: usize) -> Result<Vec<(i64, Outgoing)>, LedgerError> {
        let read = || {
            let mut query = self.connection.prepare_cached(
                "SELECT id, source, revision, delivery, began_ms, seq, wall_ms, offset_ms, detail \
                 FROM fleet_outbox ORDER BY id LIMIT ?1",
            )?;
            let rows = query.query_map([i64::try_from(most).unwrap_or(i64::MAX)], |row| {
                let count = |index| Ok::<_, rusqlite::Error>(row.get::<_, i64>(index)?.cast_unsigned());
                let detail: String = row.get(8)?;
                let told = serde_json::from_str(&detail).map_err(|error| {
                    rusqlite::Error::FromSqlConversionFailure(8, rusqlite::types::Type::Text, Box::new(error))
                })?;
                let epoch = Epoch { revision: count(2)?, delivery: count(3)? };
                let (source, began, sequence) = (row.get(1)?, row.get(4)?, row.get(5)?);
                let (wall, offset) = (row.get(6)?, row.get(7)?);
                Ok((row.get(0)?, Outgoing { source, epoch, began, sequence, wall, offset, told }))
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| LedgerError::sql(&self.path, &error))
    }

    /// The server has confirmed what stands at these places: it need not be sent again.
    ///
    /// # Errors
    /// When the ledger cannot be written; then it is sent again.
    pub fn confirm(&mut self, places: &[i64]) -> Result<(), LedgerError> {
        let write = |connection: &mut Connection| {
            let change = connection.transaction()?;
            {
                let mut remove = change.prepare_cached("DELETE FROM fleet_outbox WHERE id = ?1")?;
                for place in places {
                    remove.execute(params![place])?;
                }
            }
            change.commit()
        };
        write(&mut self.connection).map_err(|error| LedgerError::sql(&self.path, &error))
    }

    /// The lease of `source` by `epoch` is over since this wall time of the node. Does nothing where nothing was counted by it.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn ended(&self, source: &str, epoch: Epoch, wall: i64) -> Result<(), LedgerError> {
        let (revision, delivery) = (epoch.revision.cast_signed(), epoch.delivery.cast_signed());
        let lease = "FROM leases WHERE node = '' AND source = ?1 AND revision = ?2 AND delivery = ?3 AND ended_ms IS NULL";
        let write = || {
            self.connection
                .prepare_cached(&format!(
                    "INSERT OR IGNORE INTO fleet_outbox \
                     (source, revision, delivery, began_ms, kind, seq, wall_ms, offset_ms, detail) \
                     SELECT source, revision, delivery, began_ms, 'ended', 0, ?4, offset_ms, '{{\"kind\":\"ended\"}}' {lease}"
                ))?
                .execute(params![source, revision, delivery, wall])?;
            self.connection
                .prepare_cached(
                    "UPDATE leases SET ended_ms = ?4 WHERE node = '' AND source = ?1 AND revision = ?2 AND delivery = ?3 \
                     AND ended_ms IS NULL",
                )?
                .execute(params![source, revision, delivery, wall])
        };
        write().map(drop).map_err(|error| LedgerError::sql(&self.path, &error))
    }

    /// How much has not been sent. Takes the longer the more that is.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn left(&self) -> Result<u64, LedgerError> {
        let count: Result<i64, _> =
            self.connection.query_row("SELECT COUNT(*) FROM fleet_outbox", [], |row| row.get(0));
        count.map(i64::cast_unsigned).map_err(|error| LedgerError::sql(&self.path, &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{
        fleet::{Told, write_outgoing},
        open,
    };

    fn outgoing(sequence: i64, told: Told) -> Outgoing {
        let epoch = Epoch { revision: 4, delivery: 2 };
        Outgoing { source: "gate".into(), epoch, began: 10, sequence, wall: 20, offset: None, told }
    }

    #[test]
    fn what_was_confirmed_goes_and_a_watch_that_went_on_meanwhile_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.sqlite");
        assert!(matches!(OutboxBook::open(&path), Err(LedgerError::Missing { .. })));
        let ledger = open::open(&path).unwrap();
        ledger.execute("INSERT INTO sessions VALUES (1, 0, 0, NULL, 'v', '')", []).unwrap();
        let watch = outgoing(12, Told::Watch { from: 12 });
        for told in [outgoing(1, Told::Lease), watch.clone(), outgoing(1, Told::Lease)] {
            write_outgoing(&ledger, 1, &told).unwrap();
        }
        let mut book = OutboxBook::open(&path).unwrap();
        let first = book.next(9).unwrap();
        assert_eq!(first.iter().map(|(_, told)| told.told.kind()).collect::<Vec<_>>(), ["lease", "watch"]);
        let longer = Outgoing { wall: 30, ..watch };
        write_outgoing(&ledger, 1, &longer).unwrap();
        book.confirm(&first.iter().map(|(place, _)| *place).collect::<Vec<_>>()).unwrap();
        let left = book.next(9).unwrap();
        assert_eq!(left.iter().map(|(_, told)| told).collect::<Vec<_>>(), [&longer]);
        // A place is never given twice.
        book.confirm(&[left[0].0]).unwrap();
        write_outgoing(&ledger, 1, &outgoing(7, Told::Reset)).unwrap();
        assert!(book.next(1).unwrap()[0].0 > left[0].0);
        book.ended("gate", Epoch { revision: 4, delivery: 2 }, 90).unwrap();
        book.ended("gate", Epoch { revision: 4, delivery: 2 }, 95).unwrap();
        book.ended("gate", Epoch { revision: 9, delivery: 9 }, 95).unwrap();
        let ends: Vec<i64> = book
            .next(9)
            .unwrap()
            .iter()
            .filter(|(_, one)| one.told == Told::Ended)
            .map(|(_, one)| one.wall)
            .collect();
        assert_eq!((ends, book.left().unwrap()), (vec![90], 2));
    }
}
