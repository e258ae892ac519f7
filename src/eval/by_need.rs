//! A scene's video as the running program would count it: through the engine's own pipeline, which chooses
//! the frames that are looked at.

use std::sync::Arc;

use super::{
    EvalError, EvalOptions,
    report::LineResult,
    scene::{Scene, source_config},
};
use crate::{
    detect::Model,
    engine::pipeline::Pipeline,
    progress::Progress,
    source::{
        Interrupt, Opener as _, SystemOpener,
        pacer::{Demand, Pacer, Shares, Wish, enlarged_to},
    },
};

/// Counts of every line of `scene`; `None` when `progress` asks for the end before its own.
///
/// # Errors
/// When the video cannot be read or the detector fails.
pub fn play(
    scene: &Scene,
    model: &Arc<dyn Model>,
    options: &EvalOptions,
    progress: &Progress,
) -> Result<Option<Vec<LineResult>>, EvalError> {
    let broken = |error| EvalError::Source { scene: scene.name.clone(), error };
    let mut config = source_config(scene);
    config.tracker = options.tracker;
    let mut stream = SystemOpener::default().open(&config, &Interrupt::default()).map_err(broken)?;
    let mut pacer = Pacer::new(config.cadence);
    let mut pipeline = Pipeline::with_params(Arc::new(config), &[], options.params);
    pipeline.set_model(Arc::clone(model));
    let (demand, mut delivered, mut index) = (Demand::default(), 0, 0);
    let mut enlarged = Wish::FIRST.enlarged;
    while stream.grab().map_err(broken)? {
        if progress.is_stopped() {
            return Ok(None);
        }
        index += 1;
        progress.advance(1);
        if index <= options.plan.start_offset {
            continue;
        }
        let last = stream.is_last() && pacer.wants_last();
        let wanted = last
            || pacer.wants(stream.time(), Shares::WHOLE, || {
                let wish = demand.settled(delivered);
                enlarged = wish.enlarged;
                wish.interval
            });
        if !wanted {
            continue;
        }
        let working_size =
            |width, height| enlarged_to(model.working_size(width, height), (width, height), enlarged);
        let frame = stream.retrieve(&working_size).map_err(broken)?;
        demand.answer(pipeline.frame(&frame)?.wish);
        delivered += 1;
    }
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
    Ok(Some(results))
}
