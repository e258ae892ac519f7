//! The headless mode on an engine of our own making.
#![allow(clippy::expect_used, reason = "a helper of a test may fail it")]

use std::{
    io::{self, Write},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use pcount::{
    config::SourceConfig,
    engine::{Control, EngineApi, Reply},
    internals::{
        clock::{ManualClock, SystemClock},
        headless::{self, Format, Options, Reason},
        native::disk::Disk,
        outputs::{
            Feed, Outputs, json_lines,
            status::{self, Status},
        },
    },
    model::{
        Direction, EngineSnapshot, Event, EventKind, LineCounts, Minute, Moment, Preview, SourceKind,
        SourceSnapshot, SourceState, Strategy,
    },
};

/// An engine whose n-th snapshot is what `script` says.
struct Scripted<F> {
    looks: AtomicUsize,
    script: F,
}

impl<F: Fn(usize) -> EngineSnapshot + Send + Sync> EngineApi for Scripted<F> {
    fn snapshot(&self) -> EngineSnapshot {
        (self.script)(self.looks.fetch_add(1, Ordering::SeqCst))
    }
    fn send(&self, _: Control) -> Reply {
        Reply::new(Ok(()))
    }
    fn preview(&self, _: &str) -> Option<Arc<Preview>> {
        None
    }
    fn history(&self, _: &str) -> Vec<Minute> {
        Vec::new()
    }
    fn source_config(&self, _: &str) -> Option<Arc<SourceConfig>> {
        None
    }
}

fn engine(script: impl Fn(usize) -> EngineSnapshot + Send + Sync + 'static) -> Arc<dyn EngineApi> {
    Arc::new(Scripted { looks: AtomicUsize::new(0), script })
}

fn source(state: SourceState, total_in: u64) -> SourceSnapshot {
    let mut source = SourceSnapshot::new("video_01");
    source.alias = "Video Test".into();
    source.kind = SourceKind::Video;
    source.state = state;
    source.fps = 62.4;
    source.frames = 120;
    source.total_in = total_in;
    source.total_out = 1;
    source.lines = vec![LineCounts { name: "door".into(), total_in, total_out: 1 }];
    source
}

fn snapshot(sources: Vec<SourceSnapshot>) -> EngineSnapshot {
    EngineSnapshot {
        sources: sources.into_iter().map(Arc::new).collect(),
        workers: Vec::new(),
        worker_count: 2,
        max_workers: 4,
        queue_pending: 0,
        queue: Vec::new(),
        strategy: Strategy::Shared,
        detector: String::new(),
        problems: Vec::new(),
        notices: Vec::new(),
        acknowledged: Arc::default(),
        areas: Arc::default(),
        nodes: Arc::default(),
        events: Arc::default(),
        events_lost: 0,
        log_lines_lost: 0,
        cpu: 0.0,
        rss: 0,
        memory_limit: None,
        taken: Moment::START,
        generation: 0,
    }
}

/// What is printed, and a reader that may go away.
#[derive(Clone, Default)]
struct Screen {
    text: Arc<Mutex<Vec<u8>>>,
    closed_after: Option<usize>,
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut text = self.text.lock().expect("the text");
        if self.closed_after.is_some_and(|limit| text.len() >= limit) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        text.extend(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Screen {
    fn text(&self) -> String {
        String::from_utf8(self.text.lock().expect("the text").clone()).expect("text")
    }
}

const FINAL: &str = "\
=========================================
Parallel People Counting System
=========================================
Workers: 0/2 active | Queue: 0 pending
-----------------------------------------
Camera 01 (Video Test):
  Status: Completed | FPS: 62.4
  In: 5 | Out: 1 | Current: 4

=========================================
Total: In: 5 | Out: 1 | Net: +4
=========================================
";

fn crossing(track: u64) -> Event {
    let kind = EventKind::Crossing {
        line: "door".into(),
        direction: Direction::In,
        track,
        time: 1.5,
        confidence: 0.5,
    };
    Event::new(SystemTime::UNIX_EPOCH, "video_01", kind)
}

#[test]
fn a_video_is_shown_at_its_start_and_at_its_end() {
    let engine = engine(|look| {
        snapshot(vec![if look < 3 {
            source(SourceState::Running, 2)
        } else {
            source(SourceState::Completed, 5)
        }])
    });
    let mut screen = Screen::default();
    let outcome =
        headless::run(&engine, &Options::default(), &AtomicBool::new(false), &mut screen).expect("run");
    assert_eq!(outcome.reason, Reason::Over);
    assert_eq!(outcome.snapshot.totals(), (5, 1, 4));
    let text = screen.text();
    assert!(text.ends_with(FINAL), "{text}");
    assert_eq!(text.matches("Parallel People Counting System").count(), 2, "{text}");
    assert!(text.contains("Status: Running | FPS: 62.4\n  In: 2 | Out: 1 | Current: 1\n"));
}

#[test]
fn once_prints_the_end_only() {
    let engine = engine(|look| {
        snapshot(vec![if look < 3 {
            source(SourceState::Running, 2)
        } else {
            source(SourceState::Completed, 5)
        }])
    });
    let mut screen = Screen::default();
    let options = Options { once: true, ..Options::default() };
    headless::run(&engine, &options, &AtomicBool::new(false), &mut screen).expect("run");
    assert_eq!(screen.text(), FINAL);
}

#[test]
fn a_run_of_an_hour_ends_when_its_clock_says_so() {
    let engine = engine(|_| snapshot(vec![source(SourceState::Running, 5)]));
    let clock = Arc::new(ManualClock::default());
    let hour = Duration::from_hours(1);
    let options =
        Options { once: true, duration: Some(hour), clock: Arc::clone(&clock) as _, ..Options::default() };
    let mut screen = Screen::default();
    let outcome = headless::run(&engine, &options, &AtomicBool::new(false), &mut screen).expect("run");
    assert_eq!(outcome.reason, Reason::Done);
    assert!((hour..hour * 2).contains(&clock.elapsed()), "{:?}", clock.elapsed());
}

#[test]
fn a_status_line_is_one_line() {
    let engine = engine(|_| snapshot(vec![source(SourceState::Completed, 5)]));
    let mut screen = Screen::default();
    let format = Format::Template("{in} in {out} out {current} {alias}".parse().expect("a template"));
    let options = Options { format, once: true, ..Options::default() };
    headless::run(&engine, &options, &AtomicBool::new(false), &mut screen).expect("run");
    assert_eq!(screen.text(), "5 in 1 out 4 Video Test\n");
}

#[test]
fn json_lines_come_in_order_and_the_summary_is_last_even_for_late_crossings() {
    let engine = engine(|_| snapshot(vec![source(SourceState::Completed, 5)]));
    let mut screen = Screen::default();
    let outputs = Outputs::new(Arc::new(SystemClock));
    let lines =
        json_lines::start(screen.clone(), Box::new(|| true), Arc::new(SystemClock)).expect("a thread");
    outputs.add(Arc::new(lines), Feed::Engine);
    let mut sink = outputs.sink();
    for track in 0..3 {
        sink.event(&Arc::new(crossing(track)));
    }
    let late = Mutex::new(sink);
    let settle = move || {
        (3..100).for_each(|track| late.lock().expect("the sink").event(&Arc::new(crossing(track))));
        outputs.sync(Duration::from_secs(30));
    };
    let options = Options { format: Format::Json, settle: Some(Box::new(settle)), ..Options::default() };
    headless::run(&engine, &options, &AtomicBool::new(false), &mut screen).expect("run");
    let text = screen.text();
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("a JSON object")).collect();
    assert_eq!(lines.len(), 101);
    for (track, line) in lines[..100].iter().enumerate() {
        assert_eq!(line["type"], "crossing");
        assert_eq!(line["track_id"], track);
        assert_eq!((line["direction"].as_str(), line["line"].as_str()), (Some("in"), Some("door")));
    }
    assert_eq!(lines[100]["type"], "summary");
    assert_eq!(lines[100]["sources"][0]["in"], 5);
    assert_eq!(lines[100]["total"]["net"], 4);
}

#[test]
fn the_stop_flag_ends_it_with_a_last_look() {
    let engine = engine(|_| snapshot(vec![source(SourceState::Running, 2)]));
    let stop = AtomicBool::new(false);
    let screen = Screen::default();
    let outcome = std::thread::scope(|scope| {
        let run = scope.spawn(|| headless::run(&engine, &Options::default(), &stop, &mut screen.clone()));
        while screen.text().is_empty() {
            std::thread::yield_now();
        }
        stop.store(true, Ordering::SeqCst);
        run.join().expect("no panic").expect("run")
    });
    assert_eq!(outcome.reason, Reason::Stopped);
    assert_eq!(screen.text().matches("Net:").count(), 2);
}

#[test]
fn a_reader_that_goes_away_is_a_clean_end() {
    let engine = engine(|look| snapshot(vec![source(SourceState::Running, look as u64)]));
    let mut screen = Screen { closed_after: Some(1), ..Screen::default() };
    let outcome =
        headless::run(&engine, &Options::default(), &AtomicBool::new(false), &mut screen).expect("clean");
    assert_eq!(outcome.reason, Reason::BrokenPipe);
}

#[test]
fn the_time_given_ends_it() {
    let engine = engine(|_| snapshot(vec![source(SourceState::Running, 2)]));
    let options = Options { duration: Some(Duration::from_millis(50)), ..Options::default() };
    let mut screen = Screen::default();
    let outcome = headless::run(&engine, &options, &AtomicBool::new(false), &mut screen).expect("run");
    assert_eq!(outcome.reason, Reason::Done);
}

#[test]
fn a_running_program_tells_its_state_to_others() {
    let dir = tempfile::tempdir().expect("folder");
    assert!(status::read(dir.path(), SystemTime::now()).is_none());
    let shown = || {
        let mut trouble = source(SourceState::Retrying { attempt: 3, at: Moment::START }, 7);
        trouble.last_error = Some("cannot connect".into());
        trouble.threshold = Some(2);
        snapshot(vec![source(SourceState::Running, 2), trouble])
    };
    let writer = status::start(
        dir.path(),
        engine(move |_| shown()),
        None,
        Disk::start("disk-test").expect("a disk"),
        Arc::new(SystemClock),
    )
    .expect("a writer");
    let read = loop {
        match status::read(dir.path(), SystemTime::now()) {
            Some(read) => break read,
            None => std::thread::yield_now(),
        }
    };
    assert_eq!(headless::text::dashboard(&read), headless::text::dashboard(&Status::from(&shown())));
    drop(writer);
    assert!(status::read(dir.path(), SystemTime::now()).is_none(), "who ends takes the file away");
}

#[test]
fn an_old_or_broken_state_is_not_believed() {
    let dir = tempfile::tempdir().expect("folder");
    let path = dir.path().join(status::FILE_NAME);
    std::fs::write(&path, "{").expect("write");
    assert!(status::read(dir.path(), SystemTime::now()).is_none());
    std::fs::write(
        &path,
        r#"{"sources":[],"active_workers":0,"worker_count":1,"max_workers":1,"queue_pending":0}"#,
    )
    .expect("write");
    assert!(status::read(dir.path(), SystemTime::now()).is_some());
    let file = std::fs::File::options().write(true).open(&path).expect("open");
    file.set_modified(SystemTime::now() - Duration::from_mins(1)).expect("time");
    assert!(status::read(dir.path(), SystemTime::now()).is_none());
}

/// Runs the program, reads a line of its output and goes; gives the exit code and what it said.
fn read_one_line(arguments: &[&str]) -> (Option<i32>, String) {
    use std::{
        io::{BufRead as _, BufReader, Read as _},
        process::{Command, Stdio},
    };
    let folder = tempfile::tempdir().expect("folder");
    let mut child = Command::new(env!("CARGO_BIN_EXE_pcount-tui"))
        .args(arguments)
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("start");
    let mut out = BufReader::new(child.stdout.take().expect("stdout"));
    let mut line = String::new();
    out.read_line(&mut line).expect("a line");
    assert!(!line.is_empty());
    drop(out);
    let mut said = String::new();
    child.stderr.take().expect("stderr").read_to_string(&mut said).expect("text");
    (child.wait().expect("an end").code(), said)
}

#[test]
fn a_reader_that_goes_before_the_end_is_said_and_code_1() {
    for format in [["--json"], ["--headless"]] {
        let arguments = [&["demo:lobby", "--detector", "motion"], &format[..]].concat();
        let (code, said) = read_one_line(&arguments);
        assert_eq!(code, Some(1), "{format:?}: {said}");
        assert!(said.contains("the reader of the standard output has closed it"), "{format:?}: {said}");
        assert_eq!(said.lines().count(), 1, "one sentence: {said}");
    }
}

#[test]
fn a_reader_that_goes_when_every_source_is_over_is_no_failure() {
    // The text comes once, at the end; of its lines one is read.
    let (code, said) =
        read_one_line(&["demo:lobby?seconds=1", "--detector", "motion", "--headless", "--once"]);
    assert_eq!((code, said.as_str()), (Some(0), ""));
}

#[test]
fn what_is_printed_by_commands_may_be_read_in_part() {
    for arguments in [&["completions", "bash"][..], &["man"], &["schema"]] {
        let (code, said) = read_one_line(arguments);
        assert_eq!((code, said.as_str()), (Some(0), ""), "{arguments:?}");
    }
}
