//! `scripts/release` in a repository of its own, in which all tests pass at once.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use super::{project, script};

const CHANGES: &str = "# Changelog\n\nWords.\n\n## 1.2.3 - 2026-01-31\n\n### Added\n\n- Counts.\n\n#hash\n\n## 1.2.2 - 2026-01-01\n\n- Old.\n";

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = command(folder, "git", arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn command(folder: &Path, name: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(name);
    for (key, _) in std::env::vars().filter(|(key, _)| key.starts_with("GIT_")) {
        command.env_remove(key);
    }
    let path = format!("{}:{}", folder.join("bin").display(), std::env::var("PATH").unwrap());
    for who in ["AUTHOR", "COMMITTER"] {
        command
            .env(format!("GIT_{who}_NAME"), "Tester")
            .env(format!("GIT_{who}_EMAIL"), "tester@example.org");
    }
    command
        .args(arguments)
        .current_dir(folder)
        .envs([
            ("PATH", path.as_str()),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CONFIG_SYSTEM", "/dev/null"),
        ])
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("PARTS_TIMES")
        .output()
        .unwrap()
}

/// Version 1.2.3, committed on main and ready.
fn repository() -> tempfile::TempDir {
    let folder = project("echo 'echo pcount-tui 1.2.3' >target/release/pcount-tui");
    let at = |name: &str| folder.path().join(name);
    fs::write(at(".gitignore"), "/target\n/.cache\n/calls\n").unwrap();
    fs::write(
        at("Cargo.toml"),
        "[package]\nname = \"x\"\nversion = \"1.2.3\"\n\n[dependencies.y]\nversion = \"9.0.0\"\n",
    )
    .unwrap();
    fs::write(at("CHANGELOG.md"), CHANGES).unwrap();
    script(&at(".ci/run"), "echo 'all the tests' >>calls");
    git(folder.path(), &["init", "--quiet", "--initial-branch=main"]);
    commit(folder.path());
    folder
}

fn commit(folder: &Path) {
    git(folder, &["add", "--all"]);
    git(folder, &["commit", "--quiet", "--allow-empty", "--message=Change"]);
}

/// Exit code, standard output and standard error.
fn release(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = command(folder, folder.join("scripts/release").to_str().unwrap(), arguments);
    let [out, said] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (output.status.code(), out, said)
}

#[test]
fn a_release_is_tested_built_and_tagged_with_its_changes() {
    let folder = repository();
    let (code, _, said) = release(folder.path(), &[]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(git(folder.path(), &["cat-file", "-t", "v1.2.3"]), "tag");
    let message = git(folder.path(), &["tag", "--list", "--format=%(contents)", "v1.2.3"]);
    assert_eq!(message, "pcount-tui 1.2.3\n\n### Added\n\n- Counts.\n\n#hash");
    assert_eq!(
        git(folder.path(), &["rev-parse", "v1.2.3^{commit}"]),
        git(folder.path(), &["rev-parse", "HEAD"])
    );
    let calls = fs::read_to_string(folder.path().join("calls")).unwrap();
    assert_eq!(calls, "all the tests\nbuild --release --locked --bin pcount-tui\n");
    assert!(
        said.contains("v1.2.3 is written and not pushed; git push REMOTE main v1.2.3 does that"),
        "{said}"
    );
    // Once is enough.
    let (code, _, said) = release(folder.path(), &[]);
    assert!(code == Some(1) && said.contains("the tag v1.2.3 exists"), "{said}");
}

#[test]
fn a_dry_run_says_what_would_be_done_and_does_nothing() {
    let folder = repository();
    let (code, out, said) = release(folder.path(), &["--dry-run"]);
    assert_eq!((code, said.as_str()), (Some(0), ""));
    for said_of in ["release: v1.2.3 of ", "pass .ci/run", "     | - Counts.", "nothing would be pushed"] {
        assert!(out.contains(said_of), "{said_of}: {out}");
    }
    assert!(!out.contains("Old."), "{out}");
    assert!(!folder.path().join("calls").exists());
    assert_eq!(git(folder.path(), &["tag"]), "");
}

#[test]
fn everything_that_is_not_ready_is_said_at_once_and_nothing_runs() {
    let folder = repository();
    git(folder.path(), &["switch", "--quiet", "--create", "other"]);
    fs::write(folder.path().join("new"), "").unwrap();
    let changes = CHANGES.replace("## 1.2.3", "## Unreleased\n\n- New.\n\n## 1.2.4");
    fs::write(folder.path().join("CHANGELOG.md"), changes).unwrap();
    for arguments in [&[][..], &["--dry-run"]] {
        let (code, _, said) = release(folder.path(), arguments);
        assert_eq!(code, Some(1), "{said}");
        for problem in [
            "releases are made on main; this is other",
            "not committed:  M CHANGELOG.md ?? new",
            "Cargo.toml says 1.2.3, the newest version in CHANGELOG.md is 1.2.4",
            "changes above the newest version",
        ] {
            assert!(said.contains(problem), "{problem}: {said}");
        }
    }
    assert!(!folder.path().join("calls").exists());
}

#[test]
fn the_changelog_has_a_section_with_a_day_up_to_today_and_text() {
    for (from, to, problem) in [
        ("## 1.2.3 - 2026-01-31", "## Unreleased", "the newest version in CHANGELOG.md is 1.2.2"),
        ("2026-01-31", "2026-02-30", "2026-02-30, the date of 1.2.3"),
        ("2026-01-31", "2999-01-31", "2999-01-31, the date of 1.2.3"),
        ("### Added\n\n- Counts.\n\n#hash\n", "", "CHANGELOG.md says nothing about 1.2.3"),
        ("- 2026", "2026", "CHANGELOG.md has no version with a date"),
    ] {
        let folder = repository();
        fs::write(folder.path().join("CHANGELOG.md"), CHANGES.replace(from, to)).unwrap();
        commit(folder.path());
        let (code, _, said) = release(folder.path(), &["--dry-run"]);
        assert!(code == Some(1) && said.contains(problem), "{problem}: {said}");
    }
    // In brackets, and below an empty `Unreleased`, as others write it.
    let folder = repository();
    let changes = CHANGES.replace("## 1.2.3 -", "## [Unreleased]\n\n## [1.2.3] -");
    fs::write(folder.path().join("CHANGELOG.md"), changes).unwrap();
    commit(folder.path());
    let (code, out, said) = release(folder.path(), &["--dry-run"]);
    assert!(code == Some(0) && out.contains("     | - Counts."), "{said}");
}

#[test]
fn what_fails_on_the_way_leaves_no_tag() {
    for (file, text, problem) in [
        (".ci/run", "exit 1", "release: tests failed"),
        (".ci/run", "touch left", "not committed: ?? left"),
        (".ci/run", "git commit --quiet --allow-empty --message=more", "main has moved"),
        ("bin/cargo", "exit 101", "release: build failed"),
        (
            "bin/cargo",
            "echo 'echo pcount-tui 1.2.2' >target/release/pcount-tui",
            "the program says 'pcount-tui 1.2.2', not 'pcount-tui 1.2.3'",
        ),
    ] {
        let folder = repository();
        script(&folder.path().join(file), text);
        commit(folder.path());
        let (code, _, said) = release(folder.path(), &[]);
        assert!(code.is_some_and(|code| code != 0) && said.contains(problem), "{problem}: {said}");
        assert_eq!(git(folder.path(), &["tag"]), "", "{problem}");
    }
}

#[test]
fn main_and_the_tag_are_pushed_when_told() {
    let (folder, elsewhere) = (repository(), tempfile::tempdir().unwrap());
    git(elsewhere.path(), &["init", "--quiet", "--bare"]);
    let (code, _, said) = release(folder.path(), &["--push", "home"]);
    assert!(code == Some(1) && said.contains("there is no remote 'home'"), "{said}");
    git(folder.path(), &["remote", "add", "home", elsewhere.path().to_str().unwrap()]);
    let (code, out, _) = release(folder.path(), &["--dry-run", "--push", "home"]);
    assert!(code == Some(0) && out.contains("be pushed: git push home main v1.2.3"), "{out}");
    assert_eq!(git(elsewhere.path(), &["for-each-ref"]), "");
    let (code, _, said) = release(folder.path(), &["--push", "home"]);
    assert_eq!(code, Some(0), "{said}");
    let refs = git(elsewhere.path(), &["for-each-ref", "--format=%(refname)"]);
    assert_eq!(refs, "refs/heads/main\nrefs/tags/v1.2.3");
    for arguments in [&["--push"][..], &["--publish"]] {
        let (code, _, said) = release(folder.path(), arguments);
        assert!(code.is_some_and(|code| code > 0) && said.contains("--push"), "{said}");
    }
}

/// What stands in this repository can be released: only the day, the branch and what is committed are up to whoever does it.
#[test]
fn this_changelog_names_the_version_of_the_program() {
    let changes = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("CHANGELOG.md")).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let newest = changes.lines().find_map(|line| line.strip_prefix("## ")?.split_once(" - ")).unwrap();
    assert_eq!(newest.0, version);
}
