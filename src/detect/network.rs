//! A detection network as a [`Model`]: frame in, boxes in frame heights out.

use std::sync::Arc;

use super::{
    DetectError, Detector, Model, ModelInfo,
    formats::{self, Profile, SCORE_FLOOR},
    nms,
    pool::{Backend, Context, Pool, Slot},
    preprocess::{InputRule, Placement},
};
use crate::{
    config::ModelFormat,
    geometry::BBox,
    metrics::stages::{Stage, timed},
    model::Detection,
    source::Frame,
};

/// A network whose contexts all sources share.
pub(super) struct Network {
    pub(super) info: ModelInfo,
    shared: Arc<Shared>,
}

struct Shared {
    /// What errors name.
    path: String,
    format: ModelFormat,
    profile: Profile,
    input: InputRule,
    pool: Pool,
}

impl Network {
    /// Makes a network of at most `contexts` contexts, of which `first` was tried out already.
    pub(super) fn new(
        info: ModelInfo,
        path: String,
        (format, profile): (ModelFormat, Profile),
        input: InputRule,
        (backend, first): (Box<dyn Backend>, Box<dyn Context>),
        contexts: usize,
    ) -> Self {
        let pool = Pool::new(backend, first, contexts);
        Self { info, shared: Arc::new(Shared { path, format, profile, input, pool }) }
    }
}

#[cfg(test)]
use super::preprocess::Input;

#[cfg(test)]
impl Network {
    /// Sum of the absolute values of the output for a raw input.
    pub(super) fn try_raw(&self, input: Input<'_>, size: (u32, u32)) -> f64 {
        let mut sum = 0.0;
        let read = &mut |_: &[i64], data: &[f32]| sum = data.iter().map(|v| f64::from(v.abs())).sum();
        self.shared.pool.with(|slot| slot.context.run(input, size, read)).unwrap();
        sum
    }

    /// The same for a picture that fills the input.
    pub(super) fn try_picture(&self, picture: &opencv::core::Mat) -> f64 {
        use opencv::core::MatTraitConst as _;
        let size = (picture.cols() as u32, picture.rows() as u32);
        let placement = Placement { input: size, content: size };
        let mut pre = super::preprocess::Preprocessor::default();
        self.try_raw(pre.fill(picture, placement, &self.shared.profile).unwrap(), size)
    }
}

impl Model for Network {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn working_size(&self, width: u32, height: u32) -> (u32, u32) {
        self.shared.input.working_size((width, height), &self.shared.profile)
    }

    fn gains_from_reduction(&self) -> bool {
        // A size that was configured is the user's.
        self.shared.input == InputRule::Default
    }

    fn detector(&self) -> Box<dyn Detector> {
        Box::new(NetworkDetector { shared: Arc::clone(&self.shared) })
    }
}

/// Keeps nothing of its source: all buffers belong to the contexts.
struct NetworkDetector {
    shared: Arc<Shared>,
}

impl Detector for NetworkDetector {
    fn detect(&mut self, frame: &Frame) -> Result<Vec<Detection>, DetectError> {
        let shared = &*self.shared;
        let placement = shared.input.place(frame.picture.size(), &shared.profile);
        shared.pool.with(|slot| shared.detect(slot, frame, placement))
    }
}

impl Shared {
    fn detect(
        &self,
        slot: &mut Slot,
        frame: &Frame,
        placement: Placement,
    ) -> Result<Vec<Detection>, DetectError> {
        let Slot { context, pre, candidates, .. } = slot;
        let input = timed(Stage::Preprocess, || pre.fill(frame.picture.bgr()?, placement, &self.profile))
            .map_err(|error| DetectError::Engine { engine: "OpenCV", problem: error.message })?;
        candidates.clear();
        let mut decoded = Ok(());
        timed(Stage::Inference, || {
            context.run(input, placement.input, &mut |shape, data| {
                decoded = formats::decode(self.format, shape, data, placement.input, SCORE_FLOOR, candidates);
            })
        })?;
        decoded.map_err(|problem| DetectError::Model {
            path: self.path.clone(),
            problem: format!("gave something else than when it was loaded: {problem}"),
        })?;
        let (width, height) = (placement.content.0 as f32, placement.content.1 as f32);
        // A box whose middle is in the border is nobody.
        candidates.retain(|c| f32::midpoint(c.x1, c.x2) < width && f32::midpoint(c.y1, c.y2) < height);
        nms::suppress(candidates, self.profile.nms_iou);
        let (sx, sy) = (frame.aspect() / width, 1.0 / height);
        Ok(candidates
            .iter()
            .map(|c| Detection {
                bbox: BBox::from_corners(c.x1 * sx, c.y1 * sy, c.x2 * sx, c.y2 * sy),
                score: c.score,
            })
            .collect())
    }
}
