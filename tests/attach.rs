//! The dashboard on an engine that runs already, in real terminals: several at once, lost engines, other versions, and every way
//! to leave it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "attach/impostor.rs"]
mod impostor;
#[path = "support/service.rs"]
mod service;
#[path = "pty/terminal.rs"]
#[allow(dead_code, reason = "each test binary uses its part")]
mod terminal;

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use impostor::Impostor;
use rustix::process::Signal;
use serde_json::{Value, json};
use service::{PROGRAM, Service, camera, config, until, write, written};
use terminal::Terminal;

/// The program in a terminal, in this folder.
fn program(folder: &Path, args: &[&str], cols: u16, rows: u16) -> Terminal {
    let line = args.iter().map(|arg| format!(" '{arg}'")).collect::<String>();
    let command = format!("cd '{}' && exec '{PROGRAM}'{line}", folder.display());
    Terminal::start(Path::new("/bin/sh"), &["-c", &command], &[], cols, rows)
}

fn attach(folder: &Path, more: &[&str], cols: u16, rows: u16) -> Terminal {
    let args = [&["attach", "--config", "cams.json"], more].concat();
    let terminal = program(folder, &args, cols, rows);
    terminal.wait_for_text("Parallel People Counting System");
    terminal
}

fn start(folder: &Path, cameras: &[Value]) -> Service {
    let service = Service::start(folder, &config(cameras));
    until("all run", || {
        let running = service.told(&["status", "--json"]).matches(r#""status":"Running""#).count();
        (running == cameras.len()).then_some(())
    });
    service
}

#[test]
fn q_detaches_without_a_question_and_says_how_to_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let service = start(dir.path(), &[camera("gate")]);
    let mut terminal = attach(dir.path(), &[], 120, 40);
    terminal.wait_for_text("attached");
    terminal.wait_for_text("q detach");
    terminal.keys("q");
    assert_eq!(terminal.exit_code(), 0);
    terminal.assert_given_back();
    terminal.wait_for_text(
        "the engine continues to count; attach again with: pcount-tui attach --config \
         cams.json",
    );

    let mut terminal = attach(dir.path(), &[], 80, 24);
    terminal.wait_for_text("attached");
    terminal.keys("Q");
    assert_eq!(terminal.exit_code(), 0);
    terminal.wait_for_text("Total: In:");
    let mut terminal = attach(dir.path(), &[], 80, 24);
    terminal.keys("\x03");
    assert_eq!(terminal.exit_code(), 130, "{}", terminal.text());
    terminal.assert_given_back();
    terminal.wait_for_text("detached");
    let mut terminal = attach(dir.path(), &[], 80, 24);
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.exit_code(), 143, "{}", terminal.text());
    terminal.assert_given_back();
    assert!(service.told(&["status"]).contains("gate"), "it does not care");
}

#[test]
fn what_is_done_in_one_dashboard_is_seen_in_the_others_and_in_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let service = start(dir.path(), &[camera("gate"), camera("yard")]);
    let mut first = attach(dir.path(), &[], 120, 40);
    let mut second = attach(dir.path(), &[], 80, 24);
    let mut watcher = attach(dir.path(), &["--read-only"], 60, 16);
    let all = |text: &str| {
        first.wait_for_text(text);
        second.wait_for_text(text);
        watcher.wait_for_text(text);
    };
    all("Running");
    watcher.keys("p");
    watcher.wait_for_text("read-only: started with");
    first.keys("p");
    first.wait_for_text("Paused");
    second.wait_for_text("Paused");
    watcher.wait_for_text("Paused");
    second.keys("p");
    second.wait("it goes on", |terminal| !terminal.text().contains("Paused"));

    // The lines that one draws are the ones that the other edits.
    first.keys("E");
    first.wait_for_text("door (1 of 1)");
    first.wait_for_text("with this: in ");
    first.keys("a\r");
    first.wait_for_text("saved to 'cams.json'");
    second.keys("E");
    second.wait_for_text("door (1 of 2)");
    second.keys("d\r");
    second.wait_for_text("saved to 'cams.json'");
    first.wait_for_text("changed elsewhere meanwhile");
    first.wait_for_text("line_1 (1 of 1)");
    let lines = written(dir.path())["cameras"][0]["lines"].clone();
    assert_eq!((lines.as_array().unwrap().len(), &lines[0]["name"]), (1, &json!("line_1")), "{lines}");
    first.keys("q");
    second.keys("q");
    second.wait_for_text("attached");

    // Counts of a line go on under its name.
    let before = service.snapshot()["sources"][1]["total_in"].as_u64().unwrap();
    first.wait_for_text("attached");
    first.keys("jE");
    first.wait_for_text("door (1 of 1)");
    first.keys("\x1b[B\r");
    first.wait_for_text("saved to 'cams.json'");
    first.keys("q");
    assert!(service.snapshot()["sources"][1]["total_in"].as_u64().unwrap() >= before);

    // What one has seen is acknowledged for all.
    let gone = json!({ "camera_id": "gone", "source": "rtsp://127.0.0.1:9/" });
    let mut file = written(dir.path());
    file["cameras"].as_array_mut().unwrap().push(gone);
    write(dir.path(), &file.to_string());
    service.told(&["reload"]);
    second.keys("!");
    second.wait_for_text("1 not acknowledged");
    first.wait_for_text("gone");
    first.keys("c");
    second.wait_for_text("all acknowledged");
    second.keys("q");

    second.keys("+");
    until("another worker", || (service.snapshot()["worker_count"] == 2).then_some(()));
    for terminal in [&mut first, &mut second, &mut watcher] {
        terminal.keys("q");
        assert_eq!(terminal.exit_code(), 0, "{}", terminal.text());
    }
}

#[test]
fn a_source_is_tried_out_added_and_removed_by_the_engine() {
    let dir = tempfile::tempdir().unwrap();
    let service = start(dir.path(), &[camera("gate")]);
    let mut terminal = attach(dir.path(), &[], 120, 40);
    terminal.wait_for_text("Running");
    terminal.keys("a");
    terminal.wait_for_text("in 'cams.json'");
    terminal.keys("demo:lobby");
    terminal.wait_for_text("it answers: 640x360");
    terminal.keys("\r");
    terminal.wait_for_text("Lines and zones of demo_lobby");
    terminal.keys("\r");
    terminal.wait_for_text("demo_lobby");
    until("the file has it", || {
        let file = written(dir.path());
        file["cameras"]
            .as_array()
            .unwrap()
            .iter()
            .any(|camera| camera["camera_id"] == "demo_lobby")
            .then_some(())
    });
    terminal.wait_for_text("Total: In:");
    terminal.keys("a");
    terminal.wait_for_text("Add a source");
    terminal.keys("rtsp://admin:hunter2@127.0.0.1:9/live");
    // What holds a password is sent nowhere until it is asked for.
    terminal.wait_for_text("try it out");
    terminal.keys("\r");
    terminal.wait_for_text("cannot connect");
    terminal.keys("\r");
    terminal.wait_for_text("Lines and zones of");
    until("it is saved beside", || {
        let file = fs::read_to_string(dir.path().join("cams.json")).unwrap();
        (file.contains("127.0.0.1") && !file.contains("hunter2")).then_some(())
    });
    assert_eq!(service.ids().len(), 3);
    assert!(!terminal.written().contains("hunter2"), "never shown");
    let log =
        service.told(&["logs", "--json"]) + &service.told(&["actions"]) + &service.snapshot().to_string();
    assert!(!log.contains("hunter2"), "{log}");
    terminal.keys("q");
    terminal.wait_for_text("Total: In:");
    terminal.keys("g/lobby\r");
    terminal.wait_for_text("1 of 3 shown");
    terminal.keys("d");
    terminal.wait_for_text("remove from the file, too");
    terminal.keys("f");
    until("it is gone from the file", || {
        (!fs::read_to_string(dir.path().join("cams.json")).unwrap().contains("demo_lobby")).then_some(())
    });
    until("it is gone", || (!service.ids().contains(&"demo_lobby".to_owned())).then_some(()));
}

#[test]
fn every_screen_shows_what_the_engine_knows() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(&[camera("gate")]);
    config["parallel_config"]["evidence"] = true.into();
    let service = Service::start(dir.path(), &config);
    until("crossings", || service.snapshot()["sources"][0]["total_in"].as_u64().filter(|count| *count > 2));
    let mut terminal = attach(dir.path(), &[], 200, 50);
    terminal.wait_for_text("Running");
    terminal.keys("\r");
    for shown in ["▀▀▀▀", "door #", "Person detected", "in and out by the minute", "stage"] {
        terminal.wait(shown, |terminal| terminal.text().to_lowercase().contains(&shown.to_lowercase()));
    }
    terminal.keys("qH");
    terminal.wait_for_text("Today");
    terminal.wait_for_text("gate");
    terminal.keys("e");
    terminal.wait_for_text("written");
    terminal.keys("qL");
    terminal.wait_for_text("Person detected");
    terminal.keys("/nothingofthekind\r");
    terminal.wait("the search", |terminal| !terminal.text().contains("Person detected"));
    terminal.keys("qW");
    terminal.wait_for_text("Workers");
    terminal.keys("qi");
    terminal.wait_for_text("▀▀▀▀");
    terminal.keys("y");
    terminal.wait_for_text("saved in the ledger: right");
    terminal.keys("q:reload\r");
    terminal.wait_for_text("says what runs already");
    write(dir.path(), &config.to_string().replace("\"gate\"", "\"door2\""));
    terminal.keys(":reload\r");
    terminal.wait_for_text("new: door2");
    terminal.keys("y");
    terminal.wait_for_text("is in effect");
    assert_eq!(service.ids(), ["door2"]);
    terminal.keys("e");
    terminal.wait_for_text("all results are written to");
}

#[test]
fn a_reload_takes_over_what_was_shown_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let service = start(dir.path(), &[camera("gate")]);
    let mut terminal = attach(dir.path(), &[], 120, 40);
    terminal.wait_for_text("Running");
    write(dir.path(), &config(&[camera("gate"), camera("yard")]).to_string());
    terminal.keys(":reload\r");
    terminal.wait_for_text("new: yard");
    write(dir.path(), &config(&[camera("yard")]).to_string());
    terminal.keys("y");
    terminal.wait_for_text("has changed since");
    assert_eq!(service.ids(), ["gate"]);
}

#[test]
fn the_last_values_stay_when_the_engine_is_gone_and_it_comes_back_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let service = start(dir.path(), &[camera("gate")]);
    let mut terminal = attach(dir.path(), &[], 120, 40);
    let mut narrow = attach(dir.path(), &["--read-only"], 60, 16);
    terminal.wait_for_text("Running");
    narrow.wait_for_text("Running");
    terminal.keys("a");
    terminal.wait_for_text("Add a source");
    service.kill();
    for lost in [&terminal, &narrow] {
        lost.wait_for_text("OLD, ");
        lost.wait_for_text("reconnecting in ");
        assert!(lost.text().contains("Running"), "{}", lost.text());
    }
    terminal.keys("demo:lobby\r");
    terminal.wait_for_text("not added: no engine answers");
    terminal.keys("\x1b");
    terminal.wait("no dialog", |terminal| !terminal.text().contains("Add a source"));
    terminal.keys("p");
    terminal.wait_for_text("not done: no engine answers");
    terminal.keys("?");
    terminal.wait_for_text("the same on every screen");
    terminal.keys("q");

    // With another configuration.
    let service = Service::start(dir.path(), &config(&[camera("yard"), camera("dock")]));
    for back in [&terminal, &narrow] {
        back.wait_for_text("dock");
        back.wait("no mark", |terminal| !terminal.text().contains("OLD, "));
        back.wait("nothing of the other one", |terminal| !terminal.text().contains(" gate "));
    }
    terminal.keys("L");
    terminal.wait_for_text("Started with 2 sources");
    terminal.keys("qE");
    terminal.wait_for_text("door (1 of 1)");
    terminal.keys("q");
    drop(service);
    terminal.wait_for_text("OLD, ");
    terminal.keys("q");
    assert_eq!(terminal.exit_code(), 0);
    terminal.wait_for_text("the engine has not answered for");
    narrow.keys("q");
    assert_eq!(narrow.exit_code(), 0);
}

#[test]
fn an_engine_that_hangs_is_noticed_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let service = start(dir.path(), &[camera("gate")]);
    let mut terminal = attach(dir.path(), &[], 120, 40);
    terminal.wait_for_text("Running");
    service.signal(Signal::STOP);
    let begun = Instant::now();
    terminal.wait_for_text("OLD, ");
    assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
    terminal.keys("?");
    terminal.wait_for_text("the same on every screen");
    terminal.keys("q");
    service.signal(Signal::CONT);
    terminal.wait_for_text("attached");
    terminal.keys("p");
    terminal.wait_for_text("Paused");
    // Nothing new is no silence.
    std::thread::sleep(Duration::from_secs(10));
    assert!(!terminal.text().contains("OLD, "), "{}", terminal.text());
    terminal.keys("q");
    assert_eq!(terminal.exit_code(), 0);
}

#[test]
fn a_terminal_that_dies_takes_its_connections_along_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let service = start(dir.path(), &[camera("gate")]);
    let mut other = attach(dir.path(), &[], 80, 24);
    other.wait_for_text("Running");
    let mut terminals: Vec<_> = (0..3).map(|_| attach(dir.path(), &[], 120, 40)).collect();
    for terminal in &mut terminals {
        terminal.keys("\r");
        terminal.wait_for_text("▀▀▀▀");
    }
    let many = service.connections();
    assert!(many >= 4, "{many}");
    for terminal in &mut terminals {
        terminal.hang_up();
        assert_eq!(terminal.exit_code(), 129);
    }
    until("their connections are gone", || (service.connections() + 3 <= many).then_some(()));
    other.keys("p");
    other.wait_for_text("Paused");
    other.keys("q");
    assert_eq!(other.exit_code(), 0);
    // The one of the look at it is over by then, too.
    until("nobody is connected", || (service.connections() == 0).then_some(()));
}

#[test]
fn detaching_while_pictures_arrive_always_ends_well() {
    let dir = tempfile::tempdir().unwrap();
    let _service = start(dir.path(), &[camera("gate")]);
    for _ in 0..6 {
        let mut terminal = attach(dir.path(), &[], 120, 40);
        terminal.keys("\r");
        terminal.wait_for_text("▀▀▀▀");
        terminal.keys("Q");
        assert_eq!(terminal.exit_code(), 0, "{}", terminal.text());
        terminal.assert_given_back();
    }
}

#[test]
fn another_version_is_said_in_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("other.sock");
    let said = |server: Impostor| {
        let mut terminal = program(dir.path(), &["attach", "--socket", "other.sock"], 200, 50);
        assert_eq!(terminal.exit_code(), 1);
        terminal.wait_for_text("pcount-tui: ");
        let ctl = Command::new(PROGRAM)
            .args(["ctl", "--socket", "other.sock", "status"])
            .current_dir(dir.path())
            .output()
            .unwrap();
        let said = String::from_utf8(ctl.stderr).unwrap();
        assert_eq!((ctl.status.code(), said.lines().count()), (Some(1), 1), "{said}");
        drop(server);
        assert!(terminal.text().contains(said.trim()), "{said}: {}", terminal.text());
        said
    };
    let version = |api: u32| json!({ "program": "9.9.9", "api": api, "pid": 1, "output": "out" });
    let text = said(Impostor::start(&path, &version(2).to_string(), "{}"));
    assert!(
        text.contains("the engine is pcount-tui 9.9.9") && text.contains("same version of both"),
        "{text}"
    );
    for (version, snapshot) in [
        (version(1).to_string(), "{}"),
        (version(1).to_string(), "[1, 2"),
        ("\"nonsense\"".to_owned(), "{}"),
        (String::new(), ""),
    ] {
        let text = said(Impostor::start(&path, &version, snapshot));
        assert!(text.contains("cannot be parsed") && text.contains("same version of both"), "{text}");
    }
}

#[test]
fn another_program_that_speaks_the_same_is_a_notice() {
    let dir = tempfile::tempdir().unwrap();
    let service = start(dir.path(), &[camera("gate")]);
    let path = dir.path().join("other.sock");
    let version = json!({ "program": "9.9.9", "api": 1, "pid": 1, "output": "out" }).to_string();
    let _server = Impostor::start(&path, &version, &service.told(&["snapshot"]));
    let mut terminal = program(dir.path(), &["attach", "--socket", "other.sock"], 120, 40);
    terminal.wait_for_text("the engine is pcount-tui 9.9.9");
    terminal.wait_for_text("gate");
    // What it does not know is nothing to fall over.
    terminal.keys("\r");
    terminal.wait_for_text("1 Preview");
    terminal.keys("qH");
    terminal.wait_for_text("cannot be parsed");
    terminal.keys("qLqWqE:reload\r");
    terminal.wait_for_text("cannot be parsed");
    terminal.keys("q");
    assert_eq!(terminal.exit_code(), 0);
}

#[test]
fn the_program_beside_a_running_engine_attaches_or_says_how() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(&[camera("gate")]);
    config["parallel_config"]["ledger"] = false.into();
    let service = Service::start(dir.path(), &config);
    until("it runs", || service.told(&["status"]).contains("Running").then_some(()));
    let mut terminal = program(dir.path(), &["--config", "cams.json"], 120, 40);
    terminal.wait_for_text("an engine is already running for 'out'; this is its dashboard");
    terminal.wait_for_text("attached");
    terminal.keys("q");
    assert_eq!(terminal.exit_code(), 0);
    terminal.wait_for_text("attach again with: pcount-tui attach --config cams.json");

    let refused = |args: &[&str]| {
        let mut terminal = program(dir.path(), args, 200, 50);
        assert_eq!(terminal.exit_code(), 1, "{args:?}: {}", terminal.text());
        terminal.wait_for_text("pcount-tui attach --output out");
        terminal.wait_for_text("an engine is already running for 'out'");
    };
    refused(&["--config", "cams.json", "--fresh"]);
    refused(&["demo:lobby", "--output", "out"]);
    refused(&["--config", "cams.json", "--headless"]);
    refused(&["--config", "cams.json", "--json"]);
    refused(&["serve", "--config", "cams.json"]);

    let once = |more: &[&str]| {
        let args = [&["--config", "cams.json", "--once"], more].concat();
        let output = Command::new(PROGRAM).args(args).current_dir(dir.path()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(once(&[]).contains("gate"));
    let status: Value = serde_json::from_str(&once(&["--json"])).unwrap();
    assert_eq!(status["sources"][0]["camera_id"], "gate");
    assert_eq!(once(&["--format", "{running}"]).trim(), "1");
}

#[test]
fn an_engine_with_a_terminal_or_without_one_is_attached_to_as_well() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &config(&[camera("gate")]).to_string());
    let mut local = program(dir.path(), &["--config", "cams.json"], 100, 30);
    local.wait_for_text("Running");
    let mut terminal = attach(dir.path(), &[], 80, 24);
    terminal.keys("p");
    local.wait_for_text("Paused");
    // Lines that are drawn there are edited here.
    terminal.keys("E");
    terminal.wait_for_text("door (1 of 1)");
    terminal.keys("a\r");
    terminal.wait_for_text("saved to");
    local.keys("E");
    local.wait_for_text("door (1 of 2)");
    local.keys("q");
    local.keys("Q");
    assert_eq!(local.exit_code(), 0);
    terminal.wait_for_text("no connection; reconnecting in ");
    terminal.keys("q");
    terminal.wait_for_text("OLD, ");
    let mut headless = Command::new(PROGRAM)
        .args(["--config", "cams.json", "--headless"])
        .current_dir(dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    terminal.wait("it is back", |terminal| !terminal.text().contains("OLD, "));
    terminal.keys("q");
    assert_eq!(terminal.exit_code(), 0);
    let stopped = service::ctl(dir.path(), &["stop"]);
    assert!(stopped.status.success(), "{stopped:?}");
    assert_eq!(headless.wait().unwrap().code(), Some(143));
}
