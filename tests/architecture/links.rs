//! Links between the pages of the documentation lead somewhere, and the files that they name exist.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The Markdown files of the project.
fn pages(root: &Path) -> Vec<PathBuf> {
    let mut pages = Vec::new();
    for folder in ["", "docs", "docs/notes", "models", "models/train"] {
        let entries = fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path());
        pages.extend(entries.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    }
    pages
}

/// `text` without blocks and spans of code.
fn prose(text: &str) -> String {
    let blocks = text.split("\n```").step_by(2);
    blocks.flat_map(|block| block.split('`').step_by(2)).collect()
}

/// The anchors that a page's headings have on the usual hosts.
fn anchors(text: &str) -> BTreeSet<String> {
    let blocks: String = text.split("\n```").step_by(2).collect();
    let headings = blocks.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let words = heading.trim_start_matches('#').trim().to_lowercase();
        words
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
            .collect::<String>()
            .replace(' ', "-")
    };
    headings.map(anchor).collect()
}

#[test]
fn every_link_between_pages_leads_somewhere() {
    let pages = pages(Path::new(env!("CARGO_MANIFEST_DIR")));
    let texts: BTreeMap<PathBuf, String> =
        pages.iter().map(|page| (page.canonicalize().unwrap(), fs::read_to_string(page).unwrap())).collect();
    let (mut seen, mut dead) = (0, Vec::new());
    for (page, text) in &texts {
        let prose = prose(text);
        let targets = prose.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
        for target in targets.filter(|target| !target.contains("://")) {
            seen += 1;
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let other = if path.is_empty() { page.clone() } else { page.parent().unwrap().join(path) };
            let is_there = other.canonicalize().is_ok_and(|other| {
                anchor.is_empty() || texts.get(&other).is_some_and(|text| anchors(text).contains(anchor))
            });
            if !is_there {
                dead.push(format!("{}: {target}", page.display()));
            }
        }
    }
    assert!(seen > 50, "{seen} links were found");
    assert!(dead.is_empty(), "{}", dead.join("\n"));
}

/// The paths of files of the project in the spans of code of `text`: from the root, or Rust files from `src` on. What stands for
/// many files (`NAME`, `*`) is none.
fn named_files(text: &str, root: &Path) -> Vec<(String, PathBuf)> {
    let prose: String = text.split("\n```").step_by(2).collect();
    let spans: Vec<&str> = prose.split('`').skip(1).step_by(2).flat_map(str::split_whitespace).collect();
    let mut named = Vec::new();
    for span in spans {
        let Some((first, _)) = span.split_once('/') else { continue };
        if span.contains(['*', '{', '<']) || span.contains("NAME") || span.contains("..") {
            continue;
        }
        if ["src", "tests", "scripts", "benches", "examples"].contains(&first) {
            named.push((span.to_owned(), root.join(span)));
        } else if Path::new(span).extension().is_some_and(|kind| kind == "rs") {
            named.push((span.to_owned(), root.join("src").join(span)));
        }
    }
    named
}

#[test]
fn every_file_that_the_pages_name_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut seen, mut missing) = (0, Vec::new());
    for page in pages(root) {
        for (written, file) in named_files(&fs::read_to_string(&page).unwrap(), root) {
            seen += 1;
            if !file.exists() {
                missing.push(format!("{}: {written}", page.display()));
            }
        }
    }
    assert!(seen > 80, "{seen} files are named");
    assert!(missing.is_empty(), "these pages name files that do not exist:\n{}", missing.join("\n"));
}

#[test]
fn files_are_named_from_the_root_or_from_src() {
    let text = "`src/lib.rs`, `tui/shell.rs` and `cargo run scripts/run`\n```\n`src/not.rs`\n```\n`src/tui/screens/NAME/draw.rs` `a/b`";
    let named: Vec<_> = named_files(text, Path::new("/p")).into_iter().map(|(_, file)| file).collect();
    assert_eq!(named, ["/p/src/lib.rs", "/p/src/tui/shell.rs", "/p/scripts/run"].map(PathBuf::from));
}
