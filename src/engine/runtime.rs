//! One source inside the engine: its row in the store, its capture thread, its working state.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use arc_swap::{ArcSwap, ArcSwapOption};
use opencv::core::MatTraitConst as _;
use parking_lot::Mutex;

use super::{
    Core,
    hung::{self, NativeCall},
    memory, models,
    pipeline::Pipeline,
    pipeline::Step,
    preview,
    scheduler::{Unit, Worker},
    throttle::Load,
};
use crate::{
    config::{LineConfig, SourceConfig, SourceKind, ZoneConfig},
    count::replay::Paths,
    export::records::TaskResult,
    metrics::stages::{Meter, Stage, metered, thread_nanoseconds, timed},
    source::{
        Frame, SourceError, SourceId, StreamInfo,
        capture::{Capture, CaptureControl, Host, supervise},
        mailbox::{Delivery, Mailbox, Notice},
        pacer::{Demand, FIRST_INTERVAL},
    },
    store::{
        Event, EventKind, LineCounts, Preview, SourceSnapshot, SourceState, Strain, ZoneCounts,
        cell::SourceCell, history::History,
    },
    track::Track,
};

/// Results of a running source are reported this often, besides those at crossings.
const RESULT_INTERVAL: Duration = Duration::from_secs(1);

/// A running source writes its frame rate into its log this often.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// Rates are measured over about this long.
const RATE_WINDOW: Duration = Duration::from_millis(2500);

/// A live source without a frame for this long is shown as stalled (it is reopened after its
/// `stall_timeout`).
const SHOWN_AS_STALLED: Duration = Duration::from_secs(2);

/// A step that takes longer is worth a warning.
const SLOW_STEP: Duration = Duration::from_secs(1);

/// One run of a capture thread. A thread that is stuck in native code keeps its own run, so that what it
/// does when it wakes reaches nobody.
#[derive(Default)]
pub struct Run {
    pub control: CaptureControl,
    pub mailbox: Mailbox,
    pub demand: Demand,
    /// Whether the source was dismissed from this run (removed, restarted, stopped).
    abandoned: AtomicBool,
    /// Whether its thread is in native code, and how long it may be.
    native: NativeCall,
    /// CPU time of its thread that is booked on the source, in nanoseconds.
    booked: AtomicU64,
}

impl Run {
    /// Ends the thread at its next turn and lets nothing of it through any more.
    pub fn abandon(&self) {
        self.abandoned.store(true, Ordering::SeqCst);
        self.control.stop();
        self.mailbox.close();
        self.demand.close();
    }

    fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::SeqCst)
    }
}

/// Time spent running, for the frame rate of a whole run.
#[derive(Debug, Default)]
struct RunningTime {
    since: Option<Instant>,
    before: Duration,
}

impl RunningTime {
    fn total(&self, now: Instant) -> Duration {
        self.before + self.since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }
}

/// A moment of the counters from which rates are taken.
struct Sample {
    at: Instant,
    handled: u64,
    looked: u64,
    /// Nanoseconds.
    cpu: u64,
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
    pipeline: Mutex<Pipeline>,
    scheduled: AtomicBool,
    handled: AtomicU64,
    looked: AtomicU64,
    dropped_before: AtomicU64,
    /// CPU time spent on it, in nanoseconds.
    cpu: AtomicU64,
    /// Openings in a row whose thread hung and was left behind.
    hung: AtomicUsize,
    /// Threads left behind that have not come back.
    stuck: AtomicUsize,
    /// Left without a thread because too many hang.
    waits_for_threads: AtomicBool,
    /// Closed for want of memory.
    closed_for_memory: AtomicBool,
    worker: AtomicUsize,
    errors: Mutex<Vec<String>>,
    running: Mutex<RunningTime>,
    samples: Mutex<VecDeque<Sample>>,
    /// Looks and losses when the throttle last asked.
    throttle_seen: Mutex<(u64, u64)>,
    last_result: Mutex<Option<Instant>>,
    last_logged: Mutex<Option<Instant>>,
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
            scheduled: AtomicBool::new(false),
            handled: AtomicU64::new(0),
            looked: AtomicU64::new(0),
            dropped_before: AtomicU64::new(0),
            cpu: AtomicU64::new(0),
            hung: AtomicUsize::new(0),
            stuck: AtomicUsize::new(0),
            waits_for_threads: AtomicBool::new(false),
            closed_for_memory: AtomicBool::new(false),
            worker: AtomicUsize::new(0),
            errors: Mutex::default(),
            running: Mutex::default(),
            samples: Mutex::default(),
            throttle_seen: Mutex::default(),
            last_result: Mutex::default(),
            last_logged: Mutex::default(),
            core,
        })
    }

    pub fn config(&self) -> Arc<SourceConfig> {
        self.config.load_full()
    }

    /// Starts a capture thread. The one before, if any, is abandoned.
    pub fn begin(self: &Arc<Self>) {
        let run = Arc::new(Run::default());
        let old = self.run.swap(Arc::clone(&run));
        self.dropped_before.fetch_add(old.mailbox.dropped(), Ordering::Relaxed);
        old.abandon();
        self.waits_for_threads.store(false, Ordering::SeqCst);
        self.closed_for_memory.store(false, Ordering::SeqCst);
        let this = Arc::clone(self);
        let alive = self.core.threads.enter();
        // Linux shows 15 bytes of a thread's name.
        let name: String = format!("cap-{}", self.id).chars().take(15).collect();
        let spawned = std::thread::Builder::new().name(name).spawn(move || {
            let _alive = alive;
            let host = RunHost { source: &this, run: &run };
            let config = this.config();
            let capture = Capture {
                source: &config,
                hung: u32::try_from(this.hung.load(Ordering::SeqCst)).unwrap_or(u32::MAX),
                opener: this.core.opener.as_ref(),
                mailbox: &run.mailbox,
                control: &run.control,
                clock: this.core.clock.as_ref(),
                host: &host,
            };
            let supervised = || metered(&this.stages, || supervise(&capture));
            if let Err(panic) = catch_unwind(AssertUnwindSafe(supervised)) {
                let what = panic_text(panic.as_ref());
                tracing::error!(camera = %this.id, "The capture thread panicked: {what}");
                run.mailbox
                    .notify(Notice::Ended(Some(SourceError::Broken(format!("internal error: {what}")))));
                host.ready();
            }
            if run.native.thread_ends() {
                let left = this.stuck.fetch_sub(1, Ordering::SeqCst) - 1;
                this.core.stuck.fetch_sub(1, Ordering::SeqCst);
                this.cell.update(|shown| shown.stuck_threads = left);
                tracing::info!(camera = %this.id, "A thread that hung in the decoder has come back and ended");
            }
        });
        if let Err(error) = spawned {
            let error = SourceError::Broken(format!("the system refuses another thread: {error}"));
            self.run.load().mailbox.notify(Notice::Ended(Some(error)));
            self.schedule();
        }
    }

    /// Leaves a capture thread behind that hangs in native code, and opens the source with another one unless
    /// too many hang already; called about twice a second.
    pub fn relieve(self: &Arc<Self>) {
        let run = self.run.load_full();
        if run.native.leave_behind(self.core.clock.now()) {
            run.abandon();
            self.hung.fetch_add(1, Ordering::SeqCst);
            let stuck = self.stuck.fetch_add(1, Ordering::SeqCst) + 1;
            self.core.stuck.fetch_add(1, Ordering::SeqCst);
            self.cell.update(|shown| shown.stuck_threads = stuck);
            if self.config().kind == SourceKind::Video {
                self.end(None, Some(&SourceError::Hung));
                return;
            }
            self.disconnect(None);
            self.waits_for_threads.store(true, Ordering::SeqCst);
            let why = if self.may_hang_again() {
                SourceError::Hung.to_string()
            } else {
                format!(
                    "{stuck} threads of this source hang in the decoder; it is opened again when one comes back"
                )
            };
            self.set_state(SourceState::Stalled, Some(&why));
        }
        if self.waits_for_threads.load(Ordering::SeqCst) && self.may_hang_again() {
            self.begin();
        }
    }

    fn may_hang_again(&self) -> bool {
        self.stuck.load(Ordering::SeqCst) < hung::MAX_OF_SOURCE
            && self.core.stuck.load(Ordering::SeqCst) < hung::MAX_OF_ALL
    }

    /// What the memory guard needs to know. `None` for what it may not close.
    pub fn memory(&self) -> Option<memory::Camera> {
        let shown = self.cell.load();
        let closed = self.closed_for_memory.load(Ordering::SeqCst);
        let open = matches!(
            shown.state,
            SourceState::Connecting
                | SourceState::Running
                | SourceState::Stalled
                | SourceState::Retrying { .. }
        );
        (shown.kind == SourceKind::Camera && (closed || open)).then(|| memory::Camera {
            number: self.number,
            priority: shown.priority,
            occupied: shown.visible > 0,
            closed,
        })
    }

    /// Closes a camera because the process holds too much memory; [`Self::begin`] opens it again.
    pub fn close_for_memory(&self, limit: u64) {
        self.run.load().abandon();
        self.disconnect(None);
        self.closed_for_memory.store(true, Ordering::SeqCst);
        let why = format!("closed: the memory limit of {} MiB is reached; waits for room", limit >> 20);
        self.set_state(SourceState::Queued, Some(&why));
        self.report();
    }

    /// Counts and counters back to where a fresh run of a file begins.
    pub fn reset_counts(&self) {
        let mut pipeline = self.pipeline.lock();
        pipeline.reset_counts();
        self.cell.update(|shown| show_counts(shown, &pipeline));
        // Still under the pipeline's lock, so that no crossing gets between the counts and their reset.
        self.emit(EventKind::Reset);
    }

    /// Begins a file anew: nothing of what was read before is counted.
    pub fn rewind(&self) {
        let mut pipeline = self.pipeline.lock();
        pipeline.disconnect(&mut Vec::new());
        pipeline.reset_counts();
        self.handled.store(0, Ordering::Relaxed);
        self.looked.store(0, Ordering::Relaxed);
        *self.running.lock() = RunningTime::default();
        self.samples.lock().clear();
        self.cell.update(|shown| {
            show_counts(shown, &pipeline);
            shown.frames = 0;
        });
        self.emit(EventKind::Reset);
        // Not over any more, before anybody looks.
        self.set_state(SourceState::Queued, None);
    }

    /// Other counting lines and zones from the next frame on.
    pub fn set_lines(&self, lines: Vec<LineConfig>, zones: Vec<ZoneConfig>) {
        let config = Arc::new(SourceConfig { lines, zones, ..(*self.config()).clone() });
        self.config.store(Arc::clone(&config));
        let mut pipeline = self.pipeline.lock();
        pipeline.set_source(config);
        self.cell.update(|shown| show_counts(shown, &pipeline));
    }

    /// Takes rates, and notes a stall; called about twice a second.
    pub fn measure(&self) {
        let now = self.core.clock.now();
        let (handled, looked) = (self.handled.load(Ordering::Relaxed), self.looked.load(Ordering::Relaxed));
        let mut samples = self.samples.lock();
        let cpu = self.cpu.load(Ordering::Relaxed);
        samples.push_back(Sample { at: now, handled, looked, cpu });
        while samples.len() > 2 && now.saturating_duration_since(samples[0].at) > RATE_WINDOW {
            samples.pop_front();
        }
        let first = &samples[0];
        let seconds = now.saturating_duration_since(first.at).as_secs_f32();
        let rate =
            |from: u64, to: u64| if seconds > 0.0 { to.saturating_sub(from) as f32 / seconds } else { 0.0 };
        let (fps, detect_fps) = (rate(first.handled, handled), rate(first.looked, looked));
        let cpu = rate(first.cpu, cpu) * 1e-9;
        drop(samples);
        let shown = self.cell.load();
        let live = shown.kind == SourceKind::Camera;
        let silent = shown.last_frame.is_some_and(|at| now.saturating_duration_since(at) > SHOWN_AS_STALLED);
        let stalled = live && shown.state == SourceState::Running && silent;
        if stalled {
            self.set_state(SourceState::Stalled, Some("no frames"));
        }
        if shown.state == SourceState::Running {
            let mut last_logged = self.last_logged.lock();
            if last_logged.is_none_or(|at| now.saturating_duration_since(at) >= LOG_INTERVAL) && fps > 0.0 {
                *last_logged = Some(now);
                tracing::info!(camera = %self.id, "Frame processed: FPS={fps:.1}");
            }
            drop(last_logged);
            self.history.lock().watch(self.core.clock.wall(), shown.current());
        }
        if !shown.state.is_over()
            && (shown.fps != fps
                || shown.detect_fps != detect_fps
                || shown.frames != handled
                || shown.cpu != cpu)
        {
            self.cell.update(|shown| {
                shown.fps = fps;
                shown.detect_fps = detect_fps;
                shown.frames = handled;
                shown.cpu = cpu;
            });
        }
    }

    /// What the throttle needs to know, since it last asked. `None` for what is not live.
    pub fn load(&self) -> Option<Load> {
        let shown = self.cell.load();
        let running = matches!(shown.state, SourceState::Running | SourceState::Stalled);
        if shown.kind != SourceKind::Camera || !running {
            return None;
        }
        let counters = (self.looked.load(Ordering::Relaxed), shown.dropped);
        let before = std::mem::replace(&mut *self.throttle_seen.lock(), counters);
        Some(Load {
            number: self.number,
            priority: shown.priority,
            occupied: shown.visible > 0,
            looked: counters.0.saturating_sub(before.0),
            lost: counters.1.saturating_sub(before.1),
        })
    }

    /// From now on the source gets this share of its detection rate, because of `cause`.
    pub fn set_rate_share(&self, share: f64, cause: Option<Strain>) {
        let share = share as f32;
        let cause = cause.filter(|_| share < 1.0);
        let shown = self.cell.load();
        let before = shown.rate_share;
        if before != share || shown.throttled_by != cause {
            self.cell.update(|shown| {
                shown.rate_share = share;
                shown.throttled_by = cause;
            });
        }
        if before != share {
            let percent = share * 100.0;
            if share < before {
                let why = cause.map_or("overload", Strain::words);
                tracing::warn!(camera = %self.id, "Throttled to {percent:.0} % of its rate: {why}");
            } else {
                tracing::info!(camera = %self.id, "Less load: looked at {percent:.0} % of its rate again");
            }
        }
    }

    /// Shows a state, writes it down, and tells everybody when it is a new one.
    pub fn set_state(&self, state: SourceState, error: Option<&str>) {
        let now = self.core.clock.now();
        {
            let mut running = self.running.lock();
            let total = running.total(now);
            *running = RunningTime {
                since: matches!(state, SourceState::Running | SourceState::Stalled).then_some(now),
                before: total,
            };
        }
        let word = state.word();
        let changed = self.cell.update(|shown| {
            let changed = shown.state.word() != word || error.is_some();
            if let Some(error) = error {
                shown.last_error = Some(error.to_owned());
                shown.errors += 1;
            } else if state == SourceState::Running {
                shown.last_error = None;
            }
            if state.is_over() || matches!(state, SourceState::Paused) {
                shown.visible = 0;
                shown.detect_fps = 0.0;
                shown.fps = 0.0;
                shown.cpu = 0.0;
            }
            shown.state = state;
            changed
        });
        if let Some(error) = error {
            self.errors.lock().push(error.to_owned());
        }
        if changed {
            match error {
                Some(error) => tracing::warn!(camera = %self.id, "{word}: {error}"),
                None => tracing::info!(camera = %self.id, "{word}"),
            }
            self.emit(EventKind::State { state: word, error: error.map(str::to_owned) });
        }
    }

    /// The result as of now, also sent to the result handler.
    pub fn report(&self) {
        *self.last_result.lock() = Some(self.core.clock.now());
        let errors = std::mem::take(&mut *self.errors.lock());
        let timestamp = timestamp(self.core.clock.wall());
        let worker = self.worker.load(Ordering::Relaxed);
        self.core.outbox.result(TaskResult::of(&self.cell.load(), worker, &self.task_id, timestamp, errors));
    }

    fn emit(&self, kind: EventKind) {
        self.core.outbox.event(Event { wall: self.core.clock.wall(), source: self.id.clone(), kind });
    }

    /// Asks for a worker, unless one is on the way.
    pub fn schedule(self: &Arc<Self>) {
        if !self.scheduled.swap(true, Ordering::SeqCst) {
            self.core.scheduler.submit(Arc::clone(self) as Arc<dyn Unit>);
        }
    }

    fn step(&self, worker: usize) {
        let run = self.run.load_full();
        match run.mailbox.take() {
            Some(Delivery::Frame(frame)) => self.look(&run, &frame, worker),
            Some(Delivery::Notice(Notice::Disconnected)) => self.disconnect(Some(&run)),
            Some(Delivery::Notice(Notice::Ended(error))) => self.end(Some(&run), error.as_ref()),
            None => {}
        }
    }

    /// Releases whoever is followed, unless `run` was abandoned meanwhile: then others have seen to it.
    fn disconnect(&self, run: Option<&Run>) {
        let mut events = Vec::new();
        let mut pipeline = self.pipeline.lock();
        if run.is_some_and(Run::is_abandoned) {
            return;
        }
        pipeline.disconnect(&mut events);
        self.publish(&pipeline, &Step { events, ..Step::default() }, None);
    }

    fn look(&self, run: &Run, frame: &Frame, worker: usize) {
        let mut pipeline = self.pipeline.lock();
        // Looked at under the lock: what was read before a restart is not counted after it.
        if run.is_abandoned() {
            return;
        }
        self.hung.store(0, Ordering::Relaxed);
        self.notice_size(frame.stream_size);
        if !pipeline.has_model() {
            match self.core.models.for_source(&self.config.load()) {
                Ok(model) => pipeline.set_model(model),
                Err(error) => {
                    drop(pipeline);
                    self.give_up(run, &error);
                    return;
                }
            }
        }
        if self.cell.load().kind == SourceKind::Camera {
            pipeline.set_share(f64::from(self.cell.load().rate_share));
        }
        let result = pipeline.frame(frame);
        run.demand.answer(result.as_ref().map_or(FIRST_INTERVAL, |step| step.interval));
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
                    preview::renew(&self.preview, frame, &step.tracks);
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

    /// Notes a change of the stream in the middle: its size as shown, and a line in the log.
    fn notice_size(&self, size: (u32, u32)) {
        let before = self.cell.load().size;
        if before == Some(size) {
            return;
        }
        self.cell.update(|shown| shown.size = Some(size));
        if let Some((width, height)) = before.filter(|(width, height)| *width > 0 && *height > 0) {
            tracing::warn!(
                camera = %self.id,
                "The picture has changed from {width}x{height} to {}x{}; lines keep their place in it",
                size.0,
                size.1
            );
        }
    }

    /// Shows what a step brought, then reports it.
    fn publish(&self, pipeline: &Pipeline, step: &Step, looked: Option<(&Run, &Frame)>) {
        let now = self.core.clock.now();
        let handled = self.handled.load(Ordering::Relaxed);
        let (before, after) = self.cell.update(|shown| {
            let before = shown.over_threshold();
            show_counts(shown, pipeline);
            shown.frames = handled;
            shown.visible = step.tracks.iter().filter(|track: &&Track| track.confirmed).count();
            if let Some((run, frame)) = looked {
                shown.last_frame = Some(now);
                shown.latency = now.saturating_duration_since(frame.captured);
                self.core.frame_age.record(shown.latency);
                shown.dropped = self.dropped_before.load(Ordering::Relaxed) + run.mailbox.dropped();
                let whole = u64::from(frame.stream_size.0) * u64::from(frame.stream_size.1) * 3;
                // At working size there is one in the mailbox and one with a worker.
                let reduced = u64::from(frame.image.rows().unsigned_abs())
                    * u64::from(frame.image.cols().unsigned_abs())
                    * 3;
                shown.picture_bytes = whole + 2 * reduced;
                if shown.state == SourceState::Stalled {
                    shown.state = SourceState::Running;
                    shown.last_error = None;
                }
            }
            (before, shown.over_threshold())
        });
        let mut crossed = false;
        for event in &step.events {
            match event {
                EventKind::Crossing { line, direction, track, .. } => {
                    crossed = true;
                    let current = self.cell.load().current();
                    self.history.lock().cross(self.core.clock.wall(), *direction, current);
                    let direction = format!("{direction:?}").to_uppercase();
                    tracing::info!(camera = %self.id, "Person detected: ID={track}, direction={direction}, line={line}");
                }
                EventKind::Suppressed { line, track, reason, .. } => {
                    tracing::info!(camera = %self.id, "Not counted: ID={track}, line={line}, reason={reason:?}");
                }
                _ => {}
            }
            self.emit(event.clone());
        }
        if before != after {
            self.alert(after);
        }
        let due =
            self.last_result.lock().is_none_or(|at| now.saturating_duration_since(at) >= RESULT_INTERVAL);
        if crossed || due {
            self.report();
        }
    }

    fn alert(&self, over: bool) {
        let shown = self.cell.load();
        let (current, limit) = (shown.current(), shown.threshold.unwrap_or_default());
        if over {
            tracing::warn!(camera = %self.id, "Over its limit: {current} inside, limit {limit}");
        } else {
            tracing::info!(camera = %self.id, "Below its limit again: {current} inside, limit {limit}");
        }
        self.emit(EventKind::Threshold { over, current, limit });
    }

    /// The source will send nothing more, unless `run` was abandoned meanwhile.
    fn end(&self, run: Option<&Run>, error: Option<&SourceError>) {
        let mut events = Vec::new();
        let mut pipeline = self.pipeline.lock();
        if run.is_some_and(Run::is_abandoned) {
            return;
        }
        pipeline.release(&mut events);
        self.publish(&pipeline, &Step { events, ..Step::default() }, None);
        let state = match error {
            None => SourceState::Completed,
            Some(SourceError::Unsupported(_)) => SourceState::Unsupported,
            Some(_) => SourceState::Failed,
        };
        // Still under the lock: a restart must not be overtaken by the end of what it replaces.
        self.set_state(state, error.map(ToString::to_string).as_deref());
        drop(pipeline);
        let running = self.running.lock().total(self.core.clock.now()).as_secs_f32();
        self.cell.update(|shown| {
            shown.fps = if running > 0.0 { shown.frames as f32 / running } else { 0.0 };
        });
        self.report();
        self.core.release_place(self);
    }

    /// Counts what is decided by the end of watching, and reports the final result. For sources that are
    /// stopped before their own end.
    pub fn finish(&self) {
        if self.cell.load().state.is_over() {
            return;
        }
        let mut events = Vec::new();
        let mut pipeline = self.pipeline.lock();
        pipeline.release(&mut events);
        self.publish(&pipeline, &Step { events, ..Step::default() }, None);
        drop(pipeline);
        self.report();
    }

    /// Ends a source that cannot be worked on, for a reason that is not the stream's.
    fn give_up(&self, run: &Run, error: &str) {
        run.abandon();
        self.pipeline.lock().release(&mut Vec::new());
        self.set_state(SourceState::Failed, Some(error));
        self.report();
        self.core.release_place(self);
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

    fn run(&self, worker: usize) -> bool {
        let (started, cpu) = (Instant::now(), thread_nanoseconds());
        let step = || metered(&self.stages, || self.step(worker));
        if let Err(panic) = catch_unwind(AssertUnwindSafe(step)) {
            let what = format!("internal error: {}", panic_text(panic.as_ref()));
            self.book(worker, |worker| &worker.restarts, 1);
            tracing::error!(camera = %self.id, worker, "{what}");
            self.give_up(&self.run.load_full(), &what);
        }
        let spent = thread_nanoseconds().saturating_sub(cpu);
        self.cpu.fetch_add(spent, Ordering::Relaxed);
        self.book(worker, |worker| &worker.cpu, spent);
        let took = started.elapsed();
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

/// The source as its capture thread sees it, as long as the run is not abandoned.
struct RunHost<'a> {
    source: &'a Arc<SourceRuntime>,
    run: &'a Run,
}

impl RunHost<'_> {
    /// Books the CPU time of the capture thread, which is the one that calls.
    fn book(&self) {
        let spent = thread_nanoseconds();
        let before = self.run.booked.swap(spent, Ordering::Relaxed);
        self.source.cpu.fetch_add(spent.saturating_sub(before), Ordering::Relaxed);
    }
}

impl Host for RunHost<'_> {
    fn state(&self, state: SourceState, error: Option<&SourceError>) {
        if !self.run.is_abandoned() {
            self.source.set_state(state, error.map(ToString::to_string).as_deref());
            if error.is_some() {
                self.source.report();
            }
        }
    }

    fn opened(&self, info: &StreamInfo) {
        if self.run.is_abandoned() {
            return;
        }
        let model = self.source.core.models.for_source(&self.source.config.load());
        self.source.cell.update(|shown| {
            if shown.last_frame.is_some() && shown.kind == SourceKind::Camera {
                shown.reconnects += 1;
            }
            shown.size = Some(info.size);
            shown.declared_fps = info.fps.map(|fps| fps as f32);
            shown.frames_total = info.frames;
            if let Ok(model) = model {
                shown.detector = models::describe(model.as_ref());
            }
        });
    }

    fn working_size(&self, width: u32, height: u32) -> (u32, u32) {
        match self.source.core.models.for_source(&self.source.config.load()) {
            Ok(model) => model.working_size(width, height),
            Err(_) => (width, height),
        }
    }

    fn rate_share(&self) -> f64 {
        f64::from(self.source.cell.load().rate_share)
    }

    fn interval(&self, delivered: u64, live: bool) -> f64 {
        if live { self.run.demand.latest() } else { self.run.demand.settled(delivered) }
    }

    fn native(&self, limit: Option<Duration>) {
        match limit {
            Some(limit) => self.run.native.begin(self.source.core.clock.now() + limit + hung::GRACE),
            None => self.run.native.end(),
        }
    }

    fn skipped(&self) {
        self.book();
        if !self.run.is_abandoned() {
            self.source.handled.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn ready(&self) {
        self.book();
        if !self.run.is_abandoned() {
            self.source.schedule();
        }
    }
}

/// RFC 3339 in local time, to the millisecond.
fn timestamp(wall: std::time::SystemTime) -> String {
    jiff::Zoned::try_from(wall)
        .map(|zoned| zoned.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string())
        .unwrap_or_default()
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".into())
}

fn first_snapshot(config: &SourceConfig, pipeline: &Pipeline) -> SourceSnapshot {
    let mut snapshot = SourceSnapshot {
        alias: config.alias.clone(),
        location: config.location.clone(),
        kind: config.kind,
        source: config.source.to_string(),
        priority: config.priority,
        state: if config.enabled { SourceState::Queued } else { SourceState::Disabled },
        threshold: config.threshold,
        ..SourceSnapshot::new(config.id.clone())
    };
    snapshot.zones = zone_counts(config, &[]);
    show_counts(&mut snapshot, pipeline);
    snapshot
}

fn zone_counts(config: &SourceConfig, states: &[crate::count::ZoneStatus]) -> Vec<ZoneCounts> {
    let state = |index: usize| states.get(index).copied().unwrap_or_default();
    config
        .zones
        .iter()
        .enumerate()
        .map(|(index, zone)| ZoneCounts {
            name: zone.name.clone(),
            occupancy: state(index).occupancy,
            mean_dwell: state(index).mean_dwell,
            threshold: zone.threshold,
        })
        .collect()
}

/// Copies the counts of the pipeline into what is shown.
fn show_counts(shown: &mut SourceSnapshot, pipeline: &Pipeline) {
    shown.lines = pipeline.lines().to_vec();
    shown.total_in = shown.lines.iter().map(|line| line.total_in).sum();
    shown.total_out = shown.lines.iter().map(|line| line.total_out).sum();
    shown.suppressed.clone_from(pipeline.suppressed());
    shown.total_detections = pipeline.detections();
    shown.zones = zone_counts(pipeline.source(), &pipeline.zones());
}
