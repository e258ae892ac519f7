//! The line that says how far a long command has come: on a terminal and nowhere else; and what a signal leaves.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

#[path = "support/clips.rs"]
#[allow(dead_code, reason = "each test binary uses its part")]
mod clips;
#[path = "support/http_server.rs"]
#[allow(dead_code, reason = "each test binary uses its part")]
mod http_server;
#[path = "pty/terminal.rs"]
#[allow(dead_code, reason = "each test binary uses its part")]
mod terminal;

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
};

use http_server::{Answer, serve};
use rustix::process::{Pid, Signal, kill_process};
use terminal::Terminal;

const PROGRAM: &str = env!("CARGO_BIN_EXE_pcount-tui");

/// What takes a line back before it is drawn again.
const TAKEN_BACK: &[u8] = b"\r\x1b[2K";

fn start(arguments: &[&str], env: &[(&str, &str)], columns: u16) -> Terminal {
    Terminal::start(Path::new(PROGRAM), arguments, env, columns, 24)
}

/// A scene of a box that moves, with `frames` frames, in a folder of its own.
fn scene(folder: &Path, name: &str, frames: usize) -> String {
    let scene = folder.join(name);
    fs::create_dir(&scene).unwrap();
    clips::write_walk(&scene.join("video.avi"), "MJPG", 25.0, (160, 120), frames);
    let text = serde_json::json!({
        "name": name, "video": "video.avi", "fps": 25.0, "frames": frames, "width": 160, "height": 120,
        "lines": [{ "name": "door", "a": [0.0, 0.5], "b": [1.0, 0.5], "true_in": 0, "true_out": 0 }],
    });
    fs::write(scene.join("scene.json"), text.to_string()).unwrap();
    scene.to_str().unwrap().to_owned()
}

/// `eval` of a short scene, and of another so many times that it lasts longer than any test.
fn endless<'a>(short: &'a str, long: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["eval", "--detector", "motion"];
    arguments.extend(more);
    arguments.push(short);
    arguments.extend(std::iter::repeat_n(long, 20_000));
    arguments
}

#[test]
fn eval_shows_its_progress_on_a_terminal_and_takes_it_away_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (scene(folder.path(), "one", 400), scene(folder.path(), "two", 400));
    let mut terminal = start(&["eval", "--detector", "motion", &one, &two], &[], 100);
    assert_eq!(terminal.exit_code(), 0);
    terminal.wait_for_text("total: ");
    let written = terminal.written();
    assert!(written.contains("/800 frames, ") && written.contains("/s, "), "{written:?}");
    assert!(written.contains(" left  one") && written.contains(" left  two"), "{written:?}");
    let shown = terminal.text();
    assert!(!shown.contains("frames"), "the line is gone: {shown}");
    let rows: Vec<_> = shown.lines().filter(|line| !line.trim().is_empty()).collect();
    assert_eq!(rows.len(), 4, "{shown}");
    assert!(rows[1].starts_with("one ") && rows[2].starts_with("two "), "{shown}");
}

#[test]
fn the_line_has_no_colors_and_fits_into_a_narrow_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let name = "a_scene_with_a_name_that_is_longer_than_a_narrow_terminal_is_wide";
    let (one, two) = (scene(folder.path(), "one", 400), scene(folder.path(), name, 400));
    let mut terminal = start(&["eval", "--detector", "motion", &one, &two], &[("NO_COLOR", "1")], 60);
    assert_eq!(terminal.exit_code(), 0);
    terminal.wait_for_text("total: ");
    let written = terminal.written();
    assert!(written.contains("/800 frames, "), "{written:?}");
    let colored = written
        .split("\x1b[")
        .skip(1)
        .any(|part| part.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').starts_with('m'));
    assert!(!colored, "{written:?}");
    assert!(!terminal.text().contains("frames"), "nothing of it is left: {}", terminal.text());
}

#[test]
fn the_output_holds_nothing_of_the_line_and_a_pipe_gets_none() {
    let folder = tempfile::tempdir().unwrap();
    let one = scene(folder.path(), "one", 200);
    // The standard output goes to a file, the standard error to the terminal.
    let out = folder.path().join("out");
    let command = format!("exec {PROGRAM} eval --detector motion '{one}' > '{}'", out.display());
    let mut terminal = Terminal::start(Path::new("/bin/sh"), &["-c", &command], &[], 100, 24);
    assert_eq!(terminal.exit_code(), 0);
    terminal.wait("the line", |terminal| terminal.has_written(b"/200 frames, "));
    let text = fs::read_to_string(&out).unwrap();
    assert!(text.starts_with("scene ") && text.contains("\none ") && text.contains("\ntotal: "), "{text}");
    assert!(!text.contains("frames") && !text.contains('\x1b'), "{text:?}");
    // And now both to pipes.
    let run = Command::new(PROGRAM).args(["eval", "--detector", "motion", &one]).output().unwrap();
    assert!(run.status.success());
    assert_eq!(String::from_utf8_lossy(&run.stdout), text);
    assert_eq!(String::from_utf8_lossy(&run.stderr), "");
}

#[test]
fn there_is_no_line_with_json_or_on_a_dumb_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let one = scene(folder.path(), "one", 200);
    for (more, term, last) in
        [(&["--json"][..], "xterm-256color", "\"type\":\"total\""), (&[], "dumb", "total: ")]
    {
        let arguments = [&["eval", "--detector", "motion", &one][..], more].concat();
        let mut terminal = start(&arguments, &[("TERM", term)], 100);
        assert_eq!(terminal.exit_code(), 0);
        terminal.wait_for_text(last);
        let written = terminal.written();
        assert!(!written.contains('\x1b') && !written.contains("frames, "), "{more:?} {term}: {written:?}");
    }
}

#[test]
fn ctrl_c_in_eval_prints_the_scenes_that_are_done_and_how_far_it_came() {
    let folder = tempfile::tempdir().unwrap();
    let (short, long) = (scene(folder.path(), "short", 50), scene(folder.path(), "long", 300));
    let mut terminal = start(&endless(&short, &long, &[]), &[], 100);
    terminal.wait("a row and the line", |terminal| {
        let text = terminal.text();
        let is_row = |line: &str| line.starts_with("short ");
        text.lines().any(is_row) && text.contains("/6000050 frames, ")
    });
    terminal.keys("\x03");
    assert_eq!(terminal.exit_code(), 130);
    terminal.wait_for_text("the rows above are whole");
    let shown = terminal.text();
    assert!(shown.contains(" of 20001 scenes, ") && shown.contains("total: "), "{shown}");
    assert!(!shown.contains(" left  ") && !shown.contains(']'), "the line is gone: {shown}");
    assert!(shown.lines().all(|line| line.trim() != "C" && line.trim() != "^C"), "{shown}");
}

#[test]
fn sigterm_ends_eval_with_whole_json_lines() {
    let folder = tempfile::tempdir().unwrap();
    let (short, long) = (scene(folder.path(), "short", 50), scene(folder.path(), "long", 300));
    let mut child = Command::new(PROGRAM)
        .args(endless(&short, &long, &["--json"]))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first: serde_json::Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!((&first["type"], &first["scene"]), (&"line".into(), &"short".into()));
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let rest: Vec<serde_json::Value> =
        lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    assert_eq!(child.wait().unwrap().code(), Some(143));
    let cut = rest.last().unwrap();
    assert_eq!(
        (&cut["type"], &cut["of"], &cut["frames_total"]),
        (&"cut_short".into(), &20_001.into(), &6_000_050.into())
    );
    let done = cut["scenes"].as_u64().unwrap();
    let rows = 1 + rest.iter().filter(|line| line["type"] == "line").count() as u64;
    assert_eq!(done, rows, "a row for each scene that is done");
    assert!(cut["frames"].as_u64().unwrap() >= 50 + (done - 1) * 300);
}

#[test]
fn a_recording_that_is_cut_short_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let long = scene(folder.path(), "long", 30_000);
    let records = folder.path().join("records");
    let arguments = ["eval", "--detector", "motion", "--record", records.to_str().unwrap(), &long];
    let mut terminal = start(&arguments, &[], 100);
    terminal.wait_for_text("/30000 frames, ");
    terminal.signal(Signal::INT);
    assert_eq!(terminal.exit_code(), 130);
    terminal.wait_for_text("cut short: 0 of 1 scenes, ");
    assert_eq!(fs::read_dir(&records).unwrap().count(), 0);
}

#[test]
fn ctrl_c_in_bench_prints_what_was_measured() {
    let arguments =
        ["bench", "--source", "demo:lobby", "--streams", "1", "--duration", "10m", "--detector", "motion"];
    let mut terminal = start(&arguments, &[], 100);
    terminal.wait("the measuring", |terminal| {
        let text = terminal.text();
        text.contains("/603 s, ") && text.contains(" left  measuring, ")
    });
    terminal.keys("\x03");
    assert_eq!(terminal.exit_code(), 130);
    terminal.wait_for_text("FFmpeg's own threads, queues");
    let shown = terminal.text();
    assert!(shown.contains("cut short            after ") && shown.contains(" of 600.0 s"), "{shown}");
    assert!(shown.contains("fps per stream") && !shown.contains("measuring"), "{shown}");
}

#[test]
fn a_bench_that_has_measured_nothing_says_so() {
    let arguments =
        ["bench", "--source", "demo:lobby", "--streams", "1", "--duration", "10m", "--detector", "motion"];
    let mut terminal = start(&arguments, &[], 100);
    terminal.wait_for_text("warming up");
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.exit_code(), 143);
    terminal.wait_for_text("cut short before anything was measured");
    assert!(!terminal.text().contains("fps per stream"), "{}", terminal.text());
}

#[test]
fn ctrl_c_in_the_check_prints_the_sources_that_are_known_and_no_password_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let frozen = serve(Answer::Frozen);
    let config = folder.path().join("cams.json");
    let text = serde_json::json!({ "cameras": [
        { "camera_id": "lobby", "source": "demo:lobby" },
        { "camera_id": "door", "source": format!("rtsp://admin:s3cret-phrase@127.0.0.1:{frozen}/live") },
    ]});
    fs::write(&config, text.to_string()).unwrap();
    let mut terminal = start(&["check", "--probe", "--config", config.to_str().unwrap()], &[], 100);
    terminal.wait("one of two", |terminal| {
        let text = terminal.text();
        text.contains("ok      lobby: ") && text.contains("1/2 sources, ") && text.contains("  door")
    });
    terminal.keys("\x03");
    assert_eq!(terminal.exit_code(), 130);
    terminal.wait_for_text("stopped before 1 of 2 sources were probed");
    assert!(!terminal.text().contains("1/2 sources"), "{}", terminal.text());
    assert!(!terminal.has_written(b"phrase"), "{}", terminal.written());
}

/// A server that sends `bytes` of whatever is asked for, says that more will come, and sends no more.
fn half_a_file(bytes: usize) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for mut client in listener.incoming().flatten() {
            let mut request = BufReader::new(client.try_clone().unwrap()).lines();
            while request.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            let head = "HTTP/1.1 200 OK\r\nContent-Length: 3988974\r\n\r\n";
            // The other side may hang up.
            let _ = client.write_all(head.as_bytes()).and_then(|()| client.write_all(&vec![7; bytes]));
            held.push(client);
        }
    });
    port
}

#[test]
fn ctrl_c_while_a_model_is_fetched_leaves_nothing_behind_and_no_password_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let models = folder.path().join("models");
    let address = format!("http://admin:s3cret-phrase@127.0.0.1:{}/models", half_a_file(1 << 20));
    let dir = models.to_str().unwrap();
    let arguments = ["models", "--dir", dir, "fetch", "rtmdet_nano_person", "--from", &address];
    let mut terminal = start(&arguments, &[], 200);
    terminal.wait("a part of the file", |terminal| {
        let text = terminal.text();
        text.contains("1.0/3.8 MiB, ") && text.contains("  rtmdet_nano_person.onnx")
    });
    terminal.keys("\x03");
    assert_eq!(terminal.exit_code(), 130);
    terminal.wait_for_text("interrupted after 1.0 of 3.8 MiB; ");
    assert_eq!(fs::read_dir(&models).unwrap().count(), 0, "nothing is left of it");
    assert!(!terminal.has_written(b"phrase"), "{}", terminal.written());
    assert!(!terminal.text().contains("MiB/s"), "{}", terminal.text());
}

#[test]
fn a_report_shows_its_progress_and_one_for_programs_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    drop(
        pcount::internals::outputs::ledger::Ledger::start(pcount::internals::ledger::LedgerOptions::new(
            folder.path(),
        ))
        .unwrap(),
    );
    for (format, shows) in [("table", true), ("json", false), ("csv", false)] {
        let mut terminal = start(&["report", "--output", out, "--format", format], &[], 100);
        assert_eq!(terminal.exit_code(), 0, "{}", terminal.text());
        terminal.wait("the report", |terminal| !terminal.text().trim().is_empty());
        assert_eq!(terminal.has_written(TAKEN_BACK), shows, "{format}: {:?}", terminal.written());
        assert_eq!(terminal.has_written(b"reading the ledger"), shows, "{format}: {:?}", terminal.written());
    }
}
