//! What survives restarts, crashes and failing disks, and what reports say of it.
#![allow(clippy::expect_used, reason = "a helper of a test may fail it")]

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use jiff::{Timestamp, civil::date, tz::TimeZone};
use pcount::{
    internals::{
        clock::ManualClock,
        ledger::{
            self, FILE_NAME, Forward, LedgerError, LedgerOptions, Reader,
            local_time::LocalTime,
            note_judgment,
            reader::Span,
            render,
            report::{Query, Report, Step, parse_moment, report},
        },
        outputs::ledger::Ledger,
    },
    model::{
        Crossed, Direction, Doubt, Event, EventKind, FrameInfo, Judgment, LineCounts, ResultStatus, Scene,
        StateKind, TaskResult, Verdict,
    },
};

const WAIT: Duration = Duration::from_mins(2);

fn crossing_at(wall: SystemTime, source: &str, line: &str, direction: Direction, track: u64) -> Event {
    let kind =
        EventKind::Crossing { line: line.into(), direction, track, time: track as f64, confidence: 0.75 };
    Event::new(wall, source, kind)
}

fn crossing(source: &str, line: &str, direction: Direction, track: u64) -> Event {
    crossing_at(SystemTime::now(), source, line, direction, track)
}

fn reset(source: &str) -> Event {
    Event::new(SystemTime::now(), source, EventKind::Reset)
}

fn state(wall: SystemTime, source: &str, state: StateKind) -> Event {
    Event::new(wall, source, EventKind::State { state, error: None })
}

/// As it is written.
fn text(time: &LocalTime) -> &'static str {
    time.to_string().leak()
}

fn counts(name: &str, total_in: u64, total_out: u64) -> LineCounts {
    LineCounts { name: name.into(), total_in, total_out }
}

fn start(dir: &Path) -> Ledger {
    Ledger::start(LedgerOptions::new(dir)).expect("a ledger")
}

/// Sends on what the ledger passes on.
fn passed_on(sender: crossbeam_channel::Sender<Arc<Event>>) -> Forward {
    Arc::new(move |event| drop(sender.send(Arc::clone(event))))
}

fn reader(dir: &Path) -> Reader {
    Reader::open(&dir.join(FILE_NAME)).expect("a reader")
}

const EVER: Span = Span { from: i64::MIN, to: i64::MAX };

fn tracks(dir: &Path, source: &str) -> Vec<u64> {
    reader(dir).crossings(source, EVER).expect("crossings").iter().map(|entry| entry.track).collect()
}

#[test]
fn totals_go_on_after_a_restart_and_every_crossing_is_there_once() {
    let dir = tempfile::tempdir().expect("folder");
    let ledger = start(dir.path());
    assert!(ledger.totals().is_empty());
    ledger.record(crossing("a", "door", Direction::In, 1));
    ledger.record(crossing("a", "door", Direction::In, 2));
    ledger.record(crossing("a", "gate", Direction::Out, 3));
    let last = ledger.record(crossing("b", "door", Direction::Out, 4));
    assert!(ledger.sync(WAIT));
    assert_eq!(ledger.durable_seq(), last);
    assert_eq!(ledger.status(), ledger::LedgerStatus::default());
    drop(ledger);

    let ledger = start(dir.path());
    let expected = vec![
        ("a".into(), vec![counts("door", 2, 0), counts("gate", 0, 1)]),
        ("b".into(), vec![counts("door", 0, 1)]),
    ];
    assert_eq!(ledger.totals(), expected);
    ledger.record(crossing("a", "door", Direction::Out, 1));
    drop(ledger);
    assert_eq!(tracks(dir.path(), "a"), [1, 2, 3, 1]);
    let totals = reader(dir.path()).totals().expect("totals");
    assert_eq!(totals[0].1[0], counts("door", 2, 1));
    let entries = reader(dir.path()).crossings("a", EVER).expect("crossings");
    assert_eq!((entries[0].session, entries[3].session), (1, 2));
    assert_eq!(
        (entries[1].line.as_str(), entries[1].direction, entries[1].source_time),
        ("door", Direction::In, 2.0)
    );
    assert!(entries[0].monotonic <= entries[2].monotonic);
}

#[test]
fn what_is_known_of_a_scene_goes_on_after_a_restart_and_doubts_are_reported() {
    let scene = |doubt: &str, sum: f64| -> Scene {
        let learnt = serde_json::json!({ "detector": "d", "aspect": 1.5, "heights": [sum], "gains": [0.3] });
        let scene =
            serde_json::json!({ "doubt": doubt, "heights": [0.1, 0.2], "scale": 2.0, "learnt": learnt });
        serde_json::from_value(scene).expect("a scene")
    };
    let dir = tempfile::tempdir().expect("folder");
    let ledger = start(dir.path());
    assert!(ledger.scenes().is_empty());
    for (source, doubt, sum) in [("a", "small", 1.0), ("b", "small", 2.0), ("a", "crowded", 3.0)] {
        ledger.record(Event::new(SystemTime::now(), source, EventKind::Scene(scene(doubt, sum))));
    }
    ledger.record(crossing("a", "door", Direction::In, 1));
    ledger.record(crossing("c", "door", Direction::In, 1));
    drop(ledger);
    let known = vec![("a".into(), scene("crowded", 3.0)), ("b".into(), scene("small", 2.0))];
    assert_eq!(start(dir.path()).scenes(), known);
    let now = Timestamp::now();
    let query = Query {
        since: now - Duration::from_mins(1),
        until: now + Duration::from_mins(1),
        by: Step::Day,
        timezone: TimeZone::UTC,
        source: None,
    };
    let answer = report(&reader(dir.path()), &query).expect("a report");
    let doubts: Vec<_> =
        answer.sources.iter().map(|source| (source.camera_id.as_str(), source.doubt)).collect();
    assert_eq!(doubts, [("a", Some(Doubt::Crowded)), ("c", None)]);
    let table = render::table(&answer);
    let note = "not to be relied upon: people hide one another; about 1 crossing in 5 is likely to be wrong";
    assert_eq!(table.matches("not to be relied upon").count(), 1, "{table}");
    assert!(table.contains(note) && table.ends_with("\nNot to be relied upon in it: a\n"), "{table}");
    assert!(render::json(&answer).contains(r#""doubt":"crowded""#));
}

#[test]
fn resets_and_fresh_begin_at_zero_and_keep_the_crossings() {
    let dir = tempfile::tempdir().expect("folder");
    let ledger = start(dir.path());
    for source in ["a", "b", "film"] {
        ledger.record(crossing(source, "door", Direction::In, 1));
    }
    ledger.record(reset("a"));
    ledger.record(crossing("a", "door", Direction::Out, 2));
    drop(ledger);
    let options =
        LedgerOptions { reset: vec!["film".into(), "new".into()], ..LedgerOptions::new(dir.path()) };
    let ledger = Ledger::start(options).expect("a ledger");
    assert_eq!(
        ledger.totals(),
        [("a".into(), vec![counts("door", 0, 1)]), ("b".into(), vec![counts("door", 1, 0)])]
    );
    drop(ledger);
    let fresh = LedgerOptions { fresh: true, ..LedgerOptions::new(dir.path()) };
    assert!(Ledger::start(fresh).expect("a ledger").totals().is_empty());
    assert!(start(dir.path()).totals().is_empty());
    assert_eq!(tracks(dir.path(), "a"), [1, 2]);
}

#[test]
fn events_are_passed_on_only_when_they_are_on_disk_and_in_order() {
    let dir = tempfile::tempdir().expect("folder");
    let (sender, lines) = crossbeam_channel::unbounded();
    let options = LedgerOptions { forward: Some(passed_on(sender)), ..LedgerOptions::new(dir.path()) };
    let ledger = Ledger::start(options).expect("a ledger");
    for track in 0..500 {
        ledger.record(crossing("a", "door", Direction::In, track));
        ledger.record(state(SystemTime::now(), "b", StateKind::Stalled));
    }
    for track in 0..500 {
        let event = lines.recv_timeout(WAIT).expect("an event");
        assert!(matches!(event.kind, EventKind::Crossing { track: passed, .. } if passed == track));
        assert!(ledger.durable_seq() > track * 2, "printed before it was durable");
        let event = lines.recv_timeout(WAIT).expect("an event");
        assert!(matches!(event.kind, EventKind::State { .. }));
    }
    assert_eq!(tracks(dir.path(), "a").len(), 500, "what was passed on is on disk before the end");
}

#[test]
fn a_damaged_ledger_is_set_aside_and_counting_goes_on() {
    let dir = tempfile::tempdir().expect("folder");
    drop(start(dir.path()));
    fs::write(dir.path().join(FILE_NAME), "not a database, but long enough to look at for one")
        .expect("write");
    let ledger = start(dir.path());
    ledger.record(crossing("a", "door", Direction::In, 1));
    assert!(ledger.sync(WAIT));
    let status = ledger.status();
    assert!(status.notices[0].contains("damaged") && status.notices[0].contains("set aside"), "{status:?}");
    assert_eq!(tracks(dir.path(), "a"), [1]);
    let aside = fs::read_dir(dir.path())
        .expect("folder")
        .filter(|entry| entry.as_ref().is_ok_and(|e| e.file_name().to_string_lossy().contains(".damaged-")));
    assert_eq!(aside.count(), 1);
}

#[test]
fn a_ledger_deleted_under_us_is_begun_anew_with_the_totals() {
    let dir = tempfile::tempdir().expect("folder");
    let ledger = start(dir.path());
    ledger.record(crossing("a", "door", Direction::In, 1));
    assert!(ledger.sync(WAIT));
    for name in [FILE_NAME, "ledger.sqlite-wal", "ledger.sqlite-shm"] {
        let _ = fs::remove_file(dir.path().join(name));
    }
    ledger.record(crossing("a", "door", Direction::In, 2));
    assert!(ledger.sync(WAIT));
    drop(ledger);
    assert_eq!(start(dir.path()).totals(), [("a".into(), vec![counts("door", 2, 0)])]);
    assert_eq!(tracks(dir.path(), "a"), [2]);
}

#[test]
fn crossings_wait_while_the_disk_refuses_and_are_written_when_it_is_back() {
    let dir = tempfile::tempdir().expect("folder");
    let results = dir.path().join("results");
    drop(start(&results));
    // A file where the folder should be refuses even root.
    fs::rename(&results, dir.path().join("away")).expect("rename");
    fs::write(&results, "").expect("write");
    let (sender, lines) = crossbeam_channel::unbounded();
    let options = LedgerOptions { forward: Some(passed_on(sender)), ..LedgerOptions::new(&results) };
    let ledger = Ledger::start(options).expect("a ledger");
    for track in 0..10 {
        ledger.record(crossing("a", "door", Direction::In, track));
    }
    assert!(!ledger.sync(WAIT));
    let status = ledger.status();
    assert_eq!((status.waiting, status.lost, ledger.unsaved()), (10, 0, 10));
    assert!(status.problem.is_some_and(|problem| problem.contains("crossings wait in memory")));
    assert_eq!(ledger.durable_seq(), 0);
    assert_eq!(lines.try_iter().count(), 10, "who listens hears of them all the same");
    fs::remove_file(&results).expect("remove");
    fs::rename(dir.path().join("away"), &results).expect("rename");
    assert!(ledger.sync(WAIT));
    assert_eq!(ledger.unsaved(), 0);
    assert_eq!(ledger.status(), ledger::LedgerStatus::default());
    drop(ledger);
    assert_eq!(tracks(&results, "a"), (0..10).collect::<Vec<_>>());
    assert_eq!(start(&results).totals(), [("a".into(), vec![counts("door", 10, 0)])]);
}

#[test]
fn only_one_writes_and_others_may_read() {
    let dir = tempfile::tempdir().expect("folder");
    let ledger = start(dir.path());
    let second = Ledger::start(LedgerOptions::new(dir.path()));
    assert!(matches!(second, Err(LedgerError::Busy { .. })));
    ledger.record(crossing("a", "door", Direction::In, 1));
    assert!(ledger.sync(WAIT));
    assert_eq!(reader(dir.path()).sources().expect("sources"), ["a".into()]);
    drop(ledger);
    drop(start(dir.path()));
}

const DAY: Duration = Duration::from_hours(24);

/// A ledger whose clock is moved by the test.
fn with_clock(dir: &Path, clock: &Arc<ManualClock>, retention: Option<Duration>) -> Ledger {
    let options = LedgerOptions { clock: Arc::clone(clock) as _, retention, ..LedgerOptions::new(dir) };
    Ledger::start(options).expect("a ledger")
}

/// A result of source `a`, which has handled so many frames.
fn watched(ledger: &Ledger, frame_count: u64) {
    ledger.output().result(&Arc::new(TaskResult {
        worker_id: String::new(),
        task_id: String::new(),
        camera_id: "a".into(),
        timestamp: String::new(),
        fps: 0.2,
        total_in: 0,
        total_out: 0,
        current_count: 0,
        frame_info: FrameInfo { frame_count, total_detections: 0 },
        errors: Vec::new(),
        status: ResultStatus::Success,
    }));
}

/// Watches source `a` for `time`, a frame every five seconds, the first one at once.
fn watch(ledger: &Ledger, clock: &ManualClock, time: Duration) {
    static FRAMES: AtomicU64 = AtomicU64::new(0);
    let frames = || FRAMES.fetch_add(1, Ordering::SeqCst) + 1;
    watched(ledger, frames());
    for step in 0..time.as_secs() / 5 {
        clock.advance(Duration::from_secs(5));
        watched(ledger, frames());
        // Faster than the writer for days would overflow the queue, which is not what is tested here.
        if step % 10_000 == 0 {
            assert!(ledger.sync(WAIT));
        }
    }
    assert!(ledger.sync(WAIT));
}

fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let begun = std::time::Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < WAIT, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Crossings of forty and of ten days ago.
fn old_and_new(dir: &Path, clock: &Arc<ManualClock>) {
    let ledger = with_clock(dir, clock, None);
    let now = pcount::internals::clock::Clock::wall(clock.as_ref());
    ledger.record(crossing_at(now - DAY * 40, "a", "door", Direction::In, 1));
    ledger.record(crossing_at(now - DAY * 10, "a", "door", Direction::In, 2));
}

#[test]
fn old_crossings_go_once_the_clock_has_been_steady_for_a_day_and_the_totals_stay() {
    let dir = tempfile::tempdir().expect("folder");
    let clock = Arc::new(ManualClock::default());
    old_and_new(dir.path(), &clock);
    // It need not be one run.
    for _ in 0..3 {
        let ledger = with_clock(dir.path(), &clock, Some(DAY * 30));
        watch(&ledger, &clock, DAY / 4);
        assert_eq!(tracks(dir.path(), "a"), [1, 2], "not by a clock that may be wrong");
    }
    let ledger = with_clock(dir.path(), &clock, Some(DAY * 30));
    watch(&ledger, &clock, DAY);
    eventually("removed", || tracks(dir.path(), "a") == [2]);
    assert!(ledger.status().notices[0].contains("removes 1 of 2 crossings"), "{:?}", ledger.status());
    assert_eq!(ledger.totals(), [("a".into(), vec![counts("door", 2, 0)])]);
}

#[test]
fn a_clock_that_jumps_for_four_seconds_removes_nothing_and_is_told() {
    let dir = tempfile::tempdir().expect("folder");
    let clock = Arc::new(ManualClock::default());
    old_and_new(dir.path(), &clock);
    let ledger = with_clock(dir.path(), &clock, Some(DAY * 90));
    watch(&ledger, &clock, DAY * 2);
    let right = pcount::internals::clock::Clock::wall(clock.as_ref());
    clock.set_wall(right + DAY * 400);
    watch(&ledger, &clock, Duration::from_secs(5));
    // Long enough for the thread to do what it would.
    std::thread::sleep(Duration::from_millis(2500));
    clock.set_wall(right + Duration::from_secs(5));
    watch(&ledger, &clock, DAY / 2);
    assert_eq!(tracks(dir.path(), "a"), [1, 2]);
    let notices = ledger.status().notices;
    assert!(notices.len() == 2 && notices[0].starts_with("The clock was set from"), "{notices:?}");
    let query = Query {
        since: Timestamp::try_from(right - DAY).expect("a time"),
        until: Timestamp::try_from(right + DAY / 4).expect("a time"),
        by: Step::Hour,
        timezone: TimeZone::UTC,
        source: None,
    };
    let answer = report(&reader(dir.path()), &query).expect("a report");
    assert_eq!(answer.clock_changes.len(), 2, "{:?}", answer.clock_changes);
    assert!(render::table(&answer).contains("The clock was set from"));
    let missed = 10.0 / (DAY / 4 + DAY).as_secs_f64();
    assert!(answer.sources[0].coverage > 1.0 - 1.5 * missed, "{}", answer.sources[0].coverage);
}

#[test]
fn only_what_was_watched_is_watched_when_a_wrong_clock_is_set_right() {
    let dir = tempfile::tempdir().expect("folder");
    let clock = Arc::new(ManualClock::default());
    let right = moment("2026-03-14T12:00:00Z");
    clock.set_wall(SystemTime::from(right) - DAY * 10);
    let ledger = with_clock(dir.path(), &clock, None);
    watch(&ledger, &clock, Duration::from_mins(10));
    clock.set_wall(right.into());
    watch(&ledger, &clock, Duration::from_mins(10));
    // An hour back: the chart goes on.
    clock.set_wall(SystemTime::from(right) - Duration::from_hours(1));
    watch(&ledger, &clock, Duration::from_mins(5));
    ledger.record(crossing_at(
        pcount::internals::clock::Clock::wall(clock.as_ref()),
        "a",
        "door",
        Direction::In,
        1,
    ));
    assert!(ledger.sync(WAIT));
    let seconds = |reader: &Reader| -> i64 {
        reader.watched("a", EVER).expect("watched").iter().map(|span| span.length() / 1000).sum()
    };
    assert_eq!(seconds(&reader(dir.path())), 1500);
    let now = Timestamp::try_from(pcount::internals::clock::Clock::wall(clock.as_ref())).expect("a time");
    let columns = |width| {
        let reader = reader(dir.path());
        ledger::chart::columns(&reader, &"a".into(), width, 5, now, &TimeZone::UTC).expect("columns")
    };
    let last =
        |width| columns(width).last().and_then(|column| column.counted).map(|counted| counted.total_in);
    assert_eq!(last(ledger::chart::Width::Minute), Some(1));
    assert_eq!(last(ledger::chart::Width::Hour), Some(1));
    drop(ledger);
    // Nine days in which it did not run.
    clock.advance(DAY * 9);
    let ledger = with_clock(dir.path(), &clock, None);
    watch(&ledger, &clock, Duration::from_secs(100));
    assert_eq!(seconds(&reader(dir.path())), 1600);
}

#[test]
fn a_suspended_machine_is_a_gap() {
    let dir = tempfile::tempdir().expect("folder");
    let clock = Arc::new(ManualClock::default());
    let ledger = with_clock(dir.path(), &clock, None);
    watch(&ledger, &clock, Duration::from_mins(1));
    clock.advance(Duration::from_secs(45));
    watch(&ledger, &clock, Duration::from_mins(1));
    let watched = reader(dir.path()).watched("a", EVER).expect("watched");
    assert_eq!(watched.iter().map(|span| span.length()).collect::<Vec<_>>(), [60_000, 60_000]);
    assert_eq!(watched[1].from - watched[0].to, 45_000);
    assert_eq!(ledger.status(), ledger::LedgerStatus::default(), "no clock was set");
}

#[test]
fn values_that_a_database_cannot_hold_are_no_problem() {
    let dir = tempfile::tempdir().expect("folder");
    let ledger = start(dir.path());
    let kind = EventKind::Crossing {
        line: "'; DROP TABLE crossings; --".into(),
        direction: Direction::In,
        track: u64::MAX,
        time: f64::NAN,
        confidence: f32::INFINITY,
    };
    ledger.record(Event::new(SystemTime::UNIX_EPOCH, "ä\0\"", kind));
    assert!(ledger.sync(WAIT));
    drop(ledger);
    assert_eq!(start(dir.path()).totals()[0].1, [counts("'; DROP TABLE crossings; --", 1, 0)]);
}

/// The child of the test below: counts until it is killed.
#[test]
#[ignore = "runs inside the test below"]
fn child_that_counts() {
    let dir = std::env::var("PCOUNT_TEST_LEDGER").expect("the folder of the ledger");
    let (sender, lines) = crossbeam_channel::unbounded();
    let options = LedgerOptions { forward: Some(passed_on(sender)), ..LedgerOptions::new(Path::new(&dir)) };
    let ledger = Ledger::start(options).expect("a ledger");
    let base: u64 = ledger.totals().iter().flat_map(|(_, lines)| lines).map(|line| line.total_in).sum();
    println!("\nbase {base}");
    for track in base.. {
        ledger.output().event(&Arc::new(crossing("a", "door", Direction::In, track)));
        for event in lines.try_iter() {
            if let EventKind::Crossing { track, .. } = event.kind {
                println!("printed {track}");
            }
        }
        // Faster than the disk for ever would overflow the queue, which is not what is tested here.
        while track - base > ledger.durable_seq() + 10_000 {
            std::thread::yield_now();
        }
    }
}

#[test]
fn a_kill_loses_nothing_that_was_shown_and_doubles_nothing() {
    let dir = tempfile::tempdir().expect("folder");
    let mut shown = BTreeSet::new();
    for round in 0..12 {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--ignored", "--exact", "child_that_counts", "--nocapture"])
            .env("PCOUNT_TEST_LEDGER", dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        // A different moment each time; what is still in the pipe after the kill was shown as well.
        let mut left = 1 + round * 211;
        for line in lines {
            let Ok(line) = line else { break };
            if let Some(track) = line.strip_prefix("printed ") {
                // A number cut off by the kill is a smaller number, which was shown as well.
                shown.extend(track.parse::<u64>());
                left -= 1;
                if left == 0 {
                    child.kill().expect("kill");
                }
            }
        }
        child.wait().expect("the end");
    }
    let on_disk = tracks(dir.path(), "a");
    let unique: BTreeSet<_> = on_disk.iter().copied().collect();
    assert_eq!(unique.len(), on_disk.len(), "a crossing is there twice");
    assert!(shown.is_subset(&unique), "{:?}", shown.difference(&unique).next());
    assert!(shown.len() > 1_000, "{}", shown.len());
    let total = start(dir.path()).totals()[0].1[0].total_in;
    assert_eq!(total, on_disk.len() as u64);
}

/// Middle European time by rule, so that no time zone database is needed.
fn berlin() -> TimeZone {
    TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a time zone")
}

fn moment(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn wall(text: &str) -> SystemTime {
    moment(text).into()
}

fn query(since: &str, until: &str, by: Step) -> Query {
    Query { since: moment(since), until: moment(until), by, timezone: berlin(), source: None }
}

/// Two days round the night in which clocks go forward (2024-03-31, 02:00 to 03:00 in Berlin).
fn spring(dir: &Path) {
    let clock = Arc::new(ManualClock::default());
    clock.set_wall(wall("2024-03-30T21:00:00Z"));
    let ledger = with_clock(dir, &clock, None);
    let at = |time, direction| {
        ledger.record(crossing_at(wall(time), "a", "door", direction, 1));
    };
    at("2024-03-30T22:30:00Z", Direction::In); // 23:30 on the 30th
    at("2024-03-30T23:30:00Z", Direction::In); // 00:30 on the 31st
    at("2024-03-31T00:45:00Z", Direction::In); // 01:45
    at("2024-03-31T01:05:00Z", Direction::In); // 03:05
    at("2024-03-31T01:10:00Z", Direction::Out);
    watch(&ledger, &clock, Duration::from_hours(13)); // until 10:00
    ledger.record(Event::new(wall("2024-03-31T11:00:00Z"), "a", EventKind::Reset));
    clock.advance(Duration::from_mins(90));
    at("2024-03-31T21:59:00Z", Direction::Out); // 23:59 on the 31st
    at("2024-03-31T22:01:00Z", Direction::Out); // 00:01 on the 1st
    watch(&ledger, &clock, Duration::from_hours(11)); // until 22:30
}

#[test]
fn days_follow_the_time_zone_through_a_change_of_clocks() {
    let dir = tempfile::tempdir().expect("folder");
    spring(dir.path());
    let reader = reader(dir.path());
    let day = |day| reader.day("a", date(2024, 3, day), &berlin()).expect("a day");
    assert_eq!(day(30), [counts("door", 1, 0)]);
    assert_eq!(day(31), [counts("door", 3, 2)]);
    let hours = Span::of_day(date(2024, 3, 31), &berlin()).expect("a day").length() / 3_600_000;
    assert_eq!(hours, 23);

    let answer =
        report(&reader, &query("2024-03-30T12:00:00Z", "2024-03-31T23:00:00Z", Step::Day)).expect("a report");
    let rows: Vec<_> = answer.sources[0]
        .rows
        .iter()
        .map(|row| (text(&row.start), row.total_in, row.total_out, row.occupancy, row.peak_occupancy))
        .collect();
    assert_eq!(
        rows,
        [
            ("2024-03-30T00:00:00+01:00", 1, 0, 1, 1),
            ("2024-03-31T00:00:00+01:00", 3, 2, -1, 4),
            ("2024-04-01T00:00:00+02:00", 0, 1, -2, -1),
        ]
    );
}

#[test]
fn hours_occupancy_peak_coverage_and_gaps() {
    let dir = tempfile::tempdir().expect("folder");
    spring(dir.path());
    let answer =
        report(&reader(dir.path()), &query("2024-03-31T00:10:00Z", "2024-03-31T12:00:00Z", Step::Hour))
            .expect("a report");
    let source = &answer.sources[0];
    assert_eq!(text(&answer.since), "2024-03-31T01:00:00+01:00");
    let row = |index: usize| {
        let row = &source.rows[index];
        (text(&row.start), row.total_in, row.total_out, row.occupancy, row.peak_occupancy)
    };
    assert_eq!(row(0), ("2024-03-31T01:00:00+01:00", 1, 0, 3, 3));
    assert_eq!(row(1), ("2024-03-31T03:00:00+02:00", 1, 1, 3, 4), "two o'clock does not exist");
    assert_eq!(source.rows.len(), 11, "the hour in which nobody watched is a gap");
    assert_eq!(row(10), ("2024-03-31T13:00:00+02:00", 0, 0, 0, 0), "after the reset");
    assert!((source.rows[10].coverage - 0.5).abs() < 1e-9);
    assert!((source.coverage - 10.5 / 12.0).abs() < 1e-9);
    assert_eq!(source.gaps.len(), 1);
    assert_eq!(text(&source.gaps[0].from), "2024-03-31T12:00:00+02:00");
    assert_eq!(text(&source.gaps[0].to), "2024-03-31T13:30:00+02:00");
    let peak = source.peak_hour.as_ref().expect("a peak");
    assert_eq!((text(&peak.start), peak.total_in, peak.total_out), ("2024-03-31T03:00:00+02:00", 1, 1));
    assert_eq!((answer.total.total_in, answer.total.total_out, answer.total.net), (2, 1, 1));
}

#[test]
fn a_report_is_printed_as_table_csv_and_json() {
    let dir = tempfile::tempdir().expect("folder");
    spring(dir.path());
    let answer: Report =
        report(&reader(dir.path()), &query("2024-03-31T00:50:00Z", "2024-03-31T01:15:00Z", Step::Quarter))
            .expect("a report");
    assert_eq!(
        render::csv(&answer),
        "camera_id,start,end,in,out,net,occupancy,peak_occupancy,coverage,closed\n\
         a,2024-03-31T01:45:00+01:00,2024-03-31T03:00:00+02:00,1,0,1,3,3,1.0000,0.0000\n\
         a,2024-03-31T03:00:00+02:00,2024-03-31T03:15:00+02:00,1,1,0,3,4,1.0000,0.0000\n"
    );
    assert_eq!(
        render::table(&answer),
        "2024-03-31 01:45 .. 2024-03-31 03:15

a
  from                  in     out     net occupancy   peak  watched
  2024-03-31 01:45       1       0      +1         3      3  100.0 %
  2024-03-31 03:00       1       1      +0         3      4  100.0 %
  total                  2       1      +1         3         100.0 %
  busiest hour: 2024-03-31 03:00 (1 in, 1 out)

Total: In: 2 | Out: 1 | Net: +1
"
    );
    let json: serde_json::Value = serde_json::from_str(&render::json(&answer)).expect("json");
    assert_eq!(json["by"], "15m");
    assert_eq!(json["sources"][0]["rows"][1]["in"], 1);
    assert_eq!(json["total"]["net"], 1);
}

#[test]
fn minutes_for_charts_have_no_holes_and_tell_gaps_from_zeros() {
    let dir = tempfile::tempdir().expect("folder");
    spring(dir.path());
    let span = Span {
        from: moment("2024-03-31T00:44:00Z").as_millisecond(),
        to: moment("2024-03-31T01:11:00Z").as_millisecond(),
    };
    let minutes = reader(dir.path()).minutes("a", span).expect("minutes");
    assert_eq!(minutes.len(), 27);
    assert_eq!((minutes[0].current, minutes[1].total_in, minutes[1].current), (2, 1, 3));
    assert_eq!((minutes[26].total_out, minutes[26].current), (1, 3));
    assert!(minutes.iter().all(|minute| minute.watched));
    let span = Span { from: moment("2024-03-31T10:58:00Z").as_millisecond(), ..span };
    let span = Span { to: moment("2024-03-31T11:32:00Z").as_millisecond(), ..span };
    let minutes = reader(dir.path()).minutes("a", span).expect("minutes");
    let watched: Vec<_> =
        minutes.iter().filter(|minute| minute.watched).map(|minute| minute.minute).collect();
    assert_eq!(watched.len(), 2);
    assert_eq!((minutes[0].current, minutes[33].current), (3, 0));
}

#[test]
fn questions_that_cannot_be_answered_say_why() {
    let dir = tempfile::tempdir().expect("folder");
    spring(dir.path());
    let reader = reader(dir.path());
    let ask = |query: &Query| report(&reader, query).expect_err("refused").to_string();
    let backwards = query("2024-03-31T00:00:00Z", "2024-03-30T00:00:00Z", Step::Day);
    assert!(ask(&backwards).contains("earlier begin"));
    let endless = query("1900-01-01T00:00:00Z", "2024-03-30T00:00:00Z", Step::Quarter);
    assert!(ask(&endless).contains("10000 rows"));
    let unknown = Query {
        source: Some("zzz".into()),
        ..query("2024-03-31T00:00:00Z", "2024-03-31T01:00:00Z", Step::Day)
    };
    assert_eq!(ask(&unknown), "the ledger knows no source 'zzz'; it knows 'a'");
    assert!(matches!(Reader::open(&dir.path().join("none")), Err(LedgerError::Missing { .. })));

    let now = moment("2024-03-31T12:00:00Z");
    let parse = |text| parse_moment(text, now, &berlin());
    assert_eq!(parse("90m").expect("a time"), moment("2024-03-31T10:30:00Z"));
    assert_eq!(parse("2024-03-31").expect("a time"), moment("2024-03-30T23:00:00Z"));
    assert_eq!(parse("2024-03-31T10:00:00+02:00").expect("a time"), moment("2024-03-31T08:00:00Z"));
    assert!(parse("yesterday").expect_err("refused").to_string().contains("'yesterday' is no time"));
}

#[test]
fn judging_beside_counting_holds_up_no_crossing_and_loses_no_judgment() {
    let dir = tempfile::tempdir().expect("folder");
    let ledger = start(dir.path());
    ledger.record(crossing("a", "door", Direction::In, 1));
    assert!(ledger.sync(WAIT));
    let path = dir.path().join(FILE_NAME);
    let judge = |track: u64| Judgment {
        wall: 1,
        crossed: Crossed { wall: 0, source: "a".into(), line: "door".into(), track },
        direction: Direction::In,
        reason: None,
        verdict: Verdict::Wrong,
        weight: None,
        who: "anna".into(),
    };
    std::thread::scope(|scope| {
        for person in 0..2 {
            let (path, judge) = (&path, &judge);
            scope.spawn(move || {
                for number in 0..30 {
                    let noted = note_judgment(path, &judge(person * 100 + number), &ManualClock::default());
                    noted.expect("a judgment");
                }
            });
        }
        for track in 2..=400 {
            ledger.record(crossing("a", "door", Direction::In, track));
            std::thread::sleep(Duration::from_millis(2));
        }
    });
    assert!(ledger.sync(WAIT));
    assert_eq!(ledger.status(), ledger::LedgerStatus::default());
    drop(ledger);
    assert_eq!(tracks(dir.path(), "a"), (1..=400).collect::<Vec<u64>>());
    let mut judged: Vec<u64> =
        reader(dir.path()).judgments(0, 1).expect("judgments").iter().map(|it| it.crossed.track).collect();
    judged.sort_unstable();
    assert_eq!(judged, (0..30).chain(100..130).collect::<Vec<u64>>());
}
