//! One source inside the engine: its row in the store, its capture thread, its working state.

mod inbox;
mod rates;
mod relief;
mod rhythm;
mod run;
mod show;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use arc_swap::{ArcSwap, ArcSwapOption};
use parking_lot::Mutex;

pub use self::{inbox::Command, run::Run};
use self::{inbox::Inbox, rates::Rates, run::RunHost, show::first_snapshot};
use super::{
    Core,
    pipeline::{Pipeline, Step},
    preview,
    scheduler::{Unit, Worker},
};
use crate::{
    config::SourceConfig,
    count::replay::Paths,
    metrics::stages::{Meter, Stage, metered, thread_nanoseconds, timed},
    model::{LineCounts, Preview, SourceId, SourceKind, SourceState},
    source::{
        Frame, SourceError,
        capture::{Capture, supervise},
        mailbox::{Delivery, Notice},
        pacer::Wish,
        refusal,
    },
    store::{cell::SourceCell, history::History},
};

/// A step that takes longer is worth a warning.
const SLOW_STEP: Duration = Duration::from_secs(1);

/// A source for which the system refuses a thread asks for one again after this long.
const THREAD_RETRY: Duration = Duration::from_secs(5);

/// How an opening has begun.
#[derive(Debug)]
pub enum Begun {
    /// It is under way, or waits for its turn.
    Yes,
    /// It is tried again, because of this.
    Later(String),
    /// It has no capture thread, because of this.
    No(String),
}

/// One source.
pub struct SourceRuntime {
    pub id: SourceId,
    pub number: usize,
    pub task_id: String,
    pub cell: SourceCell,
    pub run: ArcSwap<Run>,
    pub history: Mutex<History>,
    pub preview_wanted: AtomicBool,
    pub preview: ArcSwapOption<Preview>,
    /// The tracks of the last minutes.
    pub paths: Arc<Mutex<Paths>>,
    /// CPU time of this source alone.
    pub stages: Arc<Meter>,
    /// Whether this source holds one of the places for open files.
    pub holds_place: AtomicBool,
    config: ArcSwap<SourceConfig>,
    /// Of the worker that handles a frame. Others leave a [`Command`].
    pipeline: Mutex<Pipeline>,
    inbox: Inbox,
    scheduled: AtomicBool,
    /// Left with its frame until there is room for what is counted in it.
    held: AtomicBool,
    handled: AtomicU64,
    looked: AtomicU64,
    dropped_before: AtomicU64,
    /// CPU time spent on it, in nanoseconds.
    cpu: AtomicU64,
    /// Removed, or the engine ends: it is opened no more.
    dismissed: AtomicBool,
    /// Its final result is reported.
    finished: AtomicBool,
    /// Closed for want of memory.
    closed_for_memory: AtomicBool,
    /// When it was last opened, began to be, or its pictures grew.
    changed: Mutex<Option<Instant>>,
    /// When it gets another thread, for want of which or by whose fault it has none.
    set_back: Mutex<Option<Instant>>,
    worker: AtomicUsize,
    errors: Mutex<Vec<String>>,
    rates: Rates,
    /// Codec of the last opening, where it was told.
    codec: Mutex<Option<String>>,
    last_result: Mutex<Option<Instant>>,
    core: Arc<Core>,
}

impl SourceRuntime {
    pub fn new(number: usize, config: SourceConfig, counts: &[LineCounts], core: Arc<Core>) -> Arc<Self> {
        let config = Arc::new(config);
        let pipeline = Pipeline::new(Arc::clone(&config), counts);
        let snapshot = first_snapshot(&config, &pipeline);
        Arc::new(Self {
            id: config.id.clone(),
            number,
            task_id: format!("task_{:02}", number + 1),
            cell: SourceCell::new(snapshot, Arc::clone(&core.generation)),
            run: ArcSwap::default(),
            history: Mutex::new(History::new(core.history)),
            preview_wanted: AtomicBool::new(false),
            preview: ArcSwapOption::empty(),
            paths: pipeline.paths(),
            stages: Arc::default(),
            holds_place: AtomicBool::new(false),
            config: ArcSwap::new(config),
            pipeline: Mutex::new(pipeline),
            inbox: Inbox::default(),
            held: AtomicBool::new(false),
            scheduled: AtomicBool::new(false),
            handled: AtomicU64::new(0),
            looked: AtomicU64::new(0),
            dropped_before: AtomicU64::new(0),
            cpu: AtomicU64::new(0),
            dismissed: AtomicBool::new(false),
            finished: AtomicBool::new(false),
            closed_for_memory: AtomicBool::new(false),
            changed: Mutex::default(),
            set_back: Mutex::default(),
            worker: AtomicUsize::new(0),
            errors: Mutex::default(),
            rates: Rates::default(),
            codec: Mutex::default(),
            last_result: Mutex::default(),
            core,
        })
    }

    pub fn config(&self) -> Arc<SourceConfig> {
        self.config.load_full()
    }

    pub fn is_video(&self) -> bool {
        self.config.load().kind == SourceKind::Video
    }

    /// Opens a camera at once, a file when there is a place for it.
    pub fn open(self: &Arc<Self>) -> Begun {
        if self.is_video() && !self.holds_place.load(Ordering::SeqCst) {
            return self.core.places.take(self);
        }
        let begun = self.begin();
        if matches!(begun, Begun::No(_)) {
            self.core.release_place(self);
        }
        begun
    }

    /// Starts a capture thread, unless the source was dismissed. The one before, if any, is abandoned; a source that was paused stays so.
    pub fn begin(self: &Arc<Self>) -> Begun {
        *self.set_back.lock() = None;
        let run = Arc::new(Run::default());
        let old = self.run.swap(Arc::clone(&run));
        self.dropped_before.fetch_add(old.mailbox.dropped(), Ordering::Relaxed);
        if old.control.is_paused() {
            run.control.pause(true);
        }
        old.abandon();
        // Who dismisses the source abandons the run that is there after having said so: this one or the one before.
        if self.dismissed.load(Ordering::SeqCst) {
            run.abandon();
            return Begun::No("it is removed".into());
        }
        self.closed_for_memory.store(false, Ordering::SeqCst);
        let (this, begun) = (Arc::clone(self), Arc::clone(&run));
        let alive = self.core.threads.enter();
        // Linux shows 15 bytes of a thread's name.
        let name: String = format!("cap-{}", self.id).chars().take(15).collect();
        let spawned = std::thread::Builder::new().name(name).spawn(move || {
            let _alive = alive;
            let host = RunHost { source: &this, run: &run };
            let config = this.config();
            let hwaccel = config.hwaccel.or(Some(this.core.hwaccel));
            let config = SourceConfig { hwaccel, ..SourceConfig::clone(&config) };
            let capture = Capture {
                source: &config,
                opener: this.core.opener.as_ref(),
                mailbox: &run.mailbox,
                control: &run.control,
                clock: this.core.clock.as_ref(),
                start: this.core.start,
                turns: &this.core.turns,
                host: &host,
            };
            let supervised = || metered(&this.stages, || supervise(&capture));
            if let Err(panic) = catch_unwind(AssertUnwindSafe(supervised)) {
                let what = panic_text(panic.as_ref());
                tracing::error!(camera = %this.id, "The capture thread panicked: {what}");
                this.give_up(&run, &format!("internal error: {what}"), true);
            }
        });
        if let Err(error) = spawned {
            let at = self.core.clock.now() + THREAD_RETRY;
            let state = SourceState::Retrying { attempt: 0, at: self.core.moment(at) };
            let why = refusal::thread(&error).to_string();
            self.set_back(&begun, at, state, &why);
            return Begun::Later(format!("{why}; it is tried again in {} s", THREAD_RETRY.as_secs()));
        }
        Begun::Yes
    }

    /// Takes the source from its capture thread for good: it is opened no more.
    pub fn dismiss(self: &Arc<Self>) {
        self.dismissed.store(true, Ordering::SeqCst);
        self.run.load().abandon();
    }

    /// Asks for a worker, unless one is on the way.
    pub fn schedule(self: &Arc<Self>) {
        if !self.scheduled.swap(true, Ordering::SeqCst) {
            self.core.scheduler.submit(Arc::clone(self) as Arc<dyn Unit>);
        }
    }

    fn step(self: &Arc<Self>, run: &Run, worker: usize) {
        match run.mailbox.take() {
            Some(Delivery::Frame(frame)) => self.look(run, &frame, worker),
            Some(Delivery::Notice(Notice::Disconnected)) => {
                self.disconnect(&mut self.pipeline.lock(), Some(run));
            }
            Some(Delivery::Notice(Notice::Ended(error))) => {
                self.end(&mut self.pipeline.lock(), Some(run), error.as_ref());
            }
            None => {}
        }
    }

    /// Releases everybody who is followed, unless `run` was abandoned meanwhile: then others have seen to it.
    fn disconnect(&self, pipeline: &mut Pipeline, run: Option<&Run>) {
        if run.is_some_and(Run::is_abandoned) {
            return;
        }
        let mut events = Vec::new();
        pipeline.disconnect(&mut events);
        self.publish(pipeline, &Step { events, ..Step::default() }, None);
    }

    fn look(self: &Arc<Self>, run: &Run, frame: &Frame, worker: usize) {
        let mut pipeline = self.pipeline.lock();
        // Looked at under the lock: what was read before a restart is not counted after it.
        if run.is_abandoned() {
            return;
        }
        self.notice_size(frame.stream_size);
        if !pipeline.has_model() {
            match self.core.models.for_source(&self.config.load()) {
                Ok(model) => pipeline.set_model(model),
                Err(error) => {
                    drop(pipeline);
                    self.give_up(run, &error.said, error.may_pass);
                    return;
                }
            }
        }
        if self.cell.load().kind == SourceKind::Camera {
            pipeline.set_share(f64::from(self.cell.load().rate_share));
        }
        let result = pipeline.frame(frame);
        run.demand.answer(result.as_ref().map_or(Wish::FIRST, |step| step.wish));
        self.handled.fetch_add(1, Ordering::Relaxed);
        let first = self.worker.swap(worker, Ordering::Relaxed) == 0;
        if first {
            tracing::info!(worker, "Starting {}", self.id);
        }
        match result {
            Ok(step) => {
                self.looked.fetch_add(u64::from(step.looked), Ordering::Relaxed);
                self.book(worker, |worker| &worker.looks, u64::from(step.looked));
                timed(Stage::Publish, || self.publish(&pipeline, &step, Some((run, frame))));
                if self.preview_wanted.load(Ordering::Relaxed) {
                    preview::renew(&self.preview, frame, &step.tracks, self.core.moment(frame.captured));
                }
            }
            Err(error) => {
                drop(pipeline);
                let text = error.to_string();
                self.book(worker, |worker| &worker.errors, 1);
                tracing::error!(camera = %self.id, worker, "{text}");
                self.errors.lock().push(text.clone());
                self.cell.update(|shown| {
                    shown.errors += 1;
                    shown.last_error = Some(text);
                });
                self.report();
            }
        }
    }

    /// Adds to one of the figures of a worker, from 1.
    fn book(&self, worker: usize, figure: fn(&Worker) -> &AtomicU64, by: u64) {
        if let Some(worker) = worker.checked_sub(1).and_then(|index| self.core.scheduler.workers().get(index))
        {
            figure(worker).fetch_add(by, Ordering::Relaxed);
        }
    }

    /// The source will send nothing more, unless `run` was abandoned meanwhile.
    fn end(&self, pipeline: &mut Pipeline, run: Option<&Run>, error: Option<&SourceError>) {
        if run.is_some_and(Run::is_abandoned) {
            return;
        }
        self.release(pipeline);
        let state = match error {
            None => SourceState::Completed,
            Some(SourceError::Unsupported(_)) if self.is_video() => SourceState::Unsupported,
            Some(_) => SourceState::Failed { next: None },
        };
        let say = || {
            self.set_state(state, error.map(ToString::to_string).as_deref());
            let running = self.rates.running(self.core.clock.now()).as_secs_f32();
            self.cell.update(|shown| {
                shown.fps = if running > 0.0 { shown.frames as f32 / running } else { 0.0 };
            });
            self.report();
        };
        // A restart must not be overtaken by the end of what it replaces.
        let is_said = match run {
            Some(run) => run.speak(say).is_some(),
            None => {
                say();
                true
            }
        };
        if is_said {
            self.core.release_place(self);
        }
    }

    /// Counts what is decided by the end of watching, and lets go of the detector.
    fn release(&self, pipeline: &mut Pipeline) {
        let mut events = Vec::new();
        pipeline.release(&mut events);
        self.publish(pipeline, &Step { events, ..Step::default() }, None);
    }

    /// Counts what is decided by the end of watching, and reports the final result. For sources that are
    /// stopped before their own end.
    fn finish(&self, pipeline: &mut Pipeline) {
        if !self.finished.swap(true, Ordering::SeqCst) && !self.cell.load().state.is_over() {
            self.release(pipeline);
            self.report();
        }
    }

    /// Goes on with the frame that was left because there was no room for what is counted in it.
    pub fn go_on(self: &Arc<Self>) {
        if self.held.swap(false, Ordering::SeqCst) {
            self.schedule();
        }
    }
}

impl Unit for SourceRuntime {
    fn source(&self) -> &SourceId {
        &self.id
    }

    fn priority(&self) -> i32 {
        self.config.load().priority
    }

    fn number(&self) -> usize {
        self.number
    }

    fn run(self: Arc<Self>, worker: usize) -> bool {
        if self.core.outbox.is_full() {
            // In this order: it is scheduled again as soon as it is seen to be held.
            self.scheduled.store(false, Ordering::SeqCst);
            self.held.store(true, Ordering::SeqCst);
            return false;
        }
        let (started, cpu) = (self.core.clock.now(), thread_nanoseconds());
        let run = self.run.load_full();
        let step = || metered(&self.stages, || self.step(&run, worker));
        if let Err(panic) = catch_unwind(AssertUnwindSafe(step)) {
            let what = format!("internal error: {}", panic_text(panic.as_ref()));
            self.book(worker, |worker| &worker.restarts, 1);
            tracing::error!(camera = %self.id, worker, "{what}");
            self.give_up(&run, &what, true);
        }
        self.obey_all();
        let spent = thread_nanoseconds().saturating_sub(cpu);
        self.cpu.fetch_add(spent, Ordering::Relaxed);
        self.book(worker, |worker| &worker.cpu, spent);
        let took = self.core.clock.now().saturating_duration_since(started);
        if took > SLOW_STEP {
            tracing::warn!(camera = %self.id, worker, "A frame took {:.1} s", took.as_secs_f32());
        }
        let mailbox_waits = || !self.run.load().mailbox.is_empty();
        if mailbox_waits() {
            return true;
        }
        self.scheduled.store(false, Ordering::SeqCst);
        // Something may have come between the look and the store; then whoever set the flag back goes on.
        mailbox_waits() && !self.scheduled.swap(true, Ordering::SeqCst)
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".into())
}

#[cfg(test)]
mod tests;
