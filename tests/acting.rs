//! What a person does on the dashboard is in the ledger and in the log, with who and when.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "pty/terminal.rs"]
#[allow(dead_code, reason = "each test binary uses its part")]
mod terminal;

use std::{
    fs,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use pcount::internals::ledger::{FILE_NAME, Reader};
use terminal::Terminal;

const SCENE: &str = r#"{
    "parallel_config": { "detector": "motion", "result_output": "out", "worker_count": 2, "max_workers": 4 },
    "cameras": [ { "camera_id": "gate", "source": "demo:corridor?people=4&seed=3" } ]
}"#;

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

#[test]
fn what_a_person_does_on_the_dashboard_is_in_the_ledger_and_in_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cams.json");
    fs::write(&path, SCENE).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_pcount-tui"));
    let before = now();
    let env = [("SUDO_USER", "anna")];
    let mut terminal = Terminal::start(program, &["--config", path.to_str().unwrap()], &env, 120, 40);
    terminal.wait_for_text("Running");
    terminal.keys("p");
    terminal.wait_for_text("Paused");
    terminal.keys("p");
    terminal.wait_for_text("Running");
    terminal.keys("R");
    terminal.wait_for_text("Set these counts to zero?");
    terminal.keys("y");
    terminal.wait("the answer", |terminal| !terminal.text().contains("Set these counts to zero?"));
    terminal.keys("+");
    terminal.wait_for_text("/3 active");
    fs::write(&path, SCENE.replace("\"gate\"", "\"yard\"")).unwrap();
    terminal.keys(":reload\r");
    terminal.wait_for_text("new: yard");
    terminal.keys("y");
    terminal.wait_for_text("is in effect");
    terminal.keys("qy");
    assert_eq!(terminal.exit_code(), 0);

    let actions = Reader::open(&dir.path().join("out").join(FILE_NAME)).unwrap();
    let actions = actions.actions(before, now() + 1, 99).unwrap();
    assert!(actions.iter().all(|action| action.who == "anna" && action.from == "dashboard"));
    assert!(actions.is_sorted_by_key(|action| action.wall));
    let done: Vec<_> =
        actions.iter().map(|it| (it.what.as_str(), it.source.as_deref().unwrap_or(""))).collect();
    assert_eq!(
        done,
        [
            ("paused", "gate"),
            ("resumed", "gate"),
            ("reset", "gate"),
            ("workers", ""),
            ("reloaded", ""),
            ("stopped", "")
        ]
    );
    let reloaded = actions[4].detail.as_deref().unwrap();
    assert!(reloaded.contains("new: yard") && reloaded.contains("removed: gate"), "{reloaded}");
    let log = |name: &str| fs::read_to_string(dir.path().join("out/logs").join(name)).unwrap();
    let (all, own) = (log("parallel_counter.log"), log("gate.log"));
    for said in ["anna paused 'gate' (dashboard)", "anna reset the counts of 'gate' (dashboard)"] {
        assert!(all.contains(said) && own.contains(&format!("[GATE] [INFO] {said}")), "{said}: {own}");
    }
    assert!(all.contains("anna stopped the program (dashboard)"), "{all}");
}
