//! Who may know whom: the engine knows no terminal, the terminal no OpenCV, and what only computes knows
//! neither pictures nor threads.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Room (file or folder under `src`, without `.rs`), and words that its code must not name.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("bench", &["ratatui::", "crossterm::", "crate::tui"]),
    ("clock", &["ratatui::", "crossterm::", "opencv::", "crate::tui", "crate::engine"]),
    ("config", &["ratatui::", "crossterm::", "opencv::", "crate::tui", "crate::engine", "std::thread"]),
    (
        "count",
        &["ratatui::", "crossterm::", "opencv::", "crate::tui", "crate::engine", "std::thread", "std::fs"],
    ),
    ("detect", &["ratatui::", "crossterm::", "crate::tui", "crate::engine", "crate::count", "crate::track"]),
    ("engine", &["ratatui::", "crossterm::", "crate::tui", "crate::headless"]),
    ("export", &["ratatui::", "crossterm::", "opencv::", "crate::tui"]),
    ("files", &["ratatui::", "crossterm::", "opencv::", "crate::", "std::thread"]),
    ("geometry", &["ratatui::", "crossterm::", "opencv::", "crate::"]),
    ("headless", &["ratatui::", "crossterm::", "opencv::", "crate::tui"]),
    ("ledger", &["ratatui::", "crossterm::", "opencv::", "crate::tui"]),
    ("logging", &["ratatui::", "crossterm::", "opencv::", "crate::tui", "crate::engine"]),
    ("metrics", &["ratatui::", "crossterm::", "opencv::", "crate::"]),
    ("native", &["ratatui::", "crossterm::", "crate::"]),
    ("source", &["ratatui::", "crossterm::", "crate::tui", "crate::engine", "crate::track", "crate::ledger"]),
    ("store", &["ratatui::", "crossterm::", "opencv::", "crate::tui", "crate::engine"]),
    (
        "track",
        &["ratatui::", "crossterm::", "opencv::", "crate::tui", "crate::engine", "std::thread", "std::fs"],
    ),
    ("tui", &["opencv::", "crate::ledger::Ledger", "crate::detect::load"]),
];

fn rust_files(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            rust_files(&entry.unwrap().path(), found);
        }
    } else if path.extension().is_some_and(|extension| extension == "rs") {
        found.push(path.to_owned());
    }
}

/// The code of a file: without comments and without its tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let program = text.split("#[cfg(test)]").next().unwrap();
    program.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

fn files_of(room: &str) -> Vec<PathBuf> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    for path in [src.join(format!("{room}.rs")), src.join(room)] {
        if path.exists() {
            rust_files(&path, &mut files);
        }
    }
    files.retain(|file| !file.ends_with("tests.rs"));
    files
}

#[test]
fn no_room_knows_what_it_must_not() {
    let mut broken = Vec::new();
    for (room, words) in FORBIDDEN {
        let files = files_of(room);
        assert!(!files.is_empty(), "there is no room '{room}'; has it been renamed?");
        for file in files {
            let code = code(&file);
            let used = words.iter().filter(|word| code.contains(**word));
            broken.extend(used.map(|word| format!("{} names '{word}'", file.display())));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_room_has_its_rule() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let free = ["app", "cli", "eval", "lib", "main"];
    for entry in fs::read_dir(src).unwrap() {
        let path = entry.unwrap().path();
        let room = path.file_stem().unwrap().to_string_lossy().into_owned();
        let ruled = FORBIDDEN.iter().any(|(known, _)| *known == room) || free.contains(&&*room);
        assert!(ruled, "say in this test what the room '{room}' must not know");
    }
}

#[test]
fn unsafe_code_stays_in_its_room() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    for file in files.iter().filter(|file| !file.starts_with(src.join("native"))) {
        assert!(!code(file).contains("unsafe_code"), "{} allows unsafe code", file.display());
    }
}
