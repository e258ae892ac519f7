//! Strips of pictures of crossings, by the whole program: there is one for each crossing, the command shows and deletes
//! them, and neither a kill nor a full disk costs more than some of them.
//!
//! `PCOUNT_KILLS=100 cargo test --test evidence -- --nocapture` is the long one.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

#[path = "support/kills.rs"]
mod kills;
#[path = "support/mount.rs"]
mod mount;
#[path = "support/require.rs"]
mod require;

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output},
    time::{Duration, Instant},
};

use opencv::{core::MatTraitConst as _, core::Vector, imgcodecs};
use pcount::{
    internals::{
        evidence::{FOLDER, Query, Reader, StoredStrip},
        ledger::{self, FILE_NAME, reader::Span},
    },
    model::{Direction, Reason},
};
use serde_json::Value;

fn pcount(dir: &Path, arguments: &[&str]) -> Output {
    let run =
        Command::new(env!("CARGO_BIN_EXE_pcount-tui")).args(arguments).current_dir(dir).output().unwrap();
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(run.status.success() || arguments.contains(&"nonsense"), "{arguments:?}: {said}");
    run
}

fn printed(run: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&run.stdout).into_owned();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A crossing in words that both sides know: source, line, direction, track, reason.
type Crossing = (String, String, String, u64, String);

fn of_line(value: &Value) -> Option<Crossing> {
    let text = |name: &str| value[name].as_str().unwrap_or_default().to_lowercase();
    matches!(value["type"].as_str(), Some("crossing" | "suppressed")).then(|| {
        let track = value["track_id"].as_u64().unwrap();
        (text("camera_id"), text("line"), text("direction"), track, text("reason"))
    })
}

fn of_strip(entry: &StoredStrip) -> Crossing {
    let facts = &entry.facts;
    let reason = facts.reason.map(Reason::word).unwrap_or_default().to_owned();
    (facts.source.to_string(), facts.line.clone(), facts.direction.word().into(), facts.track, reason)
}

fn counted<T: Ord>(items: impl Iterator<Item = T>) -> BTreeMap<T, usize> {
    items.fold(BTreeMap::new(), |mut counts, item| {
        *counts.entry(item).or_default() += 1;
        counts
    })
}

/// Width and height of a JPEG picture; it must be whole.
fn size(jpeg: &[u8]) -> (i32, i32) {
    assert!(jpeg.starts_with(&[0xFF, 0xD8]) && jpeg.ends_with(&[0xFF, 0xD9]));
    let picture = imgcodecs::imdecode(&Vector::<u8>::from_slice(jpeg), imgcodecs::IMREAD_COLOR).unwrap();
    (picture.cols(), picture.rows())
}

const SCENES: &str = r#"{
    "parallel_config": { "result_output": "out", "log_dir": "logs", "evidence": true },
    "videos": [
        { "video_id": "lobby", "path": "demo:lobby?people=6&seed=1&seconds=40" },
        { "video_id": "street", "path": "demo:street?people=8&seed=3&seconds=40", "evidence": { "blur": false } },
        { "video_id": "plaza", "path": "demo:plaza?people=10&seed=4&seconds=40",
          "lines": [{ "name": "short", "a": [0.3, 0.5], "b": [0.7, 0.5] }, { "name": "long", "a": [0.5, 0], "b": [0.5, 1] }] },
        { "video_id": "unseen", "path": "demo:corridor?people=4&seed=2&seconds=40", "evidence": false }
    ]
}"#;

#[test]
fn each_crossing_counted_or_not_has_a_strip_of_five_pictures_under_the_time_of_its_event() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("cams.json"), SCENES).unwrap();
    let run = pcount(dir.path(), &["--config", "cams.json", "--json", "--workers", "2"]);
    let lines = printed(&run);
    let wanted = counted(lines.iter().filter_map(of_line).filter(|crossing| crossing.0 != "unseen"));
    assert!(lines.iter().filter_map(of_line).any(|crossing| crossing.0 == "unseen"));
    let output = dir.path().join("out");
    let reader = Reader::new(&output);
    let strips = reader.list(&Query::default()).unwrap();
    let found = counted(strips.iter().map(of_strip));
    assert_eq!(found, wanted);
    let suppressed = strips.iter().filter(|strip| strip.facts.reason.is_some()).count();
    println!("{} strips, {suppressed} of crossings that were not counted", strips.len());
    assert!(suppressed > 3 && strips.len() > 60);
    for strip in &strips {
        let picture = reader.picture(strip.key).unwrap().unwrap();
        let (jpeg, marks) = (picture.jpeg, picture.marks.unwrap());
        assert_eq!(size(&jpeg), (5 * 160 + 4 * 2, 160), "{strip:?}");
        assert!((3_000..50_000).contains(&jpeg.len()), "{} bytes: {strip:?}", jpeg.len());
        assert_eq!(marks.pictures.len(), 5, "{marks:?}");
        let on_line = marks.path.iter().min_by(|a, b| a.time.abs().total_cmp(&b.time.abs())).unwrap();
        assert!(on_line.at.iter().all(|at| (0.0..=1.0).contains(at)), "{marks:?}");
        assert!((0..5).any(|number| marks.body(number, strip.facts.track).is_some()), "{marks:?}");
        assert_eq!(strip.blurred, &*strip.facts.source != "street");
        assert!((0.0..=1.0).contains(&strip.facts.confidence.unwrap()));
    }
    // The ledger has the same moment, so that one is found by the other.
    let ledger = ledger::Reader::open(&output.join(FILE_NAME)).unwrap();
    let ever = Span { from: i64::MIN, to: i64::MAX };
    for source in ["lobby", "street", "plaza"] {
        for entry in ledger.crossings(source, ever).unwrap() {
            let strip = reader.find(source, &entry.line, entry.track, entry.wall).unwrap();
            let facts = strip.unwrap_or_else(|| panic!("no strip of {entry:?}")).facts;
            assert_eq!((facts.direction, facts.time), (entry.direction, entry.source_time));
        }
    }
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&output.join(FOLDER)), 0o700);
    for file in fs::read_dir(output.join(FOLDER)).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
}

#[test]
fn without_the_key_nothing_but_numbers_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    pcount(dir.path(), &["demo:lobby?people=6&seed=1&seconds=10", "--headless", "--output", "out"]);
    assert!(!dir.path().join("out").join(FOLDER).exists());
}

#[test]
fn strips_are_listed_shown_and_deleted_by_the_command_and_the_ledger_records_it() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("cams.json"), SCENES).unwrap();
    let all = &["evidence", "list", "--config", "cams.json", "--json"][..];
    assert_eq!(printed(&pcount(dir.path(), all)), [] as [Value; 0]);
    pcount(dir.path(), &["--config", "cams.json", "--headless"]);
    let strips = printed(&pcount(dir.path(), all));
    let asked = |more: &[&str]| printed(&pcount(dir.path(), &[all, more].concat()));
    assert!(asked(&["--camera", "lobby"]).iter().all(|strip| strip["camera_id"] == "lobby"));
    assert!(asked(&["--direction", "out"]).iter().all(|strip| strip["direction"] == "out"));
    let (counted, not) = (asked(&["--judged", "counted"]), asked(&["--judged", "suppressed"]));
    assert_eq!(counted.len() + not.len(), strips.len());
    assert!(!not.is_empty() && not.iter().all(|strip| strip["reason"].is_string()));
    assert_eq!(asked(&["--limit", "3"]), strips[strips.len() - 3..]);
    assert_eq!(asked(&["--since", "2000-01-01", "--until", "2000-01-02"]).len(), 0);
    let table = pcount(dir.path(), &["evidence", "list", "--output", "out"]);
    assert_eq!(String::from_utf8_lossy(&table.stdout).lines().count(), strips.len());

    let key = strips[0]["key"].as_str().unwrap();
    pcount(dir.path(), &["evidence", "show", key, "--out", "strip.jpg", "--output", "out"]);
    let shown = dir.path().join("strip.jpg");
    assert_eq!(size(&fs::read(&shown).unwrap()), (808, 160));
    assert_eq!(fs::metadata(&shown).unwrap().permissions().mode() & 0o777, 0o600);

    let delete =
        ["evidence", "delete", "--since", "1h", "--until", "0s", "--camera", "lobby", "--output", "out"];
    let said = pcount(dir.path(), &delete);
    let lobby = strips.iter().filter(|strip| strip["camera_id"] == "lobby").count();
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.starts_with(&format!("{lobby} strips of 'lobby' deleted, ")), "{said}");
    assert_eq!(asked(&[]).len(), strips.len() - lobby);
    let recorded =
        ledger::Reader::open(&dir.path().join("out").join(FILE_NAME)).unwrap().deletions().unwrap();
    assert_eq!(recorded.len(), 1);
    assert_eq!((recorded[0].strips, recorded[0].source.as_deref()), (lobby as u64, Some("lobby")));
    assert!(recorded[0].to - recorded[0].from > 3_590_000 && !recorded[0].who.is_empty());
}

#[test]
fn the_command_says_what_is_wrong_and_how_to_do_better() {
    let dir = tempfile::tempdir().unwrap();
    for (arguments, code, wanted) in [
        (&["evidence", "show", "nonsense", "--out", "a.jpg"][..], 2, "take one from 'evidence list'"),
        (&["evidence", "show", "2026-03-14-17", "--out", "nonsense"], 1, "no strip '2026-03-14-17' in"),
        (&["evidence", "list", "--judged", "nonsense"], 2, "write counted, suppressed, flicker"),
        (&["evidence", "list", "--since", "nonsense"], 2, "'nonsense' is no time; write how long ago"),
        (
            &["evidence", "delete", "--since", "1h", "--until", "2h", "--camera", "nonsense"],
            2,
            "write the earlier one first",
        ),
    ] {
        let run = pcount(dir.path(), arguments);
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert_eq!(run.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(wanted), "{arguments:?}: {said}");
    }
}

#[test]
fn a_program_killed_at_any_moment_leaves_strips_that_can_be_read() {
    let kills = kills::count(5);
    let dir = tempfile::tempdir().unwrap();
    let videos: Vec<String> = (1..=3)
        .map(|n| format!(r#"{{ "video_id": "v{n}", "path": "demo:lobby?people=12&seed={n}&seconds=3600" }}"#))
        .collect();
    // Little room, so that old strips are deleted all the time, too.
    let text = format!(
        r#"{{ "parallel_config": {{ "result_output": "out", "log_dir": "logs", "evidence": {{ "size": "16MiB" }} }}, "videos": [{}] }}"#,
        videos.join(",")
    );
    fs::write(dir.path().join("cams.json"), text).unwrap();
    let mut below = kills::moments(7);
    let (reader, folder) = (Reader::new(&dir.path().join("out")), dir.path().join("out").join(FOLDER));
    let files = || fs::read_dir(&folder).into_iter().flatten().map(|file| file.unwrap());
    // A journal with anything in it belongs to a transaction that is not over.
    let amid_writing = || {
        let mut journals = files().filter(|file| file.path().extension().unwrap() == "sqlite-journal");
        journals.any(|file| file.metadata().is_ok_and(|known| known.len() > 0))
    };
    let (mut before, mut grew, mut amid) = (0, 0, 0);
    for kill in 0..kills {
        let mut program = kills::start(dir.path());
        let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains(r#""crossing""#)));
        // The reader must go on, or the program would wait for it.
        let rest = std::thread::spawn(move || lines.map_while(Result::ok).count());
        let newest = || reader.list(&Query::default()).unwrap().last().map_or(0, |strip| strip.facts.wall);
        std::thread::sleep(below(2500));
        // One at least must live long enough to write some, however busy the machine is.
        let begun = Instant::now();
        while kill + 1 == kills && newest() <= before {
            assert!(begun.elapsed() < Duration::from_mins(1), "no strip was written");
            std::thread::sleep(Duration::from_millis(50));
        }
        // Writing takes so short a part of the time that every second kill waits for it.
        let begun = Instant::now();
        while kill % 2 == 1 && !amid_writing() && begun.elapsed() < Duration::from_secs(3) {
            std::thread::sleep(Duration::from_micros(100));
        }
        program.kill().unwrap();
        program.wait().unwrap();
        rest.join().unwrap();
        amid += usize::from(amid_writing());
        let strips = reader.list(&Query::default()).unwrap();
        for strip in strips.iter().rev().take(50).chain(strips.iter().take(20)) {
            size(&reader.picture(strip.key).unwrap().unwrap().jpeg);
        }
        // There is none where the program was killed before its first strip.
        for path in files().map(|file| file.path()) {
            if path.extension().is_some_and(|extension| extension == "sqlite") {
                let verdict: String = rusqlite::Connection::open(&path)
                    .unwrap()
                    .query_row("PRAGMA integrity_check", [], |row| row.get(0))
                    .unwrap();
                assert_eq!(verdict, "ok", "after kill {kill}");
            }
        }
        let newest = strips.last().map_or(0, |strip| strip.facts.wall);
        grew += usize::from(newest > before);
        before = newest;
    }
    println!("{kills} kills, {amid} of them amid writing; {grew} runs had written strips");
    assert!(grew > 0);
}

/// Counts with the evidence on a disk of its own that fills up, and has room again later. $1 is the program.
const FULL: &str = r#"
set -eu
mkdir -p out/evidence
mount -t tmpfs -o size=400k tmpfs out/evidence || { echo "no mount" >&2; exit 77; }
"$1" --config cams.json --json --detector motion > lines.json 2> errors.txt < /dev/null &
program=$!
until_said() {
  waited=0
  while ! grep -q "$1" logs/parallel_counter.log 2>/dev/null; do
    sleep 0.1
    waited=$((waited + 1))
    [ $waited -lt 900 ] || { kill -9 $program; echo "never said: $1" >&2; exit 1; }
  done
}
until_said 'strips of crossings are lost, counting goes on'
crossed=$(grep -c 'Person detected' logs/parallel_counter.log)
waited=0
while [ "$(grep -c 'Person detected' logs/parallel_counter.log)" -lt $((crossed + 20)) ]; do
  sleep 0.1
  waited=$((waited + 1))
  [ $waited -lt 900 ] || { kill -9 $program; echo "counting stopped" >&2; exit 1; }
done
mount -o remount,size=64m out/evidence
until_said 'Evidence: can be written again'
kill -INT $program
wait $program || true
mkdir kept
cp out/ledger.sqlite* kept/
cp -r out/evidence kept/
"#;

#[test]
fn a_full_disk_costs_evidence_and_no_count_and_is_said_and_ends() {
    let dir = tempfile::tempdir().unwrap();
    let cameras: Vec<String> = (1..=4)
        .map(|n| format!(r#"{{ "camera_id": "camera_{n}", "source": "demo:lobby?people=12&seed={n}" }}"#))
        .collect();
    let text = format!(
        r#"{{ "parallel_config": {{ "result_output": "out", "log_dir": "logs", "evidence": true }}, "cameras": [{}] }}"#,
        cameras.join(",")
    );
    fs::write(dir.path().join("cams.json"), text).unwrap();
    let Some(run) = mount::in_namespace("mount", &["--map-root-user"], FULL, &[], dir.path()) else {
        return;
    };
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(run.status.success(), "{said}");
    let log = fs::read_to_string(dir.path().join("logs/parallel_counter.log")).unwrap();
    assert_eq!(log.matches("strips of crossings are lost, counting goes on").count(), 1, "said once");

    let lines = fs::read_to_string(dir.path().join("lines.json")).unwrap();
    let values = || lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let crossings = values().filter(|value| value["type"] == "crossing").count();
    let total = values().find(|value| value["type"] == "summary").unwrap()["total"].clone();
    assert_eq!(total["in"].as_u64().unwrap() + total["out"].as_u64().unwrap(), crossings as u64);
    let kept = dir.path().join("kept");
    let ledger = ledger::Reader::open(&kept.join(FILE_NAME)).unwrap();
    let ever = Span { from: i64::MIN, to: i64::MAX };
    let mut in_ledger = 0;
    for source in ledger.sources().unwrap() {
        let found = ledger.crossings(&source, ever).unwrap();
        assert!(found.iter().all(|entry| [Direction::In, Direction::Out].contains(&entry.direction)));
        in_ledger += found.len();
    }
    assert_eq!(in_ledger, crossings, "no count is lost");
    let reader = Reader::new(&kept);
    let strips = reader.list(&Query::default()).unwrap();
    println!("{crossings} crossings, {} strips", strips.len());
    assert!(strips.len() > 5);
    for strip in &strips {
        size(&reader.picture(strip.key).unwrap().unwrap().jpeg);
    }
}
