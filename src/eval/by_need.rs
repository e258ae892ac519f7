//! A scene's video as the running program would count it: read by its capture loop, counted by its pipeline.

use std::{cell::Cell, sync::Arc};

use super::{
    EvalError, EvalOptions,
    costs::{Costs, Tallied, Tally},
    report::LineResult,
    scene::{Scene, source_config},
};
use crate::{
    clock::SystemClock,
    config::SourceConfig,
    detect::{DetectError, Model},
    engine::pipeline::Pipeline,
    progress::Progress,
    source::{
        Frame, FrameSource, Interrupt, Opener, SourceError, StreamInfo, SystemOpener,
        capture::{Capture, CaptureControl, Host, Notice, Reading, supervise},
        pacer::{Demand, enlarged_to},
        turns::Turns,
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
        let wish = self.demand.settled(delivered);
        self.enlarged.set(wish.enlarged);
        wish.interval
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
            Ok(step) => self.demand.answer(step.wish),
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

/// Counts of every line of `scene`, and what they cost; `None` when `progress` asks for the end before its own.
///
/// # Errors
/// When the video cannot be read or the detector fails.
pub fn play(
    scene: &Scene,
    model: &Arc<dyn Model>,
    options: &EvalOptions,
    progress: &Progress,
) -> Result<Option<(Vec<LineResult>, Costs)>, EvalError> {
    let mut config = source_config(scene);
    config.tracker = options.tracker;
    let mut pipeline = Pipeline::with_params(Arc::new(config.clone()), &[], options.params);
    let tally = Arc::<Tally>::default();
    pipeline.set_model(Arc::new(Tallied { model: Arc::clone(model), tally: Arc::clone(&tally) }));
    let (control, turns, opener) =
        (CaptureControl::default(), Turns::new(1), Later(options.plan.start_offset));
    let capture =
        Capture { source: &config, opener: &opener, control: &control, clock: &SystemClock, turns: &turns };
    let (demand, enlarged, detected, ended) = (Demand::default(), Cell::new(1.0), Ok(()), None);
    let model = model.as_ref();
    let mut reader =
        Reader { pipeline, model, demand, enlarged, control: &control, progress, detected, ended };
    supervise(&capture, &mut reader);
    reader.detected?;
    if let Some(error) = reader.ended {
        return Err(EvalError::Source { scene: scene.name.clone(), error });
    }
    if progress.is_stopped() {
        return Ok(None);
    }
    let mut pipeline = reader.pipeline;
    pipeline.release(&mut Vec::new());
    let counts = pipeline.lines().iter();
    let results = scene
        .lines
        .iter()
        .zip(counts)
        .enumerate()
        .map(|(index, (line, counts))| LineResult {
            scene: scene.name.clone(),
            line: line.config.name.clone(),
            true_in: line.true_in,
            true_out: line.true_out,
            counted_in: counts.total_in,
            counted_out: counts.total_out,
            // The pipeline keeps them for all lines together.
            suppressed: if index == 0 { pipeline.suppressed().clone() } else { Default::default() },
        })
        .collect();
    let (width, height) = scene.clip.size;
    let seconds = f64::from(scene.frames.saturating_sub(options.plan.start_offset)) / scene.clip.fps;
    let costs = tally.costs(&scene.name, model.working_size(width, height), seconds);
    Ok(Some((results, costs)))
}
