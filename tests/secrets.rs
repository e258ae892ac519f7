//! A password planted in addresses is found in nothing that the program leaves or shows: output, logs, results,
//! ledger, status, process list, environment.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

#[path = "secrets/forms.rs"]
mod forms;
#[path = "support/http_server.rs"]
#[allow(dead_code, reason = "each test binary uses its part")]
mod http_server;
#[path = "pty/terminal.rs"]
#[allow(dead_code, reason = "each test binary uses its part")]
mod terminal;

use std::{
    fs,
    io::Read as _,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use http_server::{Answer, serve};

/// Plain and percent-encoded.
const PLANTED: [&str; 2] = ["Zq7!uNt0ld", "Zq7%21uNt0ld"];

fn holds(bytes: &[u8]) -> bool {
    holds_one(bytes, &PLANTED)
}

fn holds_one(bytes: &[u8], planted: &[&str]) -> bool {
    planted.iter().any(|planted| bytes.windows(planted.len()).any(|window| window == planted.as_bytes()))
}

/// Every file below `dir` that holds the password.
fn found_below(dir: &Path, planted: &[&str], found: &mut Vec<String>, seen: &mut usize) {
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found_below(&path, planted, found, seen);
        } else if let Ok(bytes) = fs::read(&path) {
            *seen += 1;
            if holds_one(&bytes, planted) {
                found.push(path.display().to_string());
            }
        }
    }
}

/// Runs the program, looks at what `/proc` says of it while it runs, and then at everything it left.
fn run_and_search(dir: &Path, arguments: &[String]) -> String {
    let mut program = Command::new(env!("CARGO_BIN_EXE_pcount-tui"))
        .args(arguments)
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The logs are there when the program has long taken its arguments.
    let begun = Instant::now();
    let logs = dir.join("out");
    while !logs.join("status.json").exists() && program.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_mins(1), "the program does not start");
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut looked = 0;
    while program.try_wait().unwrap().is_none() {
        for what in ["cmdline", "environ", "comm", "maps"] {
            // It may end between the question and the look.
            if let Ok(bytes) = fs::read(format!("/proc/{}/{what}", program.id())) {
                assert!(!holds(&bytes), "{what}: {}", String::from_utf8_lossy(&bytes));
                // Also where the program restarted itself.
                assert!(what != "comm" || bytes == b"pcount-tui\n", "{}", String::from_utf8_lossy(&bytes));
                looked += 1;
            }
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(looked > 8, "the process list was looked at {looked} times");
    let (mut out, mut error) = (Vec::new(), Vec::new());
    program.stdout.take().unwrap().read_to_end(&mut out).unwrap();
    program.stderr.take().unwrap().read_to_end(&mut error).unwrap();
    assert!(!holds(&out), "{}", String::from_utf8_lossy(&out));
    assert!(!holds(&error), "{}", String::from_utf8_lossy(&error));
    let (mut found, mut seen) = (Vec::new(), 0);
    found_below(&dir.join("out"), &PLANTED, &mut found, &mut seen);
    assert!(found.is_empty(), "the password is in {found:?}");
    assert!(seen >= 5, "{seen} files were searched");
    String::from_utf8_lossy(&out).into_owned() + &String::from_utf8_lossy(&error)
}

/// Addresses with the password in every place an address has for one, each going wrong in its own way.
fn addresses() -> Vec<String> {
    let [_, encoded] = PLANTED;
    let locked = serve(Answer::Locked("admin:Zq7!uNt0ld"));
    let (refused, missing) =
        (serve(Answer::Status("401 Unauthorized")), serve(Answer::Status("404 Not Found")));
    let (frozen, noise, page) = (serve(Answer::Frozen), serve(Answer::Noise), serve(Answer::Page));
    let folder = tempfile::tempdir().unwrap();
    let list = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2.0,\ngone.ts\n#EXT-X-ENDLIST\n";
    fs::write(folder.path().join("list.m3u8"), list).unwrap();
    let files = serve(Answer::Files(folder.keep()));
    vec![
        format!("http://admin:{encoded}@127.0.0.1:{locked}/video.mjpg"),
        format!("http://admin:{encoded}@127.0.0.1:{refused}/video.mjpg"),
        format!("http://127.0.0.1:{missing}/video.mjpg?user=admin&password={encoded}"),
        format!("rtsp://admin:{encoded}@127.0.0.1:{frozen}/live"),
        format!("rtsp://admin:{encoded}@127.0.0.1:{noise}/live"),
        format!("http://admin:{encoded}@127.0.0.1:{page}/video.mjpg"),
        format!("http://admin:{encoded}@127.0.0.1:{files}/list.m3u8"),
        format!("rtsp://admin:{encoded}@127.0.0.1:9/user=admin&password={encoded}&channel=1"),
        format!("rtsp://127.0.0.1:9/user=admin_password={encoded}_channel=1_stream=0.sdp?real_stream"),
        format!("http://127.0.0.1:{missing}/live;user=admin;pwd={encoded};ch=1"),
        format!("http://127.0.0.1:{missing}/live/{encoded}:{encoded}/main?{encoded}&x={encoded}1#{encoded}"),
        format!("HTTP://:{encoded}@127.0.0.1:{missing}/{encoded}/snap.jpg"),
    ]
}

#[test]
fn a_password_on_the_command_line_is_found_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let mut arguments = addresses();
    arguments.extend(
        ["demo:lobby", "--json", "--duration", "6s", "--output", "out", "--log-level", "debug"]
            .map(String::from),
    );
    let said = run_and_search(dir.path(), &arguments);
    assert!(said.contains("\"type\":\"summary\""), "{said}");
    assert!(said.contains("Running"), "the camera with the right password was opened: {said}");
}

#[test]
fn a_password_in_a_configuration_is_found_nowhere_and_its_file_should_not_be_readable_by_all() {
    let dir = tempfile::tempdir().unwrap();
    let cameras: Vec<String> = addresses()
        .iter()
        .enumerate()
        .map(|(number, address)| format!(r#"{{ "camera_id": "camera_{number}", "source": "{address}" }}"#))
        .collect();
    let config = dir.path().join("cams.json");
    fs::write(
        &config,
        format!(
            r#"{{ "parallel_config": {{ "result_output": "out", "log_level": "DEBUG" }}, "cameras": [{}] }}"#,
            cameras.join(",")
        ),
    )
    .unwrap();
    fs::set_permissions(&config, fs::Permissions::from_mode(0o644)).unwrap();
    let arguments = ["--config", "cams.json", "--headless", "--duration", "6s"].map(String::from);
    let said = run_and_search(dir.path(), &arguments);
    assert!(said.contains("warning:") && said.contains("cams.json"), "{said}");
}

#[test]
fn a_mistake_beside_a_password_does_not_print_it() {
    for arguments in [
        vec!["rtsp://admin:Zq7%21uNt0ld@host/1", "--no-such-option"],
        vec!["--workers", "rtsp://admin:Zq7%21uNt0ld@host/1"],
        vec!["rtsp://admin:Zq7!uNt0ld@host:port/1", "--headless"],
        vec!["check", "rtsp://admin:Zq7!uNt0ld@host/1"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_pcount-tui")).args(&arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty());
        assert!(
            !holds(&output.stderr) && !holds(&output.stdout),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn no_screen_shows_a_password() {
    let dir = tempfile::tempdir().unwrap();
    let output = dir.path().join("out").display().to_string();
    let addresses = addresses();
    let mut arguments: Vec<&str> = addresses.iter().map(String::as_str).collect();
    arguments.extend(["demo:lobby", "--output", &output, "--log-level", "debug"]);
    let program = Path::new(env!("CARGO_BIN_EXE_pcount-tui"));
    let mut terminal = terminal::Terminal::start(program, &arguments, &[], 200, 50);
    terminal.wait_for_text("Auth fail");
    terminal.wait_for_text("404");
    let clean = |terminal: &terminal::Terminal, screen: &str| {
        let text = terminal.text();
        assert!(!holds(text.as_bytes()), "{screen}: {text}");
    };
    clean(&terminal, "overview");
    // Every source's facts and its own screen, the logs, the report, the help.
    let mut show = |keys: &str, shown: &str| {
        terminal.keys(keys);
        terminal.wait_for_text(shown);
        clean(&terminal, shown);
    };
    let overview = "Parallel People Counting System";
    for _ in 0..addresses.len() {
        show("j", overview);
        show("\r", "1 Preview");
        show("l", "Log: ");
        show("\u{1b}", "1 Preview");
        show("\u{1b}", overview);
    }
    for (keys, shown) in [("L", "Log: all"), ("H", "History:"), ("?", "Keys:")] {
        show(keys, shown);
        show("\u{1b}", overview);
    }
    terminal.keys("Q");
    terminal.exit_code();
    clean(&terminal, "the final table");
    let (mut found, mut seen) = (Vec::new(), 0);
    found_below(&dir.path().join("out"), &PLANTED, &mut found, &mut seen);
    assert!(found.is_empty(), "the password is in {found:?}");
    assert!(seen >= 5, "{seen} files were searched");
}

#[test]
fn a_password_typed_into_the_dialog_is_in_one_file_for_its_owner_alone() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("cams.json");
    fs::write(
        &config,
        r#"{ "parallel_config": { "result_output": "out", "log_level": "DEBUG" },
             "cameras": [ { "camera_id": "lobby", "source": "demo:lobby" } ] }"#,
    )
    .unwrap();
    let locked = serve(Answer::Locked("admin:Zq7!uNt0ld"));
    let program = Path::new(env!("CARGO_BIN_EXE_pcount-tui"));
    let arguments = ["--config", config.to_str().unwrap()];
    let mut terminal = terminal::Terminal::start(program, &arguments, &[], 120, 40);
    terminal.wait_for_text("Running");
    terminal.keys("a");
    terminal.wait_for_text("Add a source");
    terminal.keys(&format!("http://admin:Zq7%21uNt0ld@127.0.0.1:{locked}/video.mjpg"));
    terminal.wait_for_text("try it out");
    terminal.keys("\r");
    terminal.wait_for_text("it answers:");
    terminal.wait_for_text("user and password in a file beside it");
    terminal.keys("\tGate\r");
    terminal.wait_for_text("its login to");
    terminal.keys("q");
    terminal.wait_for_text("Gate");
    terminal.keys("Q");
    terminal.exit_code();
    assert!(!holds(terminal.written().as_bytes()), "it was on the screen");
    let login = fs::read_dir(dir.path().join("cams.logins")).unwrap().next().unwrap().unwrap().path();
    assert_eq!(fs::read_to_string(&login).unwrap(), "admin:Zq7!uNt0ld\n");
    assert_eq!(fs::metadata(&login).unwrap().permissions().mode() & 0o777, 0o600);
    let (mut found, mut seen) = (Vec::new(), 0);
    found_below(dir.path(), &PLANTED, &mut found, &mut seen);
    assert_eq!(found, [login.display().to_string()], "and nowhere else");
    let checked = Command::new(program).args(["check", "--probe", "--config"]).arg(&config).output().unwrap();
    assert!(checked.status.success(), "what was saved works: {}", String::from_utf8_lossy(&checked.stdout));
}
