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

/// The pictures of a strip, side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
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

impl Picture {
    /// The strip with line, path and boxes, as JPEG.
    ///
    /// # Errors
    /// When it is no picture.
    pub fn drawn(&self, facts: &Facts) -> opencv::Result<Vec<u8>> {
        let Some(marks) = &self.marks else { return Ok(self.jpeg.clone()) };
        let mut strip = self.decode()?;
        marks.draw(&mut strip, facts.track, facts.reason.is_none())?;
        jpeg(&strip)
    }

    /// Each picture by itself, without strokes, as JPEG.
    ///
    /// # Errors
    /// When it is no picture.
    pub fn each(&self) -> opencv::Result<Vec<Vec<u8>>> {
        self.tiles()?.iter().map(jpeg).collect()
    }

    /// Each picture by itself, without strokes.
    ///
    /// # Errors
    /// When it is no picture.
    pub fn pixels(&self) -> opencv::Result<Vec<Pixels>> {
        let pixels = |tile: &Mat| {
            let mut rgb = Mat::default();
            imgproc::cvt_color_def(tile, &mut rgb, imgproc::COLOR_BGR2RGB)?;
            let size = (rgb.cols().unsigned_abs(), rgb.rows().unsigned_abs());
            Ok(Pixels { size, rgb: rgb.data_bytes()?.to_vec() })
        };
        self.tiles()?.iter().map(pixels).collect()
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

fn jpeg(picture: &Mat) -> opencv::Result<Vec<u8>> {
    /// Higher than that of the strips, so that nothing more is lost.
    const QUALITY: i32 = 92;
    let mut jpeg = Vector::new();
    let quality = Vector::from_slice(&[imgcodecs::IMWRITE_JPEG_QUALITY, QUALITY]);
    imgcodecs::imencode(".jpg", picture, &mut jpeg, &quality)?;
    Ok(jpeg.to_vec())
}
