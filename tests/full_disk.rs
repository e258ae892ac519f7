//! A disk that fills up while the whole program counts, and has room again later. Needs a file system of its
//! own, in a mount namespace; where the machine does not allow that it is skipped, saying so.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

#[path = "support/mount.rs"]
mod mount;
#[path = "support/require.rs"]
mod require;

use std::{collections::BTreeMap, fs};

use pcount::internals::ledger::{FILE_NAME, Reader, reader::Span};

/// Fills the disk once the ledger is there, waits for the program to say so and for crossings to pass, makes
/// room, waits for the ledger to be written again, ends the program. $1 is the program.
const SCRIPT: &str = r#"
set -eu
mkdir small
mount -t tmpfs -o size=3m tmpfs small || { echo "no mount" >&2; exit 77; }
"$1" --config cams.json --json --detector motion > lines.json 2> errors.txt < /dev/null &
program=$!
waited=0
until_said() {
  while ! grep -q "$1" logs/parallel_counter.log 2>/dev/null; do
    sleep 0.1
    waited=$((waited + 1))
    [ $waited -lt 600 ] || { kill -9 $program; echo "never said: $1" >&2; exit 1; }
  done
}
until_said 'Person detected'
dd if=/dev/zero of=small/filler bs=4k 2> /dev/null || true
until_said 'crossings wait in memory'
crossed=$(grep -c 'Person detected' logs/parallel_counter.log)
while [ "$(grep -c 'Person detected' logs/parallel_counter.log)" -lt $((crossed + 20)) ]; do
  # Whatever room the program makes for itself is taken again.
  dd if=/dev/zero of=small/filler bs=4k oflag=append conv=notrunc 2> /dev/null || true
  sleep 0.1
done
rm small/filler
until_said 'Ledger: can be written again'
kill -INT $program
wait $program || true
mkdir kept
cp small/ledger.sqlite* kept/
"#;

#[test]
fn crossings_counted_while_the_disk_is_full_are_in_the_ledger_when_it_has_room_again() {
    let dir = tempfile::tempdir().unwrap();
    let cameras: Vec<String> = (1..=4)
        .map(|n| format!(r#"{{ "camera_id": "camera_{n}", "source": "demo:lobby?people=12&seed={n}" }}"#))
        .collect();
    fs::write(
        dir.path().join("cams.json"),
        format!(
            r#"{{ "parallel_config": {{ "result_output": "small", "log_dir": "logs" }}, "cameras": [{}] }}"#,
            cameras.join(",")
        ),
    )
    .unwrap();
    let Some(run) = mount::in_namespace("mount", &["--map-root-user"], SCRIPT, &[], dir.path()) else {
        return;
    };
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(
        run.status.success(),
        "{said}\n{}",
        fs::read_to_string(dir.path().join("errors.txt")).unwrap_or_default()
    );

    let reader = Reader::open(&dir.path().join("kept").join(FILE_NAME)).unwrap();
    let mut kept: BTreeMap<(String, u64, i64), usize> = BTreeMap::new();
    for source in reader.sources().unwrap() {
        for entry in reader.crossings(&source, Span { from: i64::MIN, to: i64::MAX }).unwrap() {
            *kept.entry((source.to_string(), entry.track, entry.wall)).or_default() += 1;
        }
    }
    assert!(kept.values().all(|times| *times == 1), "in the ledger twice: {kept:?}");
    let lines = fs::read_to_string(dir.path().join("lines.json")).unwrap();
    let (mut printed, mut summary) = (0, None);
    for line in lines.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        if value["type"] == "crossing" {
            printed += 1;
            let stamp: jiff::Timestamp = value["timestamp"].as_str().unwrap().parse().unwrap();
            let key = (
                value["camera_id"].as_str().unwrap().to_owned(),
                value["track_id"].as_u64().unwrap(),
                stamp.as_millisecond(),
            );
            assert!(kept.contains_key(&key), "printed and not in the ledger: {line}");
        } else if value["type"] == "summary" {
            summary = Some(value["total"].clone());
        }
    }
    let total = summary.unwrap();
    let counted = total["in"].as_u64().unwrap() + total["out"].as_u64().unwrap();
    println!("{counted} crossings counted, {printed} printed, {} in the ledger", kept.len());
    assert_eq!(counted, kept.len() as u64);
    assert!(printed >= 20);
}
