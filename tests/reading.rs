//! Configurations and videos as shells, editors and disks hand them over: through pipes, with odd names, in folders
//! that hold other things too. The program itself is run.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "the helpers of tests may fail loudly")]

#[path = "support/clips.rs"]
mod clips;

use std::{
    ffi::{OsStr, OsString},
    fs,
    io::Write as _,
    os::unix::ffi::OsStringExt as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use clips::write_clip;

/// A scene of a second, so that a run ends by itself. `videos/` below the current folder is no folder.
const SCENE: &str = r#"{"parallel_config": {"result_output": "out"},
    "videos": [{"video_id": "piped_scene", "path": "demo:lobby?seconds=1"}]}"#;

fn program(folder: &Path) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("pcount-tui"));
    command.current_dir(folder).env_remove("TZ").stdin(Stdio::null());
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Both outputs of a run that went well.
fn ran(output: &Output) -> (String, String) {
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{:?}\n{out}\n{err}", output.status);
    (out, err)
}

/// The id, status and frames of each source of `--json`'s summary.
fn summary(out: &str) -> Vec<(String, String, u64)> {
    let line = out.lines().find(|line| line.contains(r#""type":"summary""#)).expect(out);
    let summary: serde_json::Value = serde_json::from_str(line).unwrap();
    let sources = summary["sources"].as_array().unwrap().iter();
    let word = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    sources.map(|s| (word(&s["camera_id"]), word(&s["status"]), s["frames"].as_u64().unwrap())).collect()
}

/// Runs `command` with `input` at its standard input, through a pipe.
fn piped(mut command: Command, input: &str) -> Output {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Who does not read it all says why on the standard error.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

#[test]
fn a_configuration_is_read_from_pipes_of_every_kind() {
    let folder = tempfile::tempdir().unwrap();
    let run = ["--headless", "--json", "--config"];
    for name in ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"] {
        let mut command = program(folder.path());
        command.args(run).arg(name);
        let (out, _) = ran(&piped(command, SCENE));
        assert_eq!(summary(&out)[0].0, "piped_scene", "{name}");
        assert!(folder.path().join("out/summary.json").exists(), "paths are relative to the current folder");
        fs::remove_dir_all(folder.path().join("out")).unwrap();
    }
    fs::write(folder.path().join("cams.json"), SCENE).unwrap();
    let program_path = assert_cmd::cargo::cargo_bin("pcount-tui");
    let shell = |script: &str| {
        let mut command = Command::new("bash");
        command.current_dir(folder.path()).env("PROGRAM", &program_path).arg("-c").arg(script);
        ran(&command.stdin(Stdio::null()).output().unwrap()).0
    };
    for script in [
        r#""$PROGRAM" --headless --json --config <(cat cams.json)"#,
        r#""$PROGRAM" --headless --json --config - < cams.json"#,
        r#""$PROGRAM" --headless --json --config /dev/stdin < cams.json"#,
        r#"mkfifo pipe; cat cams.json > pipe & exec "$PROGRAM" --headless --json --config pipe"#,
        // An argument with a password makes the program start again before it reads.
        r#""$PROGRAM" --headless --json --output 'out?token=hunter2' --config <(cat cams.json)"#,
    ] {
        assert_eq!(summary(&shell(script))[0].0, "piped_scene", "{script}");
    }
    let mut check = program(folder.path());
    check.args(["check", "--config", "-"]);
    assert!(ran(&piped(check, SCENE)).0.contains("1 sources"));
}

#[test]
fn what_comes_through_a_pipe_and_is_wrong_is_said_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let check = |input: &str| {
        let mut command = program(folder.path());
        command.args(["check", "--config", "-"]);
        let output = piped(command, input);
        assert_eq!(output.status.code(), Some(2));
        text(&output.stderr)
    };
    assert!(check("").contains("standard input:1:1: not valid JSON: the file is empty"));
    assert!(check(r#"{"camera": []}"#).contains("standard input:1:2: camera: unknown key"));
    let mut endless = program(folder.path());
    endless.args(["check", "--config", "/dev/zero"]);
    let output = endless.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("larger than 16MiB"), "{}", text(&output.stderr));
}

#[test]
fn names_of_an_earlier_version_are_told_of_and_replaced_and_the_rest_of_the_file_stays() {
    let folder = tempfile::tempdir().unwrap();
    let old = "// ours\n{\n  \"tui\": { \"keys\": { \"report\": [\"R\"], \"quit\": [\"x\"] } }, // keys\n  \
               \"cameras\": [ { \"camera_id\": \"lobby\", \"source\": \"demo:lobby\" } ]\n}\n";
    let file = folder.path().join("cams.json");
    fs::write(&file, old).unwrap();
    let ask = |args: &[&str]| program(folder.path()).args(args).output().unwrap();
    let checked = ask(&["check", "--config", "cams.json"]);
    assert!(ran(&checked).0.contains("'report' any more but 'history'; 'pcount-tui config migrate FILE'"));

    let (out, _) = ran(&ask(&["config", "migrate", "cams.json", "--dry-run"]));
    assert_eq!(out, "cams.json:3: tui.keys: 'report': now 'history'\ncams.json: not written (--dry-run)\n");
    assert_eq!(fs::read_to_string(&file).unwrap(), old);

    let (out, _) = ran(&ask(&["config", "migrate", "cams.json"]));
    assert!(out.ends_with("cams.json: written; as it was: cams.json.bak\n"), "{out}");
    assert_eq!(fs::read_to_string(&file).unwrap(), old.replace("\"report\"", "\"history\""));
    assert_eq!(fs::read_to_string(folder.path().join("cams.json.bak")).unwrap(), old);
    assert!(!ran(&ask(&["check", "--config", "cams.json"])).0.contains("warning"));
    assert_eq!(ran(&ask(&["config", "migrate", "cams.json"])).0, "cams.json: nothing to change\n");

    // Nothing is done to what would not load, and nothing to what is no file.
    fs::write(&file, old.replace("demo:lobby", "demo:nowhere")).unwrap();
    let refused = ask(&["config", "migrate", "cams.json"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("nowhere"), "{}", text(&refused.stderr));
    let refused = ask(&["config", "migrate", "-"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("name the file itself"), "{}", text(&refused.stderr));
}

#[test]
fn a_time_zone_that_does_not_exist_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("cams.json");
    fs::write(&config, SCENE).unwrap();
    let said = "the time zone 'Nowhere/Land' (TZ) is not known here: days and hours are those of UTC";
    let run = |zone: &str, arguments: &[&str]| {
        ran(&program(folder.path()).env("TZ", zone).args(arguments).output().unwrap())
    };
    let counting = ["--headless", "--json", "--config", "cams.json"];
    assert!(run("Nowhere/Land", &counting).1.contains(said));
    let log = fs::read_to_string(folder.path().join("out/logs/parallel_counter.log")).unwrap();
    assert!(log.contains(said), "{log}");
    assert!(run("Nowhere/Land", &["check", "--config", "cams.json"]).0.contains(said));
    assert!(run("Nowhere/Land", &["report", "--config", "cams.json"]).1.contains(said));
    for known in ["Europe/Berlin", ":America/New_York", "CET-1CEST,M3.5.0,M10.5.0/3", "UTC", ""] {
        assert!(!run(known, &counting).1.contains("time zone"), "{known}");
    }
    // A zone of the configuration makes the other one meaningless.
    fs::write(&config, SCENE.replace("\"out\"", "\"out\", \"timezone\": \"Asia/Tokyo\"")).unwrap();
    assert!(!run("Nowhere/Land", &counting).1.contains("time zone"));
}

#[test]
fn a_folder_gives_its_videos_whatever_they_are_called_and_names_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let clips = folder.path().join("clips");
    fs::create_dir(&clips).unwrap();
    let first = clips.join("a.avi");
    write_clip(&first, "MJPG", 10.0, (64, 48), 7);
    let odd = clips.join(OsString::from_vec(b"T\xFCr.avi".to_vec()));
    for other in
        [odd.clone(), clips.join("a${HOME}.AVI"), clips.join("no ending\n"), clips.join(" blank.dav")]
    {
        fs::copy(&first, other).unwrap();
    }
    fs::write(clips.join("notes.txt"), "text").unwrap();
    let run = |sources: &[&OsStr]| {
        let mut command = program(folder.path());
        command.args(["--headless", "--json", "--fresh", "--detector", "motion", "--output", "out"]);
        ran(&command.args(sources).output().unwrap())
    };
    let (out, err) = run(&[OsStr::new("clips")]);
    let sources = summary(&out);
    let ids: Vec<&str> = sources.iter().map(|(id, ..)| id.as_str()).collect();
    assert_eq!(ids, ["blank", "T_r", "a_HOME", "a", "no_ending"], "{err}");
    assert!(sources.iter().all(|(_, status, frames)| status == "Completed" && *frames == 7), "{sources:?}");
    assert!(err.contains("skipped: 'notes.txt' (no video)"), "{err}");
    assert!(!err.contains("was removed") && !out.contains("was removed"), "{err}");
    let log = fs::read_to_string(folder.path().join("out/logs/parallel_counter.log")).unwrap();
    assert!(!log.contains("was removed"), "{log}");
    // The same names one by one.
    for name in fs::read_dir(&clips).unwrap().map(|entry| entry.unwrap().path()) {
        if name.extension() != Some(OsStr::new("txt")) {
            let relative = name.strip_prefix(folder.path()).unwrap();
            let sources = summary(&run(&[relative.as_os_str()]).0);
            assert_eq!((&*sources[0].1, sources[0].2), ("Completed", 7), "{name:?}");
        }
    }
    // In a configuration, with a word about what is passed over.
    fs::write(folder.path().join("cams.json"), r#"{"videos": [{"video_id": "all", "path": "clips"}]}"#)
        .unwrap();
    let (out, _) =
        ran(&program(folder.path()).args(["check", "--probe", "--config", "cams.json"]).output().unwrap());
    assert!(out.contains("'notes.txt' (no video)") && out.contains("ok      all_T_r: 64x48"), "{out}");
}
