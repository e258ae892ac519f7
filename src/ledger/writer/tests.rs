use std::{path::PathBuf, time::SystemTime};

use super::{rows::read_totals, *};
use crate::clock::{Clock as _, ManualClock};

/// A writer that has opened a ledger in this folder, and the path of that ledger.
fn opened(folder: &tempfile::TempDir) -> (Writer, PathBuf) {
    opened_with(LedgerOptions::new(folder.path()))
}

fn opened_with(options: LedgerOptions) -> (Writer, PathBuf) {
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

fn now(seconds: i64) -> ClockReading {
    ClockReading { wall: 1_790_000_000_000 + seconds * 1000, uptime: seconds * 1000 }
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

const HOUR: Duration = Duration::from_hours(1);

/// Runs the writer for `time` with nothing to do but its own work.
fn idle(writer: &mut Writer, clock: &ManualClock, time: Duration) {
    const STEP: Duration = Duration::from_mins(1);
    for _ in 0..time.as_secs() / STEP.as_secs() {
        clock.advance(STEP);
        // A heartbeat, then the work beside it.
        writer.work(true);
        writer.work(true);
    }
}

#[test]
fn days_of_heartbeats_retention_and_set_clocks_pass_without_waiting() {
    let folder = tempfile::tempdir().expect("folder");
    let clock = Arc::new(ManualClock::default());
    let (mut writer, path) = opened_with(LedgerOptions {
        clock: Arc::clone(&clock) as _,
        retention: Some(24 * HOUR * 30),
        ..LedgerOptions::new(folder.path())
    });
    writer.begin();
    let value = |query: &str| -> i64 {
        let connection = Connection::open(&path).expect("open");
        connection.query_row(query, [], |row| row.get(0)).expect("a value")
    };
    let crossings = || value("SELECT COUNT(*) FROM crossings");
    for (track, age) in [(1, 40), (2, 10)] {
        let event = Event { wall: clock.wall() - 24 * HOUR * age, ..crossing(track) };
        writer.event(&Arc::new(event), clock.wall(), clock.uptime());
    }
    idle(&mut writer, &clock, 2 * HOUR);
    let silent = millis(clock.wall()) - value("SELECT last_seen_ms FROM sessions");
    assert!((0..=120_000).contains(&silent), "the last heartbeat was {silent} ms ago");

    clock.set_wall(clock.wall() + HOUR);
    idle(&mut writer, &clock, 23 * HOUR);
    assert_eq!(crossings(), 2, "it has not been steady for a day since it was set");
    assert!(writer.shared.status.lock().notices[0].starts_with("The clock was set from"));

    idle(&mut writer, &clock, 4 * HOUR);
    assert_eq!(crossings(), 1, "what is older than a month goes");
    assert_eq!(value("SELECT total_in FROM totals"), 2, "the totals stay");
}
