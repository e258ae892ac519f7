//! Crossings judged in a real terminal: what is said is in the ledger, and what was wrong can be taken out for training.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "pty/terminal.rs"]
#[allow(dead_code, reason = "each test binary uses its part")]
mod terminal;

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use assert_cmd::Command;
use opencv::{
    core::{MatTraitConst as _, Vector},
    imgcodecs,
};
use pcount::{
    internals::ledger::{FILE_NAME, Reader},
    model::{Judgment, Verdict},
};
use serde_json::Value;
use terminal::Terminal;

const SCENE: &str = r#"{
    "parallel_config": { "detector": "motion", "log_level": "WARN", "result_output": "out", "evidence": { "blur": false } },
    "videos": [ { "video_id": "lobby", "path": "demo:lobby?people=6&seed=4&seconds=40" } ]
}"#;

fn dashboard(dir: &Path) -> Terminal {
    let config = dir.join("cams.json");
    fs::write(&config, SCENE).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_pcount-tui"));
    // `SUDO_USER` comes before the others.
    let env = [("SUDO_USER", "anna")];
    let terminal = Terminal::start(program, &["--config", config.to_str().unwrap()], &env, 120, 40);
    terminal.wait_for_text("Completed");
    terminal
}

fn export(dir: &Path, more: &[&str]) -> (String, String) {
    let mut command = Command::cargo_bin("pcount-tui").unwrap();
    let arguments = [&["audit", "export", "--config", "cams.json", "--out", "wrong"], more].concat();
    let run = command.current_dir(dir).args(arguments).assert().success().get_output().clone();
    (String::from_utf8(run.stdout).unwrap(), String::from_utf8(run.stderr).unwrap())
}

fn judgments(dir: &Path) -> Vec<Judgment> {
    Reader::open(&dir.join("out").join(FILE_NAME)).unwrap().judgments(i64::MIN, i64::MAX).unwrap()
}

#[test]
fn what_a_person_says_of_crossings_is_kept_and_the_wrong_ones_are_taken_out_with_their_boxes() {
    let dir = tempfile::tempdir().unwrap();
    let mut terminal = dashboard(dir.path());
    // The newest crossing, by its event on the screen of its source; then the one before it.
    terminal.keys("\r");
    terminal.wait_for_text("3 Events");
    terminal.keys("3\r");
    terminal.wait_for_text("heads not blurred");
    terminal.keys("y");
    terminal.wait_for_text("right: ");
    terminal.keys("k");
    terminal.wait_for_text("not yet");
    terminal.wait_for_text("heads not blurred");
    terminal.keys("n");
    terminal.wait_for_text("wrong: ");
    // At random: the first that is drawn.
    terminal.keys("qqJ");
    terminal.wait_for_text("none of");
    terminal.wait_for_text("heads not blurred");
    terminal.keys("b");
    terminal.wait_for_text("0 of 1 ");
    terminal.keys("Q");
    assert_eq!(terminal.exit_code(), 0);
    let judged = judgments(dir.path());
    let said: Vec<(Verdict, bool, &str)> =
        judged.iter().map(|judged| (judged.verdict, judged.weight.is_some(), &*judged.who)).collect();
    assert_eq!(
        said,
        [(Verdict::Right, false, "anna"), (Verdict::Wrong, false, "anna"), (Verdict::OtherWay, true, "anna")]
    );

    let (said, warned) = export(dir.path(), &[]);
    // The random one may be one of the two.
    let wrong = if judged[2].crossed == judged[1].crossed { 1 } else { 2 };
    assert!(said.contains(&format!("{} snapshots of {wrong} crossings judged wrong", 5 * wrong)), "{said}");
    assert_eq!(warned, "");
    let folder = dir.path().join("wrong");
    let labels = fs::read_to_string(folder.join("labels.jsonl")).unwrap();
    let labels: Vec<Value> = labels.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(labels.len(), 5 * wrong);
    let boxes = |label: &Value, key: &str| label[key].as_array().unwrap().len();
    for label in &labels {
        let path = folder.join(label["image"].as_str().unwrap());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let picture = Vector::<u8>::from_slice(&fs::read(&path).unwrap());
        let picture = imgcodecs::imdecode(&picture, imgcodecs::IMREAD_COLOR).unwrap();
        assert_eq!((i64::from(picture.cols()), i64::from(picture.rows())), (160, 160));
        assert_eq!((label["width"].as_i64(), label["height"].as_i64()), (Some(160), Some(160)));
        assert_eq!((label["split"].as_str(), label["source"].as_str()), (Some("train"), Some("lobby")));
        for of in label["boxes"].as_array().unwrap().iter().chain(label["ignore"].as_array().unwrap()) {
            let [x, y, w, h] = [0, 1, 2, 3].map(|at| of[at].as_f64().unwrap());
            assert!(x >= 0.0 && y >= 0.0 && w >= 1.0 && h >= 1.0 && x + w <= 160.1 && y + h <= 160.1, "{of}");
        }
        // Of a count for nothing nobody knows what was there; who went the other way is a person.
        let doubted = label["verdict"] == "wrong" && label["reason"].is_null();
        assert!(boxes(label, "ignore") <= usize::from(doubted), "{label}");
    }
    assert!(labels.iter().map(|label| boxes(label, "boxes") + boxes(label, "ignore")).sum::<usize>() >= 5);

    // Strips that are gone are missed, and said.
    fs::remove_dir_all(dir.path().join("out/evidence")).unwrap();
    let (said, warned) = export(dir.path(), &["--camera", "lobby"]);
    assert!(said.starts_with("0 snapshots of 0 crossings"), "{said}");
    assert!(
        warned.contains(&format!("{wrong} more were judged wrong, and their snapshots have been deleted")),
        "{warned}"
    );
    let (_, warned) = export(dir.path(), &["--camera", "other"]);
    assert!(warned.contains("no crossing of that time was judged"), "{warned}");
}
