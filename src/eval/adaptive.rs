//! A video as the running program would count it: read by its capture loop, counted by its pipeline.

use std::{cell::Cell, collections::BTreeMap, sync::Arc};

use super::{EvalError, EvalOptions};
use crate::{
    clock::SystemClock,
    config::SourceConfig,
    detect::{DetectError, Model},
    engine::pipeline::Pipeline,
    model::{EventKind, LineCounts, Reason},
    progress::Progress,
    source::{
        Frame, FrameSource, Interrupt, Opener, SourceError, StreamInfo, SystemOpener,
        capture::{Capture, CaptureControl, Host, Notice, Reading, supervise},
        decode_scheduler::DecodeScheduler,
        pacer::{Demand, enlarged_to},
        stretch::{Excerpt, Stretch},
    },
};

/// Opens a video behind its first frames.
struct Later(u32);

impl Opener for Later {
    fn open(&self, source: &SourceConfig, stop: &Interrupt) -> Result<Box<dyn FrameSource>, SourceError> {
        let mut stream = SystemOpener::default().open(source, stop)?;
        for _ in 0..self.0 {
            if !stream.grab()? {
                break;
            }
        }
        Ok(stream)
    }
}

/// Handles each frame as soon as it is there, on the thread that reads.
struct Reader<'a> {
    pipeline: Pipeline,
    model: &'a dyn Model,
    demand: Demand,
    /// Times the usual size that frames should have.
    enlarged: Cell<f32>,
    control: &'a CaptureControl,
    progress: &'a Progress,
    events: Vec<EventKind>,
    detected: Result<(), DetectError>,
    ended: Option<SourceError>,
}

impl Host for Reader<'_> {
    fn reading(&mut self, _: Reading, _: Option<&SourceError>) {}

    fn opened(&mut self, _: &StreamInfo, _: Option<String>) {}

    fn working_size(&self, width: u32, height: u32) -> (u32, u32) {
        enlarged_to(self.model.working_size(width, height), (width, height), self.enlarged.get())
    }

    fn interval(&mut self, delivered: u64, _: bool) -> f64 {
        let request = self.demand.settled(delivered);
        self.enlarged.set(request.enlarged);
        request.interval
    }

    fn skipped(&mut self, frames: u64) {
        self.progress.advance(frames);
        if self.progress.is_stopped() {
            self.control.stop();
        }
    }

    fn replace(&mut self, frame: Frame) {
        self.put(frame);
    }

    fn put(&mut self, frame: Frame) {
        match self.pipeline.frame(&frame) {
            Ok(step) => {
                self.demand.answer(step.request);
                self.events.extend(step.events);
            }
            Err(error) => {
                self.detected = Err(error);
                self.control.stop();
            }
        }
        self.skipped(1);
    }

    fn waiting_since(&mut self) -> Option<std::time::Instant> {
        None
    }

    fn renew(&mut self, _: Frame) {}

    fn notify(&mut self, notice: Notice) {
        if let Notice::Ended(error) = notice {
            self.ended = error;
        }
    }
}

/// What was counted in a video.
pub struct Played {
    /// Counts of each line.
    pub lines: Vec<LineCounts>,
    /// Crossings that were not counted, of all lines.
    pub suppressed: BTreeMap<Reason, u64>,
    /// Everything that looked like a crossing, in the order in which it was decided.
    pub events: Vec<EventKind>,
}

/// Counts `stretch` of `source`; `None` when `progress` asks for the end before its own.
///
/// # Errors
/// When the video cannot be read or the detector fails.
pub fn play(
    source: &SourceConfig,
    stretch: Stretch,
    model: &Arc<dyn Model>,
    options: &EvalOptions,
    progress: &Progress,
) -> Result<Option<Played>, EvalError> {
    let mut config = source.clone();
    config.tracker = options.tracker;
    let mut pipeline = Pipeline::with_params(Arc::new(config.clone()), &[], options.params);
    pipeline.set_model(Arc::clone(model));
    let inner = Later(options.plan.start_offset);
    let opener = Excerpt { inner, stretch, onlooker: None };
    let (control, decode_scheduler) = (CaptureControl::default(), DecodeScheduler::new(1));
    let capture = Capture {
        source: &config,
        opener: &opener,
        control: &control,
        clock: &SystemClock,
        decode_scheduler: &decode_scheduler,
    };
    let (demand, enlarged, detected, ended) = (Demand::default(), Cell::new(1.0), Ok(()), None);
    let (model, events) = (model.as_ref(), Vec::new());
    let mut reader =
        Reader { pipeline, model, demand, enlarged, control: &control, progress, events, detected, ended };
    supervise(&capture, &mut reader);
    reader.detected?;
    if let Some(error) = reader.ended {
        return Err(EvalError::Source { scene: source.id.to_string(), error });
    }
    if progress.is_stopped() {
        return Ok(None);
    }
    let Reader { mut pipeline, mut events, .. } = reader;
    pipeline.release(&mut events);
    let (lines, suppressed) = (pipeline.lines().to_vec(), pipeline.suppressed().clone());
    Ok(Some(Played { lines, suppressed, events }))
}
