//! Counters never fall while the program runs, and what they say is in the ledger.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{collections::BTreeMap, fs, process::Command};

use serde_json::{Value, json};

use crate::{
    page::{Labels, Page},
    require,
    server::{Server, camera, config, until},
};

const CROSSINGS: &str = "pcount_crossings_total";

/// Two cameras, and a video that ends and is read again.
fn sources(folder: &std::path::Path) -> Value {
    let mut config = config(folder, &[camera("gate"), camera("hall")], false);
    let mut film = camera("film");
    film["video_id"] = film["camera_id"].take();
    film.as_object_mut().unwrap().remove("camera_id");
    film.as_object_mut().unwrap().remove("source");
    film["path"] = json!("demo:corridor?people=4&seed=3&seconds=30");
    config["videos"] = json!([film]);
    config
}

/// All that was counted so far. No series may fall, nor come back lower.
#[derive(Default)]
struct Watched(BTreeMap<(String, Labels), f64>);

impl Watched {
    fn page(&mut self, server: &Server) -> Page {
        let page = Page::of(server);
        for (key, value) in page.counted() {
            let before = self.0.insert(key.clone(), value).unwrap_or_default();
            assert!(value >= before, "{key:?} fell from {before} to {value}");
        }
        page
    }

    fn crossings(&mut self, server: &Server, camera: &str) -> f64 {
        self.page(server).sum(CROSSINGS, ("camera", camera))
    }

    /// Waits until more than `before` crossings were counted at `camera`.
    fn more(&mut self, server: &Server, camera: &str, before: f64) {
        until(&format!("crossings of {camera}"), || (self.crossings(server, camera) > before).then_some(()));
    }

    fn end_of_film(&mut self, server: &Server) {
        let labels = [("camera", "film"), ("state", "Completed")];
        until("the end of the video", || {
            (self.page(server).get("pcount_source_state", &labels) == Some(1.0)).then_some(())
        });
    }

    /// Does what is asked of `camera`, after which more must be counted there.
    fn go_on(&mut self, server: &Server, camera: &str, order: &Value) {
        let before = self.crossings(server, camera);
        control(server, order);
        self.more(server, camera, before);
    }
}

fn control(server: &Server, order: &Value) {
    let answer = server.post("/api/v1/control", order);
    assert!(answer.status < 300, "{order}: {answer:?}");
}

fn shown(server: &Server, camera: &str) -> u64 {
    let source = server.get(&format!("/api/v1/sources/{camera}")).json();
    source["total_in"].as_u64().unwrap() + source["total_out"].as_u64().unwrap()
}

/// Whether every source is paused or over, no worker has anything to do, and nothing has changed from one round of the engine
/// to the next: a pause may still decide crossings.
fn is_still(server: &Server) -> bool {
    let before = server.get("/api/v1/snapshot").json();
    let after = server.get(&format!("/api/v1/snapshot?after={}", before["generation"])).json();
    let ends = |source: &Value| ["Paused", "Completed"].contains(&source["state"]["state"].as_str().unwrap());
    let is_idle = |worker: &Value| worker["source"].is_null();
    before["sources"] == after["sources"]
        && after["sources"].as_array().unwrap().iter().all(ends)
        && after["workers"].as_array().unwrap().iter().all(is_idle)
        && after["queue_pending"] == 0
}

/// Crossings in the ledger, of every source.
fn in_ledger(server: &Server) -> BTreeMap<String, (u64, u64)> {
    let report = server.get("/api/v1/report?since=1d&by=day").json();
    of_report(&report)
}

fn of_report(report: &Value) -> BTreeMap<String, (u64, u64)> {
    let sources = report["sources"].as_array().unwrap().iter();
    let number = |value: &Value| value.as_u64().unwrap();
    sources
        .map(|source| {
            (
                source["camera_id"].as_str().unwrap().to_owned(),
                (number(&source["in"]), number(&source["out"])),
            )
        })
        .collect()
}

#[test]
fn counters_never_fall_and_agree_with_the_ledger() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(dir.path(), &sources(dir.path()));
    let mut watched = Watched::default();
    for source in ["gate", "hall", "film"] {
        watched.more(&server, source, 1.0);
    }
    let before = watched.crossings(&server, "gate");
    control(&server, &json!({ "do": "reset", "source": "gate" }));
    until("the reset", || ((shown(&server, "gate") as f64) < before).then_some(()));
    watched.more(&server, "gate", before);

    watched.end_of_film(&server);
    watched.go_on(&server, "film", &json!({ "do": "restart", "source": "film" }));
    watched.go_on(&server, "hall", &json!({ "do": "restart", "source": "hall" }));

    // Without series while it is away, and no lower when it is back.
    let before = watched.crossings(&server, "hall");
    control(&server, &json!({ "do": "remove", "source": "hall" }));
    until("the removal", || {
        watched.page(&server).get("pcount_frames_total", &[("camera", "hall")]).is_none().then_some(())
    });
    control(&server, &json!({ "do": "add", "entry": camera("hall") }));
    watched.more(&server, "hall", before);

    // A reload that gives the line of a camera another name.
    let mut changed = sources(dir.path());
    changed["cameras"][0]["lines"][0]["name"] = json!("entrance");
    fs::write(dir.path().join("cams.json"), changed.to_string()).unwrap();
    let before = watched.crossings(&server, "gate");
    let reloaded = server.post("/api/v1/reload", &json!({}));
    assert_eq!(reloaded.status, 200, "{reloaded:?}");
    watched.more(&server, "gate", before);
    let page = watched.page(&server);
    let line = |line| page.get(CROSSINGS, &[("camera", "gate"), ("line", line), ("direction", "in")]);
    assert!(line("door").is_some() && line("entrance").is_some(), "{}", page.text);

    // A pause releases the people of a camera, and so decides what is counted of them. Those of a video are released at its end.
    watched.end_of_film(&server);
    control(&server, &json!({ "do": "pause_all" }));
    until("everything to stand still", || is_still(&server).then_some(()));
    // What is counted is in the ledger a moment later.
    let page = until("the ledger", || {
        let page = watched.page(&server);
        (page.get("pcount_ledger_pending_events", &[]) == Some(0.0)).then_some(page)
    });
    let ledger = in_ledger(&server);
    assert_eq!(counted(&page), ledger);
    assert_eq!(ledger.len(), 3);
    assert!(ledger.values().all(|(total_in, total_out)| total_in + total_out >= 3), "{ledger:?}");
    // Shown are the frames since a source was added, counted those since the program started.
    let frames = |camera| {
        let source = server.get(&format!("/api/v1/sources/{camera}")).json();
        let counted = page.get("pcount_frames_total", &[("camera", camera)]).unwrap() as u64;
        (counted, source["frames"].as_u64().unwrap())
    };
    let (gate, gate_shown) = frames("gate");
    assert_eq!(gate, gate_shown);
    let (hall, hall_shown) = frames("hall");
    assert!(hall > hall_shown, "{hall} {hall_shown}");
    // A detection run is one observation, and each frame with one was seen.
    let runs: f64 = ["gate", "hall", "film"]
        .map(|camera| page.sum("pcount_detection_runs_total", ("camera", camera)))
        .iter()
        .sum();
    assert_eq!(page.get("pcount_detection_duration_seconds_count", &[]), Some(runs));
    let ages = page.get("pcount_frame_age_seconds_count", &[]).unwrap();
    assert!(ages >= runs, "{ages} {runs}");

    assert_eq!(server.stop().code(), Some(143));
    let report = Command::new(env!("CARGO_BIN_EXE_pcount-tui"))
        .args(["report", "--output", "out", "--since", "1d", "--by", "day", "--format", "json"])
        .current_dir(dir.path())
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&report.stdout).unwrap();
    assert_eq!(of_report(&report), counted(&page));

    // A new process counts from zero, whatever the totals are.
    let server = Server::start(dir.path(), &sources(dir.path()));
    control(&server, &json!({ "do": "pause_all" }));
    let page = Page::of(&server);
    let sum = page.sum(CROSSINGS, ("camera", "gate"));
    assert!(sum < shown(&server, "gate") as f64, "{sum}");
}

/// What the page says was counted, of every source.
fn counted(page: &Page) -> BTreeMap<String, (u64, u64)> {
    let mut counted: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for ((name, labels), value) in &page.series {
        if name == CROSSINGS {
            let entry = counted.entry(labels["camera"].clone()).or_default();
            let way = if labels["direction"] == "in" { &mut entry.0 } else { &mut entry.1 };
            *way += *value as u64;
        }
    }
    counted
}

/// Holds the lock of the ledger until its standard input ends.
const LOCK: &str = "import sqlite3, sys
ledger = sqlite3.connect('out/ledger.sqlite', isolation_level=None)
ledger.execute('pragma busy_timeout = 20000')
ledger.execute('begin immediate')
print('locked', flush=True)
sys.stdin.read()";

#[test]
fn a_ledger_that_cannot_be_written_shows_and_so_does_what_waits_for_it() {
    use std::{
        io::{BufRead as _, BufReader},
        process::Stdio,
    };
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &config(dir.path(), &[camera("door")], false));
    let mut watched = Watched::default();
    watched.more(&server, "door", 0.0);
    let python = Command::new("python3")
        .args(["-c", LOCK])
        .current_dir(dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut python) = python else { return require::skip("python", "python3 does not start") };
    let mut line = String::new();
    BufReader::new(python.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "locked\n");
    until("a ledger that cannot be written", || {
        let page = watched.page(&server);
        let pending = page.get("pcount_ledger_pending_events", &[]).unwrap();
        (page.get("pcount_ledger_writable", &[]) == Some(0.0) && pending > 0.0).then_some(())
    });
    drop(python.stdin.take());
    python.wait().unwrap();
    until("a ledger that is written again", || {
        (watched.page(&server).get("pcount_ledger_writable", &[]) == Some(1.0)).then_some(())
    });
}

#[test]
fn a_camera_that_is_closed_is_not_up_and_its_state_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let mut shop = camera("shop");
    // A day that is neither today nor one beside it, in any time zone.
    let day = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).weekday().wrapping_add(3);
    shop["schedule"] = json!(format!("{day:?} 08:00-09:00"));
    let server = Server::start(dir.path(), &config(dir.path(), &[shop, camera("gate")], true));
    until("frames of the other", || {
        (Page::of(&server).get("pcount_source_up", &[("camera", "gate")]) == Some(1.0)).then_some(())
    });
    let page = Page::of(&server);
    assert_eq!(page.get("pcount_source_up", &[("camera", "shop")]), Some(0.0));
    assert_eq!(page.get("pcount_source_state", &[("camera", "shop"), ("state", "Closed")]), Some(1.0));
    assert_eq!(page.sum("pcount_source_state", ("camera", "shop")), 1.0, "one state at a time");
}
