//! `doctor`: what works, what does not, and what helps, on one page that can be pasted into a report.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "support/service.rs"]
mod service;

use std::{
    collections::BTreeMap,
    fs,
    net::TcpListener,
    os::unix::fs::MetadataExt as _,
    path::Path,
    process::{Command, Output},
};

use serde_json::{Value, json};
use service::{PROGRAM, Service, camera, config, until, write};

/// Runs it in `folder`, without a terminal.
fn doctor(folder: &Path, args: &[&str]) -> Output {
    Command::new(PROGRAM).arg("doctor").args(args).current_dir(folder).env("NO_COLOR", "1").output().unwrap()
}

/// What it finds with the configuration in `folder`, and its exit code.
fn found(folder: &Path, more: &[&str]) -> (Vec<Value>, i32) {
    let output = doctor(folder, &[&["--config", "cams.json", "--json"], more].concat());
    let document: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(document["complete"], true);
    let findings = document["findings"].as_array().unwrap().clone();
    let failing = findings.iter().filter(|finding| finding["status"] == "fail").count();
    assert_eq!(document["totals"]["fail"], failing);
    (findings, output.status.code().unwrap())
}

/// Status and text of all findings of `check`.
fn of(findings: &[Value], check: &str) -> (String, String) {
    let of_check: Vec<&Value> = findings.iter().filter(|finding| finding["check"] == check).collect();
    assert!(!of_check.is_empty(), "{check}: {findings:?}");
    let worst = ["fail", "warn", "ok"].iter().find(|word| of_check.iter().any(|f| f["status"] == **word));
    let text: Vec<String> = of_check.iter().map(ToString::to_string).collect();
    (worst.unwrap().to_string(), text.join("\n"))
}

/// Every file below `folder`, with its length and the time of its last change.
fn state(folder: &Path) -> BTreeMap<String, (u64, i64, i64)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let file = fs::symlink_metadata(&path).unwrap();
        found.insert(path.display().to_string(), (file.len(), file.mtime(), file.mtime_nsec()));
        if file.is_dir() {
            found.append(&mut state(&path));
        }
    }
    found
}

#[test]
fn a_good_machine_fails_nothing_and_nothing_is_changed() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &config(&[camera("gate")]).to_string());
    let before = state(dir.path());
    let (findings, code) = found(dir.path(), &[]);
    let bad: Vec<&Value> = findings.iter().filter(|finding| finding["status"] == "fail").collect();
    assert!(code == 0 && bad.is_empty(), "{bad:?}");
    for (check, part) in [
        ("program", env!("CARGO_PKG_VERSION")),
        ("libraries", "SQLite 3."),
        ("configuration", "valid: 1 sources, 0 disabled"),
        ("detector", "one detection run in"),
        ("clock", "Asia/Kathmandu"),
        ("ledger", "none yet"),
        ("control", "no engine runs"),
        ("sources", "sends frames: 640x360"),
    ] {
        let (_, text) = of(&findings, check);
        assert!(text.contains(part), "{check}: {text}");
    }
    assert_eq!(state(dir.path()), before);

    // Without any configuration the machine is examined all the same.
    let page = doctor(dir.path(), &[]);
    let text = String::from_utf8(page.stdout).unwrap();
    assert_eq!(page.status.code(), Some(0), "{text}");
    assert!(text.contains("none named") && text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(text.trim_end().lines().last().unwrap().contains("0 fail"), "{text}");
    assert_eq!(state(dir.path()), before);
}

#[test]
fn a_broken_configuration_is_said_whole_and_connects_to_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = format!("rtsp://bob:Zq7!uNt0ld@{}/1", listener.local_addr().unwrap());
    let cameras = json!([{ "camera_id": "gate", "source": address, "thresold": 3 },
                         { "camera_id": "gate", "source": "rstp://cam.lan/1" }]);
    write(
        dir.path(),
        &json!({ "cameras": cameras, "parallel_config": { "result_output": "out" } }).to_string(),
    );
    let (findings, code) = found(dir.path(), &[]);
    let (status, text) = of(&findings, "configuration");
    assert!(code == 1 && status == "fail", "{text}");
    assert!(text.contains("line 1, column") && text.contains("threshold"), "{text}");
    assert!(text.matches("fail").count() >= 2, "{text}");
    let all = of(&findings, "sources").1;
    assert!(all.contains("not tried") && listener.accept().is_err(), "{all}");
    for hidden in ["Zq7!uNt0ld", "bob", "cam.lan", "127.0.0.1"] {
        assert!(
            !findings.iter().any(|finding| finding.to_string().contains(hidden)),
            "{hidden}: {findings:?}"
        );
    }
}

#[test]
fn cameras_and_servers_that_are_not_reached_are_named_without_their_addresses() {
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("bobs-secret");
    fs::write(&secret, format!("whsec_{}", "A".repeat(44))).unwrap();
    fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let mut config = config(&[
        camera("gate"),
        json!({ "camera_id": "yard", "source": "rtsp://bob:Zq7!uNt0ld@127.0.0.1:9/x?pwd=Zq7!uNt0ld" }),
    ]);
    config["videos"] = json!([{ "video_id": "clip", "path": "bobs-clip.mp4" }]);
    config["parallel_config"]["mqtt"] =
        json!({ "url": "mqtt://127.0.0.1:9", "credentials": { "user": "bob", "password": "Zq7!uNt0ld" } });
    config["parallel_config"]["webhooks"] = json!([{ "name": "till", "url": "http://127.0.0.1:9/in?key=Zq7!uNt0ld", "secret_file": "bobs-secret" }]);
    write(dir.path(), &config.to_string());
    let (findings, code) = found(dir.path(), &[]);
    assert_eq!(code, 1);
    let source = |id: &str| findings.iter().find(|finding| finding["subject"] == id).unwrap().to_string();
    assert!(source("gate").contains("sends frames"), "{}", source("gate"));
    assert!(source("yard").contains("Retrying: cannot connect") && source("yard").contains("fix"));
    assert!(source("clip").contains("Failed: not found"), "{}", source("clip"));
    for check in ["mqtt", "webhooks"] {
        let (status, text) = of(&findings, check);
        assert!(status == "fail" && text.contains("is not reached"), "{text}");
    }
    let page = doctor(dir.path(), &["--config", "cams.json"]);
    let text = String::from_utf8(page.stdout).unwrap() + &String::from_utf8(page.stderr).unwrap();
    let folder = dir.path().to_str().unwrap();
    for hidden in ["Zq7!uNt0ld", "bob", "127.0.0.1", folder] {
        assert!(!text.contains(hidden), "{hidden}: {text}");
    }

    let asked = doctor(dir.path(), &["--config", "cams.json", "--show-addresses", "--json"]);
    let text = String::from_utf8(asked.stdout).unwrap();
    assert!(text.contains("127.0.0.1:9") && text.contains("bobs-clip.mp4"), "{text}");
    assert!(!text.contains("Zq7!uNt0ld"), "{text}");

    let (findings, code) = found(dir.path(), &["--no-connect"]);
    assert_eq!(code, 0, "{findings:?}");
    assert!(
        of(&findings, "sources").1.contains("not tried") && of(&findings, "mqtt").1.contains("not tried")
    );
}

#[test]
fn what_stands_in_the_way_of_counts_fails_and_says_what_helps() {
    let dir = tempfile::tempdir().unwrap();
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = config(&[]);
    config["cameras"] = json!([camera("gate")]);
    config["parallel_config"]["http"] = json!({ "listen": held.local_addr().unwrap().to_string() });
    config["parallel_config"]["engine"] = json!("onnxruntime");
    config["parallel_config"]["detector"] = json!("builtin");
    config["parallel_config"]["log_dir"] = json!("file/logs");
    write(dir.path(), &config.to_string());
    fs::write(dir.path().join("file"), "").unwrap();
    fs::create_dir(dir.path().join("out")).unwrap();
    let ledger = dir.path().join("out/ledger.sqlite");
    fs::write(&ledger, [0xAB; 8192]).unwrap();
    let before = state(dir.path());
    let output = Command::new(PROGRAM)
        .args(["doctor", "--config", "cams.json", "--json", "--no-connect"])
        .current_dir(dir.path())
        .env("ORT_DYLIB_PATH", dir.path().join("none/libonnxruntime.so"))
        .env("HOME", dir.path())
        .output()
        .unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = document["findings"].as_array().unwrap();
    assert_eq!(output.status.code(), Some(1));
    for (check, part) in [
        ("ledger", "copy the output folder"),
        ("http", "held by another program"),
        ("folders", "leads through a file"),
    ] {
        let (status, text) = of(findings, check);
        assert!(status == "fail" && text.contains(part), "{check}: {text}");
    }
    // Another library may be installed on this machine; the one that was named is passed over in every case.
    let (status, text) = of(findings, "engine");
    assert!(status != "ok" && text.contains("does not exist"), "{text}");
    assert_eq!(state(dir.path()), before);

    // A ledger of a newer version is left alone.
    fs::remove_file(&ledger).unwrap();
    let connection = rusqlite::Connection::open(&ledger).unwrap();
    connection.execute_batch("CREATE TABLE crossings (a); PRAGMA user_version = 99").unwrap();
    drop(connection);
    let (findings, _) = found(dir.path(), &["--no-connect"]);
    let (status, text) = of(&findings, "ledger");
    assert!(status == "fail" && text.contains("newer version") && text.contains("99"), "{text}");
}

#[test]
fn an_engine_that_runs_is_asked_and_not_disturbed() {
    let dir = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut config = config(&[camera("gate")]);
    config["parallel_config"]["http"] = json!({ "listen": port.to_string() });
    let service = Service::start(dir.path(), &config);
    until("it runs", || service.told(&["status", "--json"]).contains("Running").then_some(()));
    let (findings, code) = found(dir.path(), &[]);
    let pid = format!("process {}", service.child.id());
    for (check, part) in [
        ("control", &*pid),
        ("http", "is held by the engine that runs"),
        ("ledger", "written by the engine that runs"),
        ("sources", "in the engine that runs"),
    ] {
        let (status, text) = of(&findings, check);
        assert!(status == "ok" && text.contains(part), "{check}: {text}");
    }
    assert_eq!(code, 0);
    let status = service.told(&["status", "--json"]);
    assert!(status.contains("Running"), "{status}");
}
