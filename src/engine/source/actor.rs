//! The actor of a source: owns its pipeline and all that changes, and handles one thing after the other.
//!
//! While a worker has the pipeline for a frame, commands that need it wait for its return, and user commands after them.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use super::{
    around::Around,
    command::{self, CaptureMessage, Prerequisite, ROOM},
    counts::show_counts,
    job::{Done, FrameFailure, Job, Work, panic_text},
    lifecycle::{End, Event, Lifecycle},
    preview,
    rates::Rates,
    run::Run,
    shared::Shared,
    stretch::OpeningHours,
};
use crate::{
    engine::{
        error::EngineError,
        message::Message,
        pipeline::{Pipeline, Step},
        pool::scheduler::Worker,
        reply::{Answer, Outcome},
    },
    evidence::Recorder,
    metrics::stages::{Stage, metered, timed},
    model::{Scene, SourceKind, SourceSnapshot},
    source::{
        SourceError,
        capture::{Notice, Reading},
        pacer::{FrameRequest, RateShares},
    },
};

/// What this actor is asked to do.
pub type Command = command::Command<Actor>;

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
    pub(super) is_paused: bool,
    /// How many want previews.
    pub(super) viewers: usize,
    pub(super) shares: RateShares,
    pub(super) rates: Rates,
    /// The last worker, from 1.
    pub(super) worker: usize,
    /// Errors that were not reported yet.
    pub(super) errors: Vec<String>,
    /// Codec of the last opening, where it was told.
    pub(super) codec: Option<String>,
    /// What everybody was told of the scene last.
    pub(super) told_scene: Option<Scene>,
    /// What is known of its opening hours.
    pub(super) hours: OpeningHours,
    /// Its last frames, where evidence is kept.
    pub(super) recorder: Option<Recorder>,
}

impl Actor {
    pub fn new(shared: Arc<Shared>, pipeline: Pipeline, shown: SourceSnapshot) -> Self {
        let config = shared.config.load();
        let (kind, life) = (config.kind, if config.enabled { Lifecycle::New } else { Lifecycle::Disabled });
        let settings = shared.core.evidence.as_ref().and_then(|evidence| evidence.settings(&config));
        drop(config);
        Self {
            recorder: settings.map(Recorder::new),
            shared,
            kind,
            life,
            pipeline: Some(Box::new(pipeline)),
            waiting: VecDeque::new(),
            told_scene: shown.scene.clone(),
            shown,
            run: Arc::default(),
            is_paused: false,
            viewers: 0,
            shares: RateShares::WHOLE,
            rates: Rates::default(),
            worker: 0,
            errors: Vec::new(),
            codec: None,
            hours: OpeningHours::NEW,
        }
    }

    /// Does what the engine wants of the source, as soon as it can, and answers.
    pub fn receive(&mut self, around: &dyn Around, command: Command, answer: Option<Answer>) {
        let answer = match (self.check(&command), answer) {
            (Err(error), Some(answer)) => return answer.give(Err(error)),
            (_, answer) => answer,
        };
        if self.pipeline.is_none() && self.needs_pipeline(&command) {
            return self.put_off(around, command, answer);
        }
        self.perform(around, command, answer);
        while self.pipeline.is_some()
            && let Some((command, answer)) = self.waiting.pop_front()
        {
            self.perform(around, command, answer);
        }
    }

    fn perform(&mut self, around: &dyn Around, command: Command, answer: Option<Answer>) {
        let obey = || self.obey(around, command);
        let outcome = catch_unwind(AssertUnwindSafe(obey)).unwrap_or_else(|panic| {
            let what = panic_text(panic.as_ref());
            tracing::error!(camera = %self.shared.id, "A command panicked: {what}");
            Err(EngineError::Internal(what))
        });
        self.shared.core.note_change();
        if let Some(answer) = answer {
            answer.give(outcome);
        }
    }

    /// What is refused is refused before anything of it is done.
    fn check(&self, command: &Command) -> Outcome {
        let waits = command.may_be_refused() && self.waiting.len() >= ROOM;
        match command {
            Command::Asked(_) if self.life == Lifecycle::Gone => Err(EngineError::Ended),
            Command::Asked(asked) => {
                asked.check(self)?;
                let waits = waits && self.needs_pipeline(command);
                if waits { Err(EngineError::Busy(self.shared.id.clone())) } else { Ok(()) }
            }
            _ => Ok(()),
        }
    }

    /// Whether a command can take effect only while the pipeline is here, or after others that need it.
    fn needs_pipeline(&self, command: &Command) -> bool {
        match command {
            Command::Asked(asked) => match asked.needs(self) {
                Prerequisite::Pipeline => true,
                Prerequisite::Order => !self.waiting.is_empty(),
                Prerequisite::Nothing => false,
            },
            Command::Evict(_) | Command::Finish | Command::Remove => true,
            Command::CaptureMessage(_, message) => matches!(message, CaptureMessage::Panicked(_)),
            Command::Start
            | Command::SlotGranted
            | Command::Throttle(..)
            | Command::Tick
            | Command::Readmit
            | Command::Notice(_)
            | Command::Done(_) => false,
        }
    }

    fn put_off(&mut self, around: &dyn Around, command: Command, answer: Option<Answer>) {
        if let Command::Asked(asked) = &command {
            asked.wait(self, around);
        }
        self.waiting.push_back((command, answer));
    }

    fn obey(&mut self, around: &dyn Around, command: Command) -> Outcome {
        match command {
            Command::Start => {
                self.begin_in_hours(around);
                return self.opened();
            }
            Command::SlotGranted => {
                if !self.go(around, Event::SlotGranted, None) {
                    // It was removed meanwhile.
                    self.shared.core.tell(Message::SlotFree);
                }
            }
            Command::Asked(asked) => return asked.obey(self, around),
            Command::Throttle(shares, cause) => self.throttle(shares, cause),
            Command::Tick => {
                self.keep_hours(around);
                self.go(around, Event::Time(self.shared.core.clock.now()), None);
                if self.is_silent() {
                    self.go(around, Event::Silent, Some("no frames"));
                }
                self.measure();
                self.hand_on_strips(None, false);
                self.note_vitals(around.dropped());
            }
            Command::Evict(limit) => self.evict(around, limit),
            Command::Readmit => drop(self.go(around, Event::Readmitted, None)),
            Command::CaptureMessage(run, message) if Arc::ptr_eq(&run, &self.run) => {
                self.hear(around, message);
            }
            // Of a run that is over.
            Command::CaptureMessage(..) => {}
            Command::Done(done) => {
                let stages = Arc::clone(&self.shared.stages);
                metered(&stages, || self.finish_job(around, *done));
            }
            Command::Notice(notice) => self.heed(around, notice),
            Command::Finish => self.finish(around),
            Command::Remove => self.remove(around),
        }
        Ok(())
    }

    /// Changes something about the counts, and shows them.
    pub(super) fn with_pipeline(&mut self, change: impl FnOnce(&mut Pipeline)) {
        if let Some(pipeline) = &mut self.pipeline {
            change(pipeline);
            show_counts(&mut self.shown, pipeline);
        }
        self.show(|_| {});
    }

    fn hear(&mut self, around: &dyn Around, message: CaptureMessage) {
        match message {
            CaptureMessage::Reading(reading, error) => {
                if reading == Reading::Connecting {
                    self.rates.change(self.shared.core.clock.now());
                }
                let text = error.as_ref().map(ToString::to_string);
                if self.go(around, Event::Said(reading), text.as_deref()) && error.is_some() {
                    self.report();
                }
            }
            CaptureMessage::Opened(opened) => self.notice_opening(*opened),
            CaptureMessage::ShortSessions(count) => self.show(|shown| shown.short_sessions = count),
            CaptureMessage::Remark(text) => self.remark(&text),
            CaptureMessage::Rest(rest) => self.show(|shown| shown.rest = rest),
            CaptureMessage::Panicked(what) => self.give_up(around, &format!("internal error: {what}"), true),
        }
    }

    /// Takes what the capture thread has brought: a notice is handled, a frame becomes a job for the worker.
    pub fn begin_job(&mut self, around: &dyn Around, work: Work) -> Option<Job> {
        match work {
            // It may have been taken before the program stood still, and the lease has run out meanwhile.
            Work::Frame(_) if !self.shared.may_count() => {}
            Work::Frame(frame) => {
                let mut pipeline = self.pipeline.take()?;
                if self.kind == SourceKind::Camera {
                    pipeline.set_share(self.shares.detections);
                }
                return Some(Job { run: Arc::clone(&self.run), frame, pipeline });
            }
            Work::Notice(notice) => self.perform(around, Command::Notice(notice), None),
        }
        None
    }

    fn heed(&mut self, around: &dyn Around, notice: Notice) {
        let error = match notice {
            Notice::Ended(error) => error,
            Notice::Disconnected => return self.disconnect(),
            Notice::Closed => return self.close_by_schedule(around),
        };
        let end = match &error {
            None => End::Completed,
            Some(SourceError::Unsupported(_)) if self.kind == SourceKind::Video => End::Unsupported,
            Some(_) => End::Failed,
        };
        self.end(around, Event::Ended(end), error.map(|error| error.to_string()).as_deref());
    }

    fn finish_job(&mut self, around: &dyn Around, done: Done) {
        let Done { job: Job { run, frame, pipeline }, result, worker, cpu, dropped } = done;
        self.pipeline = Some(pipeline);
        self.rates.cpu += cpu;
        self.count_for(worker, |worker| &worker.cpu, cpu);
        self.notice_size(frame.stream_size);
        run.demand.answer(result.as_ref().map_or(FrameRequest::FIRST, |step| step.request));
        if !matches!(result, Err(FrameFailure::NoModel(_) | FrameFailure::Panic(_))) {
            self.rates.handled += 1;
            self.shared.counters.frames.add(1);
            if std::mem::replace(&mut self.worker, worker) == 0 {
                tracing::info!(worker, "Starting {}", self.shared.id);
            }
        }
        match result {
            Ok(step) => {
                self.rates.detected += u64::from(step.detected);
                self.count_detection(&step);
                self.count_for(worker, |worker| &worker.detection_runs, u64::from(step.detected));
                self.go(around, Event::Frame, None);
                timed(Stage::Publish, || {
                    self.record_frame(&frame, &step);
                    self.publish(&step, Some((&frame, dropped)));
                });
                if self.viewers > 0 {
                    let taken = self.shared.core.moment(frame.captured);
                    preview::renew(&self.shared.preview, &frame, &step.tracks, taken);
                }
            }
            Err(FrameFailure::Detector(error)) => {
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
            Err(FrameFailure::NoModel(error)) => self.give_up(around, &error.said, error.may_pass),
            Err(FrameFailure::Panic(what)) => {
                self.count_for(worker, |worker| &worker.restarts, 1);
                self.give_up(around, &what, true);
            }
        }
    }

    fn count_detection(&self, step: &Step) {
        if step.detected {
            self.shared.core.detection.record(step.took);
            self.shared.counters.detection_runs.add(1);
            self.shared.counters.detections.add(step.found);
        }
    }

    /// Adds to one of the figures of a worker, from 1.
    fn count_for(&self, worker: usize, figure: fn(&Worker) -> &std::sync::atomic::AtomicU64, by: u64) {
        let worker = worker.checked_sub(1).and_then(|index| self.shared.core.scheduler.workers().get(index));
        if let Some(worker) = worker {
            figure(worker).fetch_add(by, std::sync::atomic::Ordering::Relaxed);
        }
    }
}
