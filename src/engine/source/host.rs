//! The source as its capture thread sees it.

use std::{
    cell::{Cell, OnceCell},
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Instant,
};

use super::{
    actor::Command,
    around::Around,
    command::{CaptureMessage, Opened},
    handle::Source,
    job::panic_text,
    run::Run,
};
use crate::{
    cadence::gate::MotionGate,
    config::SourceConfig,
    detect::Model,
    engine::pool::models,
    metrics::stages::metered,
    model::{Rest, Wakeful},
    source::{
        Frame, SourceError, StreamInfo,
        capture::{Capture, Host, Notice, Reading, supervise},
        pacer::{Activity, FrameRequest, RateShares, enlarged_to},
    },
};

/// The source as its capture thread sees it.
struct RunHost {
    source: Arc<Source>,
    run: Arc<Run>,
    /// The model, from the first time on that there is one.
    model: OnceCell<Arc<dyn Model>>,
    /// Compares the key frames of a source that sleeps.
    watch: MotionGate,
    /// Times the usual size that frames should have.
    enlarged: Cell<f32>,
    rest: Option<Rest>,
    /// The wish that was there when the shares were asked for, which are asked for first.
    latest: Option<FrameRequest>,
}

impl RunHost {
    fn new(source: Arc<Source>, run: Arc<Run>) -> Self {
        let (model, watch, enlarged) = (OnceCell::new(), MotionGate::default(), Cell::new(1.0));
        Self { source, run, model, watch, enlarged, rest: None, latest: None }
    }

    /// Reads the source until it is over or the run is stopped.
    fn supervise(mut self) {
        let (source, run) = (Arc::clone(&self.source), Arc::clone(&self.run));
        let (core, config) = (&source.core, source.config.load_full());
        let hwaccel = config.hwaccel.or(Some(core.hwaccel));
        let config = SourceConfig { hwaccel, ..SourceConfig::clone(&config) };
        let capture = Capture {
            source: &config,
            opener: core.opener.as_ref(),
            control: &run.control,
            clock: core.clock.as_ref(),
            decode_scheduler: &core.decode_scheduler,
        };
        let supervised = || metered(&source.stages, || supervise(&capture, &mut self));
        if let Err(panic) = catch_unwind(AssertUnwindSafe(supervised)) {
            let what = panic_text(panic.as_ref());
            tracing::error!(camera = %source.id, "The capture thread panicked: {what}");
            source.post(Command::CaptureMessage(run, CaptureMessage::Panicked(what)), None);
        }
    }

    fn tell(&self, message: CaptureMessage) {
        self.source.post(Command::CaptureMessage(Arc::clone(&self.run), message), None);
    }

    fn model(&self) -> Option<&Arc<dyn Model>> {
        if self.model.get().is_none()
            && let Ok(model) = self.source.core.models.for_source(&self.source.config.load())
        {
            return Some(self.model.get_or_init(|| model));
        }
        self.model.get()
    }

    fn request(&self, request: FrameRequest) -> f64 {
        self.enlarged.set(request.enlarged);
        request.interval
    }
}

impl Host for RunHost {
    fn reading(&mut self, reading: Reading, error: Option<&SourceError>) {
        self.tell(CaptureMessage::Reading(reading, error.cloned()));
    }

    fn opened(&mut self, info: &StreamInfo, codec: Option<String>) {
        let input = |model: &dyn Model| model.working_size(info.size.0, info.size.1);
        let detector = self.model().map(|model| (models::describe(model.as_ref()), input(model.as_ref())));
        self.tell(CaptureMessage::Opened(Box::new(Opened { info: info.clone(), codec, detector })));
    }

    fn working_size(&self, width: u32, height: u32) -> (u32, u32) {
        let Some(model) = self.model() else { return (width, height) };
        enlarged_to(model.working_size(width, height), (width, height), self.enlarged.get())
    }

    fn short_sessions(&mut self, count: u32) {
        self.tell(CaptureMessage::ShortSessions(count));
    }

    fn remark(&mut self, text: &str) {
        self.tell(CaptureMessage::Remark(text.to_owned()));
    }

    fn shares(&mut self) -> RateShares {
        let (shares, latest) = self.run.demand.shares();
        self.latest = Some(latest);
        shares
    }

    fn interval(&mut self, delivered: u64, live: bool) -> f64 {
        let demand = &self.run.demand;
        let latest = self.latest.take();
        self.request(if live { latest.unwrap_or_else(|| demand.latest()) } else { demand.settled(delivered) })
    }

    fn may_sleep(&mut self, regular: bool) -> bool {
        let (request, is_watched) = self.run.demand.attention();
        let rest = match request.activity {
            Activity::Unwatched => Rest::Awake(Wakeful::RateIsSet),
            _ if is_watched => Rest::Awake(Wakeful::PreviewIsWanted),
            Activity::People => Rest::Awake(Wakeful::SomebodyIsThere),
            Activity::Motion => Rest::Awake(Wakeful::SomethingMoves),
            Activity::Nothing if !regular => Rest::Awake(Wakeful::KeyFramesAreRare),
            Activity::Nothing => Rest::Asleep,
        };
        if self.rest != Some(rest) {
            self.rest = Some(rest);
            self.tell(CaptureMessage::Rest(rest));
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
        self.run.book();
        self.run.skip(frames);
        self.source.counters.frames.add(frames);
    }

    fn replace(&mut self, frame: Frame) {
        self.run.book();
        let (call, has_dropped) = self.source.inbox.replace(&self.run, frame);
        self.source.counters.dropped.add(has_dropped.into());
        self.source.answer_call(call);
    }

    fn put(&mut self, frame: Frame) {
        self.run.book();
        self.source.answer_call(self.source.inbox.put(&self.run, frame));
    }

    fn waiting_since(&mut self) -> Option<Instant> {
        self.source.inbox.waiting_since()
    }

    fn renew(&mut self, frame: Frame) {
        self.source.inbox.renew(&self.run, frame);
    }

    fn notify(&mut self, notice: Notice) {
        self.run.book();
        self.source.answer_call(self.source.inbox.notify(&self.run, notice));
    }
}

impl Around for Arc<Source> {
    fn admit(&self, run: Option<Arc<Run>>) {
        self.inbox.admit(run);
    }

    fn read(&self, run: Arc<Run>) -> io::Result<()> {
        let (source, alive) = (Arc::clone(self), self.core.threads.enter());
        // Linux shows 15 bytes of a thread's name.
        let name: String = format!("cap-{}", self.id).chars().take(15).collect();
        let thread = move || {
            let _alive = alive;
            RunHost::new(source, run).supervise();
        };
        std::thread::Builder::new().name(name).spawn(thread).map(drop)
    }

    fn dropped(&self) -> u64 {
        self.inbox.dropped()
    }

    fn notify(&self, run: &Arc<Run>, notice: Notice) {
        self.answer_call(self.inbox.notify(run, notice));
    }

    fn close(&self) {
        self.inbox.close();
    }
}
