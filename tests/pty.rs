//! The life of the dashboard in a real terminal: start, keys, sizes, and every way to end.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "pty/terminal.rs"]
mod terminal;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use pcount::{
    config::SourceConfig,
    engine::{Control, EngineApi, Reply},
    internals::{
        host::Host,
        tui::{self, TuiOptions},
    },
    model::{EngineSnapshot, Minute, Moment, Preview, Strategy},
};
use rustix::process::Signal;
use terminal::Terminal;

const TITLE: &str = "Parallel People Counting System";

/// The program itself on one source that is always there.
struct Program {
    terminal: Terminal,
    folder: tempfile::TempDir,
}

fn program_with(args: &[&str], env: &[(&str, &str)]) -> Program {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out");
    let mut all = vec!["demo:lobby", "--detector", "motion", "--output", output.to_str().unwrap()];
    all.extend(args);
    let program = Path::new(env!("CARGO_BIN_EXE_pcount-tui"));
    let terminal = Terminal::start(program, &all, env, 100, 30);
    terminal.wait_for_text(TITLE);
    terminal.wait("the alternate screen", Terminal::on_alternate_screen);
    Program { terminal, folder }
}

fn program() -> Program {
    program_with(&[], &[])
}

#[test]
fn q_gives_the_terminal_back() {
    let mut program = program();
    program.terminal.wait_for_text("Workers:");
    program.terminal.wait_for_text("Running");
    program.terminal.keys("q");
    program.terminal.wait_for_text("Quit?");
    program.terminal.keys("q");
    assert_eq!(program.terminal.exit_code(), 0, "{}", program.terminal.text());
    program.terminal.assert_given_back();
}

#[test]
fn the_final_table_stays_after_a_capital_q() {
    let mut program = program();
    program.terminal.keys("Q");
    assert_eq!(program.terminal.exit_code(), 0, "{}", program.terminal.text());
    program.terminal.assert_given_back();
    program.terminal.wait_for_text("Total: In:");
}

#[test]
fn keys_reach_the_screens_and_the_engine() {
    let mut program = program();
    program.terminal.keys("?");
    program.terminal.wait_for_text("the same on every screen");
    program.terminal.keys("q");
    program.terminal.wait("the overview", |t| !t.text().contains("the same on every screen"));
    program.terminal.keys("p");
    program.terminal.wait_for_text("Paused");
    program.terminal.keys("p");
    program.terminal.wait_for_text("Running");
    program.terminal.keys("Q");
    assert_eq!(program.terminal.exit_code(), 0, "{}", program.terminal.text());
}

#[test]
fn sizes_are_followed() {
    let mut program = program();
    program.terminal.resize(40, 10);
    program.terminal.wait_for_text("too small: 40x10");
    program.terminal.resize(80, 24);
    program.terminal.wait_for_text(TITLE);
    program.terminal.keys("Q");
    assert_eq!(program.terminal.exit_code(), 0, "{}", program.terminal.text());
}

/// A key that arrives together with a new size must not wait for the next key to be read.
#[test]
fn no_key_is_lost_while_the_size_changes() {
    let mut program = program();
    for round in 0..150 {
        program.terminal.resize(100 + round % 2, 30);
        program.terminal.keys("f");
        program.terminal.wait("the view to be held still or not", |terminal| {
            terminal.text().contains("FROZEN") == (round % 2 == 0)
        });
    }
    program.terminal.keys("Q");
    assert_eq!(program.terminal.exit_code(), 0, "{}", program.terminal.text());
}

#[test]
fn ctrl_c_ends_with_130() {
    let mut program = program();
    program.terminal.keys("\x03");
    assert_eq!(program.terminal.exit_code(), 130, "{}", program.terminal.text());
    program.terminal.assert_given_back();
}

#[test]
fn sigterm_ends_with_143() {
    let mut program = program();
    program.terminal.signal(Signal::TERM);
    assert_eq!(program.terminal.exit_code(), 143, "{}", program.terminal.text());
    program.terminal.assert_given_back();
}

#[test]
fn a_lost_connection_ends_in_good_order() {
    let mut program = program();
    program.terminal.hang_up();
    assert_eq!(program.terminal.exit_code(), 129, "{}", program.terminal.text());
    assert!(find(program.folder.path(), "summary.json").is_some(), "the summary is written");
}

fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    std::fs::read_dir(folder).ok()?.flatten().find_map(|entry| {
        let path = entry.path();
        if path.is_dir() { find(&path, name) } else { path.ends_with(name).then_some(path) }
    })
}

#[test]
fn ctrl_z_goes_to_the_shell_and_fg_comes_back() {
    let mut program = program();
    program.terminal.keys("\x1a");
    program.terminal.wait("the process to stand still", Terminal::is_stopped);
    program.terminal.assert_given_back();
    program.terminal.signal(Signal::CONT);
    program.terminal.wait("the alternate screen", Terminal::on_alternate_screen);
    program.terminal.wait_for_text(TITLE);
    program.terminal.keys("Q");
    assert_eq!(program.terminal.exit_code(), 0, "{}", program.terminal.text());
}

/// As a shell does with job control: it takes the terminal back while the program stands still.
#[test]
fn a_program_that_was_stopped_without_warning_takes_the_terminal_again() {
    let mut program = program_with(&[], &[]);
    program.terminal.keys("m");
    program.terminal.wait("mouse reports", |terminal| terminal.has_written(b"\x1b[?1000h"));
    program.terminal.signal(Signal::STOP);
    program.terminal.wait("the process to stand still", Terminal::is_stopped);
    program.terminal.stty(&["sane"]);
    assert!(program.terminal.stty(&["-a"]).contains(" icanon"));
    let before = program.terminal.written().len();
    program.terminal.signal(Signal::CONT);
    program.terminal.wait("raw mode", |terminal| terminal.stty(&["-a"]).contains("-icanon"));
    program.terminal.wait("modes and screen", |terminal| {
        let written = &terminal.written()[before..];
        ["\x1b[?1049h", "\x1b[?2004h", "\x1b[?1000h", TITLE].iter().all(|mode| written.contains(mode))
    });
    program.terminal.keys("?");
    program.terminal.wait_for_text("the same on every screen");
    program.terminal.keys("Q");
    assert_eq!(program.terminal.exit_code(), 0, "{}", program.terminal.text());
    program.terminal.assert_given_back();
    assert!(program.terminal.stty(&["-a"]).contains(" icanon"));
}

#[test]
fn a_signal_that_ends_programs_gives_the_terminal_back() {
    for signal in [Signal::QUIT, Signal::USR1, Signal::USR2, Signal::ALARM, Signal::PROF, Signal::TRAP] {
        let mut program = program();
        program.terminal.signal(signal);
        program.terminal.exit_code();
        program.terminal.assert_given_back();
        assert!(program.terminal.stty(&["-a"]).contains(" icanon"), "{signal:?}");
        assert!(!program.terminal.text().contains("crashed"), "{signal:?}");
    }
}

#[test]
fn a_hang_up_that_was_ignored_at_the_start_stays_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let command = format!(
        "trap '' HUP; exec {} demo:lobby --detector motion --output {}",
        env!("CARGO_BIN_EXE_pcount-tui"),
        folder.path().display()
    );
    let mut terminal = Terminal::start(Path::new("/bin/sh"), &["-c", &command], &[], 100, 30);
    terminal.wait_for_text(TITLE);
    terminal.signal(Signal::HUP);
    terminal.keys("?");
    terminal.wait_for_text("the same on every screen");
    terminal.keys("Q");
    assert_eq!(terminal.exit_code(), 0);
}

/// What terminals answer to programs that asked before, and what they report by themselves.
#[test]
fn what_nobody_typed_does_nothing() {
    let mut program = program();
    program.terminal.wait_for_text("Running");
    let reports = [
        "\x1b[?997;1n",
        "\x1b[?2026;2$y",
        "\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\",
        "\x1b]11;rgb:1e1e/1e1e/2e2e\x07",
        "\x1bP>|XTerm(379)\x1b\\",
        "\x1b_Gi=31;OK\x1b\\",
        "\x1bq",
        "\x1bQ",
        "\x1bP",
        "\x1b[",
        "\x1b]",
        "\x1b[200~",
    ];
    for report in reports {
        program.terminal.keys(report);
        // A sequence without an end is over when nothing has come for a while.
        std::thread::sleep(std::time::Duration::from_millis(150));
        program.terminal.keys("?");
        program.terminal.wait_for_text("the same on every screen");
        program.terminal.keys("q");
        program.terminal.wait("the overview", |t| !t.text().contains("the same on every screen"));
        let shown = program.terminal.text();
        assert!(shown.contains("Running") && !shown.contains("Commands"), "{report:?}\n{shown}");
    }
    program.terminal.keys("Q");
    assert_eq!(program.terminal.exit_code(), 0, "{}", program.terminal.text());
}

#[test]
fn a_terminal_that_does_not_know_its_size_has_the_usual_one() {
    let mut program = program();
    program.terminal.resize_to(0, 0);
    program.terminal.keys("?");
    program.terminal.wait_for_text("the same on every screen");
    program.terminal.resize_to(65_535, 65_535);
    program.terminal.wait_for_text("which cannot be");
    program.terminal.resize(90, 26);
    program.terminal.keys("q");
    program.terminal.wait_for_text(TITLE);
    program.terminal.keys("Q");
    assert_eq!(program.terminal.exit_code(), 0, "{}", program.terminal.text());
}

#[test]
fn a_dumb_terminal_is_told_of_headless() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out");
    let program = Path::new(env!("CARGO_BIN_EXE_pcount-tui"));
    let arguments = ["demo:lobby", "--output", output.to_str().unwrap()];
    let mut terminal = Terminal::start(program, &arguments, &[("TERM", "dumb")], 100, 30);
    assert_ne!(terminal.exit_code(), 0);
    terminal.wait_for_text("--headless");
}

#[test]
fn a_native_crash_gives_the_terminal_back() {
    for signal in [Signal::ABORT, Signal::SEGV, Signal::BUS] {
        let mut program = program();
        program.terminal.signal(signal);
        program.terminal.exit_code();
        program.terminal.assert_given_back();
        program.terminal.wait_for_text("crashed in native code");
    }
}

#[test]
fn without_colors_the_selected_row_still_shows() {
    let mut program = program_with(&[], &[("NO_COLOR", "1")]);
    program.terminal.wait("a reversed row", Terminal::has_reversed_text);
    program.terminal.keys("Q");
    assert_eq!(program.terminal.exit_code(), 0, "{}", program.terminal.text());
}

/// Every number of every color and attribute sequence (`CSI ... m`) written, as text between semicolons.
fn attributes(written: &str) -> Vec<String> {
    written
        .split("\x1b[")
        .filter_map(|part| part.split_once('m'))
        .map(|(numbers, _)| numbers.to_string())
        .filter(|numbers| numbers.chars().all(|c| c.is_ascii_digit() || c == ';'))
        .collect()
}

#[test]
fn each_terminal_gets_the_colors_it_shows() {
    for (env, wanted, unwanted) in [
        (("TERM", "linux"), "32", &["38;5;", "38;2;"][..]),
        (("TERM", "tmux-256color"), "38;5;", &["38;2;"]),
        (("TERM", "xterm-kitty"), "38;2;", &["38;5;"]),
        (("NO_COLOR", "1"), "7", &["38;", "32", "31"]),
    ] {
        let mut program = program_with(&[], &[env]);
        program.terminal.wait_for_text("Running");
        program.terminal.wait("a selected row", Terminal::has_reversed_text);
        let used = attributes(&program.terminal.written());
        let has =
            |what: &str| used.iter().any(|numbers| format!(";{numbers};").contains(&format!(";{what}")));
        assert!(has(wanted), "{env:?}: {used:?}");
        assert!(!unwanted.iter().any(|what| has(what)), "{env:?}: {used:?}");
        program.terminal.keys("Q");
        assert_eq!(program.terminal.exit_code(), 0, "{}", program.terminal.text());
    }
}

#[test]
fn a_terminal_without_utf8_gets_nothing_but_ascii() {
    let mut program = program_with(&[], &[("LC_ALL", "C")]);
    program.terminal.wait_for_text("Running");
    for (keys, shown) in
        [("\r", "last hour"), ("q", TITLE), ("L", "Log"), ("q", TITLE), ("E", "Lines and zones")]
    {
        program.terminal.keys(keys);
        program.terminal.wait_for_text(shown);
    }
    program.terminal.keys("Q");
    assert_eq!(program.terminal.exit_code(), 0, "{}", program.terminal.text());
    let written = program.terminal.written();
    let other: String = written.chars().filter(|c| !c.is_ascii()).take(20).collect();
    assert!(other.is_empty(), "{other}");
}

#[test]
fn the_mouse_is_left_to_the_terminal_until_it_is_asked_for() {
    let mut program = program();
    program.terminal.wait_for_text("Running");
    assert!(!program.terminal.has_written(b"\x1b[?1000h"));
    program.terminal.keys("m");
    program.terminal.wait("mouse reports", |terminal| terminal.has_written(b"\x1b[?1000h"));
    program.terminal.keys("Q");
    assert_eq!(program.terminal.exit_code(), 0, "{}", program.terminal.text());
    assert!(program.terminal.has_written(b"\x1b[?1000l"), "and given back");
}

#[test]
fn a_row_is_copied_to_the_clipboard_of_the_terminal_and_exports_say_where() {
    let mut program = program();
    program.terminal.wait_for_text("Running");
    program.terminal.keys("y");
    program.terminal.wait_for_text("copied to the terminal's clipboard");
    assert!(program.terminal.has_written(b"\x1b]52;c;ZGVtb19sb2JieQ"), "'demo_lobby' in base 64");
    program.terminal.keys("e");
    program.terminal.wait_for_text("all results are written to");
    program.terminal.keys("Q");
    assert_eq!(program.terminal.exit_code(), 0, "{}", program.terminal.text());
}

#[test]
fn read_only_changes_nothing_and_says_so() {
    let mut program = program_with(&["--read-only"], &[]);
    for key in ["a", "d", "R", "p", "r", "E", "w"] {
        program.terminal.keys(key);
        program.terminal.wait_for_text("read-only: started with '--read-only'");
        program.terminal.keys("?");
        program.terminal.wait_for_text("the same on every screen");
        program.terminal.keys("q");
        program.terminal.wait_for_text(TITLE);
    }
    program.terminal.keys("Q");
    assert_eq!(program.terminal.exit_code(), 0, "{}", program.terminal.text());
}

#[test]
fn keys_of_the_configuration_are_followed_and_conflicts_told() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("cams.json");
    std::fs::write(
        &config,
        r#"{ "tui": { "keys": { "freeze": ["x"], "pause": ["z"], "copy": ["z"], "nonsense": ["w"] } },
             "parallel_config": { "detector": "motion", "result_output": "out" },
             "cameras": [ { "camera_id": "lobby", "source": "demo:lobby" } ] }"#,
    )
    .unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_pcount-tui"));
    let mut terminal = Terminal::start(program, &["--config", config.to_str().unwrap()], &[], 100, 30);
    // The message may take two lines.
    terminal.wait("a word on the other mistake", |terminal| {
        terminal.text().split_whitespace().collect::<Vec<_>>().join(" ").contains("1 more in the log (L)")
    });
    terminal.keys("L");
    terminal.wait_for_text("'z' is given to both");
    terminal.wait_for_text("no command is called 'nonsense'");
    terminal.keys("q");
    terminal.wait_for_text(TITLE);
    terminal.keys("x");
    terminal.wait_for_text("FROZEN");
    terminal.keys("f");
    terminal.wait_for_text("'f' does nothing here");
    terminal.keys("Q");
    assert_eq!(terminal.exit_code(), 0);
    let checked =
        assert_cmd::Command::new(program).args(["check", "--config"]).arg(&config).assert().success();
    let said = String::from_utf8_lossy(&checked.get_output().stdout).into_owned();
    assert!(said.contains("warning:") && said.contains("'z' is given to both"), "{said}");
}

/// The whole way of a new camera: typed, tried out, added, its line moved and both in the file.
#[test]
fn a_source_added_on_the_screen_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("cams.json");
    let text = r#"{ "parallel_config": { "detector": "motion", "result_output": "out" },
  "cameras": [
    { "camera_id": "lobby",   "source": "demo:lobby" }
  ]
}
"#;
    std::fs::write(&config, text).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_pcount-tui"));
    let start = || Terminal::start(program, &["--config", config.to_str().unwrap()], &[], 100, 30);
    let mut terminal = start();
    terminal.wait_for_text(TITLE);
    terminal.keys("a");
    terminal.wait_for_text("Add a source");
    terminal.keys("demo:street?seed=3");
    terminal.wait_for_text("it answers: 640x360");
    terminal.keys("\tStreet\r");
    terminal.wait_for_text("Lines and zones of");
    terminal.wait("the new source in the file", |_| {
        std::fs::read_to_string(&config).is_ok_and(|text| text.contains("demo:street"))
    });
    terminal.keys("\x1b[1;2B\r");
    terminal.wait_for_text("saved to");
    terminal.wait("its line in the file", |_| {
        std::fs::read_to_string(&config).is_ok_and(|text| text.contains("0.55"))
    });
    terminal.keys("qQ");
    assert_eq!(terminal.exit_code(), 0);
    assert_eq!(std::fs::read_to_string(folder.path().join("cams.json.bak")).unwrap(), text);
    let after = std::fs::read_to_string(&config).unwrap();
    assert!(after.contains(r#"{ "camera_id": "lobby",   "source": "demo:lobby" },"#), "{after}");
    let mut again = start();
    again.wait_for_text("Street");
    again.keys("Q");
    assert_eq!(again.exit_code(), 0);
}

#[test]
fn keys_typed_before_the_first_screen_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out");
    let arguments = ["demo:lobby", "--detector", "motion", "--output", output.to_str().unwrap()];
    let program = Path::new(env!("CARGO_BIN_EXE_pcount-tui"));
    let mut terminal = Terminal::start(program, &arguments, &[], 100, 30);
    terminal.keys("H?");
    terminal.wait_for_text("the same on every screen");
    terminal.keys("q");
    terminal.wait_for_text("History: Today");
    terminal.keys("Q");
    assert_eq!(terminal.exit_code(), 0);
}

/// A short video that has ended before its line is drawn is counted again by the line's Enter, and what is removed
/// from the file is gone from it.
#[test]
fn a_video_that_ended_is_counted_again_and_removed_from_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("cams.json");
    let text = r#"{ "parallel_config": { "detector": "motion", "result_output": "out" }, "cameras": [], "videos": [] }"#;
    std::fs::write(&config, text).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_pcount-tui"));
    let mut terminal = Terminal::start(program, &["--config", config.to_str().unwrap()], &[], 100, 30);
    terminal.wait_for_text(TITLE);
    terminal.keys("a");
    terminal.wait_for_text("Add a source");
    terminal.keys("demo:lobby?seconds=4\r");
    terminal.wait_for_text("Lines and zones of demo_lobby");
    terminal.wait("the new source in the file", |_| {
        std::fs::read_to_string(&config).is_ok_and(|text| text.contains("demo:lobby"))
    });
    // Back for a look whether it has ended.
    terminal.keys("q");
    terminal.wait_for_text("Completed");
    terminal.keys("E");
    terminal.wait_for_text("the video has ended");
    terminal.keys("\x1b[1;2B\r");
    terminal.wait("its line in the file", |_| {
        std::fs::read_to_string(&config).is_ok_and(|text| text.contains("0.55"))
    });
    terminal.keys("q\r3");
    // Its own events tell of both runs.
    terminal.wait("two runs", |terminal| {
        let text = terminal.text();
        let at = |what: &str| text.match_indices(what).map(|(at, _)| at).collect::<Vec<_>>();
        let (ends, resets) = (at(" completed"), at(" counts set to zero"));
        matches!((&ends[..], &resets[..]), ([first, .., last], [zero, ..]) if first < zero && zero < last)
    });
    terminal.keys("qdf");
    terminal.wait("the file as it was", |_| {
        std::fs::read_to_string(&config).is_ok_and(|now| !now.contains("demo:lobby"))
    });
    terminal.keys("Q");
    assert_eq!(terminal.exit_code(), 0);
}

#[test]
fn pictures_are_in_pixels_where_the_terminal_takes_them() {
    let mut program = program_with(&[], &[("TERM", "xterm-kitty")]);
    program.terminal.keys("\r");
    program.terminal.wait("a picture in Kitty's protocol", |terminal| terminal.has_written(b"\x1b_Gq=2,i="));
    program.terminal.keys("Q");
    assert_eq!(program.terminal.exit_code(), 0, "{}", program.terminal.text());
    program.terminal.assert_given_back();
}

#[test]
fn inside_tmux_pictures_are_half_blocks() {
    let mut program = program_with(&[], &[("LC_TERMINAL", "iTerm2"), ("TMUX", "/tmp/none,1,0")]);
    program.terminal.keys("\r");
    program.terminal.wait_for_text("▀");
    assert!(!program.terminal.has_written(b"\x1b]1337"));
    program.terminal.keys("Q");
    assert_eq!(program.terminal.exit_code(), 0, "{}", program.terminal.text());
}

#[test]
fn a_kill_leaves_the_results() {
    let mut program = program();
    program.terminal.wait_for_text("Running");
    let folder = program.folder.path().to_owned();
    let kept = || {
        let ledger = find(&folder, "ledger.sqlite")?;
        pcount::internals::ledger::Reader::open(&ledger).ok()?.sources().ok()
    };
    program.terminal.wait("the source in the ledger", |_| kept().is_some_and(|sources| sources.len() == 1));
    program.terminal.signal(Signal::KILL);
    program.terminal.exit_code();
    assert_eq!(kept().unwrap().len(), 1, "it is still there");
}

#[test]
fn a_terminal_that_is_too_small_at_first_is_told_so_and_grows() {
    let mut program = program();
    for (columns, rows) in [(59, 16), (60, 15), (1, 1), (250, 70), (60, 16)] {
        program.terminal.resize(columns, rows);
        match (columns, rows) {
            (60 | 250, 16 | 70) => program.terminal.wait_for_text(TITLE),
            (1, 1) => {}
            _ => program.terminal.wait_for_text("too small"),
        }
    }
    program.terminal.keys("Q");
    assert_eq!(program.terminal.exit_code(), 0, "{}", program.terminal.text());
}

#[test]
fn without_a_terminal_the_flags_are_named() {
    let output =
        assert_cmd::Command::new(env!("CARGO_BIN_EXE_pcount-tui")).arg("demo:lobby").assert().code(2);
    let text = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(text.contains("--headless") && text.contains("--json"), "{text}");
    assert!(output.get_output().stdout.is_empty(), "no escape sequences in the pipe");
}

/// This test program again, in a terminal, running [`child`].
fn child_terminal(mode: &str) -> Terminal {
    let program = std::env::current_exe().unwrap();
    let args = ["--ignored", "--exact", "child", "--nocapture", "--test-threads=1"];
    let terminal =
        Terminal::start(&program, &args, &[("PCOUNT_TEST_CHILD", mode), ("RUST_BACKTRACE", "0")], 100, 30);
    terminal.wait_for_text(TITLE);
    terminal
}

#[test]
fn a_panic_of_the_screens_is_told_on_the_main_screen() {
    let mut terminal = child_terminal("panics");
    terminal.keys("+");
    assert_ne!(terminal.exit_code(), 0);
    terminal.assert_given_back();
    terminal.wait_for_text("the screens are broken");
}

#[test]
fn a_panic_of_a_worker_leaves_the_screens_up() {
    let mut terminal = child_terminal("panics");
    terminal.keys("a");
    terminal.wait_for_text("Add a source");
    terminal.keys("demo:lobby\r");
    terminal.wait_for_text("Lines and zones of demo_lobby");
    terminal.keys("q");
    terminal.wait_for_text("a worker has panicked");
    assert!(terminal.on_alternate_screen());
    assert!(!terminal.text().contains("the worker is broken"), "{}", terminal.text());
    terminal.keys("Q");
    assert_eq!(terminal.exit_code(), 0);
}

#[test]
#[ignore = "runs inside the terminals of the tests above"]
fn child() {
    assert!(std::env::var_os("PCOUNT_TEST_CHILD").is_some(), "it needs a terminal of its own");
    let log = tempfile::tempdir().unwrap();
    let native_log = log.path().join("native.log");
    std::fs::write(&native_log, "").unwrap();
    let options = TuiOptions { native_log: Some(native_log), ..TuiOptions::default() };
    tui::run(Arc::new(Broken::default()), Arc::new(NoHost), &options, || Ok::<_, tui::TuiError>(())).unwrap();
}

/// An engine that breaks when it is told to: another number of workers breaks the
/// thread that draws, a new source one of its own.
#[derive(Default)]
struct Broken {
    screens: AtomicBool,
    worker: AtomicBool,
}

struct NoHost;

impl Host for NoHost {
    fn export(&self) -> Result<String, String> {
        Err("nothing to export".into())
    }
}

impl EngineApi for Broken {
    fn snapshot(&self) -> EngineSnapshot {
        assert!(!self.screens.load(Ordering::SeqCst), "the screens are broken");
        let worker = self.worker.load(Ordering::SeqCst);
        EngineSnapshot {
            sources: Vec::new(),
            workers: Vec::new(),
            worker_count: 1,
            max_workers: 2,
            queue_pending: 0,
            queue: Vec::new(),
            strategy: Strategy::Shared,
            detector: if worker { "a worker has panicked".into() } else { "none".into() },
            problems: Vec::new(),
            notices: Vec::new(),
            acknowledged: Arc::default(),
            areas: Arc::default(),
            nodes: Arc::default(),
            events: Arc::default(),
            events_lost: 0,
            log_lines_lost: 0,
            cpu: 0.0,
            rss: 0,
            memory_limit: None,
            taken: Moment::START,
            generation: u64::from(worker),
        }
    }

    fn send(&self, control: Control) -> Reply {
        match control {
            Control::SetWorkers(_) => self.screens.store(true, Ordering::SeqCst),
            Control::Add(_) => {
                let worker = std::thread::spawn(|| panic!("the worker is broken"));
                self.worker.store(worker.join().is_err(), Ordering::SeqCst);
            }
            _ => {}
        }
        Reply::new(Ok(()))
    }

    fn preview(&self, _: &str) -> Option<Arc<Preview>> {
        None
    }

    fn history(&self, _: &str) -> Vec<Minute> {
        Vec::new()
    }

    fn source_config(&self, _: &str) -> Option<Arc<SourceConfig>> {
        None
    }
}
