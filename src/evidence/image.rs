//! The pictures of a strip as they are read again.

use opencv::{
    core::{Mat, MatTraitConst as _, MatTraitConstManual as _, Rect, Vector},
    imgcodecs, imgproc,
    prelude::VectorToVec as _,
};

use super::{
    marks::Marks,
    strip::{Facts, GAP, SIDE},
};

/// Of a JPEG made of a strip: higher than that of the strips, so that nothing more is lost.
const QUALITY: i32 = 92;

/// The pictures of a strip, side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct StripImage {
    /// As they are kept, without strokes; those of an older version have them.
    pub jpeg: Vec<u8>,
    /// What is to be drawn over them; `None` where it has been drawn already.
    pub marks: Option<Marks>,
}

/// Pixels of 8-bit RGB, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pixels {
    /// Width and height.
    pub size: (u32, u32),
    /// Three bytes a pixel.
    pub rgb: Vec<u8>,
}

impl Pixels {
    /// As JPEG of this quality, of 100.
    ///
    /// # Errors
    /// When they are not as many as their size says.
    pub fn jpeg(&self, quality: i32) -> opencv::Result<Vec<u8>> {
        let rows = i32::try_from(self.size.1).unwrap_or(i32::MAX);
        let flat = Mat::from_slice(&self.rgb)?;
        let rgb = flat.reshape(3, rows)?;
        let mut bgr = Mat::default();
        imgproc::cvt_color_def(&rgb, &mut bgr, imgproc::COLOR_RGB2BGR)?;
        jpeg(&bgr, quality)
    }

    /// Those of a JPEG.
    ///
    /// # Errors
    /// When it is none.
    pub fn of_jpeg(jpeg: &[u8]) -> opencv::Result<Self> {
        Self::of(&imgcodecs::imdecode(&Vector::from_slice(jpeg), imgcodecs::IMREAD_COLOR)?)
    }

    fn of(bgr: &Mat) -> opencv::Result<Self> {
        let mut rgb = Mat::default();
        imgproc::cvt_color_def(bgr, &mut rgb, imgproc::COLOR_BGR2RGB)?;
        let size = (rgb.cols().unsigned_abs(), rgb.rows().unsigned_abs());
        Ok(Self { size, rgb: rgb.data_bytes()?.to_vec() })
    }
}

impl StripImage {
    /// The strip with line, path and boxes, as JPEG.
    ///
    /// # Errors
    /// When it is no picture.
    pub fn drawn(&self, facts: &Facts) -> opencv::Result<Vec<u8>> {
        let Some(marks) = &self.marks else { return Ok(self.jpeg.clone()) };
        let mut strip = self.decode()?;
        marks.draw(&mut strip, facts.track, facts.reason.is_none())?;
        jpeg(&strip, QUALITY)
    }

    /// Each picture by itself, without strokes, as JPEG.
    ///
    /// # Errors
    /// When it is no picture.
    pub fn each(&self) -> opencv::Result<Vec<Vec<u8>>> {
        self.tiles()?.iter().map(|tile| jpeg(tile, QUALITY)).collect()
    }

    /// Each picture by itself, without strokes.
    ///
    /// # Errors
    /// When it is no picture.
    pub fn pixels(&self) -> opencv::Result<Vec<Pixels>> {
        self.tiles()?.iter().map(Pixels::of).collect()
    }

    fn decode(&self) -> opencv::Result<Mat> {
        imgcodecs::imdecode(&Vector::from_slice(&self.jpeg), imgcodecs::IMREAD_COLOR)
    }

    fn tiles(&self) -> opencv::Result<Vec<Mat>> {
        let strip = self.decode()?;
        let count = (strip.cols() + GAP) / (SIDE + GAP);
        let place = |number| Rect::new(number * (SIDE + GAP), 0, SIDE, SIDE.min(strip.rows()));
        (0..count).map(|number| strip.roi(place(number))?.try_clone()).collect()
    }
}

fn jpeg(picture: &Mat, quality: i32) -> opencv::Result<Vec<u8>> {
    let mut jpeg = Vector::new();
    let quality = Vector::from_slice(&[imgcodecs::IMWRITE_JPEG_QUALITY, quality]);
    imgcodecs::imencode(".jpg", picture, &mut jpeg, &quality)?;
    Ok(jpeg.to_vec())
}
