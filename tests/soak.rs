//! A long life in a short time: sources come and go, files run at full speed, cameras break off, and in the
//! end the process holds no more than after its first minutes and the ledger says what the screen said.
//!
//! `PCOUNT_SOAK=40m cargo test --test soak -- --nocapture` is the long one, which also holds memory to 5 %.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

#[path = "support/clips.rs"]
#[allow(dead_code, reason = "each test binary uses its part")]
mod clips;
#[path = "support/http_server.rs"]
#[allow(dead_code, reason = "each test binary uses its part")]
mod http_server;
#[path = "support/process.rs"]
mod process;
mod support;

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Arc, atomic::AtomicUsize},
    time::{Duration, Instant, SystemTime},
};

use clips::Clip;
use http_server::{Answer, serve};
use pcount::{
    config::{Cadence, ParallelConfig, SourceConfig},
    engine::{Control, Engine, EngineApi, EngineOptions},
    internals::{
        clock::SystemClock,
        detect::Model,
        ledger::{FILE_NAME, LedgerOptions, Reader},
        native::disk::Disk,
        outputs::{Feed, Outputs, csv, ledger::Ledger},
        source::FrameSource as _,
    },
    model::{SourceId, SourceKind, SourceState},
};
use process::{Held, held, median};
use support::{FPS, HEIGHT, WIDTH, Walk, White};

const WAIT: Duration = Duration::from_mins(2);

/// Time between two looks at what is waited for.
const LOOK: Duration = Duration::from_millis(20);

/// Ten minutes of somebody who walks up and down.
fn write_walk(path: &Path, period: u64) {
    let mut clip = Clip::begin(path, "FFV1", FPS, (WIDTH, HEIGHT));
    let mut walk = Walk::file(6000, period);
    while walk.grab().unwrap() {
        clip.write(walk.retrieve(&|w, h| (w, h)).unwrap().picture.bgr().unwrap());
    }
    clip.end();
}

/// A source by its source string, looked at in every frame.
fn source(id: &str, text: &str, kind: SourceKind) -> SourceConfig {
    let mut source = SourceConfig {
        id: id.into(),
        kind,
        cadence: Cadence::SkipFrames(0),
        open_timeout: Duration::from_secs(3),
        stall_timeout: Duration::from_secs(2),
        ..SourceConfig::from_source_string(text, &BTreeSet::new()).unwrap()
    };
    source.retry.initial = Duration::from_millis(200);
    source.retry.max = Duration::from_secs(1);
    source
}

/// Every thread of this process: its name, what it waits for in the kernel, and its processor time.
fn threads() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let read =
        |task: &std::path::Path, file: &str| std::fs::read_to_string(task.join(file)).unwrap_or_default();
    tasks
        .map(|task| {
            let (path, stat) = (task.path(), read(&task.path(), "stat"));
            let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
            let field = |at: usize| fields.get(at).copied().unwrap_or("?").to_owned();
            let (name, waits) = (read(&path, "comm"), read(&path, "wchan"));
            format!("{} {} in {waits}, {} ticks", name.trim(), field(0), field(11))
        })
        .collect()
}

struct Life {
    engine: Engine,
    ledger: Arc<Ledger>,
    dir: tempfile::TempDir,
    random: u64,
    frames: u64,
}

impl Life {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Arc::new(Ledger::start(LedgerOptions::new(dir.path())).unwrap());
        let outputs = Outputs::new(Arc::new(SystemClock));
        outputs.add(ledger.output(), Feed::Engine);
        let csv =
            csv::start(dir.path(), Disk::start("disk-results").unwrap(), Arc::new(SystemClock)).unwrap();
        outputs.add(Arc::new(csv), Feed::Engine);
        let settings =
            ParallelConfig { worker_count: 2, max_workers: 2, max_open_sources: 3, ..Default::default() };
        let mut options = EngineOptions::new(settings);
        let loaded = Arc::new(AtomicUsize::new(0));
        options.world().load_model = Box::new(move |_| Ok(White::new(&loaded) as Arc<dyn Model>));
        options.sinks = vec![outputs.sink()];
        let engine = Engine::new(options).unwrap();
        engine.start().unwrap();
        write_walk(&dir.path().join("slow.mkv"), 40);
        write_walk(&dir.path().join("fast.mkv"), 24);
        Self { engine, ledger, dir, random: 7, frames: 0 }
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % limit
    }

    /// Asks for something and waits until it is done.
    fn done(&self, control: Control) {
        self.engine.send(control).wait(WAIT).unwrap().unwrap();
    }

    fn until(&self, what: &str, condition: impl Fn() -> bool) {
        // Counted in looks, not by the clock: a machine that is frozen for minutes has not hung.
        let begun = SystemTime::now();
        for _ in 0..WAIT.as_millis() / LOOK.as_millis() {
            if condition() {
                return;
            }
            std::thread::sleep(LOOK);
        }
        let passed = begun.elapsed().unwrap_or_default();
        panic!("{what} did not happen in {passed:?}: {:#?}, threads {:#?}", self.states(), threads());
    }

    fn states(&self) -> Vec<(SourceId, SourceState, u64, Option<String>)> {
        let sources = self.engine.snapshot().sources;
        sources.iter().map(|s| (s.id.clone(), s.state.clone(), s.frames, s.last_error.clone())).collect()
    }

    /// Sources come, are disturbed, and go.
    fn cycle(&mut self, mjpeg: u16) {
        let file = |name: &str| self.dir.path().join(name).display().to_string();
        let (slow, fast, missing) = (file("slow.mkv"), file("fast.mkv"), file("missing.mkv"));
        for (id, text, kind) in [
            ("slow", slow.as_str(), SourceKind::Video),
            ("fast", &fast, SourceKind::Video),
            ("again", &fast, SourceKind::Video),
            ("missing", &missing, SourceKind::Video),
            ("demo", "demo:lobby?people=6&seed=3", SourceKind::Camera),
            ("mjpeg", &format!("http://127.0.0.1:{mjpeg}/video.mjpg"), SourceKind::Camera),
            ("nobody", "rtsp://127.0.0.1:9/live", SourceKind::Camera),
            ("walker", &slow, SourceKind::Camera),
        ] {
            self.engine.add_source(source(id, text, kind)).unwrap();
        }
        let mut restarted = false;
        for _ in 0..6 {
            std::thread::sleep(Duration::from_millis(100 + self.below(200)));
            let id = ["slow", "fast", "demo", "mjpeg", "nobody", "walker"][self.below(6) as usize];
            match self.below(4) {
                0 => {
                    self.engine.send(Control::pause(id.into()));
                    std::thread::sleep(Duration::from_millis(50));
                    self.engine.send(Control::resume(id.into()));
                }
                1 if !restarted => {
                    restarted = true;
                    self.done(Control::restart("again".into()));
                }
                1 => drop(self.engine.send(Control::restart("mjpeg".into()))),
                2 => drop(self.engine.send(Control::reset_counts("walker".into()))),
                _ => {
                    let workers = 1 + self.below(2) as usize;
                    self.engine.send(Control::SetWorkers(workers));
                }
            }
        }
        let over =
            |id: &str| self.states().iter().any(|(known, state, ..)| &**known == id && state.is_over());
        self.until("the end of the files", || ["slow", "fast", "again", "missing"].iter().all(|id| over(id)));
        let cameras: Vec<SourceId> = ["demo", "mjpeg", "nobody", "walker"].map(Into::into).to_vec();
        for camera in &cameras {
            self.done(Control::Remove(camera.clone()));
        }
        assert!(self.engine.sync(WAIT), "the result handler hangs: {:#?}", threads());
        assert!(self.ledger.sync(WAIT), "the ledger hangs: {:?}, {:#?}", self.ledger.status(), threads());
        let kept = Reader::open(&self.dir.path().join(FILE_NAME)).unwrap().totals().unwrap();
        for shown in &self.engine.snapshot().sources {
            let counted = kept.iter().find(|(id, _)| *id == shown.id).map_or(&[][..], |(_, lines)| lines);
            let sum = counted.iter().fold((0, 0), |(i, o), line| (i + line.total_in, o + line.total_out));
            assert_eq!(sum, (shown.total_in, shown.total_out), "{}: the ledger and the screen", shown.id);
            match &*shown.id {
                "slow" => assert_eq!(sum, (150, 150), "{shown:?}"),
                "fast" | "again" => assert_eq!(sum, (250, 250), "{shown:?}"),
                _ => {}
            }
            self.frames += shown.frames;
        }
        for source in self.engine.snapshot().sources {
            self.done(Control::Remove(source.id.clone()));
        }
        let left = || {
            std::fs::read_dir("/proc/self/task")
                .unwrap()
                .flatten()
                .filter(|task| {
                    std::fs::read_to_string(task.path().join("comm"))
                        .is_ok_and(|name| name.starts_with("cap-"))
                })
                .count()
        };
        self.until("the end of the capture threads", || left() == 0);
    }
}

#[test]
fn a_long_life_leaves_nothing_behind_and_the_ledger_agrees_with_the_screen() {
    let asked = std::env::var("PCOUNT_SOAK").ok();
    let duration =
        asked.as_deref().map_or(Duration::from_secs(20), |text| humantime::parse_duration(text).unwrap());
    let mut life = Life::new();
    let mjpeg = serve(Answer::Mjpeg(40, (96, 64)));
    let begun = Instant::now();
    let mut after: Vec<Held> = Vec::new();
    while begun.elapsed() < duration || after.len() < 4 {
        life.cycle(mjpeg);
        after.push(held());
        if after.len() % 10 == 1 || asked.is_none() {
            let seconds = begun.elapsed().as_secs();
            println!("{seconds:>6} s, cycle {:>4}: {:?}", after.len(), after.last().unwrap());
        }
    }
    let hours = life.frames as f64 / FPS / 3600.0;
    let (first, last) = (after[after.len() / 4], after[after.len() - 1]);
    let quarter = after.len() / 4;
    let early = median(after[quarter..=2 * quarter].iter().map(|held| held.resident));
    let late = median(after[after.len() - 1 - quarter..].iter().map(|held| held.resident));
    println!(
        "{} cycles, {hours:.1} h of video in {} s; threads {} -> {}, handles {} -> {}, memory {early} -> {late} KiB",
        after.len(),
        begun.elapsed().as_secs(),
        first.threads,
        last.threads,
        first.handles,
        last.handles
    );
    assert!(life.engine.stop(Duration::from_secs(10)) == 0, "no thread is stuck");
    let threads = after[1..].iter().map(|held| held.threads);
    assert!(threads.clone().max() <= threads.clone().min().map(|least| least + 2), "threads: {after:?}");
    assert!(last.handles <= after[1].handles + 2, "handles: {after:?}");
    if asked.is_some() {
        assert!(late as f64 <= early as f64 * 1.05, "memory grew: {early} -> {late} KiB");
    }
}
