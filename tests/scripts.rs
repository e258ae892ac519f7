//! `scripts/test`, `scripts/check`, `scripts/run` and `scripts/release` with a cargo that only notes how it was called.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

#[path = "scripts/check.rs"]
mod check;
#[path = "scripts/release.rs"]
mod release;

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output},
};

fn script(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("#!/usr/bin/env bash\n{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A project of scripts alone, in which `cargo` does what `cargo` says.
fn project(cargo: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("scripts")).unwrap();
    for name in ["run", "test", "check", "release", "gates.sh", "parts.sh"] {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts").join(name);
        fs::copy(from, at("scripts").join(name)).unwrap();
    }
    script(&at("scripts/setup"), "echo 'setup: all there'");
    script(&at("bin/cargo"), &format!("echo \"$*\" >>\"{}\"\n{cargo}", at("calls").display()));
    script(&at("target/release/pcount-tui"), "echo \"the program: $*\"");
    folder
}

fn run(folder: &Path, name: &str, arguments: &[&str]) -> (Output, String) {
    let path = format!("{}:{}", folder.join("bin").display(), std::env::var("PATH").unwrap());
    let output = Command::new(folder.join("scripts").join(name))
        .args(arguments)
        .env("PATH", path)
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("PARTS_TIMES")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output, said)
}

fn times(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join(".cache/times")).unwrap_or_default();
    let mut names: Vec<_> = text.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect();
    names.sort();
    names
}

#[test]
fn all_parts_of_the_tests_run_and_a_failure_is_one_at_the_end() {
    let folder = project("[ \"$1\" != clippy ]");
    let (output, said) = run(folder.path(), "test", &[]);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let calls = fs::read_to_string(folder.path().join("calls")).unwrap();
    let first: Vec<_> = calls.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(first, ["fmt", "deny", "clippy", "doc", "test", "test", "test"]);
    for said_of in [
        "test: 1 of 7: setup; then format",
        "test: 4 of 7: lints; then documentation",
        "==== lints: clippy and the compiler have nothing to say",
        "7 of 7: tests; then the result",
    ] {
        assert!(said.contains(said_of), "{said_of}: {said}");
    }
    assert!(said.contains("test: lints failed after "), "{said}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("test: FAILED: lints"), "{output:?}");
    // What failed half-way took no time that says anything.
    let kept = ["build", "dependencies", "documentation", "format", "setup", "tests"]
        .map(|name| format!("test {name}"));
    assert_eq!(times(folder.path()), kept);
    let (_, said) = run(folder.path(), "test", &[]);
    assert!(
        said.contains("test: 2 of 7: format (took ") && said.contains(" s last time); then dep"),
        "{said}"
    );
    assert!(said.contains("\n  lints\n  documentation (took "), "{said}");
}

#[test]
fn tests_that_pass_say_so_and_without_the_setup_nothing_runs() {
    let folder = project("");
    let (output, said) = run(folder.path(), "test", &[]);
    assert!(output.status.success(), "{said}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("test: all checks passed"), "{output:?}");
    script(&folder.path().join("scripts/setup"), "exit 3");
    fs::remove_file(folder.path().join("calls")).unwrap();
    let (output, said) = run(folder.path(), "test", &[]);
    assert!(!output.status.success() && said.contains("test: setup failed"), "{said}");
    assert!(!folder.path().join("calls").exists());
}

#[test]
fn the_output_of_a_run_is_the_programs_and_cargo_is_heard() {
    let folder = project("echo 'Compiling something' >&2");
    let (output, said) = run(folder.path(), "run", &["--headless"]);
    assert!(output.status.success(), "{said}");
    let out = String::from_utf8_lossy(&output.stdout);
    let example = folder.path().join("config_example.json").canonicalize();
    assert!(example.is_err(), "it is only named");
    assert!(
        out.starts_with("the program: --config ") && out.ends_with("config_example.json --headless\n"),
        "{out}"
    );
    assert_eq!(out.lines().count(), 1, "{out}");
    assert!(!fs::read_to_string(folder.path().join("calls")).unwrap().contains("--quiet"));
    for said_of in [
        "run: 1 of 2: setup; then build",
        "setup: all there",
        "run: 2 of 2: build; then the program",
        "Compiling something",
        "run: build took ",
    ] {
        assert!(said.contains(said_of), "{said_of}: {said}");
    }
    // A build that fails ends it.
    script(&folder.path().join("bin/cargo"), "exit 101");
    let (output, said) = run(folder.path(), "run", &[]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(101), 0), "{said}");
}

#[test]
fn a_command_is_handed_on_without_the_example() {
    let help = Command::new(env!("CARGO_BIN_EXE_pcount-tui")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let commands: Vec<&str> = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(commands.contains(&"serve") && commands.len() > 10, "{commands:?}");
    let folder = project("");
    for command in commands {
        let (output, said) = run(folder.path(), "run", &[command, "--json"]);
        let out = String::from_utf8_lossy(&output.stdout);
        assert_eq!(out, format!("the program: {command} --json\n"), "{said}");
    }
}

#[test]
fn times_that_cannot_be_read_or_kept_change_nothing() {
    for (content, hint) in [
        ("", "setup; then"),
        ("rubbish\nrun setup\tsoon\nrun setup\t-4\n\t\t\n", "setup; then"),
        ("run setup\t99999999999999\n", "setup; then"),
        ("run setup\t75\nrun build\t3\n", "setup (took 1 min 15 s last time); then"),
        ("other setup\t75\n", "setup; then"),
    ] {
        let folder = project("");
        fs::create_dir(folder.path().join(".cache")).unwrap();
        fs::write(folder.path().join(".cache/times"), content).unwrap();
        let (output, said) = run(folder.path(), "run", &[]);
        assert!(
            output.status.success() && said.contains(&format!("run: 1 of 2: {hint}")),
            "{content:?}: {said}"
        );
        assert!(times(folder.path()).contains(&"run build".to_owned()), "{content:?}");
        let drafts = fs::read_dir(folder.path().join(".cache")).unwrap().count();
        assert_eq!(drafts, 1, "{content:?}: no draft is left");
    }
    // Where the folder should be, there is a file.
    let folder = project("");
    fs::write(folder.path().join(".cache"), "").unwrap();
    let (output, said) = run(folder.path(), "run", &[]);
    assert!(output.status.success(), "{said}");
    assert!(!said.contains("No such") && !said.contains("cannot"), "{said}");
}

#[test]
fn files_that_are_given_to_cargo_are_there() {
    let folder = project("true");
    for (name, arguments) in [("run", &[][..]), ("test", &[]), ("check", &["quick"])] {
        run(folder.path(), name, arguments);
    }
    let calls = fs::read_to_string(folder.path().join("calls")).unwrap();
    let given = calls.split_whitespace().filter_map(|word| Path::new(word).strip_prefix(folder.path()).ok());
    let given: Vec<_> = given.collect();
    assert!(!given.is_empty(), "{calls}");
    for file in given {
        let there = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        assert!(there.exists(), "'{}' is not in the project", file.display());
    }
}

#[test]
fn a_long_build_says_that_it_goes_on_and_how_long_it_may_take() {
    let folder = project("sleep 2.5");
    let path = format!("{}:{}", folder.path().join("bin").display(), std::env::var("PATH").unwrap());
    let output = Command::new(folder.path().join("scripts/run"))
        .env("PATH", path)
        .env("PARTS_BEAT", "1")
        .env_remove("CARGO_TARGET_DIR")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("run: the first build takes about ") && said.contains("build goes on, 1 s so far\n"),
        "{said}"
    );
}

#[test]
fn without_rust_a_package_is_installed_once_and_nothing_is_built() {
    let folder = project("");
    let at = |name: &str| folder.path().join(name);
    fs::remove_file(at("bin/cargo")).unwrap();
    fs::write(at("pcount-tui_1.0-1_amd64.deb"), "").unwrap();
    let calls = at("calls").display().to_string();
    script(&at("bin/dpkg"), "echo amd64");
    script(&at("bin/dpkg-deb"), "echo 1.0-1");
    script(
        &at("bin/dpkg-query"),
        &format!("if grep -q install '{calls}' 2>/dev/null; then printf 1.0-1; fi"),
    );
    for name in ["apt-get", "sudo"] {
        script(&at("bin").join(name), &format!("echo \"{name} $*\" >>'{calls}'"));
    }
    script(&at("bin/pcount-tui"), "echo \"the package: $*\"");
    let run = || {
        Command::new(at("scripts/run"))
            .env("PATH", format!("{}:/usr/bin:/bin", at("bin").display()))
            .env("HOME", folder.path())
            .env_remove("CARGO_HOME")
            .output()
            .unwrap()
    };
    for _ in 0..2 {
        let output = run();
        assert!(output.status.success(), "{output:?}");
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(out.starts_with("the package: --config "), "{out}");
    }
    let calls = fs::read_to_string(&calls).unwrap();
    assert_eq!(calls.matches("pcount-tui_1.0-1_amd64.deb").count(), 1, "{calls}");
}
