//! How many are inside of what several doors lead into: against the truth of the demo scenes, over kills and restarts, and
//! corrected by a person.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "support/service.rs"]
mod service;

use std::{
    collections::BTreeMap,
    path::Path,
    process::Command,
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime},
};

use parking_lot::Mutex;
use pcount::{
    config::{AreaConfig, DemoSpec, DetectorChoice, ParallelConfig, SourceConfig, SourceSpec},
    engine::{Control, Engine, EngineApi as _, EngineOptions, Sink},
    internals::{
        ledger::{FILE_NAME, LedgerOptions, Reader, reader::Span},
        outputs::ledger::Ledger,
        source::demo::Demo,
    },
    model::{
        AreaEvent, AreaLine, CorrectionReason, Direction, Event, EventKind, LineConfig, SourceKind,
        TaskResult,
    },
};
use serde_json::{Value, json};
use service::{PROGRAM, Service, camera, config, until, write};

const WAIT: Duration = Duration::from_mins(2);

const EVER: Span = Span { from: i64::MIN, to: i64::MAX };

/// The doors: a scene each, and how the area has it.
const DOORS: [(&str, &str, bool); 4] = [
    ("north", "lobby?seed=1&seconds=40", false),
    ("east", "street?seed=2&seconds=40", true),
    ("south", "corridor?seed=3&seconds=40", false),
    ("west", "plaza?seed=1&seconds=40", true),
];

fn area(lines: Vec<AreaLine>) -> AreaConfig {
    AreaConfig { name: "hall".into(), lines, threshold: None, reset: None, capacity: Some(120) }
}

fn line(text: &str) -> AreaLine {
    AreaLine::parse(text).unwrap()
}

/// How near to the line somebody is on it, in frame heights: in these scenes people stop with their middle right on it, and which
/// side that is nobody can say.
const ON_THE_LINE: f32 = 0.02;

/// Most seconds between the moment of a crossing and the moment at which the drawn person is across.
const APART: f64 = 0.5;

/// People who went in and out of the scene within its first `seconds`, over a line that is `lower` by so much.
fn truth_below(scene: &str, seconds: f64, lower: f32) -> (u64, u64) {
    let spec: DemoSpec = scene.parse().unwrap();
    let frames = (seconds.max(0.0) * spec.fps) as u64;
    let mut line = LineConfig::default();
    (line.a[1], line.b[1]) = (line.a[1] + lower, line.b[1] + lower);
    Demo::new(&spec, SourceKind::Video).truth(&[line], frames)[0]
}

/// People who went in and out of the scene within its first `seconds`.
fn truth(scene: &str, seconds: f64) -> (u64, u64) {
    truth_below(scene, seconds, 0.0)
}

/// What is wrong with the moments of the crossings of a scene.
///
/// A crossing has the time at which the person passed the line. It is decided later, at the latest when they walk on, and others
/// may have been counted meanwhile: in the order of decisions, one may seem to come early.
fn wrong_moments(scene: &str, crossings: &[(f64, Direction)]) -> Vec<String> {
    let mut crossings = crossings.to_vec();
    crossings.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut wrong = Vec::new();
    let mut counts = (0, 0);
    for (time, direction) in crossings {
        let (above, below) =
            (truth_below(scene, time - APART, -ON_THE_LINE), truth_below(scene, time - APART, ON_THE_LINE));
        if counts.0 < below.0 || counts.1 < above.1 {
            wrong.push(format!("before {time:.1} s: {counts:?}, true {below:?}, {above:?}"));
        }
        match direction {
            Direction::In => counts.0 += 1,
            Direction::Out => counts.1 += 1,
        }
        let (above, below) =
            (truth_below(scene, time + APART, -ON_THE_LINE), truth_below(scene, time + APART, ON_THE_LINE));
        if counts.0 > above.0 || counts.1 > below.1 {
            wrong.push(format!("at {time:.1} s: {counts:?}, true {above:?}, {below:?}"));
        }
    }
    wrong
}

/// Compares the number inside with the crossings at each of them.
#[derive(Clone, Default)]
struct Watch {
    engine: Arc<OnceLock<Engine>>,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    crossings: BTreeMap<String, Vec<(f64, Direction)>>,
    inside: i64,
    wrong: Vec<String>,
}

impl Sink for Watch {
    fn result(&mut self, _: &Arc<TaskResult>) {}

    fn event(&mut self, event: &Arc<Event>) {
        let EventKind::Crossing { direction, time, .. } = &event.kind else { return };
        let mut seen = self.seen.lock();
        let (.., turned) = DOORS.iter().find(|(id, ..)| **id == *event.source).unwrap();
        seen.crossings.entry(event.source.to_string()).or_default().push((*time, *direction));
        seen.inside += if (*direction == Direction::In) == *turned { -1 } else { 1 };
        let shown = self.engine.get().unwrap().snapshot().areas[0].inside;
        if shown != seen.inside {
            let (id, inside) = (&event.source, seen.inside);
            let said = format!("{id} at {time:.1} s: {shown} inside, {inside} by the crossings");
            seen.wrong.push(said);
        }
    }
}

#[test]
fn the_number_inside_an_area_of_four_doors_is_the_truth_at_every_moment() {
    let lines =
        DOORS.iter().map(|(id, _, turned)| line(&format!("{}{id}/*", if *turned { "!" } else { "" })));
    let settings = ParallelConfig {
        detector: DetectorChoice::Motion,
        areas: vec![area(lines.collect())],
        ..ParallelConfig::default()
    };
    let watch = Watch::default();
    let mut options = EngineOptions::new(settings);
    options.sinks.push(Box::new(watch.clone()));
    let engine = Engine::new(options).unwrap();
    let _ = watch.engine.set(engine.clone());
    for (id, scene, _) in DOORS {
        let spec = SourceSpec::Demo(scene.into());
        let source = SourceConfig::new(id, SourceKind::Video, spec);
        engine.add_source(SourceConfig { lines: vec![LineConfig::default()], ..source }).unwrap();
    }
    engine.start().unwrap();
    let begun = std::time::Instant::now();
    while !engine.is_over() {
        assert!(begun.elapsed() < Duration::from_mins(10), "the scenes do not end");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(engine.sync(WAIT));
    let snapshot = engine.snapshot();
    engine.stop(WAIT);
    let seen = watch.seen.lock();
    let crossings_of = |id: &str| seen.crossings.get(id).map(Vec::as_slice).unwrap_or_default();
    let count =
        |id: &str, way| crossings_of(id).iter().filter(|(_, direction)| *direction == way).count() as u64;
    let counted: Vec<_> =
        DOORS.iter().map(|(id, ..)| (count(id, Direction::In), count(id, Direction::Out))).collect();
    let all_true: Vec<_> = DOORS.iter().map(|(_, scene, _)| truth(scene, 1e9)).collect();
    assert_eq!(counted, all_true, "{:?}", seen.wrong);
    assert_eq!(seen.wrong, Vec::<String>::new());
    for (id, scene, _) in DOORS {
        assert_eq!(wrong_moments(scene, crossings_of(id)), Vec::<String>::new(), "{id}");
    }
    let signed = |(_, scene, turned): &(&str, &str, bool)| {
        let (total_in, total_out) = truth(scene, 1e9);
        let net = total_in as i64 - total_out as i64;
        if *turned { -net } else { net }
    };
    let inside: i64 = DOORS.iter().map(signed).sum();
    let crossings = |(_, scene, _): &(&str, &str, bool)| {
        let (total_in, total_out) = truth(scene, 1e9);
        total_in + total_out
    };
    let all: u64 = DOORS.iter().map(crossings).sum();
    assert!(all > 20, "{all} crossings say little");
    let shown = &snapshot.areas[0];
    assert_eq!((shown.inside, shown.total_in + shown.total_out), (inside, all));
}

fn crossing(source: &str, direction: Direction, track: u64) -> Event {
    let kind = EventKind::Crossing { line: "door".into(), direction, track, time: 0.0, confidence: 1.0 };
    Event::new(SystemTime::now(), source, kind)
}

fn happened(event: AreaEvent) -> Event {
    Event::new(SystemTime::now(), "hall", EventKind::Area(event))
}

fn corrected(before: i64, after: i64, total_in: u64, reason: CorrectionReason) -> Event {
    let who = if reason == CorrectionReason::Person { "anna" } else { "" };
    happened(AreaEvent::Corrected { before, after, total_in, total_out: 0, reason, who: who.into() })
}

#[test]
fn the_ledger_goes_on_with_the_number_inside_and_has_each_correction_among_the_crossings() {
    let dir = tempfile::tempdir().unwrap();
    let start = || Ledger::start(LedgerOptions::new(dir.path())).unwrap();
    let ledger = start();
    assert!(ledger.areas().is_empty());
    let lines = vec![line("gate/*"), line("!gate/back"), line("!yard/door")];
    ledger.record(happened(AreaEvent::Lines { lines: lines.clone() }));
    for track in 0..4 {
        ledger.record(crossing("gate", Direction::In, track));
    }
    ledger.record(crossing("yard", Direction::In, 9));
    ledger.record(crossing("elsewhere", Direction::In, 9));
    ledger.record(corrected(3, 12, 4, CorrectionReason::Person));
    ledger.record(crossing("yard", Direction::Out, 10));
    ledger.record(crossing("gate", Direction::Out, 11));
    ledger.record(crossing("gate", Direction::Out, 12));
    assert!(ledger.sync(WAIT));
    drop(ledger);

    let ledger = start();
    let [hall] = &ledger.areas()[..] else { panic!("{:?}", ledger.areas()) };
    assert_eq!((hall.base, hall.total_in, hall.total_out), (12, 1, 2));
    assert_eq!((&hall.lines, &hall.corrections, hall.reset), (&lines, &vec![], None));
    ledger.record(corrected(11, 0, 1, CorrectionReason::Reset));
    ledger.record(crossing("gate", Direction::In, 13));
    assert!(ledger.sync(WAIT));
    drop(ledger);

    let reader = Reader::open(&dir.path().join(FILE_NAME)).unwrap();
    let hall = &reader.areas().unwrap()[0];
    assert_eq!((hall.base, hall.total_in, hall.total_out), (0, 1, 0));
    assert!(hall.reset.is_some());
    assert_eq!(hall.corrections, [(11, 0, 1)], "before the first correction nobody knew the number");
    let found = reader.corrections(EVER).unwrap();
    let found: Vec<_> = found.iter().map(|it| (it.before, it.after, it.reason, &*it.who)).collect();
    let (person, reset) = (CorrectionReason::Person, CorrectionReason::Reset);
    assert_eq!(found, [(3, 12, person, "anna"), (11, 0, reset, "")]);
    let quarters = reader.area_quarters(EVER).unwrap();
    let sum = quarters.iter().fold((0, 0), |(i, o), it| (i + it.total_in, o + it.total_out));
    let high = quarters.iter().map(|it| it.high).max();
    assert_eq!((sum, high), ((6, 3), Some(13)));
}

#[test]
fn the_numbers_of_areas_are_brought_over_from_a_damaged_ledger() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(FILE_NAME);
    let ledger = Ledger::start(LedgerOptions::new(dir.path())).unwrap();
    ledger.record(happened(AreaEvent::Lines { lines: vec![line("gate/*")] }));
    ledger.record(crossing("gate", Direction::In, 1));
    ledger.record(corrected(1, 5, 1, CorrectionReason::Person));
    ledger.record(crossing("gate", Direction::In, 2));
    assert!(ledger.sync(WAIT));
    drop(ledger);
    let known = |reader: &Reader| {
        let (areas, corrections) = (reader.areas().unwrap(), reader.corrections(EVER).unwrap());
        (areas, corrections, reader.area_quarters(EVER).unwrap())
    };
    let before = known(&Reader::open(&path).unwrap());
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[..100].fill(b'x');
    std::fs::write(&path, &bytes).unwrap();
    let ledger = Ledger::start(LedgerOptions::new(dir.path())).unwrap();
    assert_eq!(ledger.areas(), before.0);
    assert!(ledger.sync(WAIT));
    drop(ledger);
    assert_eq!(known(&Reader::open(&path).unwrap()), before);
}

fn inside(service: &Service) -> Value {
    service.snapshot()["areas"][0].clone()
}

#[test]
fn a_person_corrects_the_number_and_a_program_that_was_killed_goes_on_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut written = config(&[camera("gate"), camera("yard")]);
    written["parallel_config"]["areas"] =
        json!([{ "name": "hall", "lines": ["gate/*", "!yard/*"], "capacity": 120, "threshold": 100 }]);
    let service = Service::start(dir.path(), &written);
    until("the area is there", || service.told(&["area"]).starts_with("hall: ").then_some(()));
    service.told(&["pause", "--all"]);
    assert_eq!(service.ctl(&["area", "attic", "set", "1"]).status.code(), Some(1));
    service.told(&["area", "hall", "set", "112"]);
    assert!(service.told(&["area"]).starts_with("hall: 112 of 120, in 0, out 0 since "));
    let area = inside(&service);
    assert_eq!((&area["inside"], &area["is_over"]), (&json!(112), &json!(true)));
    assert!(service.told(&["status"]).contains("Area hall: Inside: 112 of 120"));
    assert!(service.told(&["actions"]).contains("corrected"));
    // It is in the ledger within a second; then nothing is asked before the end.
    let ledger = dir.path().join("out").join(FILE_NAME);
    until("it is in the ledger", || {
        let found = Reader::open(&ledger).ok()?.corrections(EVER).ok()?;
        (found.len() == 1 && found[0].after == 112).then_some(())
    });
    service.told(&["resume", "--all"]);
    until("somebody crosses", || {
        let area = inside(&service);
        (area["total_in"].as_u64()? + area["total_out"].as_u64()? > 0).then_some(())
    });
    service.told(&["pause", "--all"]);
    let before = until("all is written", || {
        let (shown, record) = (inside(&service), Reader::open(&ledger).ok()?.areas().ok()?);
        let record = record.into_iter().next()?;
        let kept = record.base + record.total_in as i64 - record.total_out as i64;
        (shown["inside"] == json!(kept)).then_some(kept)
    });
    service.kill();
    written["cameras"].as_array_mut().unwrap().iter_mut().for_each(|camera| camera["enabled"] = json!(false));
    let service = Service::start(dir.path(), &written);
    until("the engine to answer", || service.ctl(&["status"]).status.success().then_some(()));
    until("the area is there", || (inside(&service)["inside"] == json!(before)).then_some(()));
    service.told(&["stop"]);

    let output = Command::new(PROGRAM)
        .args(["report", "--since", "1d", "--format", "html", "--config", "cams.json"])
        .current_dir(dir.path())
        .output()
        .unwrap();
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(page.contains("By area") && page.contains("hall"), "{page}");
}

/// What was counted into and out of the area since its last correction, one crossing at a time, and the number that it had then:
/// of `gate`, whose `in` leads in, and `yard`, whose `in` leads out.
fn by_crossings(ledger: &Path) -> Option<i64> {
    let connection =
        rusqlite::Connection::open_with_flags(ledger, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).ok()?;
    let query = "WITH last AS (SELECT session, seq, after FROM corrections ORDER BY session DESC, seq DESC LIMIT 1) \
        SELECT COALESCE((SELECT after FROM last), 0) + COALESCE((SELECT \
            SUM(CASE source WHEN 'gate' THEN direction ELSE -direction END) FROM crossings \
            WHERE NOT EXISTS (SELECT 1 FROM last) OR (session, seq) > (SELECT session, seq FROM last)), 0)";
    connection.query_row(query, [], |row| row.get(0)).ok()
}

#[test]
fn killed_at_any_moment_while_people_cross_the_number_inside_is_that_of_the_crossings_in_the_ledger() {
    let dir = tempfile::tempdir().unwrap();
    let mut written = config(&[camera("gate"), camera("yard")]);
    written["parallel_config"]["areas"] = json!([{ "name": "hall", "lines": ["gate/*", "!yard/*"] }]);
    let ledger = dir.path().join("out").join(FILE_NAME);
    let mut random = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos() as u64 | 1;
    println!("seed {random}");
    let mut service = Service::start(dir.path(), &written);
    until("a ledger", || by_crossings(&ledger));
    let mut kept_over_a_kill = 0;
    for round in 0..10 {
        if round % 3 == 1 {
            // Also just before a kill: it is in the ledger, or it is not.
            service.told(&["area", "hall", "set", "40"]);
        }
        let crossed = |service: &Service| {
            let area = inside(service);
            area["total_in"].as_u64().unwrap() + area["total_out"].as_u64().unwrap()
        };
        let before = crossed(&service);
        until("somebody crosses", || (crossed(&service) > before).then_some(()));
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        std::thread::sleep(Duration::from_millis(random % 2_000));
        service.kill();
        let left = by_crossings(&ledger).unwrap();
        // Killed before its first commit it has left neither area nor crossings.
        let record = Reader::open(&ledger).unwrap().areas().unwrap().into_iter().next().unwrap_or_default();
        let kept = record.base + record.total_in as i64 - record.total_out as i64;
        assert_eq!(kept, left, "round {round}: what was committed together");
        kept_over_a_kill += record.total_in + record.total_out;

        service = Service::again(dir.path());
        until("the engine to answer", || service.ctl(&["pause", "--all"]).status.success().then_some(()));
        let mut last = (Value::Null, None);
        until("the number is that of the crossings", || {
            last = (inside(&service)["inside"].clone(), by_crossings(&ledger));
            (last.1.is_some() && last.0.as_i64() == last.1).then_some(())
        });
        service.told(&["resume", "--all"]);
    }
    assert!(kept_over_a_kill > 5, "{kept_over_a_kill} crossings say little");
    service.told(&["stop"]);
}

#[test]
fn areas_come_change_and_go_while_the_sources_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut wanted = config(&[camera("gate"), camera("yard")]);
    let area = |name: &str, lines: &[&str], threshold: u64| {
        let mut area = json!({ "name": name, "lines": lines });
        area["threshold"] = json!(threshold);
        area
    };
    wanted["parallel_config"]["areas"] = json!([area("hall", &["gate/*"], 500)]);
    let service = Service::start(dir.path(), &wanted);
    let numbers = |service: &Service| -> BTreeMap<String, (i64, bool)> {
        let snapshot = service.snapshot();
        let areas = snapshot["areas"].as_array().unwrap().iter();
        let number = |area: &Value| (area["inside"].as_i64().unwrap(), area["is_over"] == json!(true));
        areas.map(|area| (area["name"].as_str().unwrap().to_owned(), number(area))).collect()
    };
    let frames = |service: &Service| {
        let snapshot = service.snapshot();
        let sources = snapshot["sources"].as_array().unwrap().iter();
        let frames = |source: &Value| (source["frames"].as_u64().unwrap(), source["reconnects"].clone());
        sources.map(frames).collect::<Vec<_>>()
    };
    let mut seen = Vec::new();
    let mut goes_on = |service: &Service| {
        // A source that was opened again would count its frames from the beginning.
        until("the sources go on", || {
            let now = frames(service);
            let goes_on = |((frames, reconnects), before): (&(u64, Value), &(u64, Value))| {
                *frames > before.0 && *reconnects == before.1
            };
            let all = now.len() == 2 && now.iter().zip(&seen).all(goes_on);
            all.then(|| seen = now)
        });
    };
    until("the area", || (numbers(&service).len() == 1).then_some(()));
    goes_on(&service);
    service.told(&["area", "hall", "set", "400"]);

    // One comes, one gets another threshold and a line.
    wanted["parallel_config"]["areas"] =
        json!([area("hall", &["gate/*", "yard/*"], 100), area("court", &["yard/*"], 500)]);
    let change = |wanted: &Value| {
        write(dir.path(), &wanted.to_string());
        service.told(&["reload"]);
    };
    change(&wanted);
    let now = until("both areas", || Some(numbers(&service)).filter(|numbers| numbers.len() == 2));
    assert!(now["hall"].1 && now["hall"].0 > 300, "the number stays, the threshold is the new one: {now:?}");
    assert!(now["court"].0.abs() < 100, "a new area begins at 0: {now:?}");
    goes_on(&service);

    // One goes and comes back with its number.
    wanted["parallel_config"]["areas"] = json!([area("court", &["yard/*"], 500)]);
    change(&wanted);
    let now = until("one area", || Some(numbers(&service)).filter(|numbers| numbers.len() == 1));
    assert!(now.contains_key("court"), "{now:?}");
    goes_on(&service);
    wanted["parallel_config"]["areas"] = json!([area("hall", &["gate/*"], 500)]);
    change(&wanted);
    let now = until("the other", || Some(numbers(&service)).filter(|numbers| numbers.contains_key("hall")));
    assert!(now["hall"].0 > 300 && !now["hall"].1, "{now:?}");
    goes_on(&service);
    service.told(&["stop"]);
}

#[test]
fn the_report_has_the_steps_of_an_area_in_text_json_and_html_and_the_csv_has_none() {
    let dir = tempfile::tempdir().unwrap();
    let mut written = config(&[camera("gate")]);
    written["parallel_config"]["timezone"] = json!("Europe/Berlin");
    std::fs::write(dir.path().join("cams.json"), written.to_string()).unwrap();
    let out = dir.path().join("out");
    let ledger = Ledger::start(LedgerOptions::new(&out)).unwrap();
    let at = |moment: &str| SystemTime::from(moment.parse::<jiff::Timestamp>().unwrap());
    let cross = |moment: &str, direction, count: u64| {
        for track in 0..count {
            ledger.record(Event::new(at(moment), "gate", crossing("gate", direction, track).kind));
        }
    };
    let lines = AreaEvent::Lines { lines: vec![line("gate/*")] };
    ledger.record(Event::new(at("2026-03-09T08:00:00Z"), "hall", EventKind::Area(lines)));
    cross("2026-03-09T09:00:00Z", Direction::In, 5);
    cross("2026-03-09T22:30:00Z", Direction::Out, 2);
    // In Berlin the next day has begun.
    cross("2026-03-09T23:30:00Z", Direction::In, 4);
    assert!(ledger.sync(WAIT));
    drop(ledger);
    let report = |by: &str, format: &str| {
        let output = Command::new(PROGRAM)
            .args(["report", "--config", "cams.json", "--since", "2026-03-09", "--until", "2026-03-11"])
            .args(["--by", by, "--format", format])
            .current_dir(dir.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let rows = |by: &str| -> Vec<(String, u64, u64, i64)> {
        let report: Value = serde_json::from_str(&report(by, "json")).unwrap();
        let rows = report["areas"][0]["rows"].as_array().unwrap().iter();
        let number = |row: &Value, name: &str| row[name].as_u64().unwrap();
        rows.map(|row| {
            let start = row["start"].as_str().unwrap()[..16].to_owned();
            (start, number(row, "in"), number(row, "out"), row["highest"].as_i64().unwrap())
        })
        .collect()
    };
    let of = |row: (&str, u64, u64, i64)| (row.0.to_owned(), row.1, row.2, row.3);
    assert_eq!(rows("day"), [("2026-03-09T00:00", 5, 2, 5), ("2026-03-10T00:00", 4, 0, 7)].map(of));
    assert_eq!(
        rows("hour"),
        [("2026-03-09T10:00", 5, 0, 5), ("2026-03-09T23:00", 0, 2, 5), ("2026-03-10T00:00", 4, 0, 7)].map(of)
    );
    let text = report("day", "table");
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let text: Vec<_> = text.lines().map(words).collect();
    for row in [["2026-03-09", "5", "2", "5"], ["2026-03-10", "4", "0", "7"]] {
        assert!(text.iter().any(|line| *line == row), "{row:?} in {text:?}");
    }
    let page = report("day", "html");
    assert!(page.contains("highest number inside by day") && page.contains("2026-03-10"), "{page}");
    assert!(!report("day", "csv").contains("hall"), "its columns are a contract");
}

#[test]
fn an_engine_refuses_a_number_that_is_none_of_people_and_a_source_with_the_name_of_an_area() {
    let settings = ParallelConfig {
        detector: DetectorChoice::Motion,
        areas: vec![area(vec![line("gate/*")])],
        ..ParallelConfig::default()
    };
    let engine = Engine::new(EngineOptions::new(settings)).unwrap();
    engine.start().unwrap();
    until("the area is there", || engine.snapshot().areas.first().map(drop));
    let set = |inside| {
        let control = Control::SetArea { area: "hall".into(), inside, who: String::new() };
        engine.send(control).wait(WAIT).unwrap()
    };
    for absurd in [u64::MAX, i64::MAX.unsigned_abs(), 1_000_001] {
        let refused = set(absurd).unwrap_err().to_string();
        assert_eq!(refused, format!("{absurd} people cannot be inside an area; at most 1000000 can"));
    }
    set(1_000_000).unwrap();
    assert_eq!(engine.snapshot().areas[0].inside, 1_000_000);
    // Its events would be taken for those of the area.
    let spec = SourceSpec::Demo("lobby?seed=1".parse().unwrap());
    let refused = engine.add_source(SourceConfig::new("hall", SourceKind::Camera, spec));
    assert!(refused.unwrap_err().to_string().starts_with("there is an area 'hall'"));
    engine.stop(WAIT);
}
