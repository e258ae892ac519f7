//! What a worker does with a frame. It has the pipeline meanwhile, so that the actor can handle everything else.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use super::{run::Run, shared::Shared};
use crate::{
    detect::DetectError,
    engine::{
        pipeline::{Pipeline, Step},
        pool::models::NoModel,
    },
    metrics::stages::{metered, thread_nanoseconds},
    source::{Frame, capture::Notice},
};

/// A frame that takes longer is logged as a warning.
const SLOW: Duration = Duration::from_secs(1);

/// What a worker is to do.
pub enum Work {
    /// A frame is there.
    Frame(Frame),
    /// Message about the stream, after its last frame.
    Notice(Notice),
}

/// A frame, and what is needed to handle it.
pub struct Job {
    pub run: Arc<Run>,
    pub frame: Frame,
    pub pipeline: Box<Pipeline>,
}

/// A frame that was handled.
pub struct Done {
    pub job: Job,
    pub result: Result<Step, FrameFailure>,
    /// Number of the worker, from 1.
    pub worker: usize,
    /// CPU time that it took, in nanoseconds.
    pub cpu: u64,
    /// Frames of a live source that were replaced so far before a worker saw them.
    pub dropped: u64,
}

/// Why a frame was not handled.
pub enum FrameFailure {
    /// There is no detector.
    NoModel(NoModel),
    /// The detector failed over this frame.
    Detector(DetectError),
    /// A panic with this text.
    Panic(String),
}

impl Job {
    /// Handles the frame as worker `worker`. Blocks for the detection run, and for the loading of a model that nobody
    /// asked for before.
    pub fn run(mut self, shared: &Shared, worker: usize) -> Done {
        let (started, cpu) = (shared.core.clock.now(), thread_nanoseconds());
        let work = || metered(&shared.stages, || self.handle(shared));
        let result = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
            let what = format!("internal error: {}", panic_text(panic.as_ref()));
            tracing::error!(camera = %shared.id, worker, "{what}");
            Err(FrameFailure::Panic(what))
        });
        let took = shared.core.clock.now().saturating_duration_since(started);
        if took > SLOW {
            tracing::warn!(camera = %shared.id, worker, "A frame took {:.1} s", took.as_secs_f32());
        }
        Done { job: self, result, worker, cpu: thread_nanoseconds().saturating_sub(cpu), dropped: 0 }
    }

    fn handle(&mut self, shared: &Shared) -> Result<Step, FrameFailure> {
        if !self.pipeline.has_model() {
            let model =
                shared.core.models.for_source(&shared.config.load()).map_err(FrameFailure::NoModel)?;
            self.pipeline.set_model(model);
        }
        self.pipeline.frame(&self.frame).map_err(FrameFailure::Detector)
    }
}

/// What a panic said.
pub fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".into())
}
