//! The actor of a source: owns its pipeline and all that changes, and handles one thing after the other.
//!
//! While a worker has the pipeline for a frame, commands that need it wait for its return, and user commands after them.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use super::{
    Shared, Source,
    inbox::Work,
    job::{Done, Job, Trouble},
    lifecycle::{End, Event, Lifecycle},
    panic_text, preview,
    rates::Rates,
    run::{Run, RunHost},
    show::show_counts,
};
use crate::{
    config::SourceConfig,
    engine::{
        Answer, EngineError, Outcome,
        coordinator::Message,
        pipeline::{Pipeline, Step},
        pool::scheduler::Worker,
    },
    metrics::stages::{Stage, metered, timed},
    model::{EventKind, LineConfig, Rest, SourceKind, SourceSnapshot, SourceState, Strain, ZoneConfig},
    source::{
        SourceError, StreamInfo,
        capture::{Notice, Reading},
        pacer::{Shares, Wish},
        refusal,
    },
};

/// Commands that may wait for one detection run; more are refused.
pub const ROOM: usize = 1024;

/// A source for which the system refuses a thread asks for one again after this long.
const THREAD_RETRY: Duration = Duration::from_secs(5);

/// One thing for an actor to do.
pub enum Command {
    /// The engine starts.
    Start,
    /// A file may be opened.
    SlotGranted,
    /// Stop reading, or go on.
    Pause(bool),
    /// Connect again; a file from its start and with its counts at zero.
    Restart,
    /// Counts back to zero.
    Reset,
    /// Count with these lines and zones.
    Lines(Vec<LineConfig>, Vec<ZoneConfig>),
    /// Make preview pictures, or stop.
    Preview(bool),
    /// These shares of its rates are left to it, because of that.
    Throttle(Shares, Option<Strain>),
    /// Take rates, look for a stall and for what is due; comes about twice a second.
    Tick,
    /// Give memory back: the process holds as much as it may, in bytes.
    Evict(u64),
    /// There is memory again.
    Readmit,
    /// News of the capture thread of this run.
    News(Arc<Run>, News),
    /// A worker brings the pipeline back.
    Done(Box<Done>),
    /// Count what is decided by the end of watching, and report.
    Finish,
    /// Stop and forget.
    Remove,
}

impl Command {
    /// Whether it is refused where too many wait.
    pub fn may_be_refused(&self) -> bool {
        !matches!(self, Self::Restart | Self::Finish | Self::Remove)
    }
}

/// What a capture thread tells.
pub enum News {
    /// How it fares.
    Reading(Reading, Option<SourceError>),
    /// The source is open.
    Opened(Box<Opened>),
    /// So many sessions in a row delivered frames and were short.
    ShortSessions(u32),
    /// Something about the stream that the user should know.
    Remark(String),
    /// Whether the source sleeps.
    Rest(Rest),
    /// The thread panicked.
    Panicked(String),
}

/// What is known of a source that was opened.
pub struct Opened {
    pub info: StreamInfo,
    pub codec: Option<String>,
    /// The detector in words and the size of its input for this stream, if there is one.
    pub detector: Option<(String, (u32, u32))>,
}

/// See the module's documentation.
pub struct Actor {
    pub(super) shared: Arc<Shared>,
    pub(super) kind: SourceKind,
    pub(super) life: Lifecycle,
    /// Not here while a worker has it for a frame.
    pub(super) pipeline: Option<Box<Pipeline>>,
    /// What waits for the pipeline, in the order in which it was asked.
    waiting: VecDeque<(Command, Option<Answer>)>,
    /// What is shown, changed here and published as a whole.
    pub(super) shown: SourceSnapshot,
    /// The run of the capture thread, once there was one.
    pub(super) run: Arc<Run>,
    /// What the user wants, also of the runs to come.
    is_paused: bool,
    is_previewed: bool,
    pub(super) shares: Shares,
    pub(super) rates: Rates,
    /// The last worker, from 1.
    pub(super) worker: usize,
    /// Errors that were not reported yet.
    pub(super) errors: Vec<String>,
    /// Codec of the last opening, where it was told.
    pub(super) codec: Option<String>,
    is_finished: bool,
}

impl Actor {
    pub fn new(shared: Arc<Shared>, pipeline: Pipeline, shown: SourceSnapshot) -> Self {
        let config = shared.config.load();
        let (kind, life) = (config.kind, if config.enabled { Lifecycle::New } else { Lifecycle::Disabled });
        drop(config);
        Self {
            shared,
            kind,
            life,
            pipeline: Some(Box::new(pipeline)),
            waiting: VecDeque::new(),
            shown,
            run: Arc::default(),
            is_paused: false,
            is_previewed: false,
            shares: Shares::WHOLE,
            rates: Rates::default(),
            worker: 0,
            errors: Vec::new(),
            codec: None,
            is_finished: false,
        }
    }

    /// Does what the engine wants of the source, as soon as it can, and answers.
    pub fn receive(&mut self, me: &Arc<Source>, command: Command, answer: Option<Answer>) {
        if self.pipeline.is_none() && self.needs_pipeline(&command) {
            return self.put_off(me, command, answer);
        }
        let obey = || self.obey(me, command);
        let outcome = catch_unwind(AssertUnwindSafe(obey)).unwrap_or_else(|panic| {
            let what = panic_text(panic.as_ref());
            tracing::error!(camera = %self.shared.id, "A command panicked: {what}");
            Err(EngineError::Internal(what))
        });
        self.shared.core.note_change();
        if let Some(answer) = answer {
            answer.give(outcome);
        }
        while self.pipeline.is_some()
            && let Some((command, answer)) = self.waiting.pop_front()
        {
            self.receive(me, command, answer);
        }
    }

    /// Whether a command can take effect only while the pipeline is here, or after others that need it.
    fn needs_pipeline(&self, command: &Command) -> bool {
        match command {
            Command::Reset | Command::Lines(..) | Command::Evict(_) | Command::Finish | Command::Remove => {
                true
            }
            Command::News(_, news) => matches!(news, News::Panicked(_)),
            Command::Restart => self.kind == SourceKind::Video || !self.waiting.is_empty(),
            Command::Pause(_) => !self.waiting.is_empty(),
            Command::Start
            | Command::SlotGranted
            | Command::Preview(_)
            | Command::Throttle(..)
            | Command::Tick
            | Command::Readmit
            | Command::Done(_) => false,
        }
    }

    fn put_off(&mut self, me: &Arc<Source>, command: Command, answer: Option<Answer>) {
        let refused = match &command {
            Command::Restart if self.kind == SourceKind::Video => self.refuse_while_full().err(),
            _ => None,
        };
        let is_full = command.may_be_refused() && self.waiting.len() >= ROOM;
        let refused = refused.or_else(|| is_full.then(|| EngineError::Busy(self.shared.id.clone())));
        let answer = match (answer, refused) {
            (Some(answer), Some(error)) => return answer.give(Err(error)),
            (answer, _) => answer,
        };
        match &command {
            // What is restarted is over no more, and nothing more of the old run is read.
            Command::Restart if self.kind == SourceKind::Video => {
                me.inbox.admit(None);
                self.show_state(SourceState::Queued, None);
            }
            // It is what counts from the next frame on.
            Command::Lines(lines, zones) => drop(self.store_lines(lines.clone(), zones.clone())),
            _ => {}
        }
        self.waiting.push_back((command, answer));
    }

    fn store_lines(&self, lines: Vec<LineConfig>, zones: Vec<ZoneConfig>) -> Arc<SourceConfig> {
        let config = SourceConfig { lines, zones, ..(**self.shared.config.load()).clone() };
        let config = Arc::new(config);
        self.shared.config.store(Arc::clone(&config));
        config
    }

    fn obey(&mut self, me: &Arc<Source>, command: Command) -> Outcome {
        match command {
            Command::Start => {
                self.go(me, Event::Start, None);
                return self.opened();
            }
            Command::SlotGranted => {
                if !self.go(me, Event::SlotGranted, None) {
                    // It was removed meanwhile.
                    self.shared.core.tell(Message::SlotFree);
                }
            }
            Command::Pause(paused) => {
                if self.life.is_over() {
                    return Err(EngineError::Over(self.shared.id.clone()));
                }
                self.is_paused = paused;
                self.run.control.pause(paused);
            }
            Command::Restart => return self.restart(me),
            Command::Reset => {
                self.refuse_while_full()?;
                self.with_pipeline(Pipeline::reset_counts);
                self.emit(EventKind::Reset);
            }
            Command::Lines(lines, zones) => {
                let config = self.store_lines(lines, zones);
                self.with_pipeline(|pipeline| pipeline.set_source(config));
            }
            Command::Preview(wanted) => {
                self.is_previewed = wanted;
                self.run.demand.set_watched(wanted);
                if !wanted {
                    self.shared.preview.store(None);
                }
            }
            Command::Throttle(shares, cause) => self.throttle(shares, cause),
            Command::Tick => {
                self.go(me, Event::Time(self.shared.core.clock.now()), None);
                if self.is_silent() {
                    self.go(me, Event::Silent, Some("no frames"));
                }
                self.measure();
                self.note_vitals(me.inbox.dropped());
            }
            Command::Evict(limit) => self.evict(me, limit),
            Command::Readmit => drop(self.go(me, Event::Readmitted, None)),
            Command::News(run, news) if Arc::ptr_eq(&run, &self.run) => self.hear(me, news),
            // Of a run that is over.
            Command::News(..) => {}
            Command::Done(done) => {
                let stages = Arc::clone(&self.shared.stages);
                metered(&stages, || self.finish_job(me, *done));
            }
            Command::Finish => self.finish(),
            Command::Remove => self.remove(me),
        }
        Ok(())
    }

    /// Changes something about the counts, and shows them.
    fn with_pipeline(&mut self, change: impl FnOnce(&mut Pipeline)) {
        if let Some(pipeline) = &mut self.pipeline {
            change(pipeline);
            show_counts(&mut self.shown, pipeline);
        }
        self.show(|_| {});
    }

    fn hear(&mut self, me: &Arc<Source>, news: News) {
        match news {
            News::Reading(reading, error) => {
                if reading == Reading::Connecting {
                    self.rates.change(self.shared.core.clock.now());
                }
                let text = error.as_ref().map(ToString::to_string);
                if self.go(me, Event::Said(reading), text.as_deref()) && error.is_some() {
                    self.report();
                }
            }
            News::Opened(opened) => self.notice_opening(*opened),
            News::ShortSessions(count) => self.show(|shown| shown.short_sessions = count),
            News::Remark(text) => self.remark(&text),
            News::Rest(rest) => self.show(|shown| shown.rest = rest),
            News::Panicked(what) => self.give_up(me, &format!("internal error: {what}"), true),
        }
    }

    /// Takes what the capture thread has brought: a notice is handled, a frame becomes a job for the worker.
    pub fn begin_job(&mut self, me: &Arc<Source>, work: Work) -> Option<Job> {
        match work {
            Work::Frame(frame) => {
                let mut pipeline = self.pipeline.take()?;
                if self.kind == SourceKind::Camera {
                    pipeline.set_share(self.shares.looks);
                }
                return Some(Job { run: Arc::clone(&self.run), frame, pipeline });
            }
            Work::Notice(Notice::Disconnected) => self.disconnect(),
            Work::Notice(Notice::Ended(error)) => {
                let end = match &error {
                    None => End::Completed,
                    Some(SourceError::Unsupported(_)) if self.kind == SourceKind::Video => End::Unsupported,
                    Some(_) => End::Failed,
                };
                self.end(me, Event::Ended(end), error.map(|error| error.to_string()).as_deref());
            }
        }
        None
    }

    fn finish_job(&mut self, me: &Arc<Source>, done: Done) {
        let Done { job: Job { run, frame, pipeline }, result, worker, cpu } = done;
        self.pipeline = Some(pipeline);
        self.rates.cpu += cpu;
        self.count_for(worker, |worker| &worker.cpu, cpu);
        self.notice_size(frame.stream_size);
        run.demand.answer(result.as_ref().map_or(Wish::FIRST, |step| step.wish));
        if !matches!(result, Err(Trouble::NoModel(_) | Trouble::Panic(_))) {
            self.rates.handled += 1;
            if std::mem::replace(&mut self.worker, worker) == 0 {
                tracing::info!(worker, "Starting {}", self.shared.id);
            }
        }
        match result {
            Ok(step) => {
                self.rates.looked += u64::from(step.looked);
                self.count_for(worker, |worker| &worker.looks, u64::from(step.looked));
                self.go(me, Event::Frame, None);
                let dropped = me.inbox.dropped();
                timed(Stage::Publish, || self.publish(&step, Some((&frame, dropped))));
                if self.is_previewed {
                    let taken = self.shared.core.moment(frame.captured);
                    preview::renew(&self.shared.preview, &frame, &step.tracks, taken);
                }
            }
            Err(Trouble::Detector(error)) => {
                let text = error.to_string();
                self.count_for(worker, |worker| &worker.errors, 1);
                tracing::error!(camera = %self.shared.id, worker, "{text}");
                self.errors.push(text.clone());
                self.show(|shown| {
                    shown.errors += 1;
                    shown.last_error = Some(text);
                });
                self.report();
            }
            Err(Trouble::NoModel(error)) => self.give_up(me, &error.said, error.may_pass),
            Err(Trouble::Panic(what)) => {
                self.count_for(worker, |worker| &worker.restarts, 1);
                self.give_up(me, &what, true);
            }
        }
    }

    /// Adds to one of the figures of a worker, from 1.
    fn count_for(&self, worker: usize, figure: fn(&Worker) -> &std::sync::atomic::AtomicU64, by: u64) {
        let worker = worker.checked_sub(1).and_then(|index| self.shared.core.scheduler.workers().get(index));
        if let Some(worker) = worker {
            figure(worker).fetch_add(by, std::sync::atomic::Ordering::Relaxed);
        }
    }

    /// Takes the source to where `event` leads and does what that asks for; `false` where it leads nowhere. `error` is
    /// shown with the new state.
    pub(super) fn go(&mut self, me: &Arc<Source>, event: Event, error: Option<&str>) -> bool {
        let Some(after) = self.life.next(event, self.kind) else { return false };
        let before = std::mem::replace(&mut self.life, after);
        let core = Arc::clone(&self.shared.core);
        if before.has_thread() && (!after.has_thread() || after == Lifecycle::Starting) {
            me.inbox.admit(None);
            let run = std::mem::take::<Arc<Run>>(&mut self.run);
            self.rates.leave(&run);
            match after {
                Lifecycle::Over(_) | Lifecycle::Suspended { .. } => self.release(),
                Lifecycle::Evicted => self.disconnect(),
                _ => {}
            }
        }
        let begins_again = event == Event::Restart && self.kind == SourceKind::Video;
        if let Some(state) = after.shown(core.start).or_else(|| begins_again.then_some(SourceState::Queued)) {
            self.show_state(state, error);
        }
        if before == Lifecycle::Waiting && after == Lifecycle::Gone {
            core.tell(Message::SlotUnwanted(self.shared.number));
        }
        if before.holds_slot(self.kind) && !after.holds_slot(self.kind) {
            core.tell(Message::SlotFree);
        }
        match after {
            Lifecycle::Starting => self.begin(me),
            Lifecycle::Waiting => core.tell(Message::SlotWanted(Arc::clone(me))),
            _ => {}
        }
        true
    }

    /// Starts a capture thread.
    fn begin(&mut self, me: &Arc<Source>) {
        let core = Arc::clone(&self.shared.core);
        let run = Arc::new(Run::new(self.is_paused, self.is_previewed, self.shares));
        self.run = Arc::clone(&run);
        me.inbox.admit(Some(Arc::clone(&run)));
        let (source, alive) = (Arc::clone(me), core.threads.enter());
        // Linux shows 15 bytes of a thread's name.
        let name: String = format!("cap-{}", self.shared.id).chars().take(15).collect();
        let spawned = std::thread::Builder::new().name(name).spawn(move || {
            let _alive = alive;
            RunHost::new(source, run).supervise();
        });
        if let Err(error) = spawned {
            let until = core.clock.now() + THREAD_RETRY;
            self.go(me, Event::ThreadRefused(until), Some(&refusal::thread(&error).to_string()));
            self.report();
        }
    }

    fn restart(&mut self, me: &Arc<Source>) -> Outcome {
        if self.kind == SourceKind::Video {
            self.refuse_while_full()?;
        }
        self.is_paused = false;
        if self.kind == SourceKind::Video {
            // Before the thread of the next run is there: nothing of what was read before is counted.
            me.inbox.admit(None);
            self.rates.forget(&self.run);
            self.shown.frames = 0;
            self.with_pipeline(|pipeline| {
                pipeline.disconnect(&mut Vec::new());
                pipeline.reset_counts();
            });
            self.emit(EventKind::Reset);
        }
        if !self.go(me, Event::Restart, None) {
            self.run.control.pause(false);
            self.run.control.restart();
        }
        self.opened()
    }

    /// What an opening says to those who asked for it.
    pub fn opened(&self) -> Outcome {
        if let Lifecycle::Suspended { failed: false, .. } = self.life {
            let why = self.shown.last_error.as_deref().unwrap_or_default();
            let problem = format!("{why}; it is tried again in {} s", THREAD_RETRY.as_secs());
            return Err(EngineError::NotOpened { id: self.shared.id.clone(), problem });
        }
        Ok(())
    }

    /// A reset is never lost, so none is made while there is no room to note it.
    fn refuse_while_full(&self) -> Outcome {
        if self.shared.core.outbox.is_full() { Err(EngineError::Backlog) } else { Ok(()) }
    }

    /// Ends the run because of `error`. A camera whose trouble `may_pass` is opened again after its longest delay; else
    /// the source is over.
    pub(super) fn give_up(&mut self, me: &Arc<Source>, error: &str, may_pass: bool) {
        let retry = self.shared.config.load().retry;
        let again = may_pass && self.kind == SourceKind::Camera && !retry.give_up;
        let at = again.then(|| self.shared.core.clock.now() + retry.max);
        self.end(me, Event::Failed(at), Some(error));
    }

    /// The run is over, by `event` and because of `error`.
    fn end(&mut self, me: &Arc<Source>, event: Event, error: Option<&str>) {
        if self.go(me, event, error) {
            if matches!(self.life, Lifecycle::Over(_)) {
                self.show_whole_rate();
            }
            self.report();
        }
    }

    /// Closes the source because the process holds as much memory as it may, `limit` bytes.
    fn evict(&mut self, me: &Arc<Source>, limit: u64) {
        let (limit, end) = match self.kind {
            SourceKind::Camera => (limit >> 20, "waits for room"),
            SourceKind::Video => (limit >> 20, "and this file needs more"),
        };
        let link = if self.kind == SourceKind::Camera { ";" } else { "," };
        let why = format!("closed: the memory limit of {limit} MiB is reached{link} {end}");
        self.end(me, Event::Evicted, Some(&why));
    }

    /// Releases everybody who is followed; what that decides is counted.
    fn disconnect(&mut self) {
        let mut events = Vec::new();
        self.pipeline.iter_mut().for_each(|pipeline| pipeline.disconnect(&mut events));
        self.publish(&Step { events, ..Step::default() }, None);
    }

    /// [`Self::disconnect`], and lets go of the detector.
    fn release(&mut self) {
        let mut events = Vec::new();
        self.pipeline.iter_mut().for_each(|pipeline| pipeline.release(&mut events));
        self.publish(&Step { events, ..Step::default() }, None);
    }

    /// Counts what is decided by the end of watching, and reports the final result. For sources that are stopped before
    /// their own end.
    fn finish(&mut self) {
        if !std::mem::replace(&mut self.is_finished, true) && !self.shown.state.is_over() {
            self.release();
            self.report();
        }
    }

    fn remove(&mut self, me: &Arc<Source>) {
        me.inbox.admit(None);
        self.finish();
        self.go(me, Event::Removed, None);
        let core = &self.shared.core;
        core.outbox.forget(&self.shared.id);
        tracing::info!(camera = %self.shared.id, "Removed");
        // Counts belong to the id: a source that is added with it goes on from them, as after a restart.
        core.tell(Message::Left(Arc::clone(me), self.shown.lines.clone()));
        me.inbox.close();
    }
}
