//! `docs/advisories.md` names every direct dependency, at the version that is built.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::{collections::BTreeMap, fs, path::Path};

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// Names under `[dependencies]`, `[dev-dependencies]` and those of some targets alone.
fn direct(manifest: &str) -> Vec<String> {
    let mut inside = false;
    let mut names = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.trim().ends_with("dependencies]");
        } else if let (true, Some((name, _))) = (inside && !line.starts_with('#'), line.split_once('=')) {
            names.push(name.trim().trim_matches('"').to_owned());
        }
    }
    names
}

/// Versions of each package of the lock file.
fn locked(lock: &str) -> BTreeMap<String, Vec<String>> {
    let mut versions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let value = |line: &str, key: &str| {
        Some(line.strip_prefix(key)?.strip_prefix(" = ")?.trim_matches('"').to_owned())
    };
    let mut name = String::new();
    for line in lock.lines() {
        if let Some(found) = value(line, "name") {
            name = found;
        } else if let Some(version) = value(line, "version").filter(|_| !name.is_empty()) {
            versions.entry(std::mem::take(&mut name)).or_default().push(version);
        }
    }
    versions
}

#[test]
fn every_direct_dependency_was_looked_up_at_its_version() {
    let (table, locked) = (read("docs/advisories.md"), locked(&read("Cargo.lock")));
    let rows: BTreeMap<&str, &str> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split_once(" | "))
        .map(|(name, rest)| (name, rest.split(" | ").next().unwrap()))
        .collect();
    let mut names = direct(&read("Cargo.toml"));
    // For its tests the package depends on itself.
    names.retain(|name| name != env!("CARGO_PKG_NAME"));
    assert!(names.len() > 20, "{names:?}");
    let mut missing = Vec::new();
    for name in names {
        let row = rows.get(&*name);
        for version in &locked[&name] {
            if !row.is_some_and(|versions| versions.split(", ").any(|known| known == version)) {
                missing.push(format!("{name} {version}"));
            }
        }
    }
    assert!(
        missing.is_empty(),
        "look these up (https://rustsec.org) and write them into docs/advisories.md: {}",
        missing.join(", ")
    );
}
