//! One run of a capture thread, and the source as that thread sees it.

use std::{
    cell::{Cell, OnceCell},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use super::{
    Source,
    actor::{Command, News, Opened},
    panic_text,
};
use crate::{
    cadence::gate::MotionGate,
    config::SourceConfig,
    detect::Model,
    engine::pool::models,
    metrics::stages::{metered, thread_nanoseconds},
    model::{Rest, Wakeful},
    source::{
        Frame, SourceError, StreamInfo,
        capture::{Capture, CaptureControl, Host, Notice, Reading, supervise},
        pacer::{Activity, Demand, Shares, Wish, enlarged_to},
    },
};

/// What a capture thread and its source share. A thread that has not yet heard that it is to end keeps its own run, so
/// that what it does meanwhile reaches nobody.
#[derive(Default)]
pub struct Run {
    pub control: CaptureControl,
    pub demand: Demand,
    /// Frames that were passed over on purpose.
    skipped: AtomicU64,
    /// CPU time of the thread, in nanoseconds.
    cpu: AtomicU64,
}

impl Run {
    /// A run of a source that may be paused already, or watched, or throttled.
    pub fn new(paused: bool, watched: bool, shares: Shares) -> Self {
        let run = Self::default();
        run.control.pause(paused);
        run.demand.set_watched(watched);
        run.demand.set_shares(shares);
        run
    }

    /// Ends the thread at its next turn.
    pub fn stop(&self) {
        self.control.stop();
        self.demand.close();
    }

    /// Frames that were passed over on purpose.
    pub fn skipped(&self) -> u64 {
        self.skipped.load(Ordering::Relaxed)
    }

    /// From now on they are counted from 0.
    pub fn forget_skipped(&self) {
        self.skipped.store(0, Ordering::Relaxed);
    }

    /// CPU time of the thread so far, in nanoseconds.
    pub fn cpu(&self) -> u64 {
        self.cpu.load(Ordering::Relaxed)
    }
}

/// The source as its capture thread sees it.
pub struct RunHost {
    source: Arc<Source>,
    run: Arc<Run>,
    /// The model, from the first time on that there is one.
    model: OnceCell<Arc<dyn Model>>,
    /// Compares the key frames of a source that sleeps.
    watch: MotionGate,
    /// Times the usual size that frames should have.
    enlarged: Cell<f32>,
    rest: Option<Rest>,
}

impl RunHost {
    pub fn new(source: Arc<Source>, run: Arc<Run>) -> Self {
        let (model, watch, enlarged) = (OnceCell::new(), MotionGate::default(), Cell::new(1.0));
        Self { source, run, model, watch, enlarged, rest: None }
    }

    /// Reads the source until it is over or the run is stopped.
    pub fn supervise(mut self) {
        let (source, run) = (Arc::clone(&self.source), Arc::clone(&self.run));
        let (core, config) = (&source.core, source.config.load_full());
        let hwaccel = config.hwaccel.or(Some(core.hwaccel));
        let config = SourceConfig { hwaccel, ..SourceConfig::clone(&config) };
        let capture = Capture {
            source: &config,
            opener: core.opener.as_ref(),
            control: &run.control,
            clock: core.clock.as_ref(),
            turns: &core.turns,
        };
        let supervised = || metered(&source.stages, || supervise(&capture, &mut self));
        if let Err(panic) = catch_unwind(AssertUnwindSafe(supervised)) {
            let what = panic_text(panic.as_ref());
            tracing::error!(camera = %source.id, "The capture thread panicked: {what}");
            source.post(Command::News(run, News::Panicked(what)), None);
        }
    }

    fn tell(&self, news: News) {
        self.source.post(Command::News(Arc::clone(&self.run), news), None);
    }

    /// Books the CPU time of the capture thread, which is the one that calls.
    fn book(&self) {
        self.run.cpu.store(thread_nanoseconds(), Ordering::Relaxed);
    }

    fn model(&self) -> Option<&Arc<dyn Model>> {
        if self.model.get().is_none()
            && let Ok(model) = self.source.core.models.for_source(&self.source.config.load())
        {
            return Some(self.model.get_or_init(|| model));
        }
        self.model.get()
    }

    fn wish(&self, wish: Wish) -> f64 {
        self.enlarged.set(wish.enlarged);
        wish.interval
    }
}

impl Host for RunHost {
    fn reading(&mut self, reading: Reading, error: Option<&SourceError>) {
        self.tell(News::Reading(reading, error.cloned()));
    }

    fn opened(&mut self, info: &StreamInfo, codec: Option<String>) {
        let input = |model: &dyn Model| model.working_size(info.size.0, info.size.1);
        let detector = self.model().map(|model| (models::describe(model.as_ref()), input(model.as_ref())));
        self.tell(News::Opened(Box::new(Opened { info: info.clone(), codec, detector })));
    }

    fn working_size(&self, width: u32, height: u32) -> (u32, u32) {
        let Some(model) = self.model() else { return (width, height) };
        enlarged_to(model.working_size(width, height), (width, height), self.enlarged.get())
    }

    fn short_sessions(&mut self, count: u32) {
        self.tell(News::ShortSessions(count));
    }

    fn remark(&mut self, text: &str) {
        self.tell(News::Remark(text.to_owned()));
    }

    fn shares(&mut self) -> Shares {
        self.run.demand.shares()
    }

    fn interval(&mut self, delivered: u64, live: bool) -> f64 {
        let demand = &self.run.demand;
        self.wish(if live { demand.latest() } else { demand.settled(delivered) })
    }

    fn may_sleep(&mut self, regular: bool) -> bool {
        let (wish, is_watched) = self.run.demand.attention();
        let rest = match wish.activity {
            Activity::Unwatched => Rest::Awake(Wakeful::RateIsSet),
            _ if is_watched => Rest::Awake(Wakeful::PreviewIsWanted),
            Activity::People => Rest::Awake(Wakeful::SomebodyIsThere),
            Activity::Motion => Rest::Awake(Wakeful::SomethingMoves),
            Activity::Nothing if !regular => Rest::Awake(Wakeful::KeyFramesAreRare),
            Activity::Nothing => Rest::Asleep,
        };
        if self.rest != Some(rest) {
            self.rest = Some(rest);
            self.tell(News::Rest(rest));
        }
        // Whether key frames are rare is seen while it waits for them.
        matches!(rest, Rest::Asleep | Rest::Awake(Wakeful::KeyFramesAreRare))
    }

    fn moves(&mut self, frame: &Frame, first: bool) -> bool {
        if first {
            self.watch = MotionGate::default();
        }
        let moves = self.watch.observe(&frame.picture, frame.time).any();
        moves && !first
    }

    fn skipped(&mut self, frames: u64) {
        self.book();
        self.run.skipped.fetch_add(frames, Ordering::Relaxed);
    }

    fn replace(&mut self, frame: Frame) {
        self.book();
        self.source.answer_call(self.source.inbox.replace(&self.run, frame));
    }

    fn put(&mut self, frame: Frame) {
        self.book();
        self.source.answer_call(self.source.inbox.put(&self.run, frame));
    }

    fn waiting_since(&mut self) -> Option<Instant> {
        self.source.inbox.waiting_since()
    }

    fn renew(&mut self, frame: Frame) {
        self.source.inbox.renew(&self.run, frame);
    }

    fn notify(&mut self, notice: Notice) {
        self.book();
        self.source.answer_call(self.source.inbox.notify(&self.run, notice));
    }
}
