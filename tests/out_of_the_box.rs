//! The program on its own: no model file, no ONNX Runtime, a video of people whose number is known.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

#[path = "support/clips.rs"]
#[allow(dead_code, reason = "each test binary uses its part")]
mod clips;

use std::fs;

use assert_cmd::Command;
use serde_json::{Value, json};

#[test]
fn the_program_alone_counts_people() {
    // A copy in a folder of its own: nothing lies beside it, above it or in its home.
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("bin/pcount-tui");
    fs::create_dir(folder.path().join("bin")).unwrap();
    fs::copy(assert_cmd::cargo::cargo_bin("pcount-tui"), &program).unwrap();
    let truth = clips::write_demo(&folder.path().join("clip.mp4"), "mp4v", "street?seed=1&seconds=60");
    assert!(truth.0 > 3 && truth.1 > 3, "{truth:?}");
    let config = json!({ "videos": [{ "video_id": "clip", "path": "clip.mp4" }] });
    fs::write(folder.path().join("cams.json"), config.to_string()).unwrap();
    let run = Command::new(&program)
        .args(["--config", "cams.json", "--headless", "--json"])
        .current_dir(folder.path())
        .env_clear()
        .env("HOME", folder.path())
        .assert()
        .success();

    let output = String::from_utf8(run.get_output().stdout.clone()).unwrap();
    let summary: Value = output
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .find(|line| line["type"] == "summary")
        .unwrap();
    assert_eq!(summary["sources"][0]["status"], "Completed", "{summary}");
    let counted = ["in", "out"].map(|way| summary["sources"][0][way].as_u64().unwrap());
    println!("counted {counted:?}, true {truth:?}");
    let wrong = counted[0].abs_diff(truth.0) + counted[1].abs_diff(truth.1);
    assert!(wrong * 8 <= truth.0 + truth.1, "{wrong} of {truth:?} wrong: {summary}");
}

#[test]
fn nothing_is_written_but_the_output_folder() {
    let home = tempfile::tempdir().unwrap();
    Command::new(assert_cmd::cargo::cargo_bin("pcount-tui"))
        .args(["demo:lobby", "--headless", "--duration", "1s", "--output", "out"])
        .current_dir(home.path())
        .env_clear()
        .env("HOME", home.path())
        .assert()
        .success();
    let names: Vec<_> = fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["out"], "libraries are kept from writing, too");
}
