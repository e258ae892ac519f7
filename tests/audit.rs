//! An audit in a real terminal: crossings tapped at their true times, and what is said of the counts then.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "support/http_server.rs"]
#[allow(dead_code, reason = "each test binary uses its part")]
mod http_server;
#[path = "support/require.rs"]
mod require;
#[path = "pty/terminal.rs"]
#[allow(dead_code, reason = "each test binary uses its part")]
mod terminal;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicUsize},
    time::{Duration, Instant},
};

use assert_cmd::Command;
use http_server::{Answer, serve};
use pcount::{
    config::DemoSpec,
    internals::source::demo::Demo,
    model::{LineConfig, SourceKind},
};
use rustix::process::Signal;
use serde_json::{Value, json};
use terminal::Terminal;

/// A true crossing: seconds, and whether it is one in.
type Crossing = (f64, bool);

/// An audit under way.
struct Audit {
    terminal: Terminal,
}

impl Audit {
    fn start(args: &[&str], env: &[(&str, &str)], (columns, rows): (u16, u16)) -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_pcount-tui"));
        let terminal = Terminal::start(program, &[&["audit"], args].concat(), env, columns, rows);
        let audit = Self { terminal };
        audit.terminal.wait("the first picture", |terminal| clock(&terminal.text()).is_some());
        audit
    }

    fn shown(&self) -> f64 {
        clock(&self.terminal.text()).unwrap()
    }

    /// Plays until `time`, holds there, and steps to the picture of that time.
    fn go_to(&mut self, time: f64) {
        // What is shown is rounded down.
        let time = (time * 10.0).floor() / 10.0;
        if self.shown() < time - 3.0 {
            self.terminal.keys(" ");
            self.terminal.wait("the time to come", |terminal| {
                clock(&terminal.text()).is_some_and(|shown| shown >= time - 3.0)
            });
            self.terminal.keys(" ");
            self.terminal.wait_for_text("paused");
        }
        self.step(",", |shown| shown <= time);
        self.step(".", |shown| shown >= time);
    }

    fn step(&mut self, key: &str, there: impl Fn(f64) -> bool) {
        let end = Instant::now() + Duration::from_mins(2);
        while !there(self.shown()) {
            assert!(Instant::now() < end, "'{key}' leads nowhere:\n{}", self.terminal.text());
            let before = self.shown();
            self.terminal.keys(key);
            let patience = Instant::now() + Duration::from_millis(500);
            while self.shown() == before && Instant::now() < patience {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }

    fn tap(&mut self, (time, is_in): Crossing) {
        self.go_to(time);
        let before = taps(&self.terminal.text());
        self.terminal.keys(if is_in { "i" } else { "o" });
        self.terminal.wait("the tap", |terminal| taps(&terminal.text()) != before);
    }

    /// Presses a key and waits until `text` is said.
    fn press(&mut self, key: &str, text: &str) {
        self.terminal.keys(key);
        self.terminal.wait_for_text(text);
    }

    /// Plays to the end and looks at the result.
    fn finish(&mut self) -> [u64; 5] {
        self.terminal.keys(" ");
        self.terminal.wait_for_text("The clip is over");
        self.terminal.keys("\r");
        self.terminal.wait_for_text("matched one-to-one within");
        total(&self.terminal.text())
    }
}

/// The time that the title shows.
fn clock(screen: &str) -> Option<f64> {
    let title = screen.lines().find(|line| line.contains(" Audit "))?;
    title.split(" · ").find_map(|fact| {
        let (minutes, seconds) = fact.split(" of ").next()?.trim().split_once(':')?;
        Some(minutes.parse::<f64>().ok()? * 60.0 + seconds.parse::<f64>().ok()?)
    })
}

/// What the screen says that was tapped.
fn taps(screen: &str) -> Option<String> {
    screen.lines().find_map(|line| line.split_once("you saw ")).map(|(_, taps)| taps.trim().to_owned())
}

/// Seen, counted, right, missed and false, of all lines.
fn total(text: &str) -> [u64; 5] {
    let row = text.lines().find(|line| line.trim_start().starts_with("total")).unwrap();
    let numbers: Vec<u64> =
        row.split_whitespace().skip(1).take(5).map(|cell| cell.parse().unwrap()).collect();
    numbers.try_into().unwrap()
}

/// Right, missed and false as `eval` finds them in the file of an audit.
fn evaluated(file: &Path) -> [u64; 3] {
    let run =
        Command::new(env!("CARGO_BIN_EXE_pcount-tui")).arg("eval").arg("--json").arg(file).assert().success();
    let output = String::from_utf8(run.get_output().stdout.clone()).unwrap();
    let records = output.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let rows: Vec<Value> = records.filter(|record| record["type"] == "audit").collect();
    ["right", "missed", "false"].map(|key| rows.iter().map(|row| row[key].as_u64().unwrap()).sum())
}

fn shared() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    std::env::var_os("PCOUNT_SHARED").map_or(here, PathBuf::from)
}

/// Taps all true crossings but the one of index `passed_over`, and one `in` at `invented` seconds, where nobody crosses. Some are
/// tapped wrongly first.
fn audit(args: &[&str], file: &Path, crossings: &[Crossing], passed_over: usize, invented: f64) -> [u64; 5] {
    let all = [args, &["--speed", "16x", "--save", file.to_str().unwrap()]].concat();
    let mut audit = Audit::start(&all, &[], (120, 40));
    audit.press(" ", "paused");
    let mut taps: Vec<Crossing> =
        crossings.iter().enumerate().filter(|(at, _)| *at != passed_over).map(|(_, c)| *c).collect();
    taps.push((invented, true));
    taps.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (number, tap) in taps.iter().enumerate() {
        match number {
            // A slip, taken back.
            1 => {
                audit.tap(*tap);
                audit.press("o", "out over");
                audit.press("u", "taken back: out");
            }
            // The wrong way, turned.
            2 => {
                audit.tap((tap.0, !tap.1));
                audit.press("x", if tap.1 { "changed: in" } else { "changed: out" });
            }
            // Seen late: ten seconds back, and there again.
            3 => {
                audit.go_to(tap.0);
                audit.press("b", "taps of this stretch stay");
                audit.tap(*tap);
            }
            _ => audit.tap(*tap),
        }
    }
    let seen = audit.finish();
    audit.terminal.keys("\r");
    audit.terminal.wait_for_text("of 2 ");
    audit.terminal.wait_for_text("the program ");
    audit.terminal.keys("q");
    audit.terminal.wait_for_text("2 disagreements");
    audit.terminal.keys("q");
    assert_eq!(audit.terminal.exit_code(), 0);
    audit.terminal.assert_given_back();
    assert_eq!(total(&audit.terminal.text()), seen, "the same is printed below");
    seen
}

/// Audits a clip of the shared footage with the taps of everybody who crosses, but one, and of one who does not. What is found
/// must be this: seen, counted, right, missed and false.
fn footage(name: &str, passed_over: usize, invented: f64, expected: [u64; 5]) {
    let folder = shared().join("footage").join(name);
    let Ok(scene) = fs::read_to_string(folder.join("scene.json")) else {
        require::skip("footage", &format!("there is no '{}'", folder.display()));
        return;
    };
    let scene: Value = serde_json::from_str(&scene).unwrap();
    let fps = scene["fps"].as_f64().unwrap();
    let rows = fs::read_to_string(folder.join("crossings.csv")).unwrap();
    let crossing = |row: &str| {
        let cells: Vec<&str> = row.split(',').collect();
        (cells[2].parse::<f64>().unwrap() / fps, cells[4] == "in")
    };
    let crossings: Vec<Crossing> = rows.lines().skip(1).map(crossing).collect();
    let line = &scene["lines"][0];
    let line = json!({ "name": line["name"], "a": line["a"], "b": line["b"], "anchor": line["anchor"] });
    let config =
        json!({ "videos": [{ "video_id": name, "path": folder.join("video.mp4"), "lines": [line] }] });
    let here = tempfile::tempdir().unwrap();
    let (config_file, file) = (here.path().join("cams.json"), here.path().join("truth.csv"));
    fs::write(&config_file, config.to_string()).unwrap();
    let args = [name, "--config", config_file.to_str().unwrap()];
    let seen = audit(&args, &file, &crossings, passed_over, invented);
    assert_eq!(seen, expected);
    assert_eq!(evaluated(&file), expected[2..]);
}

/// Ten cross, all are counted: without the fifth of them, and with one who is not there, nine are right, one is missed and one
/// is false.
#[test]
fn the_shop_entrance_is_audited() {
    footage("test_1", 4, 30.0, [10, 10, 9, 1, 1]);
}

/// Six cross a line that leans, all are counted.
#[test]
fn the_street_is_audited() {
    footage("street_oblique", 5, 6.0, [6, 6, 5, 1, 1]);
}

/// When the figures of a drawn scene cross its line, to the frame.
fn drawn(scene: &str) -> Vec<Crossing> {
    let spec: DemoSpec = scene.parse().unwrap();
    let demo = Demo::new(&spec, SourceKind::Video);
    let lines = [LineConfig::default()];
    let mut before = (0, 0);
    let mut found = Vec::new();
    for frame in 0..demo.frames().unwrap() {
        let now = demo.truth(&lines, frame)[0];
        let time = frame as f64 / spec.fps;
        found.extend((before.0..now.0).map(|_| (time, true)));
        found.extend((before.1..now.1).map(|_| (time, false)));
        before = now;
    }
    found
}

#[test]
fn a_drawn_scene_is_audited() {
    let scene = "corridor?seconds=30&fps=15&seed=3&people=3";
    let crossings = drawn(scene);
    assert!(crossings.len() >= 5, "{crossings:?}");
    let here = tempfile::tempdir().unwrap();
    let file = here.path().join("truth.csv");
    let all = crossings.len() as u64;
    let config = json!({ "videos": [
        { "video_id": "corridor", "path": format!("demo:{scene}") },
        { "video_id": "yard", "path": "demo:lobby" },
    ] });
    let config_file = here.path().join("cams.json");
    fs::write(&config_file, config.to_string()).unwrap();
    let seen = audit(&["corridor", "--config", config_file.to_str().unwrap()], &file, &crossings, 4, 1.0);
    assert_eq!(seen, [all, all, all - 1, 1, 1], "{crossings:?}");
    assert_eq!(evaluated(&file), [all - 1, 1, 1]);

    // It is kept for reports.
    let report = |form: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pcount-tui"));
        command.args(["report", "--audit", "--format", form, "--config"]).arg(&config_file);
        String::from_utf8(command.assert().success().get_output().stdout.clone()).unwrap()
    };
    let kept: Value = serde_json::from_str(&report("json")).unwrap();
    let numbers = ["seen", "counted", "right", "missed", "false"].map(|key| kept[0][key].as_u64().unwrap());
    assert_eq!((numbers, &kept[0]["camera_id"]), (seen, &json!("corridor")));
    let watched = kept[0]["watched"].as_f64().unwrap();
    assert!((29.0..30.1).contains(&watched), "{watched}");
    assert_eq!((&kept[1]["camera_id"], &kept[1]["time"]), (&json!("yard"), &Value::Null));
    assert!(report("table").lines().last().unwrap().ends_with("never"));

    // Gone on with: the taps are there, and the same lines.
    let text = fs::read_to_string(&file).unwrap();
    let scene = format!("demo:{scene}");
    let mut again = Audit::start(&[&scene, "--taps", file.to_str().unwrap(), "--speed", "16"], &[], (80, 24));
    again.terminal.wait_for_text("The clip is over");
    again.terminal.keys("q");
    again.terminal.wait_for_text("matched one-to-one within");
    assert_eq!(total(&again.terminal.text()), seen);
    again.terminal.keys("q");
    assert_eq!(again.terminal.exit_code(), 0);
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
}

#[test]
fn what_was_tapped_is_saved_however_it_ends() {
    for (signal, code) in [(None, 130), (Some(Signal::TERM), 143)] {
        let here = tempfile::tempdir().unwrap();
        let file = here.path().join("truth.csv");
        let args = ["demo:lobby?seconds=60", "--save", file.to_str().unwrap()];
        let mut audit = Audit::start(&args, &[("NO_COLOR", "1")], (60, 16));
        audit.press("i", "saw in 1 out 0");
        // The arrows that point over the line mean the same.
        audit.press("\x1b[A", "saw in 1 out 1");
        match signal {
            None => audit.terminal.keys("\x03"),
            Some(signal) => audit.terminal.signal(signal),
        }
        assert_eq!(audit.terminal.exit_code(), code);
        audit.terminal.assert_given_back();
        assert!(audit.terminal.stty(&["-a"]).contains(" icanon"));
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(",line_1,in\n") && text.contains(",line_1,out\n"), "{text}");
    }
}

#[test]
fn an_audit_that_is_killed_leaves_no_file() {
    let here = tempfile::tempdir().unwrap();
    let temporary = [("TMPDIR", here.path().to_str().unwrap())];
    let mut audit = Audit::start(&["demo:lobby?seconds=60"], &temporary, (80, 24));
    audit.press("i", "in over line_1");
    audit.terminal.signal(Signal::KILL);
    audit.terminal.exit_code();
    let left: Vec<_> = fs::read_dir(here.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn taps_that_nobody_asked_to_save_are_asked_about() {
    let args = ["demo:lobby?seconds=60", "--to", "3s", "--speed", "16", "--graphics", "kitty"];
    let mut audit = Audit::start(&args, &[], (80, 24));
    audit.press("i", "in over line_1");
    audit.terminal.wait("pixels", |terminal| terminal.has_written(b"\x1b_G"));
    audit.terminal.wait_for_text("The clip is over");
    audit.terminal.resize(50, 10);
    audit.terminal.wait_for_text("too small: 50x10");
    audit.terminal.resize(80, 24);
    audit.terminal.wait_for_text("The clip is over");
    audit.terminal.keys("\r");
    audit.terminal.wait_for_text("matched one-to-one within");
    audit.terminal.keys("q");
    audit.terminal.wait_for_text("the taps are not saved");
    audit.terminal.keys("q");
    assert_eq!(audit.terminal.exit_code(), 0);
    audit.terminal.assert_given_back();
}

#[test]
fn a_camera_is_audited_until_the_person_ends_it_and_its_password_is_nowhere() {
    const PASSWORD: &str = "Zq7uNt0ld";
    let port = serve(Answer::Resized(Arc::new(AtomicUsize::new(0)), usize::MAX, [(320, 240); 2]));
    let here = tempfile::tempdir().unwrap();
    let file = here.path().join("truth.csv");
    let address = format!("http://admin:{PASSWORD}@127.0.0.1:{port}/video");
    let args = [&address, "--save", file.to_str().unwrap(), "--detector", "motion"];
    let mut audit = Audit::start(&args, &[], (80, 24));
    audit.press("i", "in over line_1");
    audit.press("q", "End here");
    audit.press("z", "space");
    audit.press("q", "End here");
    audit.terminal.keys("q");
    audit.terminal.wait_for_text("1 disagreement");
    audit.terminal.keys("q");
    assert_eq!(audit.terminal.exit_code(), 0);
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains(&format!("# camera: \"http://127.0.0.1:{port}/video\"")), "{text}");
    assert!(!text.contains(PASSWORD) && !audit.terminal.written().contains(PASSWORD));
    let refused = Command::new(env!("CARGO_BIN_EXE_pcount-tui")).arg("eval").arg(&file).assert().code(2);
    let said = String::from_utf8(refused.get_output().stderr.clone()).unwrap();
    assert!(said.contains("audit a recording of it"), "{said}");
}

#[test]
fn what_cannot_be_audited_is_said_in_a_sentence() {
    let run = Command::new(env!("CARGO_BIN_EXE_pcount-tui")).args(["audit", "demo:lobby"]).assert().code(2);
    let said = String::from_utf8(run.get_output().stderr.clone()).unwrap();
    assert!(said.contains("an audit needs a terminal"), "{said}");
    for (args, code, sentence) in [
        (vec!["missing.mp4"], 69, "not found: 'missing.mp4'"),
        (vec!["rtsp://127.0.0.1:1/a", "--from", "3s"], 2, "a camera is watched from now on"),
        (vec!["demo:lobby", "--from", "9s", "--to", "3s"], 2, "--from must come before --to"),
        (vec!["demo:lobby", "--line", "door"], 2, "there is no line 'door'; it has line_1"),
        (vec!["demo:lobby", "--speed", "32x"], 2, "give a whole number from 1x to 16x"),
        (vec!["demo:lobby", "--save", "/dev/null"], 2, "'/dev/null' is there already"),
        (
            vec![
                "demo:plaza?seed=77",
                "--config",
                concat!(env!("CARGO_MANIFEST_DIR"), "/config_example.json"),
            ],
            2,
            "'demo:plaza?seed=77' is no source of",
        ),
    ] {
        let program = Path::new(env!("CARGO_BIN_EXE_pcount-tui"));
        let mut terminal = Terminal::start(program, &[&["audit"], &args[..]].concat(), &[], 100, 30);
        assert_eq!(terminal.exit_code(), code, "{args:?}");
        terminal.wait_for_text(sentence);
    }
}
