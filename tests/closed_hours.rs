//! Opening hours in the ledger: reports leave out what was not watched on purpose.
#![allow(clippy::expect_used, reason = "a helper of a test may fail it")]

use std::{fs, path::Path, sync::Arc, time::Duration};

use jiff::{Timestamp, tz::TimeZone};
use pcount::{
    internals::{
        clock::{Clock, ManualClock},
        ledger::{
            FILE_NAME, LedgerOptions, Reader,
            chart::{Width, columns},
            html,
            reader::Span,
            render,
            report::{PeriodCounts, Query, Report, Step, report},
        },
        outputs::ledger::Ledger,
    },
    model::{Direction, Event, EventKind, FrameInfo, ResultStatus, StateKind, TaskResult},
};

const WAIT: Duration = Duration::from_mins(2);
const HOUR: Duration = Duration::from_hours(1);

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn start(dir: &Path, clock: &Arc<ManualClock>) -> Ledger {
    let options = LedgerOptions { clock: Arc::clone(clock) as _, ..LedgerOptions::new(dir) };
    Ledger::start(options).expect("a ledger")
}

fn tell(ledger: &Ledger, clock: &ManualClock, kind: EventKind) {
    ledger.record(Event::new(clock.wall(), "shop", kind));
}

fn hours(schedule: Option<&str>) -> EventKind {
    EventKind::Schedule { schedule: schedule.map(str::to_owned), timezone: "UTC".into() }
}

fn running() -> EventKind {
    EventKind::State { state: StateKind::Running, error: None }
}

/// Watches the shop for `time`, a frame every five seconds; `frames` were handled before.
fn watch(ledger: &Ledger, clock: &ManualClock, time: Duration, frames: &mut u64) {
    for step in 0..=time.as_secs() / 5 {
        if step > 0 {
            clock.advance(Duration::from_secs(5));
        }
        *frames += 1;
        ledger.output().result(&Arc::new(TaskResult {
            worker_id: String::new(),
            task_id: String::new(),
            camera_id: "shop".into(),
            timestamp: String::new(),
            fps: 0.2,
            total_in: 0,
            total_out: 0,
            current_count: 0,
            frame_info: FrameInfo { frame_count: *frames, total_detections: 0 },
            errors: Vec::new(),
            status: ResultStatus::Success,
        }));
    }
    assert!(ledger.sync(WAIT));
}

fn asked(dir: &Path, since: &str, until: &str, by: Step) -> Report {
    let reader = Reader::open(&dir.join(FILE_NAME)).expect("a reader");
    let query = Query { since: at(since), until: at(until), by, timezone: TimeZone::UTC, source: None };
    report(&reader, &query).expect("a report")
}

/// A shop that is open for two hours on working days: watched all the time on Friday, and half of it on Monday. The program
/// does not run at the weekend.
fn weekend(dir: &Path) {
    let clock = Arc::new(ManualClock::default());
    clock.set_wall(at("2026-12-04T00:00:00Z").into());
    let mut frames = 0;
    let ledger = start(dir, &clock);
    tell(&ledger, &clock, hours(Some("Mon-Fri 08:00-10:00")));
    clock.advance(HOUR * 8);
    tell(&ledger, &clock, running());
    let line = "door".to_owned();
    tell(
        &ledger,
        &clock,
        EventKind::Crossing { line, direction: Direction::In, track: 1, time: 0.0, confidence: 1.0 },
    );
    watch(&ledger, &clock, HOUR * 2, &mut frames);
    drop(ledger);
    clock.set_wall(at("2026-12-07T07:00:00Z").into());
    let ledger = start(dir, &clock);
    tell(&ledger, &clock, hours(Some("Mon-Fri 08:00-10:00")));
    clock.advance(HOUR * 2);
    tell(&ledger, &clock, running());
    watch(&ledger, &clock, HOUR, &mut frames);
}

#[test]
fn a_shop_that_was_watched_while_it_was_open_is_covered_and_its_other_days_are_closed() {
    let dir = tempfile::tempdir().expect("folder");
    weekend(dir.path());
    let found = asked(dir.path(), "2026-12-04T00:00:00Z", "2026-12-08T00:00:00Z", Step::Day);
    let shop = &found.sources[0];
    let days: Vec<_> = shop.rows.iter().map(|row| (row.total_in, row.coverage, row.is_closed())).collect();
    assert_eq!(days, [(1, 1.0, false), (0, 1.0, true), (0, 1.0, true), (0, 0.5, false)]);
    assert!((shop.coverage - 0.75).abs() < 1e-9, "{}", shop.coverage);
    assert!((shop.closed - 92.0 / 96.0).abs() < 1e-9, "{}", shop.closed);
    let gaps: Vec<_> = shop.gaps.iter().map(|gap| (gap.from.to_string(), gap.to.to_string())).collect();
    assert_eq!(gaps, [("2026-12-07T08:00:00+00:00".to_owned(), "2026-12-07T09:00:00+00:00".to_owned())]);

    let table = render::table(&found);
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert!(lines.contains(&vec!["2026-12-05", "closed"]), "{table}");
    assert!(table.contains("of the time by its opening hours"), "{table}");
    assert!(!table.contains("not watching from 2026-12-05"), "{table}");
    let csv = render::csv(&found);
    assert!(csv.lines().next().is_some_and(|head| head.ends_with("peak_occupancy,coverage,closed")), "{csv}");
    assert!(csv.lines().nth(2).is_some_and(|row| row.ends_with(",1.0000,1.0000")), "{csv}");
    let json = serde_json::to_value(&found).expect("json");
    assert_eq!(json["sources"][0]["closed_times"].as_array().map(Vec::len), Some(4 - 1));
    assert_eq!(
        serde_json::from_value::<Report>(json).expect("a report").sources[0].closed_times,
        shop.closed_times
    );
    let html = html::page(&html::Page {
        report: &found,
        before: None,
        place: None,
        name: &str::to_owned,
        notices: &[],
    });
    assert!(html.contains(">closed<") && !html.contains("colspan=\"3\">not watched"), "{html}");
}

#[test]
fn hours_of_a_day_are_closed_in_charts_and_no_rows_of_a_report() {
    let dir = tempfile::tempdir().expect("folder");
    weekend(dir.path());
    let found = asked(dir.path(), "2026-12-04T00:00:00Z", "2026-12-05T00:00:00Z", Step::Hour);
    let rows: Vec<_> =
        found.sources[0].rows.iter().map(|row| (row.start.shown("%H"), row.coverage)).collect();
    assert_eq!(rows, [("08".to_owned(), 1.0), ("09".to_owned(), 1.0)]);
    let reader = Reader::open(&dir.path().join(FILE_NAME)).expect("a reader");
    let now = at("2026-12-04T11:30:00Z");
    for (width, count, expected) in [
        (Width::Hour, 5, vec![(true, false), (false, true), (false, true), (true, false), (true, false)]),
        (Width::Minute, 2, vec![(true, false), (true, false)]),
    ] {
        let columns = columns(&reader, &"shop".into(), width, count, now, &TimeZone::UTC).expect("columns");
        let kinds: Vec<_> = columns.iter().map(|column| (column.closed, column.counted.is_some())).collect();
        assert_eq!(kinds, expected, "{width:?}");
    }
}

#[test]
fn hours_that_were_taken_away_count_as_open_from_then_on_and_survive_a_damaged_file() {
    let dir = tempfile::tempdir().expect("folder");
    weekend(dir.path());
    let path = dir.path().join(FILE_NAME);
    let clock = Arc::new(ManualClock::default());
    clock.set_wall(at("2026-12-08T00:00:00Z").into());
    let ledger = start(dir.path(), &clock);
    tell(&ledger, &clock, running());
    assert!(ledger.sync(WAIT));
    drop(ledger);
    let closed = || {
        let reader = Reader::open(&path).expect("a reader");
        let span = |text| at(text).as_millisecond();
        let span = Span { from: span("2026-12-06T00:00:00Z"), to: span("2026-12-10T00:00:00Z") };
        let spans = reader.closed("shop", span, &TimeZone::UTC).expect("hours");
        spans.iter().map(|span| (span.to - span.from) / 3_600_000).collect::<Vec<_>>()
    };
    assert_eq!(closed(), [32, 14], "until Monday at 8, and from 10 to the end of Monday");
    let mut bytes = fs::read(&path).expect("read");
    bytes[..100].fill(b'x');
    fs::write(&path, &bytes).expect("write");
    drop(start(dir.path(), &clock));
    assert_eq!(closed(), [32, 14]);
}

#[test]
fn a_source_that_has_been_closed_since_its_first_start_is_in_the_report_as_closed() {
    let dir = tempfile::tempdir().expect("folder");
    let clock = Arc::new(ManualClock::default());
    clock.set_wall(at("2026-12-05T00:00:00Z").into());
    let ledger = start(dir.path(), &clock);
    tell(&ledger, &clock, hours(Some("Mon-Fri 08:00-10:00")));
    assert!(ledger.sync(WAIT));
    drop(ledger);
    let found = asked(dir.path(), "2026-12-05T00:00:00Z", "2026-12-07T00:00:00Z", Step::Day);
    let table = render::table(&found);
    assert!(table.contains("shop") && found.sources[0].rows.iter().all(PeriodCounts::is_closed), "{table}");
    assert_eq!((found.sources[0].rows.len(), found.sources[0].gaps.len()), (2, 0));
}
