//! The whole program in a folder that others may write to: what they put there is neither followed, nor waited for,
//! nor overwritten, nor removed, and a lock file that is deleted lets nobody in.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

#[path = "support/require.rs"]
mod require;

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

/// Longest time for anything the program is waited for.
const PATIENCE: Duration = Duration::from_mins(1);

/// Every name that the program writes under, with the names of drafts that can be guessed.
const NAMES: [&str; 16] = [
    "results.csv",
    "crossings.csv",
    "summary.json",
    ".summary.json.new",
    "summary.json.new",
    "status.json",
    "status.json.new",
    ".status.json.new",
    "ledger.sqlite.lock",
    "logs/parallel_counter.log",
    "logs/parallel_counter.log.1",
    "logs/native-stderr.log",
    "logs/worker_01.log",
    "logs/camera_1.log",
    "logs/.pcount-tui.logs",
    "logs/.pcount-tui.logs.new",
];

fn program(dir: &Path, seconds: u32) -> Command {
    let config = dir.join("cams.json");
    fs::write(
        &config,
        r#"{ "parallel_config": { "result_output": "out", "worker_count": 1 },
             "cameras": [{ "camera_id": "camera_1", "source": "demo:lobby?people=6" }] }"#,
    )
    .unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_pcount-tui"));
    command.arg("--config").arg(config).args(["--headless", "--detector", "motion", "--duration"]);
    command.arg(format!("{seconds}s")).stdin(Stdio::null());
    command
}

/// The folder of the results, which everybody may write to.
fn shared(dir: &Path) -> PathBuf {
    let out = dir.join("out");
    fs::create_dir_all(out.join("logs")).unwrap();
    for folder in [&out, &out.join("logs")] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).unwrap();
    }
    out
}

fn until<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(Instant::now() < deadline, "no sign of {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Runs it to its end; the test fails when there is none.
fn ended(mut command: Command) -> Output {
    let mut child = Killed(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    until("the end of the program", || child.0.try_wait().unwrap());
    let mut output = Output { status: child.0.wait().unwrap(), stdout: Vec::new(), stderr: Vec::new() };
    std::io::Read::read_to_end(&mut child.0.stdout.take().unwrap(), &mut output.stdout).unwrap();
    std::io::Read::read_to_end(&mut child.0.stderr.take().unwrap(), &mut output.stderr).unwrap();
    output
}

/// It ran to its end, or said in its own words what was in the way at `name`: a crash at the start leaves everything
/// untouched as well.
fn assert_ended_as_told(output: &Output, name: &str) {
    let (said, printed) =
        [&output.stderr, &output.stdout].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).into();
    match output.status.code() {
        Some(0) => assert!(printed.contains("Total:"), "{name}: {printed}"),
        Some(1) => assert!(said.contains("pcount-tui: "), "{name}: {said}"),
        code => panic!("{name}: {code:?} {said}"),
    }
    assert!(!said.contains("panicked"), "{name}: {said}");
}

/// Ends the program with the test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn no_planted_link_is_followed() {
    // A program that cannot have these may not even start; the others are tried in one run.
    let alone = ["results.csv", "crossings.csv", "logs/parallel_counter.log"];
    let rest: Vec<_> = NAMES.into_iter().filter(|name| !alone.contains(name)).collect();
    let groups: Vec<&[&str]> = alone.chunks(1).chain([rest.as_slice()]).collect();
    for (names, dangling) in groups.iter().flat_map(|names| [(names, false), (names, true)]) {
        let dir = tempfile::tempdir().unwrap();
        let out = shared(dir.path());
        let victims = dir.path().join("victims");
        fs::create_dir(&victims).unwrap();
        for (number, name) in names.iter().enumerate() {
            let victim = victims.join(number.to_string());
            if !dangling {
                fs::write(&victim, "untouched").unwrap();
            }
            symlink(&victim, out.join(name)).unwrap();
        }
        let output = ended(program(dir.path(), 2));
        assert_ended_as_told(&output, names[0]);
        for (number, name) in names.iter().enumerate() {
            match fs::read_to_string(victims.join(number.to_string())) {
                Ok(content) => assert_eq!(content, "untouched", "{name}"),
                Err(_) => assert!(dangling, "{name}"),
            }
        }
        assert_eq!(fs::read_dir(&victims).unwrap().count(), if dangling { 0 } else { names.len() });
        if names.len() > 1 {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(out.join("summary.json").is_file() && !out.join("summary.json").is_symlink(), "{said}");
        }
    }
}

#[test]
fn no_pipe_is_waited_for() {
    for name in NAMES.iter().chain(&["ledger.sqlite"]) {
        let dir = tempfile::tempdir().unwrap();
        let pipe = shared(dir.path()).join(name);
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        assert_ended_as_told(&ended(program(dir.path(), 1)), name);
    }
}

#[test]
fn a_planted_folder_of_logs_is_not_written_to() {
    let dir = tempfile::tempdir().unwrap();
    let out = shared(dir.path());
    let (victim, link) = (dir.path().join("victim"), out.join("logs"));
    fs::create_dir(&victim).unwrap();
    fs::remove_dir(&link).unwrap();
    symlink(&victim, &link).unwrap();
    if std::os::unix::fs::lchown(&link, Some(12345), None).is_err() {
        return require::skip("root", "only root can make links that belong to others");
    }
    let output = ended(program(dir.path(), 1));
    assert_eq!(fs::read_dir(&victim).unwrap().count(), 0);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("symbolic link of another user"), "{said}");
}

#[test]
fn files_of_others_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let out = shared(dir.path());
    let others = [
        ("results.2023-01.csv", "month,visitors\n"),
        ("results.20230101.csv", "month,visitors\n"),
        ("logs/nginx-access.log.6", "10.0.0.1 - -\n"),
        ("logs/auth.log.10", "Jan 15 10:23:45 host sshd[1]: x\n"),
        ("logs/camera_1.log", "Jan 15 10:23:45 host camera[1]: x\n"),
        ("logs/camera_1.log.9", "Jan 15 10:23:45 host camera[1]: x\n"),
    ];
    for (name, content) in others {
        fs::write(out.join(name), content).unwrap();
        let file = fs::File::options().write(true).open(out.join(name)).unwrap();
        file.set_modified(std::time::SystemTime::now() - Duration::from_hours(9600)).unwrap();
    }
    // Names that the program must have for itself: what was there is set aside.
    let replaced = [("status.json", r#"{"battery": 80}"#), ("summary.json", r#"["mine"]"#)];
    for (name, content) in replaced {
        fs::write(out.join(name), content).unwrap();
    }
    ended(program(dir.path(), 2));
    for (name, content) in others {
        assert_eq!(fs::read_to_string(out.join(name)).unwrap(), content, "{name}");
    }
    for (name, content) in replaced {
        let stem = name.split_once('.').unwrap().0;
        let aside = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().path()).find(|path| {
            let found = path.file_name().unwrap().to_string_lossy().into_owned();
            found.starts_with(&format!("{stem}.")) && found != name
        });
        assert_eq!(fs::read_to_string(aside.unwrap()).unwrap(), content, "{name}");
    }
}

#[test]
fn a_deleted_lock_file_lets_nobody_in() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let _first =
        Killed(program(dir.path(), 600).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let lock = out.join("ledger.sqlite.lock");
    until("the state of the first program", || out.join("status.json").exists().then_some(()));
    for change in [
        |lock: &Path| fs::remove_file(lock).unwrap(),
        |lock: &Path| fs::rename(lock, lock.with_extension("old")).unwrap(),
        |lock: &Path| {
            let _ = fs::remove_file(lock);
            fs::write(lock, "").unwrap();
        },
    ] {
        until("the lock file", || lock.exists().then_some(()));
        change(&lock);
        // The lock alone keeps the second one out, also where nobody answers.
        let _ = fs::remove_file(out.join("control.sock"));
        let second = ended(program(dir.path(), 1));
        let said = String::from_utf8_lossy(&second.stderr).into_owned();
        assert!(!second.status.success() && said.contains("another pcount-tui"), "{said}");
        assert!(out.join("status.json").exists(), "the state of the first is not the second's to remove");
    }
}

#[test]
fn results_go_where_a_link_of_ones_own_leads() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("disk")).unwrap();
    symlink("disk", dir.path().join("out")).unwrap();
    let output = ended(program(dir.path(), 3));
    assert!(output.status.success(), "{output:?}");
    for name in ["ledger.sqlite", "summary.json", "logs/parallel_counter.log"] {
        assert!(dir.path().join("disk").join(name).is_file(), "{name}");
    }
}
