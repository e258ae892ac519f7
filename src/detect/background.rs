//! Detection without a model file: what differs from the learned background and has the size of a person.
//!
//! OpenCV's mixture of Gaussians (Zivkovic, 2004) at about 320x180, with three additions: brightness is
//! leveled before, so that clouds and automatic exposure change nothing; a frame that changes as a whole
//! is learned again instead of being taken for a crowd; blobs wider than one person are divided.
//!
//! It sees nobody who has stood still for about half a minute, and cannot tell a person from a dog: a network
//! does better wherever there is one.

use std::sync::Arc;

use opencv::{
    core::{self, CV_8U, Mat, MatTraitConst as _, MatTraitConstManual as _, Point, Ptr, Scalar, Size},
    imgproc,
    prelude::BackgroundSubtractorTraitConst as _,
    video::{self, BackgroundSubtractorMOG2, BackgroundSubtractorMOG2Trait},
};

use super::{DetectError, Detector, Model, ModelInfo};
use crate::{
    geometry::BBox,
    metrics::stages::{Stage, timed},
    model::Detection,
    source::Frame,
};
use blobs::{Blob, People};

mod blobs;

/// Pixels of the frames that are compared.
const WORKING_AREA: f64 = 320.0 * 180.0;
/// Time constant of the background, in seconds, at the start and once it has settled. One tenth of it makes
/// somebody who stands still part of the background (the mixture trusts what fills nine tenths of the time).
/// The start is quicker: a person who stands in the first frame is taken for background and leaves a hole.
const MEMORY: (f64, f64) = (60.0, 240.0);
/// Age at which the time constant begins to grow, as a part of the time constant.
const SETTLING: f64 = 0.25;
/// Frames whose plain mean is the first background, so that noise is known from the start.
const FIRST_PICTURES: u64 = 5;
/// Squared distance from the background, in standard deviations, from which a pixel differs: OpenCV's default.
const VAR_THRESHOLD: f64 = 16.0;
/// Seconds between two refreshments of the frame against which brightness is leveled.
const REFERENCE_EVERY: f64 = 1.0;
/// Share of differing pixels from which the full frame is taken to have changed.
const FLOOD: f64 = 0.6;
/// Seconds after which a frame that stays changed is learned again.
const FLOOD_PATIENCE: f64 = 1.0;
/// Score of a blob of the size and shape of a person, and of one less like it.
const GOOD: f32 = 0.9;
const POOR: f32 = 0.4;

/// The `motion` detector. Needs no file and cannot fail to load.
#[cfg(any(test, feature = "internals"))]
#[must_use]
pub fn model() -> Arc<dyn Model> {
    with_note(None)
}

/// The same, saying why it was chosen.
pub(super) fn with_note(note: Option<String>) -> Arc<dyn Model> {
    Arc::new(MotionModel {
        info: ModelInfo {
            name: "motion".into(),
            engine: format!("opencv {}.{}", core::CV_VERSION_MAJOR, core::CV_VERSION_MINOR),
            confidence: 0.5,
            note,
        },
    })
}

struct MotionModel {
    info: ModelInfo,
}

impl Model for MotionModel {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn working_size(&self, width: u32, height: u32) -> (u32, u32) {
        working_size(width, height)
    }

    fn needs_steady_rate(&self) -> bool {
        true
    }

    fn detector(&self) -> Box<dyn Detector> {
        Box::new(MotionDetector::default())
    }
}

fn working_size(width: u32, height: u32) -> (u32, u32) {
    let (width, height) = (width.max(1), height.max(1));
    let scale = (WORKING_AREA / (f64::from(width) * f64::from(height))).sqrt().min(1.0);
    let side = |pixels: u32| ((f64::from(pixels) * scale).round() as u32).max(1);
    (side(width), side(height))
}

#[derive(Default)]
struct MotionDetector {
    /// Made for the size of the frames; a change of size restarts.
    background: Option<Background>,
    people: People,
}

impl Detector for MotionDetector {
    fn detect(&mut self, frame: &Frame) -> Result<Vec<Detection>, DetectError> {
        timed(Stage::Inference, || self.look(frame))
            .map_err(|error| DetectError::Engine { engine: "OpenCV", problem: error.message })
    }
}

impl MotionDetector {
    fn look(&mut self, frame: &Frame) -> opencv::Result<Vec<Detection>> {
        let image = frame.picture.bgr()?;
        let (width, height) = working_size(frame.picture.size().0, frame.picture.size().1);
        let size = Size::new(width as i32, height as i32);
        let mut picture = Mat::default();
        if image.size()? == size {
            imgproc::blur_def(image, &mut picture, Size::new(3, 3))?;
        } else {
            imgproc::resize(image, &mut picture, size, 0.0, 0.0, imgproc::INTER_AREA)?;
        }
        let background = match &mut self.background {
            Some(background) if background.size == size => background,
            slot => slot.insert(Background::new(size)?),
        };
        let Some(mask) = background.subtract(&mut picture, frame.time)? else {
            return Ok(Vec::new());
        };
        let blobs = find_blobs(&mask)?;
        let unit = size.height as f32;
        Ok(self
            .people
            .among(&blobs, mask.data_bytes()?, (size.width as usize, size.height as usize))
            .into_iter()
            .map(|(blob, plausible)| Detection {
                bbox: BBox::new(
                    blob.x as f32 / unit,
                    blob.y as f32 / unit,
                    blob.width as f32 / unit,
                    blob.height as f32 / unit,
                ),
                score: if plausible { GOOD } else { POOR },
            })
            .collect())
    }
}

/// The learned background of one source.
struct Background {
    size: Size,
    mixture: Ptr<BackgroundSubtractorMOG2>,
    /// The background as a frame, against which brightness is leveled.
    reference: Mat,
    reference_time: f64,
    /// 255 where the frame before was background.
    still: Mat,
    frames: u64,
    time: f64,
    /// When the first frame came.
    born: Option<f64>,
    /// Since when the frame has differed as a whole.
    flooded: Option<f64>,
}

impl Background {
    fn new(size: Size) -> opencv::Result<Self> {
        Ok(Self {
            size,
            mixture: video::create_background_subtractor_mog2(500, VAR_THRESHOLD, true)?,
            reference: Mat::default(),
            reference_time: 0.0,
            still: Mat::default(),
            frames: 0,
            time: 0.0,
            born: None,
            flooded: None,
        })
    }

    /// 255 where `picture` differs from the background; `None` while nothing can be said.
    fn subtract(&mut self, picture: &mut Mat, time: f64) -> opencv::Result<Option<Mat>> {
        let passed = (time - self.time).clamp(0.0, 1.0);
        if time < self.time {
            // The source was opened again; whatever was learned may be of another view.
            *self = Self::new(self.size)?;
        }
        self.time = time;
        self.level(picture)?;
        self.frames += 1;
        let born = *self.born.get_or_insert(time);
        let memory = ((time - born) / SETTLING).clamp(MEMORY.0, MEMORY.1);
        let rate = if self.frames <= FIRST_PICTURES {
            1.0 / self.frames as f64
        } else {
            1.0 - (-passed / memory).exp()
        };
        let mut marks = Mat::default();
        BackgroundSubtractorMOG2Trait::apply(&mut self.mixture, picture, &mut marks, rate)?;
        let mut mask = Mat::default();
        // Shadows are marked 127.
        imgproc::threshold(&marks, &mut mask, 200.0, 255.0, imgproc::THRESH_BINARY)?;
        imgproc::threshold(&marks, &mut self.still, 1.0, 255.0, imgproc::THRESH_BINARY_INV)?;

        // Shadows included: where the full frame has changed, what is darker now looks like one.
        let share = 1.0 - f64::from(core::count_non_zero(&self.still)?) / f64::from(self.size.area().max(1));
        if share > FLOOD {
            let since = *self.flooded.get_or_insert(time);
            if time - since >= FLOOD_PATIENCE {
                *self = Self { time, ..Self::new(self.size)? };
            }
            return Ok(None);
        }
        self.flooded = None;
        if self.reference.empty() || time - self.reference_time >= REFERENCE_EVERY {
            self.mixture.get_background_image(&mut self.reference)?;
            self.reference_time = time;
        }
        Ok((self.frames > 1).then_some(mask))
    }

    /// Brings the brightness of each channel to that of the reference, judged where nothing moved.
    fn level(&self, picture: &mut Mat) -> opencv::Result<()> {
        if self.reference.empty() {
            return Ok(());
        }
        if f64::from(core::count_non_zero(&self.still)?) < f64::from(self.size.area()) * 0.2 {
            return Ok(());
        }
        let now = core::mean(picture, &self.still)?;
        let then = core::mean(&self.reference, &self.still)?;
        let gain = |channel: usize| (then[channel].max(1.0) / now[channel].max(1.0)).clamp(0.5, 2.0);
        let gains = Scalar::new(gain(0), gain(1), gain(2), 1.0);
        let mut levelled = Mat::default();
        core::multiply(picture, &gains, &mut levelled, 1.0, CV_8U)?;
        *picture = levelled;
        Ok(())
    }
}

/// Connected areas of `mask` after removing specks and closing gaps. `mask` is changed accordingly.
fn find_blobs(mask: &Mat) -> opencv::Result<Vec<Blob>> {
    let kernel = |width, height| {
        imgproc::get_structuring_element(imgproc::MORPH_RECT, Size::new(width, height), Point::new(-1, -1))
    };
    let border = imgproc::morphology_default_border_value()?;
    let morph = |from: &Mat, operation, shape: &Mat| -> opencv::Result<Mat> {
        let mut to = Mat::default();
        imgproc::morphology_ex(
            from,
            &mut to,
            operation,
            shape,
            Point::new(-1, -1),
            1,
            core::BORDER_CONSTANT,
            border,
        )?;
        Ok(to)
    };
    let clean = morph(mask, imgproc::MORPH_OPEN, &kernel(2, 2)?)?;
    // Bodies are upright: gaps are closed up and down more than sideways, where the next person may be.
    let closed = morph(&clean, imgproc::MORPH_CLOSE, &kernel(3, 9)?)?;
    let (mut labels, mut stats, mut centroids) = (Mat::default(), Mat::default(), Mat::default());
    let count =
        imgproc::connected_components_with_stats_def(&closed, &mut labels, &mut stats, &mut centroids)?;
    (1..count)
        .map(|label| {
            let field = |column| stats.at_2d::<i32>(label, column).map(|&value| value.max(0) as usize);
            Ok(Blob {
                x: field(imgproc::CC_STAT_LEFT)?,
                y: field(imgproc::CC_STAT_TOP)?,
                width: field(imgproc::CC_STAT_WIDTH)?,
                height: field(imgproc::CC_STAT_HEIGHT)?,
                area: field(imgproc::CC_STAT_AREA)?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use opencv::core::{CV_8UC3, Rect, Vec3b};

    use super::*;
    use crate::source::image::FrameImage;

    const BODY: (i32, i32) = (18, 44);

    /// A textured floor of 320x180 (`pattern` chooses which) with dark bodies at these left top corners.
    fn frame(time: f64, light: f64, pattern: u32, bodies: &[(i32, i32)]) -> Frame {
        let pixels: Vec<Vec3b> = (0..320 * 180u32)
            .map(|at| {
                let (x, y) = (at % 320, at / 320);
                let texture = f64::from((x / 8 * 7 + y / 8 * 13) * pattern % 40 * pattern);
                let noise = (at.wrapping_mul(2_654_435_761).wrapping_add((time * 1000.0) as u32) >> 7) % 5;
                Vec3b::all(((120.0 + texture) * light) as u8 + noise as u8)
            })
            .collect();
        let mut image = Mat::new_rows_cols_with_data(180, 320, &pixels).unwrap().try_clone().unwrap();
        for &(x, y) in bodies {
            let body = Rect::new(x, y, BODY.0, BODY.1);
            imgproc::rectangle(&mut image, body, Scalar::new(60.0, 20.0, 20.0, 0.0), -1, imgproc::LINE_8, 0)
                .unwrap();
        }
        Frame {
            picture: FrameImage::ready(image),
            index: 0,
            time,
            captured: std::time::Instant::now(),
            stream_size: (320, 180),
            last: false,
        }
    }

    /// A detector that has seen the empty floor for `seconds`, five times a second.
    fn settled(seconds: u32) -> (Box<dyn Detector>, f64) {
        let mut detector = model().detector();
        for index in 0..seconds * 5 {
            let found = detector.detect(&frame(f64::from(index) / 5.0, 1.0, 1, &[])).unwrap();
            assert!(found.is_empty(), "somebody was seen on the empty floor");
        }
        (detector, f64::from(seconds))
    }

    #[test]
    fn somebody_who_walks_is_found_where_they_are() {
        let (mut detector, now) = settled(2);
        for step in 0..20 {
            let x = 40 + step * 8;
            let found = detector.detect(&frame(now + f64::from(step) / 5.0, 1.0, 1, &[(x, 60)])).unwrap();
            assert_eq!(found.len(), 1, "step {step}");
            let truth =
                BBox::new(x as f32 / 180.0, 60.0 / 180.0, BODY.0 as f32 / 180.0, BODY.1 as f32 / 180.0);
            assert!(found[0].bbox.iou(&truth) > 0.75, "step {step}: {:?}", found[0].bbox);
            assert!(found[0].score >= model().info().confidence);
        }
    }

    #[test]
    fn light_that_changes_is_nobody_and_hides_nobody() {
        let (mut detector, now) = settled(4);
        for step in 0..30 {
            let light = if step < 15 { 1.0 - f64::from(step) * 0.02 } else { 1.15 };
            let time = now + f64::from(step) / 5.0;
            let found = detector.detect(&frame(time, light, 1, &[(60 + step * 6, 60)])).unwrap();
            assert_eq!(found.len(), 1, "step {step}");
        }
    }

    #[test]
    fn another_view_is_learnt_and_never_taken_for_a_crowd() {
        let (mut detector, mut now) = settled(4);
        for _ in 0..20 {
            now += 0.2;
            assert!(detector.detect(&frame(now, 0.5, 3, &[])).unwrap().is_empty());
        }
        let found = detector.detect(&frame(now + 0.2, 0.5, 3, &[(100, 60)])).unwrap();
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn somebody_who_stands_for_a_quarter_of_a_minute_is_not_forgotten() {
        let (mut detector, now) = settled(60);
        let mut found = Vec::new();
        for step in 0..75 {
            found = detector.detect(&frame(now + f64::from(step) / 5.0, 1.0, 1, &[(100, 60)])).unwrap();
        }
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn a_change_of_size_restarts_the_background() {
        let (mut detector, now) = settled(2);
        let mut small = frame(now, 1.0, 1, &[]);
        let mut image = Mat::default();
        let whole = small.picture.bgr().unwrap();
        imgproc::resize(whole, &mut image, Size::new(200, 150), 0.0, 0.0, imgproc::INTER_AREA).unwrap();
        small.picture = FrameImage::ready(image);
        assert!(detector.detect(&small).unwrap().is_empty());
        let tiny = Frame {
            picture: FrameImage::ready(
                Mat::new_rows_cols_with_default(1, 1, CV_8UC3, Scalar::all(1.0)).unwrap(),
            ),
            ..frame(now, 1.0, 1, &[])
        };
        assert!(detector.detect(&tiny).unwrap().is_empty());
    }

    #[test]
    fn working_sizes_keep_the_aspect_and_need_no_second_reduction() {
        assert_eq!(working_size(1920, 1080), (320, 180));
        assert_eq!(working_size(160, 120), (160, 120));
        for (width, height) in [(640, 480), (1080, 1920), (854, 480), (3840, 2160), (500, 372)] {
            let once = working_size(width, height);
            assert_eq!(working_size(once.0, once.1), once, "{width}x{height}");
        }
    }
}
