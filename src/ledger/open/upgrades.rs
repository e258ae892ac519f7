//! Ledgers of every earlier version, as that version wrote them, are opened by this one.

use std::{fs, path::PathBuf, time::Duration};

use rusqlite::{Connection, types::Value};

use super::open;
use crate::ledger::{Reader, copies, reader::Span, schema, sums};

const EVER: Span = Span { from: i64::MIN, to: i64::MAX };

/// A ledger of this version in a folder of its own.
fn earlier(version: i64) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.sqlite");
    let sql = format!("{}/tests/ledgers/v{version}.sql", env!("CARGO_MANIFEST_DIR"));
    let ledger = Connection::open(&path).unwrap();
    ledger.execute_batch(&fs::read_to_string(sql).unwrap()).unwrap();
    (dir, path)
}

fn rows(ledger: &Connection, query: &str) -> Vec<String> {
    let mut query = ledger.prepare(query).unwrap();
    let columns = query.column_count();
    let row = |row: &rusqlite::Row<'_>| (0..columns).map(|at| row.get(at)).collect();
    let rows: Vec<Vec<Value>> = query.query_map([], row).unwrap().collect::<Result<_, _>>().unwrap();
    let mut rows: Vec<String> = rows.iter().map(|row| format!("{row:?}")).collect();
    rows.sort();
    rows
}

/// Tables, indexes and triggers, however they are indented.
fn shape(ledger: &Connection) -> Vec<String> {
    let all = "SELECT type, name, tbl_name, replace(replace(sql, char(10), ''), ' ', '') FROM sqlite_master \
        WHERE name NOT LIKE 'sqlite%'";
    rows(ledger, all)
}

/// Every row of every table that holds something.
fn content(ledger: &Connection) -> Vec<(String, Vec<String>)> {
    let tables =
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name";
    let mut names = ledger.prepare(tables).unwrap();
    let names: Vec<String> =
        names.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    let all = names.into_iter().map(|name| (rows(ledger, &format!("SELECT * FROM {name}")), name));
    all.filter(|(rows, _)| !rows.is_empty()).map(|(rows, name)| (name, rows)).collect()
}

fn number(ledger: &Connection, query: &str) -> i64 {
    ledger.query_row(query, [], |row| row.get(0)).unwrap()
}

#[test]
fn a_ledger_of_every_earlier_version_is_brought_up_to_date_and_loses_nothing() {
    let fresh = tempfile::tempdir().unwrap();
    let fresh = shape(&open(&fresh.path().join("ledger.sqlite")).unwrap());
    for version in 1..schema::KNOWN {
        let (_dir, path) = earlier(version);
        let before = content(&Connection::open(&path).unwrap());
        let mut ledger = open(&path).unwrap();
        assert_eq!(number(&ledger, "PRAGMA user_version"), schema::KNOWN, "{version}");
        assert_eq!(ledger.query_row("PRAGMA integrity_check", [], |row| row.get(0)), Ok("ok".to_owned()));
        assert_eq!(shape(&ledger), fresh, "{version}: as if it were new");
        let after = content(&ledger);
        for table in &before {
            assert!(after.contains(table), "{version}: {} is not what it was", table.0);
        }
        while sums::sum_more(&mut ledger, 4).unwrap() > 0 {}
        let summed = "SELECT SUM(total_in) * 100 + SUM(total_out) FROM quarters";
        assert_eq!(number(&ledger, summed), 704, "{version}: seven in, four out");
        drop(ledger);
        // What users see of it.
        let reader = Reader::open(&path).unwrap();
        let totals = reader.totals().unwrap().into_iter().flat_map(|(source, lines)| {
            lines
                .into_iter()
                .map(move |line| format!("{source} {} {} {}", line.name, line.total_in, line.total_out))
        });
        // Version 1 knows no crossings but those that it holds.
        let door = if version == 1 { "gate door 4 1" } else { "gate door 14 8" };
        let mut totals: Vec<String> = totals.collect();
        totals.sort();
        assert_eq!(totals, ["Eingang Süd Tür 1 1 0", door, "gate side 0 1", "yard way 1 1"], "{version}");
        let crossings = |source| reader.crossings(source, EVER).unwrap().len();
        assert_eq!(["gate", "yard", "Eingang Süd"].map(crossings), [6, 4, 1], "{version}");
        assert_eq!(reader.scenes().unwrap().len(), usize::from(version >= 4), "{version}");
        assert_eq!(reader.deletions().unwrap().len(), usize::from(version >= 5), "{version}");
        let said = reader.judgments(i64::MIN, i64::MAX).unwrap().len();
        assert_eq!(said, if version >= 6 { 2 } else { 0 }, "{version}");
        let done = reader.actions(i64::MIN, i64::MAX, 9).unwrap().len();
        assert_eq!(done, if version >= 7 { 2 } else { 0 }, "{version}");
        let inside: Vec<i64> = reader.corrections(EVER).unwrap().iter().map(|one| one.after).collect();
        assert_eq!(inside, if version >= 9 { vec![5, 0] } else { vec![] }, "{version}");
        drop(reader);
        // A second opening changes nothing.
        let once = content(&open(&path).unwrap());
        assert_eq!(content(&open(&path).unwrap()), once, "{version}");
    }
}

#[test]
fn an_upgrade_that_cannot_be_finished_leaves_the_ledger_as_it_was() {
    for version in 1..8 {
        let (_dir, path) = earlier(version);
        // The step to version 8 fails, after those before it.
        let older = Connection::open(&path).unwrap();
        older.execute_batch("CREATE VIEW schedules AS SELECT 1").unwrap();
        let before = (shape(&older), content(&older));
        drop(older);
        assert!(open(&path).is_err());
        let older = Connection::open(&path).unwrap();
        assert_eq!(number(&older, "PRAGMA user_version"), version, "the version before opens it still");
        assert_eq!((shape(&older), content(&older)), before);
    }
}

#[test]
fn a_copy_from_before_the_upgrade_is_the_way_back_and_goes_after_a_month() {
    use std::os::unix::fs::PermissionsExt as _;

    let (dir, path) = earlier(7);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    // What a killed program left, and the copy of an upgrade long ago.
    fs::write(dir.path().join("ledger.sqlite-copy"), "half").unwrap();
    fs::write(copies::copy_of(&path, 3), "").unwrap();
    let before = content(&Connection::open(&path).unwrap());
    drop(open(&path).unwrap());
    let copy = dir.path().join("ledger.v7.sqlite");
    let older = Connection::open(&copy).unwrap();
    assert_eq!(number(&older, "PRAGMA user_version"), 7);
    assert_eq!(content(&older), before);
    drop(older);
    let made = fs::metadata(&copy).unwrap();
    assert_eq!(made.permissions().mode() & 0o777, 0o640, "nobody reads it who may not read the ledger");
    assert!(!copies::copy_of(&path, 3).exists() && !dir.path().join("ledger.sqlite-copy").exists());
    let day = Duration::from_hours(24);
    let made = made.modified().unwrap();
    drop(open(&path).unwrap());
    copies::expire(&path, made + 29 * day, None);
    assert!(copy.exists());
    copies::expire(&path, made + 29 * day, Some(30 * day));
    assert!(copy.exists());
    copies::expire(&path, made + 3 * day, Some(2 * day));
    assert!(!copy.exists(), "it holds crossings for no longer than the ledger");
}
