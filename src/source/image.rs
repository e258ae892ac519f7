//! The picture of a frame: as its decoder left it until somebody asks for more.
//!
//! Most frames are only compared with the one before, for which their luma is enough. A picture is converted to BGR when
//! a detector or a person is to see it, at the size that was asked for when the frame was taken.

use std::{cell::OnceCell, sync::Arc};

use opencv::{
    core::{self, CV_8U, Mat, MatTraitConst, Point2f, Rect, Size},
    imgproc,
};
use parking_lot::Mutex;

use crate::native::ffmpeg::{self, Converter, Depth, Orientation};

/// Black and white of video whose values are not all used, and how many values lie between them (ITU-R BT.601, 2.5.3).
const BLACK: f64 = 16.0;
const SPAN: f64 = 219.0;

/// A frame's picture, upright, at its working size.
pub struct FrameImage {
    /// Width and height in pixels at which it is seen.
    size: (u32, u32),
    decoded: Option<Decoded>,
    bgr: OnceCell<Mat>,
}

/// A picture as it came out of the decoder.
pub struct Decoded {
    /// What was decoded.
    pub picture: ffmpeg::DecodedFrame,
    /// How it is turned upright.
    pub orientation: Orientation,
    /// What converts the pictures of its source.
    pub converter: Arc<Mutex<Converter>>,
}

impl Decoded {
    /// Width and height in pixels as a player shows it: upright, with square pixels.
    #[must_use]
    pub fn shown_size(&self) -> (u32, u32) {
        shown_size(self.picture.size(), self.picture.pixel_aspect(), self.orientation)
    }
}

/// Width and height in pixels at which a player shows a picture of `size` whose pixels are `aspect` times as wide as high.
#[must_use]
pub fn shown_size((width, height): (u32, u32), aspect: f64, orientation: Orientation) -> (u32, u32) {
    let width = (f64::from(width) * aspect).round().clamp(0.0, f64::from(u16::MAX)) as u32;
    if orientation.transposed { (height, width) } else { (width, height) }
}

impl FrameImage {
    /// An 8-bit BGR picture as it is; never empty.
    #[must_use]
    pub fn ready(bgr: Mat) -> Self {
        let size = (bgr.cols().max(1) as u32, bgr.rows().max(1) as u32);
        Self { size, decoded: None, bgr: OnceCell::from(bgr) }
    }

    /// A decoded picture that is to be seen at `size` (width, height), but not larger than it is.
    #[must_use]
    pub fn decoded(decoded: Decoded, size: (u32, u32)) -> Self {
        let full = decoded.shown_size();
        let size = (size.0.clamp(1, full.0), size.1.clamp(1, full.1));
        Self { size, decoded: Some(decoded), bgr: OnceCell::new() }
    }

    /// Width and height in pixels at which it is seen.
    #[must_use]
    pub fn size(&self) -> (u32, u32) {
        self.size
    }

    /// 8-bit BGR of [`Self::size`]; converted when this is called first.
    ///
    /// # Errors
    /// When it cannot be converted.
    pub fn bgr(&self) -> opencv::Result<&Mat> {
        if let Some(bgr) = self.bgr.get() {
            return Ok(bgr);
        }
        let bgr = match &self.decoded {
            Some(decoded) => decoded.bgr(self.size)?,
            None => Mat::default(),
        };
        Ok(self.bgr.get_or_init(|| bgr))
    }

    /// The BGR picture, if it was converted or made; else an empty one.
    #[must_use]
    pub fn into_bgr(self) -> Mat {
        self.bgr.into_inner().unwrap_or_default()
    }

    /// The same picture, to be seen at `size` (width, height) from now on, but not larger than it is.
    ///
    /// # Errors
    /// When it was converted already and cannot be resized.
    pub fn at(self, size: (u32, u32)) -> opencv::Result<Self> {
        if let Some(decoded) = self.decoded {
            Ok(Self::decoded(decoded, size))
        } else {
            let bgr = self.bgr()?;
            let size = (size.0.min(bgr.cols() as u32), size.1.min(bgr.rows() as u32));
            if size == self.size { Ok(self) } else { Ok(Self::ready(resized(bgr, size)?)) }
        }
    }

    /// 8-bit BGR of `size` (width, height), whatever size it is seen at otherwise.
    ///
    /// # Errors
    /// When it cannot be converted.
    pub fn bgr_at(&self, size: (u32, u32)) -> opencv::Result<Mat> {
        match &self.decoded {
            Some(decoded) => decoded.bgr(size),
            None => resized(self.bgr()?, size),
        }
    }

    /// 8-bit gray of `size` (width, height) with all values used.
    ///
    /// # Errors
    /// When it cannot be converted.
    pub fn gray(&self, size: (u32, u32)) -> opencv::Result<Mat> {
        if let Some(decoded) = &self.decoded {
            decoded.gray(size)
        } else {
            let mut full = Mat::default();
            imgproc::cvt_color_def(self.bgr()?, &mut full, imgproc::COLOR_BGR2GRAY)?;
            resized(&full, size)
        }
    }
}

impl Decoded {
    fn bgr(&self, size: (u32, u32)) -> opencv::Result<Mat> {
        /// What pictures were converted into, for the next ones of whatever source: few are converted at one moment.
        static SPARE: Mutex<Vec<Mat>> = Mutex::new(Vec::new());
        const MOST_SPARE: usize = 4;
        let size = self.before_turning(size);
        let is_less = size.0 < self.picture.size().0 && size.1 < self.picture.size().1;
        let reduced = if is_less { self.picture.reduced(size, resized) } else { None };
        let mut room = SPARE.lock().pop().unwrap_or_default();
        let mut converter = self.converter.lock();
        let image = if let Some(reduced) = reduced {
            converter.bgr_of(&reduced, &mut room).map_err(failed)?.try_clone()?
        } else {
            let full = converter.bgr(&self.picture, self.picture.stored_size(), &mut room);
            resized(&full.map_err(failed)?, size)?
        };
        drop(converter);
        let mut spare = SPARE.lock();
        if spare.len() < MOST_SPARE {
            spare.push(room);
        }
        drop(spare);
        self.upright(image)
    }

    fn gray(&self, size: (u32, u32)) -> opencv::Result<Mat> {
        let size = self.before_turning(size);
        let seen = self.picture.luma(|luma, depth| full_range(&resized(luma, size)?, depth));
        let gray = seen.unwrap_or_else(|| {
            let mut room = Mat::default();
            let full = self.converter.lock().gray(&self.picture, self.picture.stored_size(), &mut room);
            resized(&full.map_err(failed)?, size)
        });
        self.upright(gray?)
    }

    /// The size that becomes `size` when the picture is turned.
    fn before_turning(&self, (width, height): (u32, u32)) -> (u32, u32) {
        if self.orientation.transposed { (height, width) } else { (width, height) }
    }

    fn upright(&self, mut image: Mat) -> opencv::Result<Mat> {
        let Orientation { transposed, mirrored, upended, degrees } = self.orientation;
        let mut turned = Mat::default();
        if transposed {
            core::transpose(&image, &mut turned)?;
            std::mem::swap(&mut image, &mut turned);
        }
        // OpenCV's codes: 0 about the horizontal axis, 1 about the vertical one, -1 about both.
        let code = match (mirrored, upended) {
            (false, false) => None,
            (false, true) => Some(0),
            (true, false) => Some(1),
            (true, true) => Some(-1),
        };
        if let Some(code) = code {
            core::flip(&image, &mut turned, code)?;
            std::mem::swap(&mut image, &mut turned);
        }
        if degrees != 0.0 {
            let size = image.size()?;
            let middle = Point2f::new(size.width as f32 / 2.0, size.height as f32 / 2.0);
            // OpenCV turns the other way.
            let turn = imgproc::get_rotation_matrix_2d(middle, -degrees, 1.0)?;
            imgproc::warp_affine_def(&image, &mut turned, &turn, size)?;
            std::mem::swap(&mut image, &mut turned);
        }
        Ok(image)
    }
}

fn failed(error: ffmpeg::Error) -> opencv::Error {
    opencv::Error::new(core::StsError, format!("the frame cannot be converted: {error}"))
}

/// Luma as 8-bit gray of which all values are used.
fn full_range(luma: &Mat, depth: Depth) -> opencv::Result<Mat> {
    let unit = f64::from(1 << (depth.bits - 8));
    let (scale, shift) =
        if depth.is_full { (1.0 / unit, 0.0) } else { (255.0 / SPAN / unit, -BLACK * 255.0 / SPAN) };
    let mut gray = Mat::default();
    luma.convert_to(&mut gray, CV_8U, scale, shift)?;
    Ok(gray)
}

/// `full` at `size` (width, height).
///
/// # Errors
/// When OpenCV has no memory for it, or cannot scale what `full` holds.
pub fn resized(full: &impl MatTraitConst, size: (u32, u32)) -> opencv::Result<Mat> {
    let (width, height) = ((size.0 as i32).max(1), (size.1 as i32).max(1));
    // Averaging squares of four is fast and loses nothing; what is left is less than a halving, which interpolation does
    // without passing over pixels.
    let mut last = full.roi(Rect::new(0, 0, full.cols(), full.rows()))?;
    let mut halved;
    while last.cols() >= 2 * width && last.rows() >= 2 * height {
        let (columns, rows) = (last.cols() / 2, last.rows() / 2);
        let mut half = Mat::default();
        let even = last.roi(Rect::new(0, 0, columns * 2, rows * 2))?;
        imgproc::resize(&even, &mut half, Size::new(columns, rows), 0.0, 0.0, imgproc::INTER_AREA)?;
        drop(even);
        halved = half;
        last = halved.roi(Rect::new(0, 0, columns, rows))?;
    }
    if (last.cols(), last.rows()) == (width, height) {
        return last.try_clone();
    }
    // One side alone may still be far too long, as that of a picture whose pixels are no squares.
    let far = last.cols() >= 2 * width || last.rows() >= 2 * height;
    let way = if far { imgproc::INTER_AREA } else { imgproc::INTER_LINEAR };
    let mut image = Mat::default();
    imgproc::resize(&last, &mut image, Size::new(width, height), 0.0, 0.0, way)?;
    Ok(image)
}

#[cfg(test)]
mod tests {
    use opencv::core::{CV_8UC1, CV_8UC3, CV_16UC1, Scalar};

    use super::*;

    #[test]
    fn pictures_are_resized_whatever_their_sides() {
        let full =
            |cols, rows| Mat::new_rows_cols_with_default(rows, cols, CV_8UC3, Scalar::all(7.0)).unwrap();
        let size = |mat: Mat| (mat.cols(), mat.rows());
        for wanted in [(32, 24), (31, 17), (64, 48), (64, 5), (128, 48), (1, 1)] {
            let found = size(resized(&full(64, 48), (wanted.0 as u32, wanted.1 as u32)).unwrap());
            assert_eq!(found, wanted);
        }
        assert_eq!(size(resized(&full(64, 48), (0, 0)).unwrap()), (1, 1));
    }

    #[test]
    fn luma_of_any_depth_and_range_becomes_gray_of_all_values() {
        let gray = |kind, value: f64, depth| {
            let luma = Mat::new_rows_cols_with_default(4, 4, kind, Scalar::all(value)).unwrap();
            *full_range(&luma, depth).unwrap().at_2d::<u8>(1, 1).unwrap()
        };
        let limited = |bits| Depth { bits, is_full: false };
        assert_eq!([16.0, 235.0, 0.0].map(|y| gray(CV_8UC1, y, limited(8))), [0, 255, 0]);
        assert_eq!([64.0, 940.0].map(|y| gray(CV_16UC1, y, limited(10))), [0, 255]);
        assert_eq!(gray(CV_8UC1, 77.0, Depth { bits: 8, is_full: true }), 77);
    }
}
