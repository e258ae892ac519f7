use super::*;

/// The tables of the version before sums, as it made them.
const SECOND: &str = "
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
    CREATE TABLE totals (
        source TEXT NOT NULL,
        line TEXT NOT NULL,
        total_in INTEGER NOT NULL,
        total_out INTEGER NOT NULL,
        PRIMARY KEY (source, line)
    ) STRICT, WITHOUT ROWID;
    PRAGMA user_version = 2;";

fn ledger(dir: &tempfile::TempDir, sql: &str) -> PathBuf {
    let path = dir.path().join("ledger.sqlite");
    Connection::open(&path).expect("open").execute_batch(sql).expect("SQL");
    path
}

fn one(connection: &Connection, query: &str) -> i64 {
    connection.query_row(query, [], |row| row.get(0)).expect("a number")
}

#[test]
fn a_ledger_of_the_version_before_keeps_every_row_and_its_totals() {
    let dir = tempfile::tempdir().expect("folder");
    let rows = "
        INSERT INTO sessions VALUES (1, 1000, 9000, 9000, 'v', ''), (2, 10000, 90000000, NULL, 'v', '');
        INSERT INTO crossings VALUES
            (1, 'a', 1, 'door', 1, 2000, 10, 0, 1, 1), (1, 'a', 3, 'door', 1, 3000, 11, 0, 1, 1),
            (2, 'a', 1, 'door', -1, 910000, 12, 0, 1, 1), (1, 'b', 2, 'gate', 1, 2000, 10, 0, 1, 1);
        INSERT INTO resets VALUES (1, 'a', 2, 2500);
        INSERT INTO watches VALUES (1, 'a', 1000, 8000);
        INSERT INTO totals VALUES ('a', 'door', 1, 1), ('b', 'gate', 1, 0);";
    let path = ledger(&dir, &format!("{SECOND}{rows}"));
    let mut connection = open(&path).expect("open");
    for (table, rows) in [("sessions", 2), ("crossings", 4), ("resets", 1), ("watches", 1), ("totals", 2)] {
        assert_eq!(one(&connection, &format!("SELECT COUNT(*) FROM {table}")), rows, "{table}");
    }
    while crate::ledger::sums::sum_more(&mut connection, 1).expect("summed") > 0 {}
    assert_eq!(one(&connection, "SELECT total_in FROM quarters WHERE source = 'a' AND quarter = 0"), 2);
    assert_eq!(one(&connection, "SELECT total_out FROM quarters WHERE source = 'a' AND quarter = 1"), 1);
    let flow = "SELECT reset * 1000 + net * 100 + before * 10 + after FROM occupancy WHERE source = 'a'";
    assert_eq!(one(&connection, &format!("{flow} AND quarter = 0")), 1111, "in, reset, in");
    assert_eq!(one(&connection, "SELECT COUNT(*) FROM summing"), 0);
    assert_eq!(
        one(&connection, "SELECT ran_ms FROM clock"),
        8000 + 89_990_000,
        "the clock was right so long"
    );
}

#[test]
fn a_filled_ledger_from_before_areas_keeps_every_row_and_counts_areas_from_then_on() {
    let dir = tempfile::tempdir().expect("folder");
    let path = dir.path().join(crate::ledger::FILE_NAME);
    let older = open(&path).expect("a new one");
    older.execute_batch(schema::WITHOUT_AREAS).expect("before areas");
    let rows = "DROP TABLE schedules;
        INSERT INTO sessions VALUES (1, 1000, 9000, 9000, 'v', '');
        INSERT INTO crossings VALUES
            (1, 'gate', 1, 'door', 1, 2000, 10, 0, 1, 1), (1, 'gate', 2, 'door', 1, 3000, 11, 0, 1, 1);
        INSERT INTO actions (wall_ms, who, came_from, what) VALUES (2000, 'anna', 'ctl', 'paused');
        PRAGMA user_version = 7;";
    older.execute_batch(rows).expect("version 7");
    let tables = ["sessions", "crossings", "resets", "watches", "totals", "quarters", "actions"];
    let rows_of = |connection: &Connection| {
        tables.map(|table| one(connection, &format!("SELECT COUNT(*) FROM {table}")))
    };
    let before = rows_of(&older);
    drop(older);
    let connection = open(&path).expect("open");
    assert_eq!(one(&connection, "PRAGMA user_version"), schema::KNOWN);
    assert_eq!(rows_of(&connection), before);
    assert_eq!(one(&connection, "SELECT COUNT(*) FROM areas"), 0);
    // Who crossed before there was an area is in none.
    let more = "INSERT INTO areas VALUES ('hall', 0, 0, 0, 5000, NULL);
        INSERT INTO area_lines VALUES ('hall', 'gate', '*', 1);
        INSERT INTO crossings VALUES (1, 'gate', 3, 'door', 1, 6000, 12, 0, 1, 1);";
    connection.execute_batch(more).expect("counted");
    assert_eq!(one(&connection, "SELECT base + total_in - total_out FROM areas"), 1);
    assert_eq!(one(&connection, "SELECT SUM(high) FROM area_quarters"), 1);
}

#[test]
fn one_that_lost_its_number_is_known_by_its_tables() {
    let dir = tempfile::tempdir().expect("folder");
    let path = ledger(&dir, &SECOND.replace("user_version = 2", "user_version = 0"));
    drop(open(&path).expect("open"));
    let connection = open(&path).expect("open again");
    assert_eq!(one(&connection, "PRAGMA user_version"), schema::KNOWN);
}

#[test]
fn a_newer_one_another_programs_and_one_without_a_table_are_told_in_one_sentence() {
    for (sql, said) in [
        ("PRAGMA user_version = 99", "newer version of the program (schema 99"),
        ("CREATE TABLE mails (text)", "another program's database"),
        ("DROP TABLE totals", "its table 'totals' is missing"),
    ] {
        let dir = tempfile::tempdir().expect("folder");
        let path = if sql.starts_with("CREATE") {
            ledger(&dir, sql)
        } else {
            ledger(&dir, &format!("{SECOND}{sql}"))
        };
        let before = fs::read(&path).expect("read");
        for error in [open(&path).err(), open_read_only(&path).err()] {
            let error = error.expect("refused").to_string();
            assert!(error.contains(said) && error.contains("ledger.sqlite"), "{error}");
        }
        assert_eq!(fs::read(&path).expect("read"), before, "it is left alone");
    }
}

#[test]
fn damage_is_told_from_other_errors() {
    let dir = tempfile::tempdir().expect("folder");
    let path = dir.path().join("ledger.sqlite");
    assert!(matches!(open_read_only(&path), Err(LedgerError::Missing { .. })));
    fs::write(&path, "this is no database, but it is long enough to be one").expect("write");
    assert!(open(&path).is_err_and(|error| error.is_damage()));
    let aside = set_aside(&path, SystemTime::now()).expect("set aside");
    assert!(aside.exists() && !path.exists());
    assert!(open(&path).is_ok());
    let error = open(dir.path()).expect_err("a folder");
    assert!(!error.is_damage() && error.to_string().contains("a folder has its name"), "{error}");
}

#[test]
fn the_advice_fits_the_reason() {
    let dir = tempfile::tempdir().expect("folder");
    let file = dir.path().join("file");
    fs::write(&file, "").expect("write");
    let said = |path: PathBuf| open(&path).expect_err("refused").to_string();
    assert!(said(file.join("ledger.sqlite")).contains("is no folder"));
    assert!(said("/proc/nothing/ledger.sqlite".into()).contains("folder"));
    let path = ledger(&dir, SECOND);
    let other = Connection::open(&path).expect("open");
    other.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").expect("lock");
    let error = open(&path).expect_err("held");
    assert!(error.is_busy() && error.to_string().contains("another program holds it"), "{error}");
}
