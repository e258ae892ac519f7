//! The whole program where its folder or its clock is not as on a desk: network folders without shared memory or
//! without locks, folders that may only be read, a wall clock that is set, a program that is frozen.
//!
//! The C library's calls are replaced by those of `tests/support/*.c`; where there is no compiler that is skipped,
//! saying so.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot set itself up has failed")]

#[path = "support/preload.rs"]
mod preload;
#[path = "support/require.rs"]
mod require;

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use pcount::internals::ledger::{FILE_NAME, Reader, reader::Span};
use preload::library;

const EVER: Span = Span { from: i64::MIN, to: i64::MAX };
const PATIENCE: Duration = Duration::from_mins(2);

fn configuration(dir: &Path, more: &str) {
    let text = format!(
        r#"{{ "parallel_config": {{ "result_output": "out", "log_dir": "logs"{more} }},
             "cameras": [{{ "camera_id": "lobby", "source": "demo:lobby?people=12&seed=7" }}] }}"#
    );
    fs::write(dir.join("cams.json"), text).unwrap();
}

fn program(dir: &Path, arguments: &[&str]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_pcount-tui"));
    program.args(arguments).current_dir(dir).stdin(Stdio::null()).env("TZ", "UTC");
    program
}

fn counts(dir: &Path) -> Command {
    let mut program = program(dir, &["--config", "cams.json", "--json", "--detector", "motion"]);
    program.stdout(Stdio::null()).stderr(Stdio::null());
    program
}

/// The log of the program, with what was set aside of it when the clock said that it was old.
fn log(dir: &Path) -> String {
    let logs = fs::read_dir(dir.join("logs")).into_iter().flatten().map(|entry| entry.unwrap().path());
    let logs = logs.filter(|path| path.to_string_lossy().contains("parallel_counter.log"));
    logs.map(|path| fs::read_to_string(path).unwrap_or_default()).collect()
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn counted(dir: &Path) -> usize {
    log(dir).matches("Person detected").count()
}

fn interrupt(mut program: Child) {
    Command::new("kill").args(["-INT", &program.id().to_string()]).status().unwrap();
    program.wait().unwrap();
}

fn kept(dir: &Path) -> usize {
    Reader::open(&dir.join("out").join(FILE_NAME)).unwrap().crossings("lobby", EVER).unwrap().len()
}

fn total(dir: &Path) -> u64 {
    let totals = Reader::open(&dir.join("out").join(FILE_NAME)).unwrap().totals().unwrap();
    totals.iter().flat_map(|(_, lines)| lines).map(|line| line.total_in + line.total_out).sum()
}

#[test]
fn a_folder_without_shared_memory_keeps_everything() {
    let dir = tempfile::tempdir().unwrap();
    let Some(library) = library(dir.path(), "netfs") else { return };
    configuration(dir.path(), "");
    let preload = |mut command: Command| {
        command.env("LD_PRELOAD", &library).env("NOSHM", "1");
        command
    };
    // First a ledger that another machine has left, killed, with its log.
    let mut first = counts(dir.path()).spawn().unwrap();
    until("counted", || counted(dir.path()) > 3);
    first.kill().unwrap();
    first.wait().unwrap();
    // What it had handed to those who write for it may still be on its way.
    let mut settled = (counted(dir.path()), total(dir.path()));
    until("settled", || {
        std::thread::sleep(Duration::from_secs(1));
        let now = (counted(dir.path()), total(dir.path()));
        std::mem::replace(&mut settled, now) == now
    });
    let before = total(dir.path());
    let begun = counted(dir.path());
    let running = preload(counts(dir.path())).spawn().unwrap();
    until("counted", || counted(dir.path()) > begun + 3);
    // Read while it is written.
    let report = preload(program(dir.path(), &["report", "--config", "cams.json", "--format", "json"]))
        .output()
        .unwrap();
    assert!(report.status.success(), "{}", String::from_utf8_lossy(&report.stderr));
    interrupt(running);
    assert!(!log(dir.path()).contains("wait in memory"), "{}", log(dir.path()));
    assert_eq!(total(dir.path()), kept(dir.path()) as u64, "totals go on");
    assert_eq!(total(dir.path()) - before, (counted(dir.path()) - begun) as u64);
}

#[test]
fn a_new_ledger_in_a_folder_without_shared_memory_is_no_trouble() {
    let dir = tempfile::tempdir().unwrap();
    let Some(library) = library(dir.path(), "netfs") else { return };
    configuration(dir.path(), "");
    let running = counts(dir.path()).env("LD_PRELOAD", &library).env("NOSHM", "1").spawn().unwrap();
    until("counted", || counted(dir.path()) > 3);
    interrupt(running);
    assert!(!log(dir.path()).contains("wait in memory"), "{}", log(dir.path()));
    assert_eq!(kept(dir.path()), counted(dir.path()));
}

#[test]
fn a_folder_without_locks_is_told_with_its_reason_and_totals_are_not_forgotten() {
    for (refused, reason) in [("37", "No locks available"), ("13", "Permission denied")] {
        let dir = tempfile::tempdir().unwrap();
        let Some(library) = library(dir.path(), "netfs") else { return };
        configuration(dir.path(), "");
        let first = counts(dir.path()).spawn().unwrap();
        until("counted", || counted(dir.path()) > 3);
        interrupt(first);
        let before = total(dir.path());
        let mut command = counts(dir.path());
        command.env("LD_PRELOAD", &library).env("NOLOCK", refused).stdout(Stdio::piped());
        let running = command.spawn().unwrap();
        until("told", || log(dir.path()).contains("wait in memory"));
        let begun = counted(dir.path());
        until("counted", || counted(dir.path()) > begun + 1);
        let id = running.id().to_string();
        Command::new("kill").args(["-INT", &id]).status().unwrap();
        let out = running.wait_with_output().unwrap();
        let log = log(dir.path());
        assert!(log.contains("refuses locks") && log.contains(reason) && log.contains("--output"), "{log}");
        let out = String::from_utf8_lossy(&out.stdout);
        let summary: serde_json::Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
        let shown = summary["total"]["in"].as_u64().unwrap() + summary["total"]["out"].as_u64().unwrap();
        assert!(shown > before, "{shown} after {before}");
    }
}

#[test]
fn another_user_may_read_what_he_may_not_write() {
    use std::os::unix::{fs::PermissionsExt as _, process::CommandExt as _};
    let dir = tempfile::tempdir().unwrap();
    configuration(dir.path(), "");
    let mut running = counts(dir.path()).spawn().unwrap();
    until("counted", || counted(dir.path()) > 3);
    let is_root = rustix::process::geteuid().is_root();
    let mode = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let report = |what: &str| {
        let mut command = program(dir.path(), &["report", "--output", "out", "--format", "json"]);
        if is_root {
            command.uid(65534).gid(65534);
        }
        let Ok(report) = command.output() else {
            require::skip("root", "another user cannot start the program");
            return None;
        };
        assert!(report.status.success(), "{what}: {}", String::from_utf8_lossy(&report.stderr));
        let report: serde_json::Value = serde_json::from_slice(&report.stdout).unwrap();
        Some(report["total"]["in"].as_u64().unwrap() + report["total"]["out"].as_u64().unwrap())
    };
    mode(dir.path(), 0o755);
    mode(&dir.path().join("out"), 0o555);
    let while_running = report("while it is written");
    mode(&dir.path().join("out"), 0o755);
    running.kill().unwrap();
    running.wait().unwrap();
    let Some(while_running) = while_running else { return };
    assert!(while_running > 0);
    mode(&dir.path().join("out"), 0o555);
    let killed = report("with the log of one that was killed").unwrap();
    assert!(killed >= while_running);
    mode(&dir.path().join("out"), 0o755);
    drop(
        pcount::internals::outputs::ledger::Ledger::start(pcount::internals::ledger::LedgerOptions::new(
            &dir.path().join("out"),
        ))
        .unwrap(),
    );
    mode(&dir.path().join("out"), 0o555);
    assert_eq!(report("closed in order"), Some(killed));
    mode(&dir.path().join("out"), 0o755);
}

#[test]
fn a_clock_that_is_set_while_it_runs_or_before_is_told_and_only_what_was_watched_is_watched() {
    let dir = tempfile::tempdir().unwrap();
    let Some(library) = library(dir.path(), "skew") else { return };
    configuration(dir.path(), r#", "ledger_retention": "90d""#);
    let skew = dir.path().join("skew");
    let begun = Instant::now();
    // Ten days back at the start, then right, then an hour back, then 400 days on.
    fs::write(&skew, "-864000").unwrap();
    let mut command = counts(dir.path());
    let running = command.env("LD_PRELOAD", &library).env("SKEW", &skew).spawn().unwrap();
    for (number, seconds) in ["0", "-3600", "34560000", "0"].into_iter().enumerate() {
        let before = counted(dir.path());
        until("counted", || counted(dir.path()) > before + 1);
        fs::write(&skew, seconds).unwrap();
        until("told", || log(dir.path()).matches("The clock was set from").count() > number);
    }
    let before = counted(dir.path());
    until("counted", || counted(dir.path()) > before + 1);
    interrupt(running);
    assert_eq!(kept(dir.path()), counted(dir.path()), "nothing is removed");
    let reader = Reader::open(&dir.path().join("out").join(FILE_NAME)).unwrap();
    let watched: i64 = reader.watched("lobby", EVER).unwrap().iter().map(|span| span.length()).sum();
    assert!(watched > 0 && watched < i64::try_from(begun.elapsed().as_millis()).unwrap(), "{watched}");
    // The last minute by the right clock is there.
    let report =
        program(dir.path(), &["report", "--output", "out", "--since", "20d", "--format", "json"]).output();
    let report: serde_json::Value = serde_json::from_slice(&report.unwrap().stdout).unwrap();
    assert!(report["clock_changes"].as_array().unwrap().len() >= 4, "{report}");
}

#[test]
fn a_program_that_was_frozen_has_a_gap() {
    let dir = tempfile::tempdir().unwrap();
    configuration(dir.path(), "");
    let running = counts(dir.path()).spawn().unwrap();
    until("counted", || counted(dir.path()) > 1);
    let signal = |name: &str| Command::new("kill").args([name, &running.id().to_string()]).status().unwrap();
    signal("-STOP");
    std::thread::sleep(Duration::from_secs(8));
    signal("-CONT");
    let before = counted(dir.path());
    until("counted", || counted(dir.path()) > before + 1);
    interrupt(running);
    let reader = Reader::open(&dir.path().join("out").join(FILE_NAME)).unwrap();
    let watched = reader.watched("lobby", EVER).unwrap();
    let gaps: Vec<i64> = watched.windows(2).map(|pair| pair[1].from - pair[0].to).collect();
    assert!(gaps.iter().any(|gap| (7000..12_000).contains(gap)), "{gaps:?}");
    assert_eq!(kept(dir.path()), counted(dir.path()));
}
