//! `scripts/check` runs what `scripts/test` runs, one at a time.

use std::{fs, path::Path};

use super::{project, run, script, times};

fn calls(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join("calls")).unwrap_or_default();
    let _ = fs::remove_file(folder.join("calls"));
    text.lines().map(str::to_owned).collect()
}

#[test]
fn without_a_name_the_checks_are_listed_with_their_times_and_none_runs() {
    let folder = project("");
    fs::create_dir(folder.path().join(".cache")).unwrap();
    fs::write(folder.path().join(".cache/times"), "test lints\t75\n").unwrap();
    let (output, said) = run(folder.path(), "check", &[]);
    assert!(output.status.success(), "{said}");
    let out = String::from_utf8(output.stdout).unwrap();
    let names: Vec<&str> = out.lines().skip(1).map(|line| line.split_whitespace().next().unwrap()).collect();
    assert_eq!(
        names,
        [
            "format",
            "dependencies",
            "lints",
            "documentation",
            "build",
            "tests",
            "quick",
            "oldest",
            "hosted-docs"
        ]
    );
    assert!(out.contains("see of it and without (took 1 min 15 s last time)\n"), "{out}");
    assert!(calls(folder.path()).is_empty());
}

#[test]
fn each_check_of_the_tests_runs_as_it_does_there() {
    let folder = project("");
    run(folder.path(), "test", &[]);
    let of_all = calls(folder.path());
    let mut one_by_one = Vec::new();
    for name in ["format", "dependencies", "lints", "documentation", "build", "tests"] {
        let (output, said) = run(folder.path(), "check", &[name]);
        assert!(output.status.success(), "{name}: {said}");
        assert!(said.contains(&format!("check: 1 of 1: {name} (took ")), "{said}");
        one_by_one.extend(calls(folder.path()));
    }
    assert_eq!(one_by_one, of_all);
}

#[test]
fn several_run_to_the_end_and_one_that_fails_is_told() {
    let folder = project("[ \"$1\" != fmt ]");
    let (output, said) = run(folder.path(), "check", &["format", "quick"]);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("check: 2 of 2: quick; then the result"), "{said}");
    assert!(said.ends_with("check: FAILED: format\n"), "{said}");
    assert_eq!(times(folder.path()), ["test quick"]);
    let calls = calls(folder.path());
    assert!(calls[1].starts_with("test --locked --no-fail-fast --lib --test "), "{calls:?}");
}

#[test]
fn a_name_that_is_none_runs_nothing() {
    let folder = project("");
    let (output, said) = run(folder.path(), "check", &["format", "lint"]);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("there is no check named 'lint'") && said.contains("  lints "), "{said}");
    assert!(calls(folder.path()).is_empty());
}

#[test]
fn the_oldest_rust_is_the_one_at_hand_or_asked_for_by_its_version() {
    let folder = project("if [ \"$1\" = --version ]; then echo 'cargo 1.80.2 (0)'; fi");
    for (promised, called) in [("1.80", "check"), ("1.8", "+1.8 check"), ("1.92", "+1.92 check")] {
        fs::write(folder.path().join("Cargo.toml"), format!("rust-version = \"{promised}\"\n")).unwrap();
        let (output, said) = run(folder.path(), "check", &["oldest"]);
        assert!(output.status.success(), "{said}");
        let last = calls(folder.path()).pop().unwrap();
        assert_eq!(last, format!("{called} --locked --all-targets"));
    }
}

#[test]
fn the_quick_profile_of_nextest_runs_what_the_quick_check_runs() {
    let folder = project("");
    let (output, said) = run(folder.path(), "check", &["quick"]);
    assert!(output.status.success(), "{said}");
    let quick = calls(folder.path()).pop().unwrap();
    let tested: Vec<&str> =
        quick.split("--test ").skip(1).map(|rest| rest.split_whitespace().next().unwrap()).collect();
    assert!(tested.len() > 2, "{quick}");
    let profiles = Path::new(env!("CARGO_MANIFEST_DIR")).join(".config/nextest.toml");
    let profiles = fs::read_to_string(profiles).unwrap();
    let filter = profiles.split_once("[profile.quick]\ndefault-filter = \"").unwrap().1;
    let filter = filter.split_once('"').unwrap().0;
    let run: Vec<&str> =
        filter.split("binary(").skip(1).map(|rest| rest.split(')').next().unwrap()).collect();
    assert_eq!(run, tested);
    assert!(filter.starts_with("kind(lib) or ") && quick.contains(" --lib "), "{filter}");
}

#[test]
fn every_file_of_tests_is_run_once_and_those_that_wait_run_beside_the_others() {
    let folder = project("");
    fs::create_dir(folder.path().join("tests")).unwrap();
    for name in ["api", "engine", "serve"] {
        fs::write(folder.path().join(format!("tests/{name}.rs")), "").unwrap();
    }
    let (output, said) = run(folder.path(), "check", &["tests"]);
    assert!(output.status.success(), "{said}");
    let mut calls = calls(folder.path());
    calls.sort();
    let wanted = [
        "test --locked --doc",
        "test --locked --no-fail-fast --lib --bins --test engine",
        "test --locked --no-fail-fast --test api --test serve",
    ];
    assert_eq!(calls, wanted);
    // One that fails beside the others fails the whole.
    let folder = project("case \"$*\" in *api*) echo 'api is wrong'; exit 1 ;; esac");
    fs::create_dir(folder.path().join("tests")).unwrap();
    fs::write(folder.path().join("tests/api.rs"), "").unwrap();
    let (output, said) = run(folder.path(), "check", &["tests"]);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("api is wrong"), "{said}");
}

#[test]
fn tests_that_wait_are_files_of_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let gates = fs::read_to_string(root.join("scripts/gates.sh")).unwrap();
    let names = gates.split_once("\ntests_that_wait=(").unwrap().1.split_once(')').unwrap().0;
    for name in names.split_whitespace() {
        assert!(root.join(format!("tests/{name}.rs")).exists(), "{name}");
    }
}

#[test]
fn a_cargo_home_elsewhere_is_where_tools_are_found() {
    let folder = project("");
    let cargo = folder.path().join("bin/cargo");
    let home = folder.path().join("home");
    script(&home.join("bin/tool-of-the-tests"), "echo found >&2");
    script(&cargo, "tool-of-the-tests");
    let path = format!("{}:/usr/bin:/bin", folder.path().join("bin").display());
    let output = std::process::Command::new(folder.path().join("scripts/check"))
        .arg("format")
        .env("PATH", path)
        .env("CARGO_HOME", home)
        .env_remove("PARTS_TIMES")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.contains("found"), "{said}");
}
