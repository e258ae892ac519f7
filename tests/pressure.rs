//! Pressure from outside: readers that do not read, disks that are full, missing or do not answer, folders that cannot
//! be used. Counting goes on, the program ends when it is told to, and its exit code says what was not kept.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

#[path = "support/mount.rs"]
mod mount;
#[path = "support/require.rs"]
mod require;

use std::{
    fs,
    io::{self, BufRead as _, BufReader, PipeReader, Read as _},
    net::TcpListener,
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use pcount::internals::ledger::{FILE_NAME, Reader, reader::Span};
use rustix::process::{Pid, Signal, kill_process};

/// The program is given two seconds; the machine of the tests is busy.
const SOON: Duration = Duration::from_secs(8);

/// Longest wait for something that happens by itself.
const LONG: Duration = Duration::from_mins(1);

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pcount-tui"));
    command.stdin(Stdio::null());
    command
}

/// Counts two demo scenes into `output`, with the logs beside `dir`.
fn counting(dir: &Path, output: &Path) -> Command {
    let config = dir.join("cams.json");
    let text = serde_json::json!({
        "parallel_config": { "result_output": output, "detector": "motion" },
        "cameras": [
            { "camera_id": "camera_1", "source": "demo:lobby?people=12&seed=1" },
            { "camera_id": "camera_2", "source": "demo:lobby?people=12&seed=2" },
        ],
    });
    fs::write(&config, text.to_string()).unwrap();
    let mut command = program();
    command.arg("--config").arg(config).arg("--json");
    command
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// Waits for the end, which must come within `patience`.
fn end(child: &mut Child, patience: Duration) -> ExitStatus {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("still running {patience:?} after the signal");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + LONG;
    while !done() {
        assert!(Instant::now() < deadline, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn crossings(output: &Path) -> usize {
    let Ok(reader) = Reader::open(&output.join(FILE_NAME)) else { return 0 };
    let all = Span { from: i64::MIN, to: i64::MAX };
    let sources = reader.sources().unwrap_or_default();
    sources.iter().filter_map(|source| reader.crossings(source, all).ok()).map(|rows| rows.len()).sum()
}

/// A pipe that is full: Linux gives it 64 KiB.
fn full_pipe() -> (PipeReader, io::PipeWriter) {
    let (reader, mut writer) = io::pipe().unwrap();
    io::Write::write_all(&mut writer, &vec![b'\n'; 64 << 10]).unwrap();
    (reader, writer)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn a_reader_that_stops_reading_holds_up_neither_counting_nor_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let output = dir.path().join("out");
    let (reader, writer) = full_pipe();
    let said = dir.path().join("said");
    let mut child = counting(dir.path(), &output)
        .stdout(writer)
        .stderr(fs::File::create(&said).unwrap())
        .spawn()
        .unwrap();
    until("crossings in the ledger", || crossings(&output) >= 4);
    signal(&child, Signal::TERM);
    let status = end(&mut child, SOON);
    assert_eq!(status.code(), Some(1), "the reader did not get everything");
    assert!(
        read(&said).contains("lines were not printed, because nothing read the standard output"),
        "{}",
        read(&said)
    );
    assert!(!read(&said).contains("ledger"), "{}", read(&said));
    drop(reader);
}

#[test]
fn output_to_a_full_device_is_said_once_and_counting_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let output = dir.path().join("out");
    let said = dir.path().join("said");
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let mut child =
        counting(dir.path(), &output).stdout(full).stderr(fs::File::create(&said).unwrap()).spawn().unwrap();
    until("it is said", || read(&said).contains("No space left on device"));
    let before = crossings(&output);
    until("counting goes on", || crossings(&output) >= before + 5);
    assert_eq!(read(&said).matches("counting goes on").count(), 1, "{}", read(&said));
    signal(&child, Signal::TERM);
    assert_eq!(end(&mut child, SOON).code(), Some(1));
}

#[test]
fn a_standard_error_that_nobody_reads_holds_up_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let output = dir.path().join("out");
    let (_reader, writer) = full_pipe();
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let mut child = counting(dir.path(), &output).stdout(full).stderr(writer).spawn().unwrap();
    until("crossings in the ledger", || crossings(&output) >= 2);
    signal(&child, Signal::TERM);
    assert_eq!(end(&mut child, SOON).code(), Some(1));
}

#[test]
fn a_folder_that_cannot_be_used_at_the_start_is_used_when_it_can() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("place");
    let output = place.join("out");
    fs::write(&place, "a file where the folder should be").unwrap();
    let said = dir.path().join("said");
    let lines = dir.path().join("lines");
    let start = || {
        counting(dir.path(), &output)
            .stdout(fs::File::create(&lines).unwrap())
            .stderr(fs::File::create(&said).unwrap())
            .spawn()
            .unwrap()
    };
    let counted = || read(&lines).matches(r#""type":"crossing""#).count();

    let mut child = start();
    for what in ["ledger '", "output folder '", "log folder '"] {
        until(what, || read(&said).contains(what));
    }
    until("crossings", || counted() >= 2);
    signal(&child, Signal::TERM);
    assert_eq!(end(&mut child, SOON).code(), Some(1), "nothing was kept: {}", read(&said));
    assert!(read(&said).contains("are not in the ledger"), "{}", read(&said));

    let mut child = start();
    until("crossings", || counted() >= 2);
    fs::remove_file(&place).unwrap();
    let before = counted();
    until("the ledger is written", || crossings(&output) >= before);
    until("the logs are written", || {
        read(&output.join("logs/parallel_counter.log")).contains("Started with")
    });
    until("the rows are written", || read(&output.join("crossings.csv")).lines().count() > before);
    signal(&child, Signal::TERM);
    assert_eq!(end(&mut child, SOON).code(), Some(143), "everything was written later: {}", read(&said));
    assert_eq!(crossings(&output), counted());
}

#[test]
fn a_second_program_on_the_same_folder_is_no_wrong_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let output = dir.path().join("out");
    let mut first =
        counting(dir.path(), &output).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until("the first counts", || output.join(FILE_NAME).exists());
    let second = counting(dir.path(), &output).output().unwrap();
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(1), "{said}");
    assert!(said.contains("another"), "{said}");
    signal(&first, Signal::TERM);
    assert_eq!(end(&mut first, SOON).code(), Some(143));
}

#[test]
fn what_may_come_later_is_no_wrong_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let run = |credentials: &str| {
        let config = dir.path().join("cams.json");
        let text = format!(
            r#"{{ "cameras": [{{ "camera_id": "c", "source": "rtsp://127.0.0.1:9/a", "credentials": {credentials} }}] }}"#
        );
        fs::write(&config, text).unwrap();
        program().arg("--headless").arg("--config").arg(&config).output().unwrap().status.code()
    };
    assert_eq!(run(r#"{ "file": "not_there_yet" }"#), Some(1));
    assert_eq!(run(r#"{ "env": "PCOUNT_TEST_NOT_SET" }"#), Some(2));
    assert_eq!(run(r#"{ "file": "not_there_yet", "user": "u" }"#), Some(2));
}

/// Accepts connections and never answers; counts those that are open.
fn silent_server() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let most = Arc::new(AtomicUsize::new(0));
    let (seen, open) = (Arc::clone(&most), Arc::new(AtomicUsize::new(0)));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            seen.fetch_max(open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            let open = Arc::clone(&open);
            std::thread::spawn(move || {
                let _ = (&stream).read_to_end(&mut Vec::new());
                open.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    (port, most)
}

#[test]
fn a_probe_opens_a_few_at_once_and_ends_at_a_signal_with_what_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let (port, most) = silent_server();
    let mut cameras = vec![serde_json::json!({ "camera_id": "first", "source": "demo:lobby" })];
    cameras.extend((0..40).map(
        |n| serde_json::json!({ "camera_id": format!("silent_{n}"), "source": format!("rtsp://127.0.0.1:{port}/{n}") }),
    ));
    let config = dir.path().join("cams.json");
    fs::write(&config, serde_json::json!({ "cameras": cameras }).to_string()).unwrap();
    let mut child = program()
        .args(["check", "--probe", "--config"])
        .arg(&config)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.starts_with("ok      first")), "printed as soon as it is known");
    until("a connection", || most.load(Ordering::SeqCst) >= 1);
    let probes = || {
        let threads = fs::read_dir(format!("/proc/{}/task", child.id())).unwrap().flatten();
        // One that ends meanwhile has no name any more.
        let names = threads.filter_map(|thread| fs::read_to_string(thread.path().join("comm")).ok());
        names.filter(|name| name.starts_with("probe-")).count()
    };
    // One that has just ended may still be there beside the next.
    until("eight probes", || probes() == 8);
    signal(&child, Signal::INT);
    assert_eq!(end(&mut child, SOON).code(), Some(130));
    assert!(lines.any(|line| line.contains("stopped before 40 of 41 sources were probed")));
    assert!(most.load(Ordering::SeqCst) <= 8, "{most:?} at once");
}

/// Freezes the disk under a program that counts, ends the program, thaws the disk. $1 is the program, $2 the signal.
const FROZEN: &str = r#"
set -eu
truncate -s 32M image
mkfs.ext4 -q image || { echo "no ext4" >&2; exit 77; }
mkdir disk
mount -o loop image disk || { echo "no mount" >&2; exit 77; }
trap 'fsfreeze -u disk 2> /dev/null || true; umount -l disk' EXIT
env --default-signal=HUP "$1" --config cams.json --json > lines.json 2> said < /dev/null &
program=$!
waited=0
until [ "$(grep -c '"type":"crossing"' lines.json)" -ge 2 ]; do
  sleep 0.1
  waited=$((waited + 1))
  [ $waited -lt 600 ] || { kill -9 $program; echo "nothing was counted" >&2; exit 1; }
done
fsfreeze -f disk || { kill -9 $program; echo "no fsfreeze" >&2; exit 77; }
# The disk is said not to answer after five seconds.
waited=0
until grep -q 'does not answer' said; do
  sleep 0.1
  waited=$((waited + 1))
  [ $waited -lt 600 ] || { fsfreeze -u disk; kill -9 $program; echo "never said" >&2; exit 1; }
done
kill -"$2" $program
code=0
timeout 8 tail --pid=$program -f /dev/null || { fsfreeze -u disk; kill -9 $program; echo "still running" >&2; exit 1; }
wait $program || code=$?
fsfreeze -u disk
echo $code
"#;

#[test]
fn a_frozen_disk_keeps_no_signal_from_ending_the_program() {
    for name in ["TERM", "INT", "HUP"] {
        let dir = tempfile::tempdir().unwrap();
        counting(dir.path(), &dir.path().join("disk/out"));
        let Some(run) = mount::in_namespace("freeze", &[], FROZEN, &[name], dir.path()) else { return };
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert!(run.status.success(), "{name}: {said} (signal {:?})", run.status.signal());
        assert_eq!(String::from_utf8_lossy(&run.stdout).trim(), "1", "{name}");
        let said = read(&dir.path().join("said"));
        assert!(said.contains("are not in the ledger"), "{name}: {said}");
    }
}

#[test]
fn a_terminal_that_does_not_read_keeps_no_signal_from_ending_the_program() {
    use portable_pty::{CommandBuilder, PtySize, native_pty_system};
    let dir = tempfile::tempdir().unwrap();
    counting(dir.path(), &dir.path().join("out"));
    let size = |cols| PtySize { rows: 40, cols, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(size(120)).unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_pcount-tui"));
    command.args(["--config".as_ref(), dir.path().join("cams.json").as_os_str()]);
    command.env("TERM", "xterm-256color");
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    until("it counts", || crossings(&dir.path().join("out")) >= 1);
    // Each size is a whole screen; the terminal holds some ten of them.
    for round in 0..100 {
        pair.master.resize(size(100 + round % 20)).unwrap();
        std::thread::sleep(Duration::from_millis(30));
    }
    let pid = Pid::from_raw(child.process_id().unwrap().cast_signed()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    let deadline = Instant::now() + SOON;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        assert!(Instant::now() < deadline, "still running");
        std::thread::sleep(Duration::from_millis(10));
    };
    // Nothing but the last screen was not taken, and that is kept nowhere.
    assert_eq!(status.exit_code(), 143);
}
