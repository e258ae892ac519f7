//! Detection in as much of a frame as was chosen.

use opencv::{
    core::{Mat, MatTraitConst as _, Rect, Size},
    imgproc,
};

use crate::{
    cadence::{CadenceParams, View},
    detect::{DetectError, Detector},
    metrics::stages::{Stage, timed},
    model::Detection,
    source::{Frame, image::FrameImage},
};

/// What `detector` finds in `view` of `frame`; boxes are in heights of the whole frame. `buffer` keeps the memory of a
/// reduced frame.
///
/// # Errors
/// When the frame cannot be read or the detector fails.
pub fn detect(
    detector: &mut dyn Detector,
    frame: &Frame,
    view: &View,
    params: &CadenceParams,
    buffer: &mut Mat,
) -> Result<Vec<Detection>, DetectError> {
    let size = frame.picture.size();
    match view {
        View::Whole => detector.detect(frame),
        View::Reduced(reduced) => detect_in(detector, frame, (0, 0, size.0, size.1), *reduced, buffer),
        View::Crops(crops) => {
            let mut found = Vec::new();
            for crop in crops {
                let inside = detect_in(detector, frame, crop.within(size), crop.size, buffer)?;
                found.extend(crop.placed(inside, params));
            }
            Ok(found)
        }
    }
}

/// Detects in `rect` (left, top, width, height) of `frame` reduced to `size`; boxes are in heights of it.
/// `buffer` keeps the reduced frame's memory.
fn detect_in(
    detector: &mut dyn Detector,
    frame: &Frame,
    rect: (u32, u32, u32, u32),
    size: (u32, u32),
    buffer: &mut Mat,
) -> Result<Vec<Detection>, DetectError> {
    let rect = Rect::new(rect.0 as i32, rect.1 as i32, rect.2 as i32, rect.3 as i32);
    let wanted = Size::new(size.0 as i32, size.1 as i32);
    // Interpolation passes over no pixel in less than a halving, and is much faster than averaging.
    let method = if 2 * wanted.width > rect.width { imgproc::INTER_LINEAR } else { imgproc::INTER_AREA };
    timed(Stage::Preprocess, || {
        let part = frame.picture.bgr()?.roi(rect)?;
        imgproc::resize(&part, buffer, wanted, 0.0, 0.0, method)
    })
    .map_err(|error| DetectError::Engine { engine: "OpenCV", problem: error.message })?;
    let (width, height) = frame.picture.size();
    let whole = (rect.width, rect.height) == (width as i32, height as i32);
    let stream_size = if whole { frame.stream_size } else { size };
    let reduced = Frame { picture: FrameImage::ready(std::mem::take(buffer)), stream_size, ..*frame };
    let found = detector.detect(&reduced);
    *buffer = reduced.picture.into_bgr();
    found
}
