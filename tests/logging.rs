//! What a user finds in the log folder.
#![allow(clippy::expect_used, reason = "a helper of a test may fail it")]

use std::{fs, path::Path, time::Duration};

use pcount::{
    config::LogLevel,
    internals::{
        hide,
        logging::{self, Level, LogOptions},
    },
};
use tracing_subscriber::layer::SubscriberExt;

fn options(dir: &Path) -> LogOptions {
    LogOptions { dir: Some(dir.to_owned()), timezone: jiff::tz::TimeZone::UTC, ..LogOptions::default() }
}

/// Runs `work` with logs into `dir` and returns once all is on disk.
fn logged(options: &LogOptions, work: impl FnOnce(&logging::LogHandle)) {
    let (layer, handle) = logging::build(options).expect("logs");
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, || work(&handle));
    drop(handle);
}

fn read(dir: &Path, name: &str) -> String {
    fs::read_to_string(dir.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The lines of a log without their time, whose form is checked.
fn lines(dir: &Path, name: &str) -> Vec<String> {
    read(dir, name)
        .lines()
        .map(|line| {
            let (stamp, rest) = line.split_at(22);
            jiff::civil::DateTime::strptime("[%Y-%m-%d %H:%M:%S] ", stamp).expect("a stamp");
            rest.to_owned()
        })
        .collect()
}

#[test]
fn each_line_reaches_the_files_it_belongs_to() {
    let dir = tempfile::tempdir().expect("folder");
    logged(&options(dir.path()), |_| {
        tracing::info!(target: "pcount::engine", "Started");
        tracing::info!(target: "pcount::engine", worker = 1, "Starting camera_01");
        tracing::info!(target: "pcount::engine", camera = "camera_01", "Frame processed: FPS={:.1}", 25.3);
        tracing::warn!(target: "pcount::engine", camera = %"camera_02", attempt = 3, "Reconnecting");
        let span = tracing::info_span!(target: "pcount::engine", "step", worker = 2, camera = "camera_02");
        span.in_scope(|| tracing::error!(target: "pcount::engine", "Broken"));
    });
    assert_eq!(
        lines(dir.path(), "parallel_counter.log"),
        [
            "[ENGINE] [INFO] Started",
            "[WORKER-01] [INFO] Starting camera_01",
            "[CAMERA-01] [INFO] Frame processed: FPS=25.3",
            "[CAMERA-02] [WARN] Reconnecting attempt=3",
            "[CAMERA-02] [ERROR] Broken",
        ]
    );
    assert_eq!(lines(dir.path(), "worker_01.log"), ["[WORKER-01] [INFO] Starting camera_01"]);
    assert_eq!(lines(dir.path(), "worker_02.log"), ["[CAMERA-02] [ERROR] Broken"]);
    assert_eq!(lines(dir.path(), "camera_01.log"), ["[CAMERA-01] [INFO] Frame processed: FPS=25.3"]);
    assert_eq!(lines(dir.path(), "camera_02.log").len(), 2);
}

#[test]
fn a_worker_has_a_logger_that_names_the_camera() {
    let dir = tempfile::tempdir().expect("folder");
    logged(&LogOptions { level: LogLevel::Debug, ..options(dir.path()) }, |_| {
        tracing::info!(target: "pcount::engine", worker = 3, camera = "camera_01", "Person detected: ID=1, direction=IN");
        tracing::error!(target: "pcount::engine", worker = 3, camera = "camera_01", "No picture");
        tracing::debug!(target: "pcount::engine", worker = 3, camera = "camera_01", "Detail");
    });
    let expected = [
        "[CAMERA-01] [INFO] Person detected: ID=1, direction=IN",
        "[CAMERA-01] [ERROR] No picture",
        "[CAMERA-01] [DEBUG] Detail",
    ];
    assert_eq!(lines(dir.path(), "worker_03.log"), expected);
    assert_eq!(lines(dir.path(), "camera_01.log"), expected);
}

#[test]
fn the_level_holds_for_our_lines_and_libraries_are_kept_to_warnings() {
    let dir = tempfile::tempdir().expect("folder");
    logged(&options(dir.path()), |_| {
        tracing::debug!(target: "pcount::track", "detail");
        tracing::info!(target: "ort", "chatter");
        tracing::warn!(target: "ort", "trouble");
    });
    assert_eq!(lines(dir.path(), "parallel_counter.log"), ["[ENGINE] [WARN] trouble"]);
}

#[test]
fn passwords_and_control_characters_reach_neither_file_nor_memory() {
    let dir = tempfile::tempdir().expect("folder");
    logged(&options(dir.path()), |handle| {
        hide("Sesam-offne-dich");
        tracing::error!(target: "pcount::source", camera = "c", "open rtsp://me:pw@cam/1: refused\nSesam-offne-dich");
        let recent = handle.recent().lines(|_| true);
        assert_eq!(recent[0].message, "open rtsp://***@cam/1: refused\\n***");
        assert_eq!(recent[0].level, Level::Error);
        assert_eq!(recent[0].camera.as_deref(), Some("c"));
    });
    assert_eq!(lines(dir.path(), "c.log"), ["[C] [ERROR] open rtsp://***@cam/1: refused\\n***"]);
}

#[test]
fn ids_cannot_leave_the_folder() {
    let dir = tempfile::tempdir().expect("folder");
    let logs = dir.path().join("logs");
    logged(&options(&logs), |_| {
        tracing::info!(target: "pcount", camera = "../escaped", "hello");
    });
    let names: Vec<_> =
        fs::read_dir(dir.path()).expect("folder").map(|e| e.expect("entry").file_name()).collect();
    assert_eq!(names, ["logs"]);
    assert_eq!(fs::read_dir(&logs).expect("folder").count(), 2);
}

#[test]
fn big_logs_are_rotated_and_no_line_is_lost() {
    let dir = tempfile::tempdir().expect("folder");
    let options = LogOptions { max_bytes: 1_000, max_files: 100, ..options(dir.path()) };
    let (layer, handle) = logging::build(&options).expect("logs");
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        for n in 0..500 {
            tracing::info!(target: "pcount", camera = "cam", "line {n}");
        }
    });
    let lost = handle.lost_counter();
    drop(handle);
    assert_eq!(lost(), 0);
    for stem in ["cam", "parallel_counter"] {
        let mut found = 0;
        for entry in fs::read_dir(dir.path()).expect("folder") {
            let path = entry.expect("entry").path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(stem)) {
                let text = fs::read_to_string(&path).expect("read");
                assert!(text.len() <= 1_000, "{}", path.display());
                found += text.lines().count();
            }
        }
        assert_eq!(found, 500, "{stem}");
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_one_clear_sentence_and_lines_wait_for_it() {
    let dir = tempfile::tempdir().expect("folder");
    let place = dir.path().join("place");
    fs::write(&place, "x").expect("write");
    let (layer, handle) = logging::build(&options(&place.join("logs"))).expect("no error");
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        tracing::info!(target: "pcount", "kept in memory");
    });
    let problem = loop {
        match handle.problem() {
            Some(problem) => break problem,
            None => std::thread::yield_now(),
        }
    };
    assert!(problem.contains(&place.join("logs").display().to_string()), "{problem}");
    assert!(problem.contains("log_dir"), "{problem}");
    fs::remove_file(&place).expect("removed");
    assert!(handle.close(Duration::from_secs(30)), "the folder can be made now");
    assert!(read(&place.join("logs"), "parallel_counter.log").contains("kept in memory"));
}

#[test]
fn without_a_folder_the_lines_are_in_memory_only() {
    let options = LogOptions { recent_lines: 3, max_age: Duration::MAX, ..LogOptions::default() };
    logged(&options, |handle| {
        for n in 0..5 {
            tracing::info!(target: "pcount", "line {n}");
        }
        let recent = handle.recent();
        assert_eq!(recent.written(), 5);
        let messages: Vec<_> = recent.lines(|_| true).iter().map(|line| line.message.clone()).collect();
        assert_eq!(messages, ["line 2", "line 3", "line 4"]);
        assert_eq!(handle.lines_lost(), 0);
    });
}
