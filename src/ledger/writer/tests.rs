use std::{path::PathBuf, time::SystemTime};

use super::{rows::read_totals, *};

/// A writer that has opened a ledger in this folder, and the path of that ledger.
fn opened(folder: &tempfile::TempDir) -> (Writer, PathBuf) {
    let options = LedgerOptions::new(folder.path());
    let path = options.path.clone();
    let lock = Lock::take(&path).expect("lock");
    let mut writer = Writer::new(options, Arc::default(), lock, Disk::start("disk-test").expect("a disk"));
    writer.open();
    (writer, path)
}

fn crossing(track: u64) -> Event {
    let kind = EventKind::Crossing {
        line: "door".into(),
        direction: Direction::In,
        track,
        time: 0.0,
        confidence: 1.0,
    };
    Event::new(SystemTime::now(), "cam", kind)
}

fn now(seconds: i64) -> Moment {
    Moment { wall: 1_790_000_000_000 + seconds * 1000, uptime: seconds * 1000 }
}

#[test]
fn that_a_source_is_watched_is_noted_at_once_and_then_with_every_heartbeat() {
    let folder = tempfile::tempdir().expect("folder");
    let (mut writer, path) = opened(&folder);
    assert!(writer.commit());
    let frames = |writer: &mut Writer, seconds: i64| {
        writer.watching.frames("cam".into(), seconds.unsigned_abs(), now(seconds));
        assert!(writer.commit());
    };
    let until = || -> i64 {
        let connection = Connection::open(&path).expect("open");
        connection.query_row("SELECT to_ms FROM watches", [], |row| row.get(0)).expect("watched")
    };
    frames(&mut writer, 1);
    assert_eq!(until(), now(1).wall);
    frames(&mut writer, 2);
    assert_eq!(until(), now(1).wall);
    writer.last_heartbeat -= HEARTBEAT;
    frames(&mut writer, 3);
    assert_eq!(until(), now(3).wall);
}

#[test]
fn totals_are_taken_once_however_often_the_disk_refuses_the_session() {
    let folder = tempfile::tempdir().expect("folder");
    let (mut before, path) = opened(&folder);
    before.take(1, now(1), &Arc::new(crossing(1)));
    assert!(before.commit());
    drop(before);
    let change = |sql: &str| Connection::open(&path).expect("open").execute_batch(sql).expect("changed");
    change("CREATE TRIGGER full BEFORE INSERT ON sessions BEGIN SELECT RAISE(FAIL, 'disk full'); END");
    let (mut writer, _) = opened(&folder);
    assert!(!writer.commit() && !writer.commit(), "nothing can be written");
    change("DROP TRIGGER full");
    assert!(writer.commit());
    let totals = read_totals(&Connection::open(&path).expect("open")).expect("totals");
    assert_eq!(totals, [("cam".into(), "door".into(), 1, 0)]);
}

#[test]
fn a_commit_that_could_not_be_confirmed_is_made_again_and_doubles_nothing() {
    let folder = tempfile::tempdir().expect("folder");
    let (mut writer, path) = opened(&folder);
    for sequence in 1..=3 {
        writer.take(sequence, now(1), &Arc::new(crossing(sequence)));
    }
    let reset = Event { kind: EventKind::Reset, source: "other".into(), ..crossing(0) };
    writer.take(4, now(1), &Arc::new(reset));
    writer.try_commit().expect("written");
    // As if the answer had been lost: all rows still wait. Once over the same connection, once over a new one.
    writer.take(5, now(1), &Arc::new(crossing(5)));
    writer.try_commit().expect("written again");
    writer.connection = None;
    assert!(writer.commit());
    let count = |what: &str| -> i64 {
        let connection = Connection::open(&path).expect("open");
        connection.query_row(&format!("SELECT COUNT(*) FROM {what}"), [], |row| row.get(0)).expect("count")
    };
    assert_eq!((count("crossings"), count("resets"), count("sessions")), (4, 1, 1));
    let totals = read_totals(&Connection::open(&path).expect("open")).expect("totals");
    assert_eq!(totals, [("cam".into(), "door".into(), 4, 0)]);
    assert!(writer.rows.is_empty());
}
