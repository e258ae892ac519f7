//! What is skipped on a machine that lacks something fails where that is required.

#[path = "support/require.rs"]
mod require;

use std::process::Command;

use require::is_required;

#[test]
fn a_list_requires_what_it_names() {
    assert_eq!(is_required("", "rtsp"), Ok(false));
    assert_eq!(is_required("ffmpeg", "rtsp"), Ok(false));
    assert_eq!(is_required("ffmpeg, rtsp", "rtsp"), Ok(true));
    assert_eq!(is_required("all", "rtsp"), Ok(true));
}

#[test]
fn what_nothing_can_require_is_refused_on_either_side() {
    assert!(
        is_required("rstp", "rtsp").unwrap_err().starts_with("'rstp' is nothing that a test can require")
    );
    assert!(is_required("rtsp", "rstp").is_err());
}

/// This program again, running [`skips`] with `list`.
fn skips_with(list: &str) -> (bool, String) {
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "skips", "--nocapture"])
        .env("PCOUNT_REQUIRE", list)
        .output()
        .unwrap();
    let said = [run.stdout, run.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(said.contains("running 1 test"), "{said}");
    (run.status.success(), said)
}

#[test]
fn a_skip_is_said_and_fails_where_it_is_required() {
    let (passed, said) = skips_with("ffmpeg");
    assert!(passed && said.contains("skipped for lack of 'rtsp': it is not here"), "{said}");
    let (passed, said) = skips_with("ffmpeg,rtsp");
    assert!(!passed && said.contains("'rtsp' is required (PCOUNT_REQUIRE), but it is not here"), "{said}");
}

#[test]
#[ignore = "runs inside the test above"]
fn skips() {
    require::skip("rtsp", "it is not here");
}

/// A test that returns early must have said so through `skip`, or it passes for ever where something is missing.
#[test]
fn no_test_is_skipped_in_another_way() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "tests"] {
        rust_files(&root.join(folder), &mut files);
    }
    let found: Vec<String> = files
        .iter()
        .filter(|file| !file.ends_with("tests/require.rs") && !file.ends_with("support/require.rs"))
        .flat_map(|file| {
            let text = std::fs::read_to_string(file).unwrap();
            let says =
                |line: &&str| line.contains("println!(\"skipped") || line.contains("return; // Only root");
            text.lines().filter(says).map(|line| format!("{}: {line}", file.display())).collect::<Vec<_>>()
        })
        .collect();
    assert!(found.is_empty(), "use tests/support/require.rs: {found:#?}");
}

fn rust_files(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}
