//! The oldest Rust that is promised (`rust-version` in `Cargo.toml`) is the one that the hosted CI checks with, is enough for
//! every dependency, and is named by the pages. That the code itself needs none newer is seen by `scripts/check oldest`
//! and, for the standard library, by clippy (`incompatible_msrv`).
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::{fs, path::Path, process::Command};

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

const PROMISED: &str = env!("CARGO_PKG_RUST_VERSION");

/// `1.92` and `1.92.0` are one version.
fn numbers(version: &str) -> [u32; 3] {
    let mut numbers = [0; 3];
    for (number, text) in numbers.iter_mut().zip(version.split('.')) {
        *number = text.parse().unwrap();
    }
    numbers
}

#[test]
fn the_hosted_ci_checks_with_the_oldest_rust_that_is_promised() {
    let workflow = read(".github/workflows/ci.yml");
    let line = workflow.lines().find_map(|line| line.trim().strip_prefix("rust: [")).unwrap();
    assert_eq!(line, format!("stable, \"{PROMISED}\"]"), "{PROMISED} is promised in Cargo.toml");
    let oldest = workflow.split_once(&format!("- rust: \"{PROMISED}\"\n")).unwrap().1;
    let command = oldest.lines().next().unwrap().trim();
    assert_eq!(command, "command: scripts/setup && scripts/check oldest");
}

#[test]
fn no_dependency_needs_a_newer_rust() {
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let cargo = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(["--filter-platform", &platform])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&cargo.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 200, "{} packages", packages.len());
    let newer: Vec<String> = packages
        .iter()
        .filter_map(|package| Some((package, package["rust_version"].as_str()?)))
        .filter(|(_, needed)| numbers(needed) > numbers(PROMISED))
        .map(|(package, needed)| format!("{} {} needs {needed}", package["name"], package["version"]))
        .collect();
    assert!(newer.is_empty(), "Cargo.toml promises {PROMISED}: {newer:#?}");
}

#[test]
fn the_pages_name_it() {
    let mut pages = vec!["README.md".to_owned(), "CONTRIBUTING.md".to_owned()];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    for page in fs::read_dir(folder.join("docs")).unwrap() {
        pages.push(format!("docs/{}", page.unwrap().file_name().to_str().unwrap()));
    }
    pages.retain(|page| {
        page.rsplit_once('.').is_some_and(|(_, kind)| kind == "md") && folder.join(page).exists()
    });
    let mut named = Vec::new();
    for page in &pages {
        let text = read(page);
        for rest in text.split("Rust 1.").skip(1) {
            let version: String = format!("1.{rest}")
                .chars()
                .take_while(|sign| sign.is_ascii_digit() || *sign == '.')
                .collect();
            named.push((page.clone(), version.trim_end_matches('.').to_owned()));
        }
    }
    assert!(named.iter().any(|(page, _)| page == "README.md"), "{named:?}");
    named.retain(|(_, version)| version != PROMISED);
    assert!(named.is_empty(), "{PROMISED} is promised in Cargo.toml: {named:?}");
}
