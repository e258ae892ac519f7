//! The program on its own: no model file, no ONNX Runtime, a real clip.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use assert_cmd::Command;
use serde_json::{Value, json};

#[test]
fn the_program_alone_counts_people_where_the_footage_is_present() {
    let shared = std::env::var_os("PCOUNT_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let scene = shared.join("footage/pets09_s2l1");
    if !scene.exists() {
        println!("skipped: '{}' is not there", scene.display());
        return;
    }
    let scene = fs::canonicalize(scene).unwrap();
    let truth: Value = serde_json::from_slice(&fs::read(scene.join("scene.json")).unwrap()).unwrap();
    let lines: Vec<_> = truth["lines"].as_array().unwrap().iter().map(line).collect();
    let video = json!({ "video_id": "clip", "path": scene.join("video.mp4"), "lines": lines });

    // A copy in a folder of its own: nothing lies beside it, above it or in its home.
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("bin/pcount-tui");
    fs::create_dir(folder.path().join("bin")).unwrap();
    fs::copy(assert_cmd::cargo::cargo_bin("pcount-tui"), &program).unwrap();
    let config = folder.path().join("cams.json");
    fs::write(&config, json!({ "videos": [video] }).to_string()).unwrap();
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
    let counts = summary["sources"][0]["lines"].as_array().unwrap();
    let (mut wrong, mut crossings) = (0, 0);
    for (counted, line) in counts.iter().zip(truth["lines"].as_array().unwrap()) {
        println!("{} in, {} out", counted["in"], counted["out"]);
        for (way, true_way) in [("in", "true_in"), ("out", "true_out")] {
            let right = line[true_way].as_u64().unwrap();
            wrong += counted[way].as_u64().unwrap().abs_diff(right);
            crossings += right;
        }
    }
    // Over two lines of a forecourt, people pass 66 times.
    assert!(crossings > 0 && wrong * 8 <= crossings, "{wrong} of {crossings} wrong: {summary}");
}

/// A counting line of the configuration from one of a scene.
fn line(scene: &Value) -> Value {
    let mut line = json!({});
    for key in ["name", "a", "b", "anchor"] {
        line[key] = scene[key].clone();
    }
    line
}
