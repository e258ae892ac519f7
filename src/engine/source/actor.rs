//! The actor of a source: owns its pipeline and all that changes, and handles one thing after the other.

use std::{sync::Arc, time::Duration};

use super::{
    Shared, Source,
    inbox::Work,
    lifecycle::{End, Event, Lifecycle},
    preview,
    rates::Rates,
    run::{Run, RunHost},
    show::show_counts,
};
use crate::{
    config::{LineConfig, SourceConfig, SourceKind, ZoneConfig},
    engine::{
        EngineError, Outcome,
        coordinator::Message,
        pipeline::{Pipeline, Step},
        pool::scheduler::Worker,
    },
    metrics::stages::{Stage, timed},
    source::{
        Frame, SourceError, StreamInfo,
        capture::{Notice, Reading},
        pacer::{Shares, Wish},
        refusal,
    },
    store::{EventKind, Rest, SourceSnapshot, SourceState, Strain},
};

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
    pub(super) pipeline: Pipeline,
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
            pipeline,
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

    /// Does what the engine wants of the source.
    pub fn obey(&mut self, me: &Arc<Source>, command: Command) -> Outcome {
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
                self.pipeline.reset_counts();
                self.show(|shown, pipeline| show_counts(shown, pipeline));
                self.emit(EventKind::Reset);
            }
            Command::Lines(lines, zones) => {
                let config = SourceConfig { lines, zones, ..(**self.shared.config.load()).clone() };
                let config = Arc::new(config);
                self.shared.config.store(Arc::clone(&config));
                self.pipeline.set_source(config);
                self.show(|shown, pipeline| show_counts(shown, pipeline));
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
            Command::Finish => self.finish(),
            Command::Remove => self.remove(me),
        }
        Ok(())
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
            News::ShortSessions(count) => self.show(|shown, _| shown.short_sessions = count),
            News::Remark(text) => self.remark(&text),
            News::Rest(rest) => self.show(|shown, _| shown.rest = rest),
            News::Panicked(what) => self.give_up(me, &format!("internal error: {what}"), true),
        }
    }

    /// Handles what the capture thread has brought, as worker `worker` (from 1).
    pub fn handle(&mut self, me: &Arc<Source>, work: Work, worker: usize) {
        match work {
            Work::Frame(frame) => self.frame(me, &frame, worker),
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
    }

    fn frame(&mut self, me: &Arc<Source>, frame: &Frame, worker: usize) {
        self.notice_size(frame.stream_size);
        if !self.pipeline.has_model() {
            match self.shared.core.models.for_source(&self.shared.config.load()) {
                Ok(model) => self.pipeline.set_model(model),
                Err(error) => return self.give_up(me, &error.said, error.may_pass),
            }
        }
        if self.kind == SourceKind::Camera {
            self.pipeline.set_share(self.shares.looks);
        }
        let result = self.pipeline.frame(frame);
        self.run.demand.answer(result.as_ref().map_or(Wish::FIRST, |step| step.wish));
        self.rates.handled += 1;
        if std::mem::replace(&mut self.worker, worker) == 0 {
            tracing::info!(worker, "Starting {}", self.shared.id);
        }
        match result {
            Ok(step) => {
                self.rates.looked += u64::from(step.looked);
                self.count_for(worker, |worker| &worker.looks, u64::from(step.looked));
                self.go(me, Event::Frame, None);
                let dropped = me.inbox.dropped();
                timed(Stage::Publish, || self.publish(&step, Some((frame, dropped))));
                if self.is_previewed {
                    preview::renew(&self.shared.preview, frame, &step.tracks);
                }
            }
            Err(error) => {
                let text = error.to_string();
                self.count_for(worker, |worker| &worker.errors, 1);
                tracing::error!(camera = %self.shared.id, worker, "{text}");
                self.errors.push(text.clone());
                self.show(|shown, _| {
                    shown.errors += 1;
                    shown.last_error = Some(text);
                });
                self.report();
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

    /// Books CPU time, in nanoseconds, on the source and on its worker.
    pub fn book(&mut self, worker: usize, spent: u64) {
        self.rates.cpu += spent;
        self.count_for(worker, |worker| &worker.cpu, spent);
    }

    /// The worker panicked over the source, because of `error`.
    pub fn restart_worker(&mut self, me: &Arc<Source>, worker: usize, error: &str) {
        self.count_for(worker, |worker| &worker.restarts, 1);
        self.give_up(me, error, true);
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
        if let Some(state) = after.shown().or_else(|| begins_again.then_some(SourceState::Queued)) {
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
            self.pipeline.disconnect(&mut Vec::new());
            self.pipeline.reset_counts();
            self.rates.forget(&self.run);
            self.show(|shown, pipeline| {
                show_counts(shown, pipeline);
                shown.frames = 0;
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
        self.pipeline.disconnect(&mut events);
        self.publish(&Step { events, ..Step::default() }, None);
    }

    /// [`Self::disconnect`], and lets go of the detector.
    fn release(&mut self) {
        let mut events = Vec::new();
        self.pipeline.release(&mut events);
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
