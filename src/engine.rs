//! The engine: a cheap handle on the capture threads, the worker pool and the state store.
//!
//! Front ends, tests and the benchmark use [`Engine`] and nothing below it.
//!
//! ```no_run
//! use pcount::{config::ParallelConfig, engine::{Engine, EngineOptions}};
//! use std::time::Duration;
//!
//! let settings = ParallelConfig { worker_count: 2, ..ParallelConfig::default() };
//! let engine = Engine::new(EngineOptions::new(settings))?;
//! engine.add_camera("rtsp://192.0.2.7/stream", "entrance")?;
//! engine.add_video("monday.mp4", "monday")?;
//! engine.start();
//! std::thread::sleep(Duration::from_secs(60));
//! for result in engine.results() {
//!     println!("{}: {} in, {} out", result.camera_id, result.total_in, result.total_out);
//! }
//! println!("{} sources", engine.statistics().sources.len());
//! engine.stop(Duration::from_secs(2));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod aggregator;
mod api;
mod front;
mod housekeeping;
mod memory;
mod models;
pub mod pipeline;
mod places;
pub mod preview;
mod registry;
mod reply;
mod runtime;
pub mod scheduler;
mod threads;
mod throttle;

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::{Mutex, RwLock};

use self::{
    aggregator::{Aggregator, Collected, Outbox},
    housekeeping::{HOUSEKEEPING, WorkerLoad},
    memory::MemoryGuard,
    models::Models,
    places::Places,
    registry::Registry,
    runtime::{Command, SourceRuntime},
    scheduler::Scheduler,
    threads::Threads,
    throttle::Throttle,
};
pub use self::{
    api::{AskHealth, Control, EngineApi, EngineError, EngineOptions},
    reply::{Answer, Outcome, Reply},
};
use crate::{
    clock::{Clock, Start},
    config::{Hwaccel, ParallelConfig, SourceConfig},
    metrics::{ProcessMeter, histogram::Histogram},
    model::{EngineSnapshot, LineCounts, Moment, SourceId, SourceKind, Task, TaskResult, TaskStatus},
    source::{Opener, turns::Turns},
};

/// What all sources share.
pub(crate) struct Core {
    opener: Arc<dyn Opener>,
    clock: Arc<dyn Clock>,
    /// Where moments are counted from.
    start: Start,
    models: Models,
    scheduler: Scheduler,
    turns: Turns,
    outbox: Arc<Outbox>,
    /// Counts to go on from, by source: of before a restart of the program, or of a source that was removed.
    restored: Mutex<Vec<(SourceId, Vec<LineCounts>)>>,
    generation: Arc<AtomicU64>,
    threads: Arc<Threads>,
    places: Places,
    history: Duration,
    /// Kind of device that decodes sources which name none.
    hwaccel: Hwaccel,
    frame_age: Histogram,
}

impl Core {
    /// The moment of `at`.
    fn moment(&self, at: Instant) -> Moment {
        self.start.moment(at)
    }

    /// Whether the program went on less than `time` ago after it had stood still.
    fn is_awakening(&self, time: Duration) -> bool {
        let since = |at| self.clock.now().saturating_duration_since(at);
        self.clock.awoke().is_some_and(|at| since(at) < time)
    }

    /// Gives the place of a file that is over to the next one that waits.
    fn release_place(&self, source: &SourceRuntime) {
        if source.holds_place.swap(false, Ordering::SeqCst) {
            self.places.release();
        }
    }
}

struct Inner {
    core: Arc<Core>,
    settings: ParallelConfig,
    registry: RwLock<Registry>,
    numbers: AtomicUsize,
    collected: Arc<Collected>,
    health: Option<Arc<AskHealth>>,
    log_lines_lost: Option<Arc<dyn Fn() -> u64 + Send + Sync>>,
    process: Mutex<ProcessMeter>,
    loads: Mutex<Vec<WorkerLoad>>,
    throttle: Mutex<Throttle>,
    memory: Mutex<MemoryGuard>,
    started: AtomicBool,
    /// Nothing is begun any more.
    ending: AtomicBool,
    /// Nothing is reported any more.
    stopping: Arc<AtomicBool>,
    helpers: Mutex<Vec<std::thread::JoinHandle<()>>>,
}

/// A handle on a running engine. Clones are handles on the same engine.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

impl Engine {
    /// An engine with its worker pool and result handler, and no source yet.
    ///
    /// # Errors
    /// When the system refuses threads.
    pub fn new(options: EngineOptions) -> Result<Self, EngineError> {
        let EngineOptions { settings, opener, clock, load_model, sinks, restored, health, log_lines_lost } =
            options;
        crate::clock::watch();
        // OpenCV's own threads would multiply with the workers'.
        let _ = opencv::core::set_num_threads(1);
        let scheduler = Scheduler::new(settings.worker_count, settings.max_workers, settings.strategy)?;
        let (aggregator, outbox, collected) = Aggregator::new(sinks);
        let stopping = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stopping);
        let handler = std::thread::Builder::new()
            .name("results".into())
            .spawn(move || aggregator.run(&|| stopped.load(Ordering::SeqCst)))?;
        let core = Core {
            opener,
            models: Models::new(settings.detector.clone(), load_model),
            scheduler,
            outbox,
            restored: Mutex::new(restored),
            generation: Arc::default(),
            threads: Arc::default(),
            places: Places::new(settings.max_open_sources),
            history: settings.history,
            hwaccel: settings.hwaccel,
            frame_age: Histogram::default(),
            start: Start::new(clock.now()),
            clock,
            turns: Turns::new(std::thread::available_parallelism().map_or(1, usize::from)),
        };
        let loads = vec![WorkerLoad::default(); core.scheduler.workers().len()];
        let mut process = ProcessMeter::default();
        process.sample();
        Ok(Self {
            inner: Arc::new(Inner {
                core: Arc::new(core),
                settings,
                registry: RwLock::default(),
                numbers: AtomicUsize::new(0),
                collected,
                health,
                log_lines_lost,
                process: Mutex::new(process),
                loads: Mutex::new(loads),
                throttle: Mutex::default(),
                memory: Mutex::default(),
                started: AtomicBool::new(false),
                ending: AtomicBool::new(false),
                stopping,
                helpers: Mutex::new(vec![handler]),
            }),
        })
    }

    /// Adds a camera by its address.
    ///
    /// # Errors
    /// When the address cannot be understood or the id is taken.
    pub fn add_camera(&self, url: &str, id: &str) -> Result<(), EngineError> {
        self.add_named(url, id, SourceKind::Camera)
    }

    /// Adds a video by its path.
    ///
    /// # Errors
    /// When the id is taken.
    pub fn add_video(&self, path: &str, id: &str) -> Result<(), EngineError> {
        self.add_named(path, id, SourceKind::Video)
    }

    fn add_named(&self, text: &str, id: &str, kind: SourceKind) -> Result<(), EngineError> {
        let named = SourceConfig::from_source_string(text, &BTreeSet::new()).map_err(EngineError::Source)?;
        self.add_source(SourceConfig { id: id.into(), alias: id.to_owned(), kind, ..named })
    }

    /// Adds a source with all its settings. It begins at once when the engine has started; where one of the same id is
    /// still being removed, as soon as that is done.
    ///
    /// # Errors
    /// When the id is taken or cannot be one, or the engine has ended.
    pub fn add_source(&self, config: SourceConfig) -> Result<(), EngineError> {
        match self.send(Control::Add(Box::new(config))).poll() {
            // It is there, says so itself, and is tried again.
            None | Some(Err(EngineError::NotOpened { .. })) => Ok(()),
            Some(outcome) => outcome,
        }
    }

    /// Starts all enabled sources. Cheap: models and streams are opened behind it.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn start(&self) -> Result<(), EngineError> {
        if self.inner.started.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        let engine = self.clone();
        let housekeeper = std::thread::Builder::new().name("housekeeping".into()).spawn(move || {
            while !engine.inner.stopping.load(Ordering::SeqCst) {
                engine.housekeep();
                std::thread::park_timeout(HOUSEKEEPING);
            }
        })?;
        self.inner.helpers.lock().push(housekeeper);
        let mut sources = self.sources();
        sources.sort_by_key(|source| std::cmp::Reverse(source.config().priority));
        for source in sources.iter().filter(|source| source.config().enabled) {
            // What comes of it is its state.
            source.open();
        }
        Ok(())
    }

    /// Ends everything: signals every worker and capture thread, waits for them at most `timeout`, passes on
    /// the final results and closes the sinks. Gives the number of threads that are stuck in native code
    /// and were left behind.
    pub fn stop(&self, timeout: Duration) -> usize {
        let inner = &self.inner;
        if inner.ending.swap(true, Ordering::SeqCst) {
            return 0;
        }
        let deadline = Instant::now() + timeout;
        let left = || deadline.saturating_duration_since(Instant::now());
        inner.core.places.close();
        let sources = inner.registry.read().all();
        for source in &sources {
            source.dismiss();
        }
        inner.core.scheduler.wait_idle(left());
        let finishing: Vec<_> = sources
            .iter()
            .map(|source| {
                let (answer, reply) = Answer::new();
                source.ask(Command::Finish, answer);
                (source, reply)
            })
            .collect();
        for (source, reply) in finishing {
            if reply.wait(left()).is_none() {
                tracing::warn!(camera = %source.id, "Its detection run did not end in time: what it finds is not counted");
                source.report();
            }
        }
        let stuck = inner.core.threads.wait(left());
        if stuck > 0 {
            tracing::warn!(
                "{stuck} capture threads did not come back from the decoder in time and are left behind"
            );
        }
        inner.core.outbox.sync(left().max(Duration::from_millis(500)));
        inner.stopping.store(true, Ordering::SeqCst);
        for helper in inner.helpers.lock().drain(..) {
            helper.thread().unpark();
            if helper.join().is_err() {
                tracing::error!("A helper thread of the engine panicked");
            }
        }
        stuck
    }

    /// The latest result of every source that is there and has reported.
    #[must_use]
    pub fn results(&self) -> Vec<TaskResult> {
        let sources = self.sources();
        let is_there = |result: &TaskResult| sources.iter().any(|source| source.task_id == result.task_id);
        self.inner.collected.results().into_iter().filter(is_there).collect()
    }

    /// The latest result of one source that is there.
    #[must_use]
    pub fn result(&self, source: &str) -> Option<TaskResult> {
        let there = self.source(source)?;
        self.inner.collected.result(source).filter(|result| result.task_id == there.task_id)
    }

    /// Everything that is shown: sources, workers, queue, totals.
    #[must_use]
    pub fn statistics(&self) -> EngineSnapshot {
        self.snapshot()
    }

    /// All sources as tasks, in the order they were added.
    #[must_use]
    pub fn tasks(&self) -> Vec<Task> {
        self.sources().iter().map(|source| task(source)).collect()
    }

    /// Whether every source has ended and been reported.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let registry = self.inner.registry.read();
        registry.leaving.is_empty()
            && registry.sources.iter().all(|source| source.cell.load().state.is_over())
    }

    /// Waits until everything reported so far has reached the sinks; `false` when `timeout` passed first.
    pub fn sync(&self, timeout: Duration) -> bool {
        self.inner.core.outbox.sync(timeout)
    }

    /// Time from the decoder to the counts, of all frames of all sources.
    #[must_use]
    pub fn frame_age(&self) -> &Histogram {
        &self.inner.core.frame_age
    }

    fn sources(&self) -> Vec<Arc<SourceRuntime>> {
        self.inner.registry.read().sources.clone()
    }

    fn source(&self, id: &str) -> Option<Arc<SourceRuntime>> {
        self.inner.registry.read().find(id)
    }
}

fn task(source: &SourceRuntime) -> Task {
    let (config, shown) = (source.config(), source.cell.load());
    Task {
        task_id: source.task_id.clone(),
        kind: config.kind,
        source: config.source.to_string(),
        config: serde_json::json!({
            "alias": config.alias,
            "location": config.location,
            "threshold": config.threshold,
            "enabled": config.enabled,
            "lines": config.lines,
            "zones": config.zones,
        }),
        priority: config.priority,
        status: TaskStatus::from(&shown.state),
    }
}
