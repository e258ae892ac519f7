//! The whole program, killed without warning under load, while every source counts: what it had printed is in
//! the ledger, once.
//!
//! `PCOUNT_KILLS=200 cargo test --test kills -- --nocapture` is the long one.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

#[path = "support/kills.rs"]
mod kills;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    sync::mpsc,
    time::{Duration, Instant},
};

use pcount::{
    internals::ledger::{FILE_NAME, Reader, reader::Span},
    model::Direction,
};

const EVER: Span = Span { from: i64::MIN, to: i64::MAX };

/// A crossing in words that both sides know: source, line, direction, track, wall time.
type Crossing = (String, String, String, u64, i64);

/// Longest time for every source to count somebody.
const PATIENCE: Duration = Duration::from_mins(2);

/// Sources of [`configuration`].
const SOURCES: usize = 4;

/// Two cameras in real time and scenes at full speed, crowded, so that crossings come all the time.
fn configuration(dir: &Path) {
    let videos: Vec<String> = (1..=SOURCES - 2)
        .map(|n| {
            format!(r#"{{"video_id": "video_{n}", "path": "demo:lobby?people=12&seed={n}&seconds=3600", "skip_frames": 1}}"#)
        })
        .collect();
    let text = format!(
        r#"{{
            "parallel_config": {{ "worker_count": 2, "max_workers": 2, "result_output": "out", "log_dir": "logs" }},
            "cameras": [
                {{ "camera_id": "camera_1", "source": "demo:lobby?people=12&seed=7" }},
                {{ "camera_id": "camera_2", "source": "demo:street?people=12&seed=8" }}
            ],
            "videos": [{}]
        }}"#,
        videos.join(",")
    );
    fs::write(dir.join("cams.json"), text).unwrap();
}

fn printed(line: &str) -> Option<Crossing> {
    let value: serde_json::Value = serde_json::from_str(line).ok()?;
    (value["type"] == "crossing").then(|| {
        let stamp: jiff::Timestamp = value["timestamp"].as_str().unwrap().parse().unwrap();
        let text = |name: &str| value[name].as_str().unwrap().to_owned();
        (
            text("camera_id"),
            text("line"),
            text("direction").to_lowercase(),
            value["track_id"].as_u64().unwrap(),
            stamp.as_millisecond(),
        )
    })
}

fn in_ledger(dir: &Path) -> BTreeMap<Crossing, usize> {
    let reader = Reader::open(&dir.join("out").join(FILE_NAME)).unwrap();
    let mut found = BTreeMap::new();
    for source in reader.sources().unwrap() {
        for entry in reader.crossings(&source, EVER).unwrap() {
            let direction = if entry.direction == Direction::In { "in" } else { "out" };
            let key = (source.to_string(), entry.line, direction.to_owned(), entry.track, entry.wall);
            *found.entry(key).or_default() += 1;
        }
    }
    found
}

#[test]
fn whatever_was_printed_before_a_kill_is_in_the_ledger_once() {
    let kills = kills::count(6);
    let dir = tempfile::tempdir().unwrap();
    configuration(dir.path());
    let mut below = kills::moments(42);
    let mut shown: Vec<Crossing> = Vec::new();
    let (mut crossings_of_cameras, mut while_counting) = (0_u64, 0);
    for kill in 0..kills {
        let mut program = kills::start(dir.path());
        let output = BufReader::new(program.stdout.take().unwrap());
        let (tell, told) = mpsc::channel();
        // What is still in the pipe after the kill was printed as well; the last line may be half a one.
        let reader = std::thread::spawn(move || {
            for line in output.split(b'\n').map_while(Result::ok) {
                if let Some(crossing) = printed(&String::from_utf8_lossy(&line)) {
                    tell.send(crossing).unwrap();
                }
            }
        });
        // Most while every source counts, at any moment of it; some while the program still starts.
        if kill % 10 == 9 {
            std::thread::sleep(below(400));
        } else {
            let (begun, mut counting) = (Instant::now(), BTreeSet::new());
            while counting.len() < SOURCES {
                let left = PATIENCE.saturating_sub(begun.elapsed());
                let crossing = told.recv_timeout(left).unwrap_or_else(|_| panic!("only {counting:?} count"));
                counting.insert(crossing.0.clone());
                shown.push(crossing);
            }
            while_counting += 1;
            std::thread::sleep(below(1500));
        }
        program.kill().unwrap();
        program.wait().unwrap();
        reader.join().unwrap();
        shown.extend(told.try_iter());
    }
    let kept = in_ledger(dir.path());
    let twice: Vec<_> = kept.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "in the ledger twice: {twice:?}");
    let missing: Vec<_> = shown.iter().filter(|crossing| !kept.contains_key(*crossing)).collect();
    assert!(missing.is_empty(), "printed and not in the ledger: {missing:?}");
    let distinct: BTreeSet<_> = shown.iter().collect();
    assert_eq!(distinct.len(), shown.len(), "printed twice");
    println!(
        "{kills} kills, {while_counting} of them while all sources counted: {} crossings printed, {} in the ledger",
        shown.len(),
        kept.len()
    );

    // The totals go on from exactly what is in the ledger; those of files begin at zero with every run.
    let totals = Reader::open(&dir.path().join("out").join(FILE_NAME)).unwrap().totals().unwrap();
    for (source, lines) in totals.iter().filter(|(source, _)| source.starts_with("camera")) {
        let total: u64 = lines.iter().map(|line| line.total_in + line.total_out).sum();
        let rows = kept.keys().filter(|crossing| crossing.0 == **source).count() as u64;
        assert_eq!(total, rows, "{source}");
        crossings_of_cameras += total;
    }
    println!("{crossings_of_cameras} of them by cameras, whose totals agree");
}
