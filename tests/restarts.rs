//! An RTSP server that dies and comes back again and again, with three cameras on it, beside sources that
//! must not notice.
//!
//! `PCOUNT_RESTARTS=50 cargo test --test restarts -- --nocapture` is the long one.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

#[path = "support/process.rs"]
mod process;
#[path = "support/rtsp.rs"]
#[allow(dead_code, reason = "each test binary uses its part")]
mod rtsp;
mod support;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use pcount::{
    config::{Cadence, ParallelConfig, SourceConfig},
    engine::{Control, Engine, EngineApi, EngineOptions},
    internals::{
        detect::Model,
        source::{Frame, FrameSource, Interrupt, Opener, SourceError, StreamInfo, SystemOpener},
    },
    model::{SourceId, SourceKind, SourceState},
};
use process::{Held, held, median};
use rtsp::RtspServer;
use support::{Walk, White, source};

const WAIT: Duration = Duration::from_mins(1);

/// Real cameras by their address; the others are drawn here, 25 frames a second, and counted as they are
/// given out.
struct Mixed {
    /// When the attempt that succeeded began and was through, by source.
    opened: Mutex<BTreeMap<SourceId, (Instant, Instant)>>,
    given: Arc<[AtomicU64; 3]>,
}

impl Opener for Mixed {
    fn open(
        &self,
        config: &SourceConfig,
        interrupt: &Interrupt,
    ) -> Result<Box<dyn FrameSource>, SourceError> {
        if let Some(number) = config.id.strip_prefix("other_") {
            let number: usize = number.parse().unwrap();
            let walk =
                if config.kind == SourceKind::Camera { Walk::camera(50) } else { Walk::file(u64::MAX, 50) };
            return Ok(Box::new(Steady {
                walk,
                given: Arc::clone(&self.given),
                number,
                next: Instant::now(),
            }));
        }
        let begun = Instant::now();
        let opened = SystemOpener::default().open(config, interrupt)?;
        self.opened.lock().insert(config.id.clone(), (begun, Instant::now()));
        Ok(opened)
    }
}

/// [`Walk`] at 25 frames a second.
struct Steady {
    walk: Walk,
    given: Arc<[AtomicU64; 3]>,
    number: usize,
    next: Instant,
}

impl FrameSource for Steady {
    fn info(&self) -> StreamInfo {
        self.walk.info()
    }
    fn grab(&mut self) -> Result<bool, SourceError> {
        std::thread::sleep(self.next.saturating_duration_since(Instant::now()));
        self.next += Duration::from_millis(40);
        let more = self.walk.grab()?;
        self.given[self.number].fetch_add(1, Ordering::SeqCst);
        Ok(more)
    }
    fn time(&self) -> f64 {
        self.walk.time()
    }
    fn retrieve(&mut self, size: &dyn Fn(u32, u32) -> (u32, u32)) -> Result<Frame, SourceError> {
        self.walk.retrieve(size)
    }
}

fn until(engine: &Engine, what: &str, condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        let states = || {
            let sources = engine.snapshot().sources;
            sources.iter().map(|s| (s.id.clone(), s.state.clone(), s.last_error.clone())).collect::<Vec<_>>()
        };
        assert!(begun.elapsed() < WAIT, "{what} did not happen: {:#?}", states());
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn cameras_come_back_as_often_as_their_server_and_nobody_else_notices() {
    // As the program does it.
    pcount::internals::native::process::limit_heaps();
    let asked = std::env::var("PCOUNT_RESTARTS").ok();
    let restarts: usize = asked.as_deref().map_or(4, |text| text.parse().unwrap());
    let Some(mut server) = RtspServer::start(&["--lifetime", "600"]) else { return };
    let port = server.port.to_string();
    let start = || RtspServer::start(&["--lifetime", "600", "--port", &port]).unwrap();
    let revive = |server: &mut RtspServer| {
        if server.has_died() {
            println!("the server has died by itself and is started again");
            *server = start();
        }
    };
    let given = Arc::new([AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0)]);
    let opener = Arc::new(Mixed { opened: Mutex::default(), given: Arc::clone(&given) });
    let settings = ParallelConfig { worker_count: 2, max_workers: 2, ..ParallelConfig::default() };
    let mut options = EngineOptions::new(settings);
    options.world().opener = Arc::clone(&opener) as Arc<dyn Opener>;
    let loaded = Arc::new(AtomicUsize::new(0));
    options.world().load_model = Box::new(move |_| Ok(White::new(&loaded) as Arc<dyn Model>));
    let engine = Engine::new(options).unwrap();
    let cameras: Vec<SourceId> = (0..3).map(|n| format!("camera_{n}").into()).collect();
    for id in &cameras {
        let mut camera = SourceConfig {
            id: id.clone(),
            cadence: Cadence::SkipFrames(0),
            open_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(3),
            ..SourceConfig::from_source_string(&server.address("", "/live"), &BTreeSet::new()).unwrap()
        };
        camera.retry.initial = Duration::from_millis(500);
        camera.retry.max = Duration::from_secs(2);
        engine.add_source(camera).unwrap();
    }
    for (number, kind) in [SourceKind::Camera, SourceKind::Camera, SourceKind::Video].into_iter().enumerate()
    {
        engine.add_source(source(&format!("other_{number}"), kind)).unwrap();
    }
    engine.start().unwrap();
    let shown = |id: &str| engine.snapshot().sources.iter().find(|s| &*s.id == id).cloned().unwrap();
    let running = |id: &SourceId| shown(id).state == SourceState::Running && shown(id).last_error.is_none();
    let first = RefCell::new(server);
    until(&engine, "the first pictures", || {
        revive(&mut first.borrow_mut());
        cameras.iter().all(|id| shown(id).frames > 0)
    });
    server = first.into_inner();

    // From the attempt that succeeded to the first picture counted, and how much of it FFmpeg took to open.
    let mut returns: Vec<(Duration, Duration)> = Vec::new();
    let mut after: Vec<Held> = Vec::new();
    for restart in 1..=restarts {
        server.kill();
        until(&engine, "the loss of the server", || cameras.iter().all(|id| !running(id)));
        let new = RefCell::new(start());
        let back = Instant::now();
        if restart % 2 == 0 {
            cameras.iter().for_each(|id| drop(engine.send(Control::restart(id.clone()))));
        }
        let frames: Vec<u64> = cameras.iter().map(|id| shown(id).frames).collect();
        let seen: RefCell<BTreeMap<SourceId, Instant>> = RefCell::default();
        until(&engine, "the return of the cameras", || {
            revive(&mut new.borrow_mut());
            for (id, before) in cameras.iter().zip(&frames) {
                if shown(id).frames > *before {
                    seen.borrow_mut().entry(id.clone()).or_insert_with(Instant::now);
                }
            }
            seen.borrow().len() == cameras.len()
        });
        server = new.into_inner();
        for id in &cameras {
            // The attempt that succeeded began when it was due and the server was there.
            let (begun, through) = opener.opened.lock()[id];
            assert!(through >= back);
            let due = begun.max(back);
            returns.push((seen.borrow()[id] - due, through - due));
        }
        let slowest = returns.iter().map(|(whole, _)| *whole).max().unwrap();
        after.push(held());
        if asked.is_some() || restart == restarts {
            println!("restart {restart:>2}: {:?}, slowest return so far {slowest:?}", after[after.len() - 1]);
        }
    }
    let others: Vec<_> = (0..3).map(|n| shown(&format!("other_{n}"))).collect();
    for (number, other) in others.iter().enumerate() {
        println!(
            "other_{number}: {} frames given, {} handled, {} dropped, {} errors, opened again {} times",
            given[number].load(Ordering::SeqCst),
            other.frames,
            other.dropped,
            other.errors,
            other.reconnects
        );
        assert_eq!((other.errors, other.reconnects), (0, 0), "other_{number}");
        assert_eq!(other.state, SourceState::Running);
    }
    assert_eq!(others[2].dropped, 0, "a file loses nothing");
    let (early, late) = (after[after.len().min(5) - 1], after[after.len() - 1]);
    println!("after restart {}: {early:?}; after restart {restarts}: {late:?}", after.len().min(5));
    assert!(late.threads <= early.threads, "threads: {after:?}");
    assert!(late.handles <= early.handles + 1, "handles: {after:?}");
    returns.sort_unstable();
    let (middle, slowest) = (returns[returns.len() / 2], returns[returns.len() - 1]);
    println!("return after the due attempt (of it opening): {middle:?} in the middle, {slowest:?} at most");
    if asked.is_some() {
        assert!(slowest.0 < Duration::from_secs(2), "{slowest:?}");
        assert_eq!(others.iter().map(|other| other.dropped).sum::<u64>(), 0, "frames of others were lost");
        let resident = |part: &[Held]| median(part.iter().map(|held| held.resident));
        let (early, late) = (resident(&after[4..9]), resident(&after[after.len() - 5..]));
        println!("memory from restart 5 on: {early} -> {late} KiB");
        assert!(late as f64 <= early as f64 * 1.02, "memory: {after:?}");
    }
    let started = Instant::now();
    assert_eq!(engine.stop(Duration::from_secs(10)), 0, "after {:?} a thread is stuck", started.elapsed());
}
