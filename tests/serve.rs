//! The program as a service: what it tells the service manager, what it does when that sends signals, and what it writes to
//! the standard error.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    fs,
    io::{PipeReader, Read as _, pipe},
    os::unix::net::UnixDatagram,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use pcount::internals::ledger::{FILE_NAME, Reader};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// Longer than anything takes that is waited for.
const LONG: Duration = Duration::from_secs(90);

fn camera(id: &str) -> Value {
    json!({
        "camera_id": id,
        "source": "demo:corridor?people=4&seed=3",
        "lines": [{ "name": "door", "a": [0, 0.5], "b": [1, 0.5] }],
    })
}

fn config(sources: &[Value]) -> Value {
    json!({ "parallel_config": { "detector": "motion", "result_output": "out" }, "cameras": sources })
}

/// As editors and deployments do it: a new file takes the place of the old one.
fn write(folder: &Path, text: &str) {
    fs::write(folder.join("new.json"), text).unwrap();
    fs::rename(folder.join("new.json"), folder.join("cams.json")).unwrap();
}

/// What systemd is to a service: it starts it, hears it, and sends it signals.
struct Supervisor {
    child: Child,
    socket: UnixDatagram,
    heard: Vec<String>,
    stderr: PipeReader,
    stdout: PipeReader,
}

impl Supervisor {
    fn start(folder: &Path, config: &Value, is_journal: bool) -> Self {
        write(folder, &config.to_string());
        let path = folder.join("notify.sock");
        let socket = UnixDatagram::bind(&path).unwrap();
        let (stdout, out) = pipe().unwrap();
        let (stderr, err) = pipe().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_pcount-tui"));
        command
            .args(["serve", "--config", "cams.json"])
            .current_dir(folder)
            .env("NOTIFY_SOCKET", &path)
            .env("WATCHDOG_USEC", "2000000")
            .env_remove("WATCHDOG_PID")
            .env_remove("JOURNAL_STREAM");
        if is_journal {
            let stat = rustix::fs::fstat(&err).unwrap();
            command.env("JOURNAL_STREAM", format!("{}:{}", stat.st_dev, stat.st_ino));
        }
        let child = command.stdin(Stdio::null()).stdout(out).stderr(err).spawn().unwrap();
        Self { child, socket, heard: Vec::new(), stderr, stdout }
    }

    /// Hears the service until it says what `wanted` wants.
    fn until(&mut self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + LONG;
        loop {
            let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            self.socket.set_read_timeout(Some(left)).unwrap();
            let mut message = [0; 4096];
            let Ok(length) = self.socket.recv(&mut message) else {
                panic!("{what}: it was not said; {:#?}", self.heard)
            };
            let said = String::from_utf8(message[..length].to_vec()).unwrap();
            self.heard.push(said.clone());
            if wanted(&said) {
                return said;
            }
        }
    }

    fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Ends it as `systemctl stop` does; gives what it wrote to the standard error.
    fn stop(mut self) -> String {
        self.send(Signal::TERM);
        self.until("the end", |said| said.starts_with("STOPPING=1\n"));
        assert_eq!(self.child.wait().unwrap().code(), Some(143));
        let (mut out, mut err) = (String::new(), String::new());
        self.stdout.read_to_string(&mut out).unwrap();
        assert_eq!(out, "", "nothing is printed");
        self.stderr.read_to_string(&mut err).unwrap();
        err
    }
}

/// Name of the user who runs the test, and so sends its signals.
fn me() -> String {
    let name = Command::new("id").arg("-un").output().unwrap().stdout;
    String::from_utf8(name).unwrap().trim().to_owned()
}

fn is_ready(said: &str) -> bool {
    said.lines().any(|line| line == "READY=1")
}

#[test]
fn the_service_manager_is_told_of_readiness_counts_life_reloads_and_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let mut cameras = vec![camera("door"), camera("yard")];
    let mut service = Supervisor::start(dir.path(), &config(&cameras), false);
    let said = service.until("readiness", is_ready);
    assert!(said.contains("STATUS=in ") && said.contains("; 2 of 2 cameras running\n"), "{said}");
    service.until("a count", |said| {
        said.strip_prefix("STATUS=in ").is_some_and(|rest| !rest.starts_with("0, out 0"))
    });
    for _ in 0..3 {
        service.until("life", |said| said == "WATCHDOG=1\n");
    }

    // A camera comes.
    cameras.push(camera("gate"));
    write(dir.path(), &config(&cameras).to_string());
    service.send(Signal::HUP);
    let said = service.until("the reload", |said| said.starts_with("RELOADING=1\n"));
    let at: u64 =
        said.lines().find_map(|line| line.strip_prefix("MONOTONIC_USEC=")).unwrap().parse().unwrap();
    assert!(at > 0);
    service.until("the end of the reload", is_ready);
    service.until("the new camera", |said| said.contains("3 of 3 cameras running"));

    // What is wrong changes nothing.
    write(dir.path(), &config(&cameras).to_string().replace("0.5", "7.5"));
    service.send(Signal::HUP);
    service.until("the second reload", |said| said.starts_with("RELOADING=1\n"));
    let said = service.until("its end", is_ready);
    assert!(said.contains("3 of 3 cameras running"), "{said}");

    let said = service.stop();
    let me = me();
    let stopped = format!("{me} stopped the program (signal)");
    for wanted in ["Reload: new: gate", "nothing was changed", "lines[0].a", &stopped] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    assert!(said.lines().all(|line| line.starts_with("[20")), "dated: {said}");
    let actions = Reader::open(&dir.path().join("out").join(FILE_NAME)).unwrap();
    let actions = actions.actions(0, i64::MAX, 99).unwrap();
    let done: Vec<_> =
        actions.iter().map(|it| (it.who.as_str(), it.from.as_str(), it.what.as_str())).collect();
    assert_eq!(done, [(me.as_str(), "signal", "reloaded"), (me.as_str(), "signal", "stopped")]);
    assert_eq!(actions[0].detail.as_deref(), Some("new: gate"));
}

#[test]
fn the_journal_gets_priorities_instead_of_times_and_nobody_gets_a_password() {
    let dir = tempfile::tempdir().unwrap();
    let closed = json!({ "camera_id": "closed", "source": "rtsp://admin:hunter2@127.0.0.1:9/live" });
    let mut service = Supervisor::start(dir.path(), &config(&[camera("door"), closed]), true);
    let said = service.until("readiness", is_ready);
    assert!(said.contains("of 2 cameras running"), "{said}");
    service.until("what is wrong", |said| said.contains("'closed' reconnecting in "));
    service.until("a later countdown", |said| said.contains("'closed' reconnecting in "));
    let heard = service.heard.clone();
    let said = service.stop();
    for line in said.lines() {
        let rest = ["<3>[", "<4>[", "<6>["].iter().find_map(|lead| line.strip_prefix(lead));
        assert!(rest.is_some_and(|rest| !rest.starts_with("20")), "{line}");
    }
    assert!(said.contains("<6>[ENGINE] Started with 2 sources\n"), "{said}");
    assert!(said.contains("[CLOSED] "), "{said}");
    assert!(!said.contains("hunter2") && !heard.concat().contains("hunter2"), "{said}");
}

#[test]
fn a_service_whose_sources_are_over_goes_on_until_it_is_told_to_stop() {
    let dir = tempfile::tempdir().unwrap();
    let config = json!({
        "parallel_config": { "detector": "motion", "result_output": "out" },
        "videos": [{ "video_id": "clip", "path": "demo:lobby?people=2&seed=4&seconds=3" }],
    });
    let mut service = Supervisor::start(dir.path(), &config, false);
    let is_over = |said: &str| said.contains("0 of 1 videos running; 1 read to the end");
    let said = service.until("readiness", is_ready);
    if !is_over(&said) {
        service.until("its end", is_over);
    }
    for _ in 0..3 {
        service.until("life", |said| said == "WATCHDOG=1\n");
    }
    assert!(service.child.try_wait().unwrap().is_none());
    service.stop();
}

#[test]
fn a_standard_error_whose_reader_has_gone_holds_up_no_count() {
    let dir = tempfile::tempdir().unwrap();
    let mut wanted = config(&[camera("door")]);
    wanted["parallel_config"]["log_level"] = json!("DEBUG");
    let mut service = Supervisor::start(dir.path(), &wanted, false);
    // Closed: as if the reader had died.
    service.stderr = pipe().unwrap().0;
    service.until("readiness", is_ready);
    service.until("a count", |said| {
        said.strip_prefix("STATUS=in ").is_some_and(|rest| !rest.starts_with("0, out 0"))
    });
    service.stop();
}

#[test]
fn a_second_service_on_the_same_folder_says_why_it_ends_and_raises_no_false_alarm() {
    let dir = tempfile::tempdir().unwrap();
    let mut service = Supervisor::start(dir.path(), &config(&[camera("door")]), false);
    service.until("readiness", is_ready);
    let second = Command::new(env!("CARGO_BIN_EXE_pcount-tui"))
        .args(["serve", "--config", "cams.json"])
        .current_dir(dir.path())
        .env_remove("NOTIFY_SOCKET")
        .output()
        .unwrap();
    let said = String::from_utf8(second.stderr).unwrap();
    assert_eq!((second.status.code(), second.stdout.len()), (Some(1), 0), "{said}");
    assert!(
        said.contains("an engine is already running for 'out'; show it with 'pcount-tui attach")
            && !said.contains("missing"),
        "{said}"
    );
    service.stop();
}
