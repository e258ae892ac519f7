//! `models list | verify | fetch` as people call it.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

use assert_cmd::Command;
use predicates::{prelude::PredicateBooleanExt, str::contains};

fn models(folder: &std::path::Path, arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("pcount-tui").unwrap();
    command.arg("models").args(arguments).arg("--dir").arg(folder);
    command
}

#[test]
fn the_list_is_the_default_and_names_every_detector() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&[][..], &["list"]] {
        let all =
            contains("rtmdet_nano_person").and(contains("MobileNetSSD_deploy")).and(contains("builtin"));
        models(folder.path(), arguments).assert().success().stdout(all.and(contains("missing")));
    }
}

#[test]
fn a_damaged_file_fails_the_check() {
    let folder = tempfile::tempdir().unwrap();
    models(folder.path(), &["verify"]).assert().success().stdout(contains("No known model in"));
    std::fs::write(folder.path().join("rtmdet_nano_person.onnx"), "cut").unwrap();
    let says = contains("is cut off: expected 3988974 bytes, found 3");
    models(folder.path(), &["verify"]).assert().code(1).stdout(says);
}

#[test]
fn fetching_says_what_it_needs() {
    let folder = tempfile::tempdir().unwrap();
    let unknown = contains("no model is called 'rtmdet'; known are rtmdet_nano_person,");
    models(folder.path(), &["fetch", "rtmdet"]).assert().code(2).stderr(unknown);
    let source = contains("--from").and(contains("Apache-2.0"));
    models(folder.path(), &["fetch", "rtmdet_nano_person"]).assert().code(1).stderr(source);
    let from = folder.path().join("elsewhere");
    models(folder.path(), &["fetch", "rtmdet_nano_person", "--from", from.to_str().unwrap()])
        .assert()
        .code(1)
        .stderr(contains("cannot copy '"));
}
