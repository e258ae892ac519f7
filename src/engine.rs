//! The engine: a cheap handle on the capture threads, the worker pool and the state store.
//!
//! Front ends, tests and the benchmark use [`Engine`] and nothing below it. This is `examples/count.rs`:
//!
//! ```no_run
#![doc = include_str!("../examples/count.rs")]
//! ```
//!
//! **What blocks.** Nothing that is asked of a running engine waits for a detection run, a camera or a disk. What waits
//! says how long at most: [`Engine::add_source`] and its like and [`Engine::start`] (2 s), [`Engine::stop`],
//! [`Engine::sync`], [`Reply::wait`], [`Subscription::next_within`]. The engine may be asked by many threads at once.
//!
//! **Threads.** The engine has its own: a capture thread for each open source, `max_workers` workers, a coordinator, and
//! a result handler. [`Sink`]s are called by the result handler alone and may wait for a disk; while they do, results wait
//! (65,536 of them, then files wait and cameras lose frames). [`AskHealth`] is called by the thread that takes a snapshot.
//!
//! **Order.** Events and results pass through the result handler, which numbers the events of all sources from 1: where a
//! number is left out, an event was lost. Those of one source come in the order in which they happened; between sources
//! there is none. [`Sink`]s get an event before [`Subscription`]s do, under the same number. No crossing comes twice.
//!
//! **The life of an id.** The id of a source is the user's; no two sources of one engine have the same. When a
//! source has been removed ([`Control::Remove`]), its id may be added again: a camera then goes on from the counts that it
//! had at its removal (at first, from those in [`EngineOptions::restored`]), a video begins at zero. It is a new source all
//! the same, with a `task_id` of its own; a `task_id` is never used twice in one engine and means nothing in another.

mod aggregator;
mod api;
pub(crate) mod areas;
mod coordinator;
mod core;
mod counters;
mod error;
mod front;
mod heartbeat;
mod load;
mod message;
mod order;
pub(crate) mod pipeline;
mod pool;
mod reply;
mod roster;
mod source;
mod subscription;
mod threads;

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use crossbeam_channel::Sender;
use parking_lot::Mutex;

pub(crate) use self::source::preview;
pub use self::{
    aggregator::Sink,
    api::{AskHealth, Control, EngineApi, EngineOptions},
    counters::{Metrics, SourceMetrics},
    error::EngineError,
    heartbeat::Heartbeat,
    reply::{Answer, Outcome, Reply},
    source::commands::{self, SourceCommand},
    subscription::Subscription,
};
use self::{
    aggregator::{Aggregator, Collected},
    api::World,
    areas::Areas,
    coordinator::{Coordinator, Earlier},
    core::Core,
    heartbeat::Rounds,
    order::Order,
    pool::{models::Models, scheduler::Scheduler},
    roster::Roster,
    source::{Command, Source},
};
pub use crate::metrics::{
    buckets::Durations,
    stages::{Stage, StageTime},
};
use crate::{
    clock::Start,
    config::{ParallelConfig, SourceConfig},
    metrics::{buckets::Buckets, histogram::Histogram},
    model::{EngineSnapshot, SourceKind, Task, TaskResult, TaskStatus},
    source::decode_scheduler::DecodeScheduler,
};

/// An addition is known to be accepted or refused after this long; it waits longer only for a source of the same id
/// that is still being removed.
const ADDITION: Duration = Duration::from_secs(2);

struct Inner {
    core: Arc<Core>,
    orders: Sender<Order>,
    roster: Arc<ArcSwap<Roster>>,
    settings: ParallelConfig,
    collected: Arc<Collected>,
    health: Option<Arc<AskHealth>>,
    log_lines_lost: Option<Arc<dyn Fn() -> u64 + Send + Sync>>,
    /// Held by every answer that is owed.
    asked: Arc<()>,
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
        let EngineOptions {
            settings,
            sinks,
            restored,
            scenes,
            areas,
            evidence,
            health,
            log_lines_lost,
            world,
        } = options;
        let World { opener, clock, load_model } = world;
        crate::clock::watch();
        // OpenCV's own threads would multiply with the workers'.
        let _ = opencv::core::set_num_threads(1);
        let scheduler = Scheduler::new(settings.worker_count, settings.max_workers, settings.strategy)
            .map_err(|error| EngineError::Pool(error.to_string()))?;
        let rounds = Arc::<Rounds>::default();
        let generation = Arc::<AtomicU64>::default();
        let zone = settings.timezone.clone();
        let areas = Areas::new(Arc::clone(&clock), zone, areas, Arc::clone(&generation));
        let (aggregator, outbox, collected) = Aggregator::new(sinks, Arc::clone(&rounds), areas);
        outbox.areas(settings.areas.clone());
        let stopping = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stopping);
        let handler = std::thread::Builder::new()
            .name("results".into())
            .spawn(move || aggregator.run(&|| stopped.load(Ordering::SeqCst)))
            .map_err(EngineError::Thread)?;
        let (coordinator, messages) = crossbeam_channel::unbounded();
        let (orders, wanted) = crossbeam_channel::unbounded();
        let core = Arc::new(Core {
            opener,
            models: Models::new(settings.detector.clone(), load_model),
            scheduler,
            outbox,
            coordinator,
            usage: ArcSwap::default(),
            acknowledged: ArcSwap::default(),
            areas: Arc::clone(&collected.areas),
            waiting_files: AtomicUsize::new(0),
            generation,
            threads: Arc::default(),
            rounds,
            history: settings.history,
            timezone: settings.timezone.clone(),
            hwaccel: settings.hwaccel,
            frame_age: Histogram::default(),
            frame_ages: Buckets::default(),
            detection: Buckets::default(),
            counters: Arc::clone(&collected.counters),
            evidence,
            start: Start::new(clock.now()),
            clock,
            decode_scheduler: DecodeScheduler::new(
                std::thread::available_parallelism().map_or(1, usize::from),
            ),
        });
        let roster = Arc::<ArcSwap<Roster>>::default();
        let published = Arc::clone(&roster);
        let coordinator = Coordinator::new(
            Arc::clone(&core),
            settings.clone(),
            Earlier { restored, scenes },
            (wanted, messages),
            published,
        );
        let coordinator = std::thread::Builder::new()
            .name("coordinator".into())
            .spawn(move || coordinator.run())
            .map_err(EngineError::Thread)?;
        Ok(Self {
            inner: Arc::new(Inner {
                core,
                orders,
                roster,
                settings,
                collected,
                health,
                log_lines_lost,
                asked: Arc::default(),
                ending: AtomicBool::new(false),
                stopping,
                helpers: Mutex::new(vec![handler, coordinator]),
            }),
        })
    }

    /// Adds a camera by its address (`rtsp://..`, `http://..`, a device's number or path), as [`Self::add_source`] does, with
    /// the default settings: one line across the middle of the frame.
    ///
    /// # Errors
    /// When the address cannot be understood, the id is taken or cannot be one, or the engine has ended.
    pub fn add_camera(&self, url: &str, id: &str) -> Result<(), EngineError> {
        self.add_named(url, id, SourceKind::Camera)
    }

    /// Adds a video by its path or as a scene that is drawn (`demo:street?seconds=30`), as [`Self::add_camera`] does. It is read
    /// as fast as it can be, without losing a frame.
    ///
    /// # Errors
    /// When the path cannot be understood, the id is taken or cannot be one, or the engine has ended.
    pub fn add_video(&self, path: &str, id: &str) -> Result<(), EngineError> {
        self.add_named(path, id, SourceKind::Video)
    }

    fn add_named(&self, text: &str, id: &str, kind: SourceKind) -> Result<(), EngineError> {
        let named = SourceConfig::from_source_string(text, &BTreeSet::new()).map_err(EngineError::Source)?;
        self.add_source(SourceConfig { id: id.into(), alias: id.to_owned(), kind, ..named })
    }

    /// Adds a source with all its settings. It begins at once when the engine has started; where one of the same id is
    /// still being removed, as soon as that is done. Waits until the source is there, at most two seconds.
    ///
    /// # Errors
    /// When the id is taken or cannot be one, or the engine has ended. That a source cannot be opened is none: it shows
    /// that as its state, and a camera is tried again.
    pub fn add_source(&self, config: SourceConfig) -> Result<(), EngineError> {
        match self.send(Control::Add(Box::new(config))).wait(ADDITION) {
            // It is there, says so itself, and is tried again.
            None | Some(Err(EngineError::NotOpened { .. })) => Ok(()),
            Some(outcome) => outcome,
        }
    }

    /// Starts all enabled sources. Cheap: models and streams are opened behind it; waits at most two seconds.
    ///
    /// # Errors
    /// When the engine has ended.
    pub fn start(&self) -> Result<(), EngineError> {
        let (answer, reply) = self.answer();
        self.order(Order::Start(answer));
        reply.wait(ADDITION).unwrap_or(Ok(()))
    }

    /// Ends everything: signals every worker and capture thread, waits for them at most `timeout`, passes on
    /// the final results (at least half a second is given to that) and drops the sinks. Gives the number of threads that are
    /// stuck in native code and were abandoned. A second call does nothing and gives 0.
    pub fn stop(&self, timeout: Duration) -> usize {
        let (inner, core) = (&self.inner, &self.inner.core);
        if inner.ending.swap(true, Ordering::SeqCst) {
            return 0;
        }
        let deadline = Instant::now() + timeout;
        let left = || deadline.saturating_duration_since(Instant::now());
        let (answer, reply) = self.answer();
        self.order(Order::End(answer));
        // At once, unless the system gives the coordinator no time; from then on no source is added.
        let _ = reply.wait(left().max(Duration::from_millis(500)));
        let roster = inner.roster.load_full();
        let finishing: Vec<_> = roster
            .all()
            .map(|source| {
                source.cut_off();
                let (answer, reply) = self.answer();
                source.post(Command::Finish, Some(answer));
                (source, reply)
            })
            .collect();
        for (source, reply) in finishing {
            if reply.wait(left()).is_none() {
                tracing::warn!(camera = %source.id, "Its detection run did not end in time; its result is \
                     not counted");
                source.report_as_shown();
            }
        }
        let stuck = core.threads.wait(left());
        if stuck > 0 {
            tracing::warn!("{stuck} capture threads are stuck in the decoder and are abandoned");
        }
        core.outbox.sync(left().max(Duration::from_millis(500)));
        inner.stopping.store(true, Ordering::SeqCst);
        self.order(Order::Stop);
        for helper in inner.helpers.lock().drain(..) {
            if helper.join().is_err() {
                tracing::error!("A helper thread of the engine panicked");
            }
        }
        stuck
    }

    /// The latest result of every source that is there and has reported, by id. A source reports once a second, at
    /// crossings, at changes of state and at its end.
    #[must_use]
    pub fn results(&self) -> Vec<TaskResult> {
        let roster = self.inner.roster.load();
        let is_there =
            |result: &TaskResult| roster.sources.iter().any(|source| source.task_id == result.task_id);
        self.inner.collected.results().into_iter().filter(is_there).collect()
    }

    /// The latest result of one source that is there.
    #[must_use]
    pub fn result(&self, source: &str) -> Option<TaskResult> {
        let there = self.source(source)?;
        self.inner.collected.result(source).filter(|result| result.task_id == there.task_id)
    }

    /// All events of all sources from now on: crossings, changes of state, limits, resets. At any time; a subscription of
    /// an engine that has ended is over at once.
    #[must_use]
    pub fn subscribe(&self) -> Subscription {
        self.inner.collected.subscribers.add()
    }

    /// Everything that is shown: sources, workers, queue, totals. The same as [`EngineApi::snapshot`]; waits for nothing.
    #[must_use]
    pub fn statistics(&self) -> EngineSnapshot {
        self.snapshot()
    }

    /// All sources as tasks, in the order they were added. Waits for nothing.
    #[must_use]
    pub fn tasks(&self) -> Vec<Task> {
        self.inner.roster.load().sources.iter().map(|source| task(source)).collect()
    }

    /// Whether every source is over (read to its end, or failed for good) and nothing is asked of one: also before the first
    /// source. Its last events and results may still be on their way: [`Self::sync`] and [`Self::stop`] wait for them.
    #[must_use]
    pub fn is_over(&self) -> bool {
        // In this order: what is asked for is done before its answer is given.
        let nothing_asked = Arc::strong_count(&self.inner.asked) == 1;
        let roster = self.inner.roster.load();
        nothing_asked
            && roster.leaving.is_empty()
            && roster.sources.iter().all(|source| source.cell.load().state.is_over())
    }

    /// Waits until everything reported so far has reached the sinks; `false` when `timeout` passed first.
    #[must_use]
    pub fn sync(&self, timeout: Duration) -> bool {
        self.inner.core.outbox.sync(timeout)
    }

    /// How often the threads that everything depends on have gone round so far: an engine whose heartbeat does not go on
    /// within some seconds hangs, for instance in a [`Sink`]. Waits for nothing.
    #[must_use]
    pub fn heartbeat(&self) -> Heartbeat {
        self.inner.core.rounds.heartbeat()
    }

    /// Time from the decoder to the counts, of all frames of all sources.
    #[must_use]
    pub(crate) fn frame_age(&self) -> &Histogram {
        &self.inner.core.frame_age
    }

    /// Leaves an order for the coordinator; it is dropped, answer and all, where there is none any more.
    fn order(&self, order: Order) {
        drop(self.inner.orders.send(order));
    }

    fn answer(&self) -> (Answer, Reply) {
        Answer::owed(Arc::clone(&self.inner.asked))
    }

    fn source(&self, id: &str) -> Option<Arc<Source>> {
        self.inner.roster.load().find(id).cloned()
    }
}

impl Drop for Inner {
    /// Without [`Engine::stop`] threads end by and by, and nothing is waited for.
    fn drop(&mut self) {
        // Sources know what they share, and it knows them.
        let roster = self.roster.swap(Arc::default());
        roster.all().for_each(|source| source.cut_off());
        self.stopping.store(true, Ordering::SeqCst);
        drop(self.orders.send(Order::Stop));
    }
}

fn task(source: &Source) -> Task {
    let (config, shown) = (source.config.load(), source.cell.load());
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
