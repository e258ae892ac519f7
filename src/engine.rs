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
mod gate;
mod hung;
mod memory;
mod models;
mod need;
pub mod pipeline;
mod places;
pub mod preview;
mod runtime;
pub mod scheduler;
mod threads;
mod throttle;
mod zoom;

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
    aggregator::{Aggregator, Collected, Outbox, Sink},
    memory::{Decision, MemoryGuard},
    models::{LoadModel, Models},
    places::Places,
    runtime::{Run, SourceRuntime},
    scheduler::Scheduler,
    threads::Threads,
    throttle::Throttle,
};
use crate::{
    clock::{Clock, SystemClock},
    config::{LineConfig, ParallelConfig, SourceConfig, SourceKind, Strategy, ZoneConfig},
    count::replay::Paths,
    export::records::{Task, TaskResult, TaskStatus},
    metrics::{ProcessMeter, histogram::Histogram, stages::Spent},
    source::{Opener, SourceId, SystemOpener},
    store::{EngineSnapshot, Event, EventKind, LineCounts, Minute, Preview, SourceState, WorkerSnapshot},
};

/// How often rates, load and stalls are looked at.
const HOUSEKEEPING: Duration = Duration::from_millis(500);

/// What a front end can ask of the engine. None of it blocks.
#[derive(Debug, Clone)]
pub enum Control {
    /// Stop reading a source; its counts stay.
    Pause(SourceId),
    /// Go on reading.
    Resume(SourceId),
    /// Pause or resume every source.
    PauseAll(bool),
    /// Open again now: ends a countdown, re-reads a file from its start with its counts at zero.
    Restart(SourceId),
    /// Counts of the source back to zero.
    ResetCounts(SourceId),
    /// Stop and forget.
    Remove(SourceId),
    /// Add a source, enabled at once.
    Add(Box<SourceConfig>),
    /// Workers that may run at once, clamped to 1..=max_workers.
    SetWorkers(usize),
    /// Ask for (or stop) preview pictures of a source.
    Preview(SourceId, bool),
    /// Replace the counting lines and zones of a source; counts of lines that keep their name are kept.
    SetLines(SourceId, Vec<LineConfig>, Vec<ZoneConfig>),
}

/// What a front end needs of an engine; the real one and the fakes of the screen tests offer it.
pub trait EngineApi: Send + Sync {
    /// Everything that is shown, gathered without waiting.
    fn snapshot(&self) -> EngineSnapshot;
    /// Asks for something; never blocks.
    fn send(&self, control: Control);
    /// The latest preview picture, if one was asked for with [`Control::Preview`] and has been made.
    fn preview(&self, source: &str) -> Option<Arc<Preview>>;
    /// Minutes of history, oldest first, without holes (gaps are minutes that were not watched).
    fn history(&self, source: &str) -> Vec<Minute>;
    /// Configuration of a source as it runs now.
    fn source_config(&self, source: &str) -> Option<Arc<SourceConfig>>;
    /// The tracks of the last minutes, as of now.
    fn paths(&self, source: &str) -> Option<Paths> {
        let _ = source;
        None
    }
    /// CPU time by stage of one source since the start, in the order of a frame.
    fn stage_times(&self, source: &str) -> Vec<Spent> {
        let _ = source;
        Vec::new()
    }
}

/// How those fare who write down what is counted.
#[derive(Debug, Clone, Default)]
pub struct Health {
    /// What endangers counts or files at this moment, in words for the user.
    pub problems: Vec<String>,
    /// What the user should know besides.
    pub notices: Vec<String>,
    /// Events lost so far.
    pub lost: u64,
}

/// Tells the [`Health`] of the sinks, without waiting.
pub type AskHealth = dyn Fn() -> Health + Send + Sync;

/// The world an engine lives in.
pub struct EngineOptions {
    /// Settings of the program.
    pub settings: ParallelConfig,
    /// Opens sources.
    pub opener: Arc<dyn Opener>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Loads detection models.
    pub load_model: Box<LoadModel>,
    /// Who hears of results and events.
    pub sinks: Vec<Box<dyn Sink>>,
    /// Counts to go on from, by source: what was counted before a restart of the program.
    pub restored: Vec<(SourceId, Vec<LineCounts>)>,
    /// How the sinks fare, when somebody knows.
    pub health: Option<Arc<AskHealth>>,
    /// How many log lines were lost so far, when somebody knows.
    pub log_lines_lost: Option<Arc<dyn Fn() -> u64 + Send + Sync>>,
}

impl EngineOptions {
    /// The real world, without sinks.
    #[must_use]
    pub fn new(settings: ParallelConfig) -> Self {
        let (models, contexts, engine) = (settings.models.clone(), settings.max_workers, settings.engine);
        Self {
            settings,
            opener: Arc::new(SystemOpener),
            clock: Arc::new(SystemClock),
            load_model: Box::new(move |choice| crate::detect::load(choice, &models, contexts, engine)),
            sinks: Vec::new(),
            restored: Vec::new(),
            health: None,
            log_lines_lost: None,
        }
    }
}

/// Why the engine refuses something.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Ids are unique.
    #[error("there is a source with the id '{0}' already; give this one another id")]
    DuplicateId(SourceId),
    /// The source string cannot be understood.
    #[error("{0}")]
    Source(String),
    /// The system refuses threads.
    #[error("the worker pool cannot be started: {0}")]
    Pool(#[from] rayon::ThreadPoolBuildError),
    /// The system refuses threads.
    #[error("a thread cannot be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// What all sources share.
pub(crate) struct Core {
    opener: Arc<dyn Opener>,
    clock: Arc<dyn Clock>,
    models: Models,
    scheduler: Scheduler,
    outbox: Arc<Outbox>,
    generation: Arc<AtomicU64>,
    threads: Arc<Threads>,
    /// Capture threads left behind in native code that have not come back.
    stuck: AtomicUsize,
    /// Runs that were abandoned, as long as their threads may be found to hang.
    abandoned: Mutex<Vec<(Arc<SourceRuntime>, Arc<Run>)>>,
    places: Places,
    history: Duration,
    frame_age: Histogram,
}

impl Core {
    /// Gives the place of a file that is over to the next one that waits.
    fn release_place(&self, source: &SourceRuntime) {
        if source.holds_place.swap(false, Ordering::SeqCst) {
            self.places.release();
        }
    }

    /// Takes a source from a run of its capture thread. The thread ends by itself, or is found to hang.
    fn give_over(&self, source: &Arc<SourceRuntime>, run: Arc<Run>) {
        run.abandon();
        self.abandoned.lock().push((Arc::clone(source), run));
    }
}

/// Share of the time between two looks that went into something, from its sum of nanoseconds.
#[derive(Debug, Clone, Copy, Default)]
struct Share {
    before: u64,
    share: f32,
}

impl Share {
    fn measure(&mut self, now: u64) {
        self.share = (now.saturating_sub(self.before) as f32 / HOUSEKEEPING.as_nanos() as f32).min(1.0);
        self.before = now;
    }
}

/// How much one worker works.
#[derive(Debug, Clone, Copy, Default)]
struct WorkerLoad {
    busy: Share,
    cpu: Share,
}

struct Inner {
    core: Arc<Core>,
    settings: ParallelConfig,
    sources: RwLock<Vec<Arc<SourceRuntime>>>,
    numbers: AtomicUsize,
    restored: Mutex<Vec<(SourceId, Vec<LineCounts>)>>,
    collected: Arc<Collected>,
    health: Option<Arc<AskHealth>>,
    log_lines_lost: Option<Arc<dyn Fn() -> u64 + Send + Sync>>,
    process: Mutex<ProcessMeter>,
    loads: Mutex<Vec<WorkerLoad>>,
    throttle: Mutex<Throttle>,
    memory: Mutex<MemoryGuard>,
    started: AtomicBool,
    stopping: Arc<AtomicBool>,
    begun_at: Instant,
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
            generation: Arc::default(),
            threads: Arc::default(),
            stuck: AtomicUsize::new(0),
            abandoned: Mutex::default(),
            places: Places::new(settings.max_open_sources),
            history: settings.history,
            frame_age: Histogram::default(),
            clock,
        };
        let begun_at = core.clock.now();
        let loads = vec![WorkerLoad::default(); core.scheduler.workers().len()];
        Ok(Self {
            inner: Arc::new(Inner {
                core: Arc::new(core),
                settings,
                sources: RwLock::default(),
                numbers: AtomicUsize::new(0),
                restored: Mutex::new(restored),
                collected,
                health,
                log_lines_lost,
                process: Mutex::default(),
                loads: Mutex::new(loads),
                throttle: Mutex::default(),
                memory: Mutex::default(),
                started: AtomicBool::new(false),
                stopping,
                begun_at,
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

    /// Adds a source with all its settings. It begins at once when the engine has started.
    ///
    /// # Errors
    /// When the id is taken.
    pub fn add_source(&self, config: SourceConfig) -> Result<(), EngineError> {
        let inner = &self.inner;
        let mut sources = inner.sources.write();
        if sources.iter().any(|known| known.id == config.id) {
            return Err(EngineError::DuplicateId(config.id));
        }
        let mut counts = {
            let mut restored = inner.restored.lock();
            let known = restored.iter().position(|(id, _)| *id == config.id);
            known.map(|index| restored.swap_remove(index).1).unwrap_or_default()
        };
        if config.kind == SourceKind::Video && !counts.is_empty() {
            // A file is counted anew by every run, also when it was removed and comes again.
            counts.clear();
            let (wall, source) = (inner.core.clock.wall(), config.id.clone());
            inner.core.outbox.event(Event { wall, source, kind: EventKind::Reset });
        }
        let enabled = config.enabled;
        let number = inner.numbers.fetch_add(1, Ordering::SeqCst);
        let source = SourceRuntime::new(number, config, &counts, Arc::clone(&inner.core));
        sources.push(Arc::clone(&source));
        let count = sources.len();
        drop(sources);
        if inner.settings.strategy == Strategy::Dedicated {
            inner.core.scheduler.set_limit(count.max(inner.core.scheduler.limit()));
        }
        inner.core.generation.fetch_add(1, Ordering::Relaxed);
        if enabled && inner.started.load(Ordering::SeqCst) {
            self.begin(&source);
        }
        Ok(())
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
            self.begin(source);
        }
        Ok(())
    }

    /// Ends everything: signals every worker and capture thread, waits for them at most `timeout`, passes on
    /// the final results and closes the sinks. Gives the number of threads that are stuck in native code
    /// and were left behind.
    pub fn stop(&self, timeout: Duration) -> usize {
        let inner = &self.inner;
        if inner.stopping.load(Ordering::SeqCst) {
            return 0;
        }
        let deadline = Instant::now() + timeout;
        let left = || deadline.saturating_duration_since(Instant::now());
        inner.core.places.close();
        let sources = self.sources();
        for source in &sources {
            source.dismiss();
        }
        inner.core.scheduler.wait_idle(left());
        for source in &sources {
            source.finish();
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

    /// The latest result of every source that has reported.
    #[must_use]
    pub fn results(&self) -> Vec<TaskResult> {
        self.inner.collected.results()
    }

    /// The latest result of one source.
    #[must_use]
    pub fn result(&self, source: &str) -> Option<TaskResult> {
        self.inner.collected.result(source)
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
        self.sources().iter().all(|source| source.cell.load().state.is_over())
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
        self.inner.sources.read().clone()
    }

    fn source(&self, id: &str) -> Option<Arc<SourceRuntime>> {
        self.inner.sources.read().iter().find(|source| &*source.id == id).cloned()
    }

    /// Opens a camera at once, a file when there is a place for it.
    fn begin(&self, source: &Arc<SourceRuntime>) {
        let needs_place = source.cell.load().kind == SourceKind::Video;
        if needs_place && !source.holds_place.load(Ordering::SeqCst) {
            self.inner.core.places.take(source);
        } else if !source.begin() {
            self.inner.core.release_place(source);
        }
    }

    fn housekeep(&self) {
        for source in self.sources() {
            source.relieve();
            source.measure();
        }
        // Taken out, so that nobody waits for this lock while threads are looked at.
        let abandoned = std::mem::take(&mut *self.inner.core.abandoned.lock());
        let undecided = abandoned.into_iter().filter(|(source, run)| source.watch_abandoned(run));
        let undecided: Vec<_> = undecided.collect();
        self.inner.core.abandoned.lock().extend(undecided);
        self.inner.process.lock().sample();
        self.throttle();
        self.keep_memory();
        let workers = self.inner.core.scheduler.workers();
        for (worker, load) in workers.iter().zip(self.inner.loads.lock().iter_mut()) {
            load.busy.measure(worker.busy.load(Ordering::Relaxed));
            load.cpu.measure(worker.cpu.load(Ordering::Relaxed));
        }
        self.inner.core.generation.fetch_add(1, Ordering::Relaxed);
    }

    /// Makes detections rarer under overload, then frames, and both as frequent as configured after it.
    fn throttle(&self) {
        let live: Vec<_> = self
            .sources()
            .into_iter()
            .filter_map(|source| source.load().map(|load| (source, load)))
            .collect();
        let loads: Vec<_> = live.iter().map(|(_, load)| *load).collect();
        let rss = self.inner.process.lock().latest().rss;
        let memory_short = self.inner.settings.memory_limit.is_some_and(|limit| rss > limit);
        let (shares, cause) = {
            let mut throttle = self.inner.throttle.lock();
            (throttle.shares(&loads, memory_short, self.inner.core.clock.now()), throttle.cause())
        };
        for ((source, _), share) in live.iter().zip(shares) {
            source.set_shares(share, cause);
        }
    }

    /// Closes the least important camera when the memory limit is near, and opens it again when there is room.
    fn keep_memory(&self) {
        let Some(limit) = self.inner.settings.memory_limit else { return };
        let sources = self.sources();
        let cameras: Vec<_> = sources.iter().filter_map(|source| source.memory()).collect();
        let rss = self.inner.process.lock().latest().rss;
        let decision = self.inner.memory.lock().decide(rss, limit, &cameras, self.inner.core.clock.now());
        let find = |number| sources.iter().find(|source| source.number == number);
        match decision {
            Decision::Keep => {}
            Decision::Close(number) => {
                if let Some(source) = find(number) {
                    source.close_for_memory(limit);
                }
            }
            Decision::Open(number) => {
                if let Some(source) = find(number) {
                    self.begin(source);
                }
            }
        }
    }

    fn pause(&self, source: &Arc<SourceRuntime>, paused: bool) {
        let state = source.cell.load().state.clone();
        if state.is_over() {
            return;
        }
        source.run.load().control.pause(paused);
    }

    fn restart(&self, source: &Arc<SourceRuntime>) {
        let (shown, run) = (source.cell.load(), source.run.load_full());
        run.control.pause(false);
        if shown.kind == SourceKind::Video {
            self.inner.core.places.forget(source);
            self.inner.core.give_over(source, run);
            source.rewind();
            self.begin(source);
        } else if shown.state.is_over() || shown.state == SourceState::Queued {
            self.begin(source);
        } else {
            run.control.restart();
        }
    }

    fn remove(&self, source: &Arc<SourceRuntime>) {
        self.inner.sources.write().retain(|known| !Arc::ptr_eq(known, source));
        self.inner.core.places.forget(source);
        source.dismiss();
        source.finish();
        self.inner.core.release_place(source);
        // Counts belong to the id: whoever adds it again goes on from them, as after a restart.
        let lines = source.cell.load().lines.clone();
        self.inner.restored.lock().push((source.id.clone(), lines));
        tracing::info!(camera = %source.id, "Removed");
    }
}

impl EngineApi for Engine {
    fn snapshot(&self) -> EngineSnapshot {
        let inner = &self.inner;
        let scheduler = &inner.core.scheduler;
        let limit = scheduler.limit();
        let loads = inner.loads.lock().clone();
        let workers = scheduler
            .workers()
            .iter()
            .zip(loads)
            .enumerate()
            .map(|(index, (worker, load))| WorkerSnapshot {
                number: index + 1,
                enabled: index < limit,
                source: worker.source.lock().clone(),
                frames: worker.done.load(Ordering::Relaxed),
                busy: load.busy.share,
                cpu: load.cpu.share,
                looks: worker.looks.load(Ordering::Relaxed),
                errors: worker.errors.load(Ordering::Relaxed),
                restarts: worker.restarts.load(Ordering::Relaxed),
            })
            .collect();
        let queue = scheduler.waiting();
        let process = inner.process.lock().latest();
        let Health { problems, mut notices, lost: events_lost } =
            inner.health.as_ref().map(|ask| ask()).unwrap_or_default();
        notices.extend(inner.core.models.notices());
        EngineSnapshot {
            sources: inner.sources.read().iter().map(|source| source.cell.load()).collect(),
            workers,
            worker_count: limit,
            max_workers: inner.settings.max_workers,
            queue_pending: queue.len() + inner.core.places.waiting(),
            queue,
            strategy: inner.settings.strategy,
            detector: inner.core.models.names(),
            problems,
            notices,
            events: inner.collected.recent(),
            events_lost,
            log_lines_lost: inner.log_lines_lost.as_ref().map_or(0, |lost| lost()),
            cpu: process.cpu,
            rss: process.rss,
            memory_limit: inner.settings.memory_limit,
            stuck_threads: inner.core.stuck.load(Ordering::SeqCst),
            uptime: inner.core.clock.now().saturating_duration_since(inner.begun_at),
            generation: inner.core.generation.load(Ordering::Relaxed),
        }
    }

    fn send(&self, control: Control) {
        let with = |id: &SourceId, act: &dyn Fn(&Arc<SourceRuntime>)| {
            if let Some(source) = self.source(id) {
                act(&source);
            }
        };
        match control {
            Control::Pause(id) => with(&id, &|source| self.pause(source, true)),
            Control::Resume(id) => with(&id, &|source| self.pause(source, false)),
            Control::PauseAll(paused) => self.sources().iter().for_each(|source| self.pause(source, paused)),
            Control::Restart(id) => with(&id, &|source| self.restart(source)),
            Control::ResetCounts(id) => with(&id, &|source| source.reset_counts()),
            Control::Remove(id) => with(&id, &|source| self.remove(source)),
            Control::Add(config) => {
                if let Err(error) = self.add_source(*config) {
                    tracing::error!("{error}");
                }
            }
            Control::SetWorkers(workers) => {
                let workers = self.inner.core.scheduler.set_limit(workers);
                tracing::info!("{workers} workers");
            }
            Control::Preview(id, wanted) => with(&id, &|source| {
                source.preview_wanted.store(wanted, Ordering::Relaxed);
                if !wanted {
                    source.preview.store(None);
                }
            }),
            Control::SetLines(id, lines, zones) => {
                with(&id, &|source| source.set_lines(lines.clone(), zones.clone()));
            }
        }
        self.inner.core.generation.fetch_add(1, Ordering::Relaxed);
    }

    fn preview(&self, source: &str) -> Option<Arc<Preview>> {
        self.source(source)?.preview.load_full()
    }

    fn history(&self, source: &str) -> Vec<Minute> {
        self.source(source).map(|source| source.history.lock().minutes()).unwrap_or_default()
    }

    fn source_config(&self, source: &str) -> Option<Arc<SourceConfig>> {
        Some(self.source(source)?.config())
    }

    fn paths(&self, source: &str) -> Option<Paths> {
        Some(self.source(source)?.paths.lock().clone())
    }

    fn stage_times(&self, source: &str) -> Vec<Spent> {
        self.source(source).map(|source| source.stages.spent()).unwrap_or_default()
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
