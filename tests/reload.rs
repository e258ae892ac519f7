//! A configuration file that changes while the program counts: what differs takes effect, and nothing else is touched.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "support/program.rs"]
#[allow(dead_code, reason = "each test binary uses its part")]
mod program;
#[path = "pty/terminal.rs"]
#[allow(dead_code, reason = "each test binary uses its part")]
mod terminal;

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use program::{LONG, Program};
use serde_json::{Value, json};
use terminal::Terminal;

fn camera(id: &str, lines: &Value) -> Value {
    json!({ "camera_id": id, "source": "demo:corridor?people=4&seed=3", "lines": lines })
}

fn middle() -> Value {
    json!([{ "name": "door", "a": [0, 0.5], "b": [1, 0.5] }])
}

fn config(reload: &str, cameras: &[Value]) -> Value {
    json!({ "parallel_config": { "detector": "motion", "result_output": "out", "reload": reload }, "cameras": cameras })
}

/// As editors and deployments do it: a new file takes the place of the old one.
fn write(folder: &Path, text: &str) {
    fs::write(folder.join("new.json"), text).unwrap();
    fs::rename(folder.join("new.json"), folder.join("cams.json")).unwrap();
}

fn result_of(id: &str) -> impl Fn(&Value) -> bool + '_ {
    move |line| line["type"] == "result" && line["camera_id"] == id
}

fn log(folder: &Path) -> String {
    fs::read_to_string(folder.join("out/logs/parallel_counter.log")).unwrap_or_default()
}

#[test]
fn a_file_that_changes_takes_effect_by_itself_and_touches_no_other_camera() {
    let dir = tempfile::tempdir().unwrap();
    let mut cameras: Vec<Value> = (1..=8).map(|number| camera(&format!("cam_{number}"), &middle())).collect();
    let mut program = Program::start(dir.path(), &config("auto", &cameras), ":");
    for number in 1..=8 {
        program.until("a crossing", |line| {
            line["type"] == "crossing" && line["camera_id"] == format!("cam_{number}").as_str()
        });
    }
    // What is wrong changes nothing, and all of it is said.
    let broken =
        config("auto", &cameras).to_string().replace("\"motion\"", "\"nothing\"").replace("0.5", "7.5");
    write(dir.path(), &broken);
    let deadline = Instant::now() + LONG;
    while !(log(dir.path()).contains("nothing was changed")
        && log(dir.path()).contains("parallel_config.detector")
        && log(dir.path()).contains("lines[0].a"))
    {
        assert!(Instant::now() < deadline, "{}", log(dir.path()));
        std::thread::sleep(Duration::from_millis(50));
    }
    // One line moves, a camera comes and one goes, one is called otherwise.
    cameras[1]["lines"] = json!([{ "name": "door", "a": [0, 0.55], "b": [1, 0.55] }]);
    cameras[2]["alias"] = json!("Gate");
    cameras[3]["ignore"] = json!([[[0, 0], [0.1, 0], [0, 0.1]]]);
    cameras[3]["max_height"] = json!(0.9);
    cameras.remove(7);
    cameras.push(camera("new", &middle()));
    let before = program.seen.len();
    let mut wanted = config("auto", &cameras);
    wanted["parallel_config"]["log_level"] = json!("WARN");
    write(dir.path(), &wanted.to_string());
    program.until("the new camera", result_of("new"));
    for id in ["cam_2", "cam_3"] {
        program.until("a crossing after it", |line| line["type"] == "crossing" && line["camera_id"] == id);
    }
    for number in 1..=7 {
        program.until("a result after it", result_of(&format!("cam_{number}")));
    }
    let after = &program.seen[before..];
    for line in after.iter().filter(|line| line["type"] == "state") {
        let id = line["camera_id"].as_str().unwrap();
        assert!(["cam_8", "new"].contains(&id), "an untouched camera was opened again: {line}");
    }
    // No count falls, of the renamed one neither, which goes on as it is, and nobody lost a frame that was there to be counted.
    let mut counts: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for line in program.seen.iter().filter(|line| line["type"] == "result") {
        let now = (line["total_in"].as_u64().unwrap(), line["total_out"].as_u64().unwrap());
        let before = counts.insert(line["camera_id"].as_str().unwrap(), now).unwrap_or_default();
        assert!(now.0 >= before.0 && now.1 >= before.1, "{before:?} {line}");
    }
    let log = log(dir.path());
    assert!(
        log.contains("[CAM-1] [INFO] Running") && !log.contains("[NEW] [INFO]"),
        "the level of the log: {log}"
    );
    for said in [
        "new: new",
        "removed: cam_8",
        "lines changed: cam_2",
        "changed: alias of Gate (cam_3); counting continues",
        "changed: ignore, max_height of cam_4; counting continues",
        "log level: WARN",
    ] {
        assert!(log.contains(&format!("Reload: {said}")), "{said}: {log}");
    }
}

#[test]
fn on_the_dashboard_the_difference_is_shown_before_it_is_taken_over() {
    let dir = tempfile::tempdir().unwrap();
    let mut cameras = vec![camera("door", &middle())];
    write(dir.path(), &config("asked", &cameras).to_string());
    let program = Path::new(env!("CARGO_BIN_EXE_pcount-tui"));
    let path = dir.path().join("cams.json");
    let mut terminal = Terminal::start(program, &["--config", path.to_str().unwrap()], &[], 100, 30);
    terminal.wait_for_text("Running");
    terminal.keys(":reload\r");
    terminal.wait_for_text("says what runs already");
    cameras.push(camera("yard", &middle()));
    write(dir.path(), &config("asked", &cameras).to_string());
    std::thread::sleep(Duration::from_secs(2));
    assert!(!terminal.text().contains("yard"), "nobody has asked");
    terminal.keys(":reload\r");
    terminal.wait_for_text("Take over what has changed");
    terminal.wait_for_text("new: yard");
    terminal.keys("n");
    terminal.wait("no question", |terminal| !terminal.text().contains("Take over what has changed"));
    terminal.keys(":reload\r");
    terminal.wait_for_text("new: yard");
    terminal.keys("y");
    terminal.wait_for_text("is in effect");
    terminal.wait("the new camera", |terminal| terminal.text().matches("Running").count() == 2);
    write(dir.path(), "{ \"cameras\": [ { \"camera_id\": 7 } ] }");
    terminal.keys(":reload\r");
    terminal.wait_for_text("nothing is changed");
    terminal.keys("qy");
    assert_eq!(terminal.exit_code(), 0);
}
