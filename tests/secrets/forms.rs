//! Passwords of all kinds in all places where people write them, most of them wrong: no message repeats one.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use super::{
    found_below,
    http_server::{Answer, serve},
};

/// The start and the end of every password here; between them stands what may end a pattern too early.
const START: &str = "Kq7X";
const END: &str = "Vw9Z";

/// What stands between them.
const BETWEEN: [&str; 30] = [
    "'", "\"", " ", ",", "<", ">", "\\", "`", "@", "/", "#", "?", ":", "%", "&", ";", "=", "{", "}", "$",
    "|", "é", "日本", "\t", "*", "[", "'\\''", "%2F", "${", "://",
];

fn assert_clean(what: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    assert!(!text.contains(START) && !text.contains(END), "{what}\n{text}");
}

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pcount-tui"));
    command.stdin(Stdio::null()).env("PCOUNT_TEST_SECRET", format!("{START} '&#{END}"));
    command
}

fn output(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    let what = format!("{command:?}");
    assert_clean(&what, &output.stdout);
    assert_clean(&what, &output.stderr);
    output
}

fn password(between: &str) -> String {
    format!("{START}{between}{END}")
}

/// The ways in which an address with this password is written, most of them mistakes.
fn written(password: &str) -> Vec<String> {
    let address = format!("admin:{password}@127.0.0.1:9/1");
    vec![
        format!("rtsp://{address}"),
        format!("RTSP://{address}"),
        format!("rtsp:/{address}"),
        format!("rtsp:{address}"),
        format!("rtsp:///{address}"),
        format!("rtsp//{address}"),
        format!("rtsp:\\\\{address}"),
        format!("rstp://{address}"),
        format!(" rtsp://{address} "),
        format!("'rtsp://{address}'"),
        format!("ffmpeg:rtsp://{address}"),
        format!("file://{address}"),
        format!("//{address}"),
        address,
        format!("admin:{password}@rtsp://127.0.0.1:9/1"),
        format!("rtsp://:{password}@127.0.0.1:9/1"),
        format!("rtsp://{password}:{password}@[::1]:9/1"),
        format!("rtsp://admin:{password}@127.0.0.1:port/1"),
        format!("rtsp://admin:{password}@"),
    ]
}

/// Those that the shell's user sees when a source is wrong, and that every user sees in the process list.
#[test]
fn mistakes_on_the_command_line_repeat_no_password() {
    for between in BETWEEN {
        let written = written(&password(between));
        for option in
            ["--workers", "--detector", "--engine", "--log-level", "--duration", "--color", "--no-such"]
        {
            output(program().arg(option).args(&written[..1]));
        }
        output(program().arg(format!("--detector={}", written[1])));
        output(program().arg(format!("--{}", written[0])));
        output(program().arg("check").args(&written));
        output(program().args(["check", "--config"]).arg(&written[0]));
        output(program().args(["bench", "--streams", "1", "--source"]).arg(&written[17]));
        output(program().args(["demo:lobby", "--once", "--format", &format!("{} {{x}}", written[0])]));
        output(program().args(["report", "--output", "/nowhere", "--source", &written[0]]));
        output(program().args(["models", "fetch", "rtmdet_nano_person", "--from"]).arg(&written[3]));
        output(program().arg("demo:lobby").env("PCOUNT_DETECTOR", &written[0]).arg("--headless"));
        // Sources: those that can be no address are named together.
        let wrong = output(program().arg("--headless").args(&written));
        assert_eq!(wrong.status.code(), Some(2), "{}", String::from_utf8_lossy(&wrong.stderr));
    }
}

#[test]
fn the_process_list_shows_no_part_of_any_argument_with_a_password() {
    let folder = tempfile::tempdir().unwrap();
    let mut arguments: Vec<String> = Vec::new();
    for between in BETWEEN {
        let password = password(between);
        // As a browser would send it, so that the program runs.
        let encoded: String = url::form_urlencoded::byte_serialize(password.as_bytes()).collect();
        let encoded = encoded.replace('+', "%20");
        arguments.push(format!("rtsp://admin:{encoded}@127.0.0.1:9/1"));
        arguments.push(format!(
            "http://127.0.0.1:9/user=admin_password={encoded}_channel=1?a={encoded}&{encoded}"
        ));
        arguments.push(format!("http://127.0.0.1:9/x;{encoded}?pwd={password}"));
    }
    arguments.retain(|argument| !argument.contains(['@', '$']) || !argument.ends_with(&password("@")));
    arguments.extend(["demo:lobby", "--json", "--duration", "4s", "--output"].map(String::from));
    let out = folder.path().join("out");
    // Those that are wrong as they stand are left out.
    let good: Vec<String> = arguments
        .into_iter()
        .filter(|argument| {
            let taken = std::collections::BTreeSet::new();
            !argument.contains("://")
                || pcount::config::SourceConfig::from_source_string(argument, &taken).is_ok()
        })
        .collect();
    assert!(good.len() > 60, "{}", good.len());
    let mut running = program()
        .args(&good)
        .arg(&out)
        .stdout(fs::File::create(folder.path().join("stdout")).unwrap())
        .stderr(fs::File::create(folder.path().join("stderr")).unwrap())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    let mut looked = 0;
    while running.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_mins(2));
        // It has taken its arguments when there are results.
        if out.exists() {
            let seen = fs::read(format!("/proc/{}/cmdline", running.id())).unwrap_or_default();
            assert_clean("cmdline", &seen);
            looked += usize::from(!seen.is_empty());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(looked > 5);
    let (mut found, mut seen) = (Vec::new(), 0);
    found_below(folder.path(), &[START, END], &mut found, &mut seen);
    assert!(found.is_empty(), "{found:?}");
    assert!(seen >= 7, "{seen} files were searched");
}

/// Configurations with a password where it does not belong, or in a text that is wrong. `P` is the password in JSON.
const WRONG: [&str; 44] = [
    r#"{ "cameras": [ { "camera_id": "a", "source": "rtsp://h/1", "credentials": "admin:P" } ] }"#,
    r#"{ "cameras": [ { "camera_id": "a", "source": "rtsp://h/1", "credentials": "P" } ] }"#,
    r#"{ "cameras": [ { "camera_id": "a", "source": "rtsp://h/1", "credentials": ["admin", "P"] } ] }"#,
    r#"{ "cameras": [ { "camera_id": "a", "source": "rtsp://h/1", "credentials": { "P": "" } } ] }"#,
    r#"{ "cameras": [ { "camera_id": "a", "source": "rtsp://h/1", "credentials": { "admin": "P" } } ] }"#,
    r#"{ "cameras": [ { "camera_id": "a", "source": "rtsp://h/1", "credentials": { "admin:P": 1, "admin:P": 2 } } ] }"#,
    r#"{ "cameras": [ { "camera_id": "a", "source": "rtsp://h/1", "credentials": { "user": { "P": 1 } } } ] }"#,
    r#"{ "cameras": [ { "camera_id": "a", "source": "rtsp://h/1", "credentials": { "user": "u", "password": ["P"] } } ] }"#,
    r#"{ "cameras": [ { "camera_id": "a", "source": "rtsp://h/1", "credentials": { "user": "u", "password": { "P": "P" } } } ] }"#,
    r#"{ "cameras": [ { "camera_id": "a", "source": "rtsp://h/1", "credentials": { "password": "P" } } ] }"#,
    r#"{ "cameras": [ { "camera_id": "a", "source": "rtsp://h/1", "credentials": { "user": "u", "password": "P", "password": "P" } } ] }"#,
    r#"{ "cameras": [ { "camera_id": "a", "source": "rtsp://h/1", "credentials": { "user": "u", "pass": "P" } } ] }"#,
    r#"{ "cameras": [ { "camera_id": "a", "source": "rtsp://h/1", "credentials": { "env": "admin:P" } } ] }"#,
    r#"{ "cameras": [ { "camera_id": "a", "source": "rtsp://h/1", "credentials": { "env": "P" } } ] }"#,
    r#"{ "cameras": [ { "camera_id": "a", "source": "rtsp://h/1", "credentials": { "file": "admin:P" } } ] }"#,
    r#"{ "cameras": [ { "camera_id": "a", "source": "rtsp://h/1", "credentials": { "file": "P" } } ] }"#,
    r#"{ "cameras": [ { "camera_id": "a", "source": ["rtsp://u:P@h/1"] } ] }"#,
    r#"{ "cameras": [ { "camera_id": "a", "source": { "url": "rtsp://u:P@h/1" } } ] }"#,
    r#"{ "cameras": [ { "camera_id": "a", "url": "rtsp://u:P@h/1" } ] }"#,
    r#"{ "cameras": [ { "camera_id": "rtsp://u:P@h/1", "source": "demo:lobby" } ] }"#,
    r#"{ "cameras": [ { "camera_id": "P", "source": "rtsp://u:P@h/x/1", "threshold": "P" } ] }"#,
    r#"{ "cameras": [ { "camera_id": "a", "source": "rtsp://u:P@h:99999/1" } ] }"#,
    r#"{ "cameras": [ { "camera_id": "a", "source": "demo:lobby", "threshold": "rtsp://u:P@h/1" } ] }"#,
    r#"{ "cameras": [ { "camera_id": "a", "source": "demo:lobby", "detector": "rtsp://u:P@h/1" } ] }"#,
    r#"{ "cameras": [ { "camera_id": "a", "source": "demo:lobby", "detector": { "format": "yolox", "model": "rtsp://u:P@h/1" } } ], "x": 1 }"#,
    r#"{ "cameras": [ { "camera_id": "a", "source": "demo:lobby", "transport": "rtsp://u:P@h/1" } ] }"#,
    r#"{ "cameras": [ { "camera_id": "a", "source": "rtsp://${PCOUNT_TEST_SECRET}:${PCOUNT_TEST_UNSET}@h/1" } ] }"#,
    r#"{ "cameras": [ { "camera_id": "a", "source": "rtsp://u:${PCOUNT_TEST_SECRET}@h:port/1" } ] }"#,
    r#"{ "cameras": [ { "camera_id": "a", "source": "http://h:port/1?pwd=${PCOUNT_TEST_SECRET}" } ] }"#,
    r#"{ "cameras": [ { "camera_id": "a", "source": "rtsp://u:${PP@h/1" } ] }"#,
    r#"{ "cameras": [ { "camera_id": "a", "source": "rtsp://u:P${PP}P@h/1" } ] }"#,
    r#"{ "parallel_config": { "log_level": "${PCOUNT_TEST_SECRET}", "history": "${PCOUNT_TEST_SECRET}" } }"#,
    r#"{ "parallel_config": { "timezone": "${PCOUNT_TEST_SECRET}", "max_log_size": "${PCOUNT_TEST_SECRET}" } }"#,
    r#"{ "parallel_config": { "log_level": "rtsp://u:P@h/1", "worker_count": "rtsp://u:P@h/1" } }"#,
    r#"{ "parallel_config": "rtsp://u:P@h/1", "cameras": "rtsp://u:P@h/1", "videos": "admin:P@h" }"#,
    r#"{ "videos": [ { "video_id": "a", "path": "rtsp://u:P@h/1" }, { "video_id": "b", "path": 1 } ] }"#,
    r#"{ "rtsp://u:P@h/1": {}, "password": "P", "token": ["P"] }"#,
    r#"{ "cameras": [ { "camera_id": "a", "source": "rtsp://u:P@h/1" "x" } ] }"#,
    r#"{ "cameras": [ { "camera_id": "a", "source": rtsp://u:P@h/1 } ] }"#,
    r#"{ "cameras": [ { "camera_id": "a", "source": "rtsp://u:P@h/1 } ] }"#,
    r#"{ "cameras": [ { "rtsp://u:P@h/1" } ] }"#,
    r#"{ "cameras": [ { 'rtsp://u:P@h/1' } ] }"#,
    r#"{ "cameras": [ { "P" "x" } ] } P"#,
    r"rtsp://u:P@h/1",
];

#[test]
fn wrong_configurations_are_explained_without_their_passwords() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("cams.json");
    for between in ["", "'", "\"", " ", ",", "<b>", "\\", "@", "/", "#", "?", "&", "=", "é", "_", "."] {
        let password = serde_json::Value::from(password(between)).to_string();
        for text in WRONG {
            let text = text.replace('P', "\u{0}").replace("\u{0}COUNT", "PCOUNT").replace("_\u{0}", "_P");
            fs::write(&config, text.replace('\u{0}', password.trim_matches('"'))).unwrap();
            let output = Command::new(env!("CARGO_BIN_EXE_pcount-tui"))
                .args(["check", "--config", config.to_str().unwrap()])
                .env("PCOUNT_TEST_SECRET", format!("{START} '&#{END}"))
                .output()
                .unwrap();
            assert_clean(&text, &output.stderr);
            assert_clean(&text, &output.stdout);
            // A file of credentials that cannot be read may be there later: that is no wrong configuration.
            let expected = if text.contains(r#"{ "file": "#) { 1 } else { 2 };
            let said = String::from_utf8_lossy(&output.stdout);
            assert_eq!(output.status.code(), Some(expected), "{text}: {said}");
        }
    }
}

#[test]
fn a_password_that_is_a_number_is_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("cams.json");
    for credentials in [r#"{ "user": "u", "password": 91737193 }"#, "91737193", r#"{ "user": 91737193 }"#] {
        let text = format!(
            r#"{{ "cameras": [ {{ "camera_id": "a", "source": "rtsp://h/1", "credentials": {credentials} }} ] }}"#
        );
        fs::write(&config, text).unwrap();
        let output = output(program().args(["check", "--config"]).arg(&config));
        assert_eq!(output.status.code(), Some(2));
        assert!(!String::from_utf8_lossy(&output.stderr).contains("91737193"), "{output:?}");
    }
}

/// FFmpeg names the segments of a list by their addresses, user and password included; with its own switches it names
/// everything.
#[test]
fn what_ffmpeg_prints_is_shown_without_passwords() {
    let files = tempfile::tempdir().unwrap();
    let list = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2.0,\ngone.ts\n#EXT-X-ENDLIST\n";
    fs::write(files.path().join("list.m3u8"), list).unwrap();
    let port = serve(Answer::Files(files.path().to_owned()));
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("cams.json");
    let mut said = String::new();
    for between in ["", "'", " \"", "@", "/"] {
        let password = password(between);
        let encoded: String = url::form_urlencoded::byte_serialize(password.as_bytes()).collect();
        let encoded = encoded.replace('+', "%20");
        let address = format!("http://admin:{encoded}@127.0.0.1:{port}/list.m3u8");
        let text = format!(r#"{{ "cameras": [ {{ "camera_id": "a", "source": "{address}" }} ] }}"#);
        fs::write(&config, text).unwrap();
        for debug in [false, true] {
            let run = |arguments: &[&str]| {
                let mut command = program();
                command.args(arguments).current_dir(&folder);
                if debug {
                    command.env("OPENCV_FFMPEG_DEBUG", "1").env("OPENCV_LOG_LEVEL", "DEBUG");
                }
                let output = output(&mut command);
                String::from_utf8_lossy(&output.stderr).into_owned()
            };
            said += &run(&["check", "--probe", "--config", "cams.json"]);
            said += &run(&["bench", "--streams", "1", "--duration", "1s", "--source", &address]);
            said += &run(&[
                "--headless",
                "--duration",
                "1s",
                "--log-level",
                "debug",
                "--output",
                "out",
                &address,
            ]);
        }
    }
    let log = fs::read_to_string(folder.path().join("out/logs/parallel_counter.log")).unwrap();
    assert!(log.contains("gone.ts"), "FFmpeg's messages are not lost: {said} {log}");
    let (mut found, mut seen) = (Vec::new(), 0);
    found_below(&folder.path().join("out"), &[START, END], &mut found, &mut seen);
    assert!(found.is_empty() && seen >= 5, "{found:?}");
    assert!(Path::new(&config).exists());
}
