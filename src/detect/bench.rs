//! Stages of detection by themselves, for measuring.

use opencv::core::{Mat, MatTraitConst};

use super::{
    formats::{self, Profile, SCORE_FLOOR},
    nms,
    preprocess::{Input, InputRule, Preprocessor},
};
use crate::config::ModelFormat;

/// Frame to network input.
pub struct Prepare {
    pre: Preprocessor,
    profile: Profile,
}

impl Prepare {
    /// With buffers of its own, as each inference context has them.
    #[must_use]
    pub fn new(format: ModelFormat) -> Self {
        Self { pre: Preprocessor::default(), profile: formats::profile(format) }
    }

    /// The same for the embedded model in eight bits.
    #[must_use]
    pub fn windows() -> Self {
        let profile = Profile { windows: true, ..formats::profile(ModelFormat::Pcount) };
        Self { pre: Preprocessor::default(), profile }
    }

    /// Makes the network input for `image` (8-bit BGR) at the default size and says how many bytes it has.
    ///
    /// # Errors
    /// When OpenCV cannot resize the frame.
    pub fn run(&mut self, image: &Mat) -> opencv::Result<usize> {
        let size = (image.cols().max(1) as u32, image.rows().max(1) as u32);
        let placement = InputRule::Default.place(size, &self.profile);
        Ok(match self.pre.fill(image, placement, &self.profile)? {
            Input::Planes(values) => size_of_val(values),
            Input::Windows(bytes) => bytes.len(),
        })
    }
}

/// How many people are in an output of `format` for an `input` of (width, height): decoding and suppression.
/// An output of another length holds nobody.
#[must_use]
pub fn read(format: ModelFormat, output: &[f32], input: (u32, u32)) -> usize {
    let columns = match format {
        ModelFormat::Pcount | ModelFormat::Rtmdet => 5,
        _ => 6,
    };
    let shape = [1, (output.len() / columns) as i64, columns as i64];
    let mut candidates = Vec::new();
    if formats::decode(format, &shape, output, input, SCORE_FLOOR, &mut candidates).is_err() {
        return 0;
    }
    nms::suppress(&mut candidates, formats::profile(format).nms_iou);
    candidates.len()
}
