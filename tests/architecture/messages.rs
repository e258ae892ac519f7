//! `docs/troubleshooting.md` explains messages that the program has.

use std::{fs, path::Path};

use super::paths::rust_files;

/// The fixed parts of `message`, in which `..` and what is in quotes vary.
fn parts(message: &str) -> Vec<String> {
    let mut parts = Vec::new();
    for (number, part) in message.split('\'').enumerate() {
        if number % 2 == 0 {
            parts.extend(part.split("..").flat_map(|part| part.split(": ")));
        }
    }
    let is_digit = |c: char| c.is_ascii_digit();
    let parts = parts.into_iter().map(|part| part.split(is_digit).next().unwrap_or(part));
    parts.map(|part| part.trim_matches(|c: char| " ;:".contains(c)).to_owned()).collect()
}

#[test]
fn every_message_that_is_explained_is_one_of_the_program() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/troubleshooting.md")).unwrap();
    let mut files = Vec::new();
    rust_files(&root.join("src"), &mut files);
    let mut code = String::new();
    for file in files {
        let text = fs::read_to_string(file).unwrap();
        // A backslash joins a text with its next line.
        for (number, line) in text.split("\\\n").enumerate() {
            code += if number == 0 { line } else { line.trim_start() };
        }
    }
    let cells = page.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" |"));
    let messages: Vec<&str> = cells.flat_map(|(cell, _)| cell.split('`').skip(1).step_by(2)).collect();
    assert!(messages.len() > 20, "{messages:?}");
    let mut unknown = Vec::new();
    for message in messages {
        let parts = parts(message);
        unknown.extend(parts.iter().filter(|part| part.len() > 3 && !code.contains(&**part)).cloned());
    }
    assert!(
        unknown.is_empty(),
        "docs/troubleshooting.md explains what the program does not say: {unknown:?}"
    );
}

#[test]
fn what_varies_is_no_part_of_a_message() {
    assert_eq!(parts("no frame for 20s"), ["no frame for"]);
    assert_eq!(parts("ledger '..' .. was damaged"), ["ledger", "", "was damaged"]);
}
