//! A small copy of a frame, in as little memory as its colors allow.

use std::cell::RefCell;

use opencv::{
    core::{Mat, MatTraitConst as _, MatTraitConstManual as _, Size},
    imgproc,
};

/// Most pixels of a copy: 338x190 of a frame of 16:9. Seven of them, in 12 bits a pixel, are 0.7 MB for a source.
const MOST_PIXELS: f64 = 64_000.0;

/// What pictures are made in on the way. A worker has one, for all of its sources.
#[derive(Default)]
struct Scratch {
    reduced: Mat,
    planes: Mat,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// A small copy of a frame. Planes of 4:2:0, so 12 bits a pixel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Small {
    /// Width in pixels, even.
    width: u32,
    /// Height in pixels, even.
    height: u32,
    planes: Vec<u8>,
}

impl Small {
    /// A copy of `bgr` (8-bit BGR), smaller where that is larger than a copy may be, in the memory of `old`.
    ///
    /// # Errors
    /// When OpenCV refuses.
    pub fn of(bgr: &Mat, old: Option<Self>) -> opencv::Result<Self> {
        let (columns, rows) = (f64::from(bgr.cols().max(1)), f64::from(bgr.rows().max(1)));
        let scale = (MOST_PIXELS / (columns * rows)).sqrt().min(1.0);
        let even = |length: f64| ((length * scale / 2.0).round() as i32 * 2).max(2);
        let (width, height) = (even(columns), even(rows));
        // Interpolation passes over no pixel in less than a halving, and is much faster than averaging.
        let way = if 2 * width > bgr.cols() { imgproc::INTER_LINEAR } else { imgproc::INTER_AREA };
        SCRATCH.with_borrow_mut(|Scratch { reduced, planes }| {
            imgproc::resize(bgr, reduced, Size::new(width, height), 0.0, 0.0, way)?;
            imgproc::cvt_color_def(reduced, planes, imgproc::COLOR_BGR2YUV_I420)?;
            let mut copy = old.map(|old| old.planes).unwrap_or_default();
            copy.clear();
            copy.extend_from_slice(planes.data_bytes()?);
            Ok(Self { width: width as u32, height: height as u32, planes: copy })
        })
    }

    /// 8-bit BGR.
    ///
    /// # Errors
    /// When OpenCV refuses.
    pub fn bgr(&self) -> opencv::Result<Mat> {
        let rows = (self.height * 3 / 2) as i32;
        let planes = Mat::from_slice(&self.planes)?;
        let planes = planes.reshape(1, rows)?;
        let mut bgr = Mat::default();
        imgproc::cvt_color_def(&planes, &mut bgr, imgproc::COLOR_YUV2BGR_I420)?;
        Ok(bgr)
    }

    /// Width over height.
    #[must_use]
    pub fn aspect(&self) -> f32 {
        self.width as f32 / self.height.max(1) as f32
    }
}

#[cfg(test)]
mod tests {
    use opencv::core::{CV_8UC3, Scalar};

    use super::*;

    #[test]
    fn a_copy_has_the_colors_and_the_shape_of_the_frame_and_few_bytes() {
        for (width, height) in [(1920, 1080), (1080, 1920), (416, 234), (63, 47), (2, 2), (1, 1)] {
            let color = Scalar::new(40.0, 90.0, 200.0, 0.0);
            let frame = Mat::new_rows_cols_with_default(height, width, CV_8UC3, color).unwrap();
            let small = Small::of(&frame, None).unwrap();
            assert!(
                small.planes.len() <= 110_000 && small.width <= width as u32 + 1,
                "{}",
                small.planes.len()
            );
            let bgr = small.bgr().unwrap();
            assert_eq!((bgr.cols() as u32, bgr.rows() as u32), (small.width, small.height));
            let pixel = *bgr.at_2d::<opencv::core::Vec3b>(0, 0).unwrap();
            for (found, wanted) in pixel.0.into_iter().zip([40, 90, 200_i32]) {
                assert!((i32::from(found) - wanted).abs() < 8, "{pixel:?}");
            }
            if height > 100 {
                assert!((small.aspect() - width as f32 / height as f32).abs() < 0.02);
            }
        }
    }
}
