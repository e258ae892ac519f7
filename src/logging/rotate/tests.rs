use super::*;

const DAY: Duration = Duration::from_hours(24);

/// How a line of ours begins.
const BEGIN: &str = "[2024-01-15 10:23:45] [X] [INFO]";

fn limits() -> Limits {
    Limits { max_bytes: 20, max_files: 2, max_age: DAY, keep_for: DAY * 30 }
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .expect("folder")
        .map(|entry| entry.expect("entry").file_name().into_string().expect("name"))
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    names
}

#[test]
fn a_full_file_is_set_aside_and_the_oldest_goes() {
    let dir = tempfile::tempdir().expect("folder");
    let path = dir.path().join("x.log");
    let mut log = RotatingFile::open(&path, limits()).expect("open");
    for n in 0..8 {
        log.write_line(format!("line {n} ..").as_bytes(), SystemTime::now()).expect("write");
    }
    log.flush().expect("flush");
    assert_eq!(names(dir.path()), ["x.log", "x.log.1", "x.log.2"]);
    assert_eq!(fs::read_to_string(&path).expect("read"), "line 6 ..\nline 7 ..\n");
    assert_eq!(fs::read_to_string(dir.path().join("x.log.2")).expect("read"), "line 2 ..\nline 3 ..\n");
}

#[test]
fn an_old_file_is_set_aside_and_a_reopened_one_goes_on() {
    let dir = tempfile::tempdir().expect("folder");
    let path = dir.path().join("x.log");
    let now = SystemTime::now();
    let limits = Limits { max_bytes: 1000, ..limits() };
    for text in ["one", "two"] {
        let mut log = RotatingFile::open(&path, limits).expect("open");
        log.write_line(format!("{BEGIN} {text}").as_bytes(), now).expect("write");
        log.flush().expect("flush");
    }
    assert_eq!(fs::read_to_string(&path).expect("read"), format!("{BEGIN} one\n{BEGIN} two\n"));
    let mut log = RotatingFile::open(&path, limits).expect("open");
    log.write_line(b"three", now + DAY * 2).expect("write");
    log.flush().expect("flush");
    assert_eq!(fs::read_to_string(&path).expect("read"), "three\n");
}

#[test]
fn a_line_longer_than_the_limit_is_still_written() {
    let dir = tempfile::tempdir().expect("folder");
    let path = dir.path().join("x.log");
    let mut log = RotatingFile::open(&path, limits()).expect("open");
    log.write_line(&[b'x'; 100], SystemTime::now()).expect("write");
    log.flush().expect("flush");
    assert_eq!(fs::metadata(path).expect("file").len(), 101);
}

/// Writes lines into the log `stem` until it has set `count` files aside.
fn rotated(dir: &Path, stem: &str, count: usize, limits: Limits) -> RotatingFile {
    let mut log = RotatingFile::open(dir.join(format!("{stem}.log")), limits).expect("open");
    for n in 0..=count {
        log.write_line(format!("{stem} {n} .........").as_bytes(), SystemTime::now()).expect("write");
    }
    log.flush().expect("flush");
    log
}

fn touch(path: &Path, time: SystemTime) {
    File::options().write(true).open(path).expect("open").set_modified(time).expect("time");
}

#[test]
fn old_and_surplus_files_are_removed_when_they_are_ours_and_nothing_else() {
    let dir = tempfile::tempdir().expect("folder");
    let now = SystemTime::now();
    // A camera that is not in the configuration any more has left its logs.
    drop(rotated(dir.path(), "gone", 3, Limits { max_files: 5, ..limits() }));
    drop(rotated(dir.path(), "x", 1, limits()));
    let line = "[2024-01-15 10:23:45] [X] [INFO] as one of ours\n";
    let others = [
        ("nginx-access.log.6", "10.0.0.1 - -"),
        ("auth.log.10", "Jan 15 10:23:45 host sshd[1]: x"),
        ("notes.9", "x"),
        ("x.log.old", "x"),
        ("x.log.01", "x"),
        // Made by logrotate, or put there by its user.
        ("x.log.9", line),
        ("worker_01.log.9", line),
        ("parallel_counter.log.30", line),
    ];
    for (name, content) in others {
        fs::write(dir.path().join(name), content).expect("write");
        touch(&dir.path().join(name), now - DAY * 400);
    }
    remove_old(dir.path(), &limits(), now);
    let left = |ours: &[&str]| {
        let mut all: Vec<_> = others.iter().map(|(name, _)| *name).chain(ours.iter().copied()).collect();
        all.sort_unstable();
        assert_eq!(names(dir.path()), all);
    };
    left(&["gone.log", "gone.log.1", "gone.log.2", "x.log", "x.log.1"]);
    touch(&dir.path().join("gone.log.1"), now - DAY * 31);
    touch(&dir.path().join("gone.log.2"), now - DAY * 32);
    remove_old(dir.path(), &limits(), now);
    left(&["gone.log", "x.log", "x.log.1"]);
    // What is remembered stays as short as what is there.
    let kept = fs::read_to_string(dir.path().join(".pcount-tui.logs")).expect("read");
    assert_eq!(kept.lines().filter(|line| line.starts_with("aside ")).count(), 1, "{kept}");
}

#[test]
fn a_clock_that_is_wrong_by_a_year_removes_nothing() {
    let dir = tempfile::tempdir().expect("folder");
    drop(rotated(dir.path(), "x", 2, limits()));
    for now in [SystemTime::now() + DAY * 400, SystemTime::UNIX_EPOCH] {
        remove_old(dir.path(), &limits(), now);
        assert_eq!(names(dir.path()), ["x.log", "x.log.1", "x.log.2"]);
    }
}

#[test]
fn rotation_goes_around_files_that_are_not_ours() {
    let dir = tempfile::tempdir().expect("folder");
    for name in ["x.log.1", "x.log.3"] {
        fs::write(dir.path().join(name), "somebody else's").expect("write");
    }
    fs::create_dir(dir.path().join("x.log.4")).expect("folder");
    std::os::unix::fs::symlink("victim", dir.path().join("x.log.6")).expect("link");
    drop(rotated(dir.path(), "x", 6, Limits { max_files: 3, ..limits() }));
    assert_eq!(
        names(dir.path()),
        ["x.log", "x.log.1", "x.log.2", "x.log.3", "x.log.4", "x.log.5", "x.log.6", "x.log.7"]
    );
    for name in ["x.log.1", "x.log.3"] {
        assert_eq!(fs::read_to_string(dir.path().join(name)).expect("read"), "somebody else's");
    }
    for (number, line) in [(2, 5), (5, 4), (7, 3)] {
        let text = fs::read_to_string(dir.path().join(format!("x.log.{number}"))).expect("read");
        assert_eq!(text, format!("x {line} .........\n"));
    }
}

#[test]
fn none_is_kept_when_none_is_wanted() {
    let dir = tempfile::tempdir().expect("folder");
    drop(rotated(dir.path(), "x", 3, Limits { max_files: 0, ..limits() }));
    assert_eq!(names(dir.path()), ["x.log"]);
    assert_eq!(fs::read_to_string(dir.path().join("x.log")).expect("read"), "x 3 .........\n");
}

#[test]
fn a_log_of_another_program_is_neither_written_to_nor_rotated() {
    let dir = tempfile::tempdir().expect("folder");
    let auth = "Jan 15 10:23:45 host sshd[12]: Accepted password for root\n";
    fs::write(dir.path().join("auth.log"), auth).expect("write");
    let log = rotated(dir.path(), "auth", 2, limits());
    let own = log.path.file_name().expect("name").to_string_lossy().into_owned();
    assert_eq!(names(dir.path()), [own.clone(), format!("{own}.1"), format!("{own}.2"), "auth.log".into()]);
    assert_eq!(fs::read_to_string(dir.path().join("auth.log")).expect("read"), auth);
    // It stays so, and a log of an earlier version is gone on with.
    assert_eq!(rotated(dir.path(), "auth", 0, limits()).path, log.path);
    let line = "[2024-01-15 10:23:45] [CAM] [INFO] x\n";
    fs::write(dir.path().join("cam.log"), line).expect("write");
    let limits = Limits { max_bytes: 1000, max_age: Duration::MAX, ..limits() };
    assert!(rotated(dir.path(), "cam", 0, limits).path.ends_with("cam.log"));
    assert!(fs::read_to_string(dir.path().join("cam.log")).expect("read").starts_with(line));
}

#[test]
fn no_line_is_lost_whatever_happens_to_the_file() {
    let dir = tempfile::tempdir().expect("folder");
    let logs = dir.path().join("logs");
    let (path, old) = (logs.join("x.log"), logs.join("x.log.1"));
    let limits = Limits { max_bytes: 1000, ..limits() };
    let mut log = RotatingFile::open(&path, limits).expect("open");
    let mut say = |text: &str| {
        log.write_line(text.as_bytes(), SystemTime::now()).expect("write");
        log.flush().expect("flush");
        fs::read_to_string(&path).expect("read")
    };
    assert_eq!(say("one"), "one\n");
    // Moved, and an empty file created in its place.
    fs::rename(&path, &old).expect("rename");
    fs::write(&path, "").expect("write");
    assert_eq!(say("two"), "two\n");
    assert_eq!(fs::read_to_string(&old).expect("read"), "one\n");
    // Moved, and nothing created.
    fs::rename(&path, &old).expect("rename");
    assert_eq!(say("three"), "three\n");
    // Copied and emptied.
    File::options().write(true).open(&path).expect("open").set_len(0).expect("emptied");
    assert_eq!(say("four"), "four\n");
    // Deleted, and its folder with it.
    fs::remove_dir_all(&logs).expect("remove");
    assert_eq!(say("five"), "five\n");
}

#[test]
fn a_file_that_others_empty_is_not_set_aside_for_a_size_it_does_not_have() {
    let dir = tempfile::tempdir().expect("folder");
    let path = dir.path().join("x.log");
    let mut log = RotatingFile::open(&path, Limits { max_bytes: 30, ..limits() }).expect("open");
    for n in 0..4 {
        log.write_line(format!("{n} ..................").as_bytes(), SystemTime::now()).expect("write");
        log.flush().expect("flush");
        File::options().write(true).open(&path).expect("open").set_len(0).expect("emptied");
        log.write_line(b"x", SystemTime::now()).expect("write");
        log.flush().expect("flush");
    }
    assert_eq!(names(dir.path()), ["x.log"]);
}

#[test]
fn a_link_or_a_pipe_takes_no_lines_and_is_named() {
    let dir = tempfile::tempdir().expect("folder");
    let (path, victim) = (dir.path().join("x.log"), dir.path().join("victim"));
    fs::write(&victim, "untouched").expect("write");
    let mut log = RotatingFile::open(&path, limits()).expect("open");
    for plant in [
        |path: &Path| std::os::unix::fs::symlink(path.with_file_name("victim"), path).expect("link"),
        |path: &Path| {
            let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR);
            rustix::fs::mknodat(rustix::fs::CWD, path, kind, mode, 0).expect("pipe");
        },
    ] {
        fs::remove_file(&path).expect("remove");
        plant(&path);
        log.write_line(b"x", SystemTime::now()).expect("waits");
        assert!(log.flush().expect_err("refused").to_string().starts_with("'x.log': "));
        assert!(RotatingFile::open(&path, limits()).is_err());
    }
    assert_eq!(fs::read_to_string(&victim).expect("read"), "untouched");
    fs::remove_file(&path).expect("remove");
    log.flush().expect("flush");
    assert_eq!(fs::read_to_string(&path).expect("read"), "x\nx\n");
}
