//! Nothing is loaded from where the program happens to stand, nor from where others may put it.
#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Output,
};

use assert_cmd::Command;
use predicates::{prelude::PredicateBooleanExt as _, str::contains};

/// Libraries that the program uses, or would use.
const LIBRARIES: [&str; 8] = [
    "libonnxruntime.so",
    "libonnxruntime.so.1",
    "libopencv_core.so.406",
    "libavformat.so.59",
    "libavdevice.so.59",
    "libopencv_dnn.so.406",
    "libavcodec.so.59",
    "libOpenCL.so.1",
];

/// A folder in which somebody put libraries and models: not whole, so that every program that loads one fails.
fn planted() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for below in ["", "lib", ".cache/onnxruntime"] {
        let place = folder.path().join(below);
        fs::create_dir_all(&place).unwrap();
        for name in LIBRARIES {
            fs::write(place.join(name), "planted").unwrap();
        }
    }
    fs::create_dir(folder.path().join("models")).unwrap();
    fs::write(folder.path().join("models/rtmdet_nano_person.onnx"), "planted").unwrap();
    fs::write(folder.path().join("a.mp4"), "no video").unwrap();
    folder
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn program(folder: &Path) -> Command {
    let mut command = Command::cargo_bin("pcount-tui").unwrap();
    command.current_dir(folder).env_remove("ORT_DYLIB_PATH").env_remove("LD_LIBRARY_PATH");
    command
}

fn text(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat()
}

/// What a run on a file says that is no video: OpenCV's video library is loaded, and a model.
fn run(folder: &Path, variables: &[(&str, &str)]) -> String {
    let output = folder.join("out");
    let mut command = program(folder);
    command.args([
        "a.mp4",
        "demo:lobby?seconds=1",
        "--headless",
        "--json",
        "--detector",
        "builtin",
        "--output",
    ]);
    let said = text(&command.arg(output).envs(variables.iter().copied()).output().unwrap());
    assert!(said.contains("\"type\":\"summary\""), "{said}");
    assert!(!said.contains("library cannot be loaded"), "{said}");
    assert!(!said.contains("planted"), "{said}");
    said
}

#[test]
fn libraries_of_the_working_folder_are_not_loaded() {
    let folder = planted();
    for bits in [0o755, 0o777, 0o1777] {
        mode(folder.path(), bits);
        let said = run(folder.path(), &[]);
        assert!(!said.contains(folder.path().to_str().unwrap()), "{said}");
    }
}

#[test]
fn search_paths_that_mean_the_working_folder_are_repaired() {
    let folder = planted();
    for value in [":", ":/usr/lib", "/usr/lib:", ".", "lib", "./lib:/usr/lib"] {
        let said = run(folder.path(), &[("LD_LIBRARY_PATH", value)]);
        assert!(said.contains("warning: the environment variable LD_LIBRARY_PATH: "), "{value}: {said}");
        assert!(said.contains("working folder, is left out"), "{value}: {said}");
    }
    let said = run(folder.path(), &[("OPENCV_VIDEOIO_PLUGIN_PATH", "lib"), ("GST_PLUGIN_PATH", ".")]);
    assert!(said.contains("OPENCV_VIDEOIO_PLUGIN_PATH") && said.contains("GST_PLUGIN_PATH"), "{said}");
    mode(folder.path(), 0o777);
    let lib = folder.path().join("lib");
    let said = run(folder.path(), &[("LD_LIBRARY_PATH", lib.to_str().unwrap())]);
    assert!(said.contains("(mode 0777); run chmod go-w"), "{said}");
}

#[test]
fn a_library_is_named_with_its_whole_path_and_refused_where_others_may_write() {
    let folder = planted();
    for relative in ["libonnxruntime.so", "./libonnxruntime.so", ".cache/onnxruntime/libonnxruntime.so"] {
        let said = run(folder.path(), &[("ORT_DYLIB_PATH", relative)]);
        assert!(said.contains(&format!("ONNX Runtime: '{relative}' is not used: ")), "{said}");
    }
    let named = folder.path().join("libonnxruntime.so");
    for (bits, says) in [(0o777, "others may write to '"), (0o1777, "everybody may write to the folder '")] {
        mode(folder.path(), bits);
        let said = run(folder.path(), &[("ORT_DYLIB_PATH", named.to_str().unwrap())]);
        assert!(said.contains(says) && said.contains(folder.path().to_str().unwrap()), "{said}");
        let list = program(folder.path()).arg("models").env("ORT_DYLIB_PATH", &named).output().unwrap();
        assert!(text(&list).contains(says), "{}", text(&list));
    }
}

#[test]
fn models_are_not_looked_for_in_the_working_folder() {
    let folder = planted();
    let list = text(&program(folder.path()).arg("models").output().unwrap());
    let line = list.lines().find(|line| line.starts_with("rtmdet_nano_person ")).unwrap();
    assert!(!line.contains(" wrong "), "{line}");
    // The user's own folder is where they belong; a variable that is not absolute says nothing.
    for (data, home, belong) in [
        ("/data", "/home/u", "/data/pcount-tui/models"),
        ("data", "/home/u", "/home/u/.local/share/pcount-tui/models"),
        ("", "", "/usr/local/share/pcount-tui/models"),
        ("", ".", "/usr/local/share/pcount-tui/models"),
    ] {
        let mut command = program(folder.path());
        command.arg("models").env("XDG_DATA_HOME", data).env("HOME", home);
        command.assert().success().stdout(contains(format!("Files belong in '{belong}'")));
    }
    let mut command = program(folder.path());
    command
        .args(["demo:lobby?seconds=1", "--headless"])
        .env("PCOUNT_DETECTOR", "rtmdet:models/rtmdet_nano_person.onnx");
    command
        .assert()
        .code(2)
        .stderr(contains("PCOUNT_DETECTOR names a model file relative to the working folder"));
    // Who names it on the command line stands where it is.
    let mut command = program(folder.path());
    command.args([
        "demo:lobby?seconds=1",
        "--headless",
        "--json",
        "--detector",
        "rtmdet:models/rtmdet_nano_person.onnx",
    ]);
    command.assert().stdout(contains("is cut off: expected 3988974 bytes, found 7"));
}

#[test]
fn a_model_that_others_may_write_to_is_not_used_however_it_was_named() {
    let folder = planted();
    let (config, model) = (folder.path().join("cams.json"), folder.path().join("models/own.onnx"));
    fs::write(&model, "planted").unwrap();
    let detector = format!(r#"{{ "format": "yolox", "model": "{}" }}"#, model.display());
    let write = |detector: &str| {
        let video =
            format!(r#"{{ "video_id": "v", "path": "demo:lobby?seconds=1", "detector": {detector} }}"#);
        fs::write(&config, format!(r#"{{ "videos": [{video}] }}"#)).unwrap();
    };
    let says = || {
        let mut command = program(folder.path());
        command.args(["--config", config.to_str().unwrap(), "--headless", "--json"]);
        text(&command.output().unwrap())
    };
    write(&detector);
    assert!(says().contains("is no whole ONNX model"), "{}", says());
    for (path, bits) in [(&model, 0o666), (&folder.path().join("models"), 0o777)] {
        mode(path, bits);
        let said = says();
        let expected = format!("is not used: others may write to '{}' (mode {bits:04o})", path.display());
        assert!(said.contains(&expected), "{said}");
        mode(path, 0o755);
    }
    // What is found beside the configuration is held to the same, and the run goes on without it.
    write(r#""auto""#);
    mode(&folder.path().join("models"), 0o777);
    let said = says();
    assert!(
        said.contains("warning: model '") && said.contains("rtmdet_nano_person.onnx' is not used: "),
        "{said}"
    );
    assert!(said.contains(r#""status":"Completed""#), "{said}");
}

#[test]
fn what_others_may_change_is_read_and_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let (config, login) = (folder.path().join("cams.json"), folder.path().join("login"));
    fs::write(&login, "user:password").unwrap();
    let text = r#"{ "cameras": [{ "camera_id": "c", "source": "rtsp://192.0.2.1/1", "credentials": { "file": "login" } }] }"#;
    fs::write(&config, text).unwrap();
    let check = |login_mode: u32, config_mode: u32| {
        mode(&login, login_mode);
        mode(&config, config_mode);
        let mut command = program(folder.path());
        command.args(["check", "--config", config.to_str().unwrap()]);
        command.assert()
    };
    let changed = || contains("can be changed by");
    check(0o600, 0o644).success().stdout(changed().not()).stderr(changed().not());
    check(0o600, 0o640).success().stdout(changed().not()).stderr(changed().not());
    let said = |login: u32, config: u32| self::text(check(login, config).success().get_output());
    assert!(said(0o620, 0o644).contains("login' can be changed by other users"), "{}", said(0o620, 0o644));
    assert!(
        said(0o600, 0o646).contains("can be changed by every user of this machine"),
        "{}",
        said(0o600, 0o646)
    );
}

#[test]
fn pipes_and_devices_are_no_models_and_are_not_waited_for() {
    let folder = planted();
    let pipe: PathBuf = folder.path().join("pipe.onnx");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    for path in [pipe.as_path(), Path::new("/dev/zero"), Path::new("/dev/tty")] {
        let mut command = program(folder.path());
        command.args(["demo:lobby?seconds=1", "--headless", "--json", "--detector"]);
        command.arg(format!("yolox:{}", path.display())).arg("--output").arg(folder.path().join("out"));
        command.assert().stdout(contains("is no regular file"));
    }
}
