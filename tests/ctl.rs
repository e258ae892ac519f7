//! An engine that runs already, asked from scripts: what is printed, exit codes, and what is said when something is wrong.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "support/service.rs"]
mod service;

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use jiff::{Timestamp, tz::TimeZone};
use rustix::process::Signal;
use serde_json::{Value, json};
use service::{PROGRAM, Service, camera, config, ctl, until, write, written};

fn start(folder: &Path) -> Service {
    let service = Service::start(folder, &config(&[camera("gate"), camera("yard")]));
    until("both run", || {
        service.told(&["status", "--json"]).matches(r#""status":"Running""#).nth(1).map(drop)
    });
    service
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// What is said on the standard error, with the exit code.
fn refused(output: &std::process::Output) -> (Option<i32>, String) {
    assert!(output.stdout.is_empty(), "{output:?}");
    (output.status.code(), String::from_utf8(output.stderr.clone()).unwrap())
}

#[test]
fn each_order_is_carried_out_and_said_and_a_refused_one_ends_with_1_and_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let service = start(dir.path());
    assert!(service.told(&["status"]).contains("gate"));
    assert_eq!(service.told(&["pause", "gate"]), "gate: done\n");
    let state = |id: &str| {
        let status = json_of(&service.told(&["status", "--json"]));
        let sources = status["sources"].as_array().unwrap().clone();
        sources.into_iter().find(|source| source["camera_id"] == id).unwrap()["status"].clone()
    };
    assert_eq!(state("gate"), "Paused");
    assert_eq!(json_of(&service.told(&["--json", "resume", "gate"])), json!({ "said": "gate: done" }));
    until("it goes on", || (state("gate") == "Running").then_some(()));
    service.told(&["pause", "--all"]);
    assert_eq!((state("gate"), state("yard")), (json!("Paused"), json!("Paused")));
    service.told(&["resume", "--all"]);
    assert_eq!(service.told(&["restart", "gate", "yard"]), "gate: done\nyard: done\n");
    assert_eq!(service.told(&["reset", "--all"]), "gate: done\nyard: done\n");
    assert_eq!(service.told(&["workers"]), "1 of at most 3\n");
    service.told(&["workers", "2"]);
    assert_eq!(
        json_of(&service.told(&["workers", "--json"])),
        json!({ "worker_count": 2, "max_workers": 3 })
    );
    assert_eq!(json_of(&service.told(&["snapshot"]))["sources"].as_array().unwrap().len(), 2);

    for args in [&["pause", "nobody"][..], &["events", "nobody"], &["logs", "nobody"], &["remove", "nobody"]]
    {
        let (code, said) = refused(&service.ctl(args));
        assert!(
            code == Some(1) && said.contains("there is no source with the id 'nobody'"),
            "{args:?}: {said}"
        );
    }
    // One that is refused holds up no other.
    let output = service.ctl(&["pause", "nobody", "yard"]);
    assert_eq!((output.status.code(), &*output.stdout), (Some(1), &b"yard: done\n"[..]));
    for args in
        [&["pause"][..], &["workers", "0"], &["workers", "many"], &["dance"], &["logs", "--level", "x"], &[]]
    {
        assert_eq!(service.ctl(args).status.code(), Some(2), "{args:?}");
    }

    let actions = service.told(&["actions"]);
    for what in ["paused", "resumed", "restarted", "reset", "workers"] {
        assert!(actions.contains(what), "{what}: {actions}");
    }
    // As the configuration has it, 5:45 hours before UTC.
    let kathmandu = Timestamp::now().to_zoned(TimeZone::get("Asia/Kathmandu").unwrap());
    let hour = kathmandu.strftime("%Y-%m-%d %H:").to_string();
    let before = kathmandu.saturating_sub(jiff::Span::new().minutes(5)).strftime("%Y-%m-%d %H:").to_string();
    assert!(actions.starts_with(&*hour) || actions.starts_with(&*before), "{hour} {actions}");
    let first = json_of(service.told(&["actions", "--json", "--since", "1h"]).lines().next().unwrap());
    assert_eq!(first["from"], "socket", "{first}");
    assert_eq!(service.ctl(&["actions", "--since", "yesteryear"]).status.code(), Some(1));

    assert!(service.told(&["stop"]).contains("shutting down"));
    let mut service = service;
    assert_eq!(service.child.wait().unwrap().code(), Some(0));
}

#[test]
fn without_an_engine_it_says_how_to_start_one() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &config(&[camera("gate")]).to_string());
    for args in [&["status"][..], &["stop"], &["events"], &["reload"]] {
        let (code, said) = refused(&ctl(dir.path(), args));
        assert_eq!((code, said.lines().count()), (Some(1), 1), "{said}");
        assert!(said.contains("no engine answers") && said.contains("pcount-tui serve --config"), "{said}");
    }
    let output = Command::new(PROGRAM).args(["ctl", "--socket", "no.sock", "status"]).output().unwrap();
    let (code, said) = refused(&output);
    assert!(code == Some(1) && said.contains("'no.sock' (there is no socket)"), "{said}");
}

#[test]
fn a_source_is_added_from_any_folder_saved_with_its_password_beside_and_removed() {
    let dir = tempfile::tempdir().unwrap();
    let service = start(dir.path());
    let said = service.told(&[
        "add",
        "rtsp://admin:hunter2@127.0.0.1:9/live",
        "--id",
        "dock",
        "--alias",
        "Dock",
        "--save",
    ]);
    assert!(said.contains("cams.json") && !said.contains("hunter2"), "{said}");
    let file = fs::read_to_string(dir.path().join("cams.json")).unwrap();
    assert!(file.contains("\"dock\"") && !file.contains("hunter2"), "beside: {file}");
    let (code, said) = refused(&service.ctl(&["add", "demo:lobby", "--id", "dock"]));
    assert!(code == Some(1) && said.contains("'dock' already"), "{said}");

    let entry = json!({ "camera_id": "hall", "source": "demo:lobby", "threshold": 7 }).to_string();
    let mut child = Command::new(PROGRAM)
        .args(["ctl", "--config", "cams.json", "add", "--entry", "-", "--save"])
        .current_dir(dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(entry.as_bytes()).unwrap();
    assert!(child.wait_with_output().unwrap().status.success());
    let cameras = written(dir.path())["cameras"].as_array().unwrap().clone();
    let hall = cameras.iter().find(|camera| camera["camera_id"] == "hall").unwrap();
    assert_eq!(hall["threshold"], 7, "{hall}");
    let (code, said) = refused(&service.ctl(&["add", "--entry", "{"]));
    assert!(code == Some(2) && said.contains("--entry is no JSON object"), "{said}");
    let (code, said) = refused(&service.ctl(&["add", "--entry", r#"{"camera_id": "x", "thresold": 1}"#]));
    assert!(code == Some(1) && said.contains("thresold"), "{said}");

    // A path is one of the folder in which it is typed.
    let videos = dir.path().join("videos");
    fs::create_dir(&videos).unwrap();
    fs::write(videos.join("a.mp4"), "no video").unwrap();
    let output = Command::new(PROGRAM)
        .args(["ctl", "--config", "../cams.json", "--output", "../out", "add", "a.mp4", "--id", "clip"])
        .current_dir(&videos)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let snapshot = service.snapshot().to_string();
    assert!(snapshot.contains(videos.join("a.mp4").to_str().unwrap()), "{snapshot}");

    assert_eq!(service.ids(), ["gate", "yard", "dock", "hall", "clip"]);
    let said = service.told(&["remove", "dock", "hall", "--save"]);
    assert!(said.contains("dock: done") && said.contains("cams.json"), "{said}");
    assert_eq!(service.ids(), ["gate", "yard", "clip"]);
    assert_eq!(written(dir.path())["cameras"].as_array().unwrap().len(), 2);
    // Gone from the engine already: the file is written, and the code says that something was refused.
    assert_eq!(service.ctl(&["remove", "dock", "--save"]).status.code(), Some(1));
}

#[test]
fn a_reload_is_shown_first_then_done_and_a_broken_file_has_all_its_problems_said() {
    let dir = tempfile::tempdir().unwrap();
    let service = start(dir.path());
    assert_eq!(service.told(&["reload", "--dry-run"]), "nothing would change\n");
    write(dir.path(), &config(&[camera("gate"), camera("door")]).to_string());
    let shown = service.told(&["reload", "--dry-run"]);
    assert!(shown.contains("new: door") && shown.contains("removed: yard"), "{shown}");
    assert_eq!(service.ids(), ["gate", "yard"], "nothing has changed");
    let shown = json_of(&service.told(&["reload", "--dry-run", "--json"]));
    assert!(shown["done"] == false && shown["changes"].as_array().unwrap().len() == 2, "{shown}");
    let done = service.told(&["reload"]);
    assert!(done.contains("new: door") && done.contains("is in effect"), "{done}");
    assert_eq!(service.ids().len(), 2);
    assert!(service.ids().contains(&"door".to_owned()));

    let broken = config(&[camera("gate"), camera("door")]).to_string();
    let broken = broken.replace("0.5", "7.5").replace("demo:", "dmo://");
    write(dir.path(), &broken);
    for args in [&["reload"][..], &["reload", "--dry-run"]] {
        let (code, said) = refused(&service.ctl(args));
        assert!(code == Some(1) && said.contains("lines[0].a") && said.contains("dmo"), "{said}");
    }
    // Whatever is wrong with the file, the engine that was started with it is found.
    assert!(service.told(&["status"]).contains("gate"));
    assert_eq!(service.told(&["pause", "gate"]), "gate: done\n");
}

#[test]
fn events_and_logs_are_followed_until_the_engine_or_the_reader_ends() {
    let dir = tempfile::tempdir().unwrap();
    let service = start(dir.path());
    let follow = |args: &[&str]| {
        let mut child = Command::new(PROGRAM)
            .args(["ctl", "--config", "cams.json"])
            .args(args)
            .current_dir(dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        (child, lines)
    };
    let (mut events, mut lines) = follow(&["events", "--json", "gate"]);
    let mut line = String::new();
    while !line.contains("\"crossing\"") {
        line.clear();
        assert!(lines.read_line(&mut line).unwrap() > 0);
        assert_eq!(json_of(&line)["source"], "gate", "{line}");
    }
    let id = json_of(&line)["id"].as_str().unwrap().to_owned();
    let (mut after, mut text) = follow(&["events", "--after", &id]);
    let mut line = String::new();
    text.read_line(&mut line).unwrap();
    assert!(line.contains(": ") && !line.contains("missing"), "{line}");

    // The reader goes away, as `head -1` does.
    drop(text);
    assert_eq!(after.wait().unwrap().code(), Some(0));
    let mut said = String::new();
    after.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(said, "");

    let (mut logs, mut log) = follow(&["logs", "--follow", "--words", "paused"]);
    std::thread::sleep(Duration::from_millis(500));
    service.told(&["pause", "yard"]);
    let mut line = String::new();
    log.read_line(&mut line).unwrap();
    assert!(line.contains("[YARD]") && line.to_lowercase().contains("paused"), "{line}");
    assert!(
        service
            .told(&["logs", "yard", "--level", "info", "--json"])
            .lines()
            .all(|line| json_of(line)["camera"] == "yard")
    );
    assert_eq!(service.told(&["logs", "--level", "error"]), "");

    service.signal(Signal::TERM);
    assert_eq!(events.wait().unwrap().code(), Some(0), "the engine has ended");
    let code = logs.wait().unwrap().code();
    assert!(code == Some(0), "{code:?}");
}

#[test]
fn completions_and_manual_page_name_what_works_on_a_running_engine() {
    for args in [&["completions", "bash"][..], &["completions", "zsh"], &["completions", "fish"], &["man"]] {
        let output = Command::new(PROGRAM).args(args).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap().replace('\\', "");
        for word in ["attach", "ctl", "serve"] {
            assert!(text.contains(word), "{args:?}: {word}");
        }
    }
    let help = Command::new(PROGRAM).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(help.contains("pcount-tui attach --config cams.json"), "{help}");
    assert!(help.contains("pcount-tui serve --config cams.json"), "{help}");
}
