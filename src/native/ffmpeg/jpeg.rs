//! Pictures to JPEG, by FFmpeg's encoder, on the thread that calls.

#![allow(unsafe_code, reason = "foreign functions and structures")]

use ffmpeg_next::{
    Error, Packet, Rational, codec, color, encoder, ffi,
    format::Pixel,
    frame,
    software::scaling::{self, Flags},
};
use opencv::core::{CV_8UC3, Mat, MatTraitConst as _, MatTraitConstManual as _, Vec3b};

/// Planes in which all 256 values are used, as JPEG has them. The converter fills the plain format with 16 to 235.
const PLANES: Pixel = Pixel::YUVJ420P;

/// Encodes pictures as baseline JPEG, with chroma at half the width and height. Keeps what the next one of the same size
/// needs as well.
pub struct Jpeg {
    scale: i32,
    session: Option<Session>,
}

/// What pictures of one size are encoded with.
struct Session {
    converter: scaling::Context,
    encoder: encoder::Video,
    /// The picture, with room behind each row: the converter reads whole groups of pixels.
    bgr: frame::Video,
    planes: frame::Video,
    /// Encoded so far; FFmpeg wants time stamps that grow.
    count: i64,
}

// SAFETY: of its parts only the converter is not `Send` already; it is used through an exclusive reference only.
unsafe impl Send for Session {}

impl Jpeg {
    /// An encoder that quantizes by `scale`: from 1, the best picture, to 31, the smallest file.
    #[must_use]
    pub fn new(scale: u8) -> Self {
        Self { scale: i32::from(scale.clamp(1, 31)), session: None }
    }

    /// `picture`, in 8-bit BGR, as a JPEG file.
    ///
    /// # Errors
    /// Where it is empty or of another type, where this FFmpeg has no such encoder, or where there is no memory.
    pub fn encode(&mut self, picture: &Mat) -> Result<Vec<u8>, Error> {
        let side = |side: i32| u32::try_from(side).ok().filter(|side| *side > 0);
        let size = side(picture.cols()).zip(side(picture.rows())).filter(|_| picture.typ() == CV_8UC3);
        let size = size.ok_or(Error::InvalidData)?;
        // One that failed is not used again.
        let mut session = match self.session.take().filter(|session| session.size() == size) {
            Some(session) => session,
            None => Session::new(size, self.scale)?,
        };
        let file = session.encode(picture)?;
        self.session = Some(session);
        Ok(file)
    }
}

impl Session {
    fn new(size: (u32, u32), scale: i32) -> Result<Self, Error> {
        super::prepare();
        let quality = scale * ffi::FF_QP2LAMBDA;
        let (width, height) = size;
        let codec = encoder::find(codec::Id::MJPEG).ok_or(Error::EncoderNotFound)?;
        let mut encoder = codec::Context::new_with_codec(codec).encoder().video()?;
        encoder.set_width(width);
        encoder.set_height(height);
        encoder.set_format(PLANES);
        encoder.set_color_range(color::Range::JPEG);
        encoder.set_time_base(Rational::new(1, 25));
        encoder.set_threading(codec::threading::Config::count(1));
        encoder.set_flags(codec::Flags::QSCALE);
        encoder.set_global_quality(quality);
        let way = Flags::BILINEAR | Flags::ACCURATE_RND;
        let converter = scaling::Context::get(Pixel::BGR24, width, height, PLANES, width, height, way)?;
        let bgr = frame_of(Pixel::BGR24, size)?;
        let mut planes = frame_of(PLANES, size)?;
        planes.set_color_range(color::Range::JPEG);
        // SAFETY: the frame is there, and the field is plain data.
        unsafe { (*planes.as_mut_ptr()).quality = quality };
        Ok(Self { converter, encoder: encoder.open()?, bgr, planes, count: 0 })
    }

    fn size(&self) -> (u32, u32) {
        (self.bgr.width(), self.bgr.height())
    }

    fn encode(&mut self, picture: &Mat) -> Result<Vec<u8>, Error> {
        let step = self.bgr.stride(0);
        for (row, line) in (0..picture.rows()).zip(self.bgr.data_mut(0).chunks_exact_mut(step)) {
            let row = picture.at_row::<Vec3b>(row).map_err(|_| Error::InvalidData)?;
            for (pixel, place) in row.iter().zip(line.chunks_exact_mut(3)) {
                place.copy_from_slice(&pixel.0);
            }
        }
        // SAFETY: the frame is there. What the encoder still holds of the picture before is left to it.
        let refused = unsafe { ffi::av_frame_make_writable(self.planes.as_mut_ptr()) };
        if refused < 0 {
            return Err(Error::from(refused));
        }
        self.converter.run(&self.bgr, &mut self.planes)?;
        self.planes.set_pts(Some(self.count));
        self.count += 1;
        self.encoder.send_frame(&self.planes)?;
        let mut packet = Packet::empty();
        self.encoder.receive_packet(&mut packet)?;
        packet.data().map(<[u8]>::to_vec).ok_or(Error::InvalidData)
    }
}

/// A frame with memory for a picture of `size`.
fn frame_of(format: Pixel, size: (u32, u32)) -> Result<frame::Video, Error> {
    let frame = frame::Video::new(format, size.0, size.1);
    // It has no planes where there was no memory.
    if frame.planes() == 0 { Err(Error::Other { errno: ffmpeg_next::error::ENOMEM }) } else { Ok(frame) }
}

#[cfg(test)]
mod tests {
    use opencv::{
        core::{MatTraitManual as _, Scalar, Vector},
        imgcodecs,
    };

    use super::*;

    fn decoded(jpeg: &[u8]) -> Mat {
        assert!(jpeg.starts_with(&[0xFF, 0xD8]) && jpeg.ends_with(&[0xFF, 0xD9]));
        imgcodecs::imdecode(&Vector::<u8>::from_slice(jpeg), imgcodecs::IMREAD_COLOR).unwrap()
    }

    /// Fields of colors, four in each row of fields.
    fn fields(width: i32, height: i32, colors: &[[u8; 3]]) -> Mat {
        let mut picture = Mat::new_rows_cols_with_default(height, width, CV_8UC3, Scalar::all(0.0)).unwrap();
        for row in 0..height {
            let line = picture.at_row_mut::<Vec3b>(row).unwrap();
            for (column, pixel) in (0..width).zip(line) {
                let field = row * 2 / height * 4 + column * 4 / width;
                pixel.0 = colors[field as usize % colors.len()];
            }
        }
        picture
    }

    #[test]
    fn a_picture_of_any_size_keeps_its_size_and_its_colors() {
        let colors = [
            [0, 0, 0],
            [255, 255, 255],
            [40, 90, 200],
            [80, 220, 80],
            [0, 215, 255],
            [250, 10, 10],
            [128, 128, 128],
            [230, 30, 220],
        ];
        let mut jpeg = Jpeg::new(3);
        for (width, height) in [(808, 160), (808, 160), (160, 160), (163, 97), (50, 33), (808, 160)] {
            let picture = fields(width, height, &colors);
            let found = decoded(&jpeg.encode(&picture).unwrap());
            assert_eq!((found.cols(), found.rows()), (width, height));
            for (number, color) in colors.iter().enumerate() {
                let (row, column) = (number as i32 / 4, number as i32 % 4);
                // Amid the field.
                let (y, x) = (height * (2 * row + 1) / 4, width * (2 * column + 1) / 8);
                let pixel = found.at_2d::<Vec3b>(y, x).unwrap();
                for (found, wanted) in pixel.0.iter().zip(color) {
                    assert!(found.abs_diff(*wanted) <= 6, "{width}x{height}: {pixel:?} is not {color:?}");
                }
            }
        }
    }

    #[test]
    fn black_is_black_and_white_is_white() {
        for value in [0, 255] {
            let picture = fields(64, 48, &[[value; 3]]);
            let found = decoded(&Jpeg::new(3).encode(&picture).unwrap());
            let far = found.data_typed::<Vec3b>().unwrap().iter().flat_map(|pixel| pixel.0);
            assert_eq!(far.map(|found| found.abs_diff(value)).max(), Some(0));
        }
    }

    #[test]
    fn a_picture_of_a_few_pixels_is_encoded() {
        let mut jpeg = Jpeg::new(3);
        for (width, height) in [(1, 1), (1, 160), (2, 3), (17, 1)] {
            let found = decoded(&jpeg.encode(&fields(width, height, &[[200; 3]])).unwrap());
            assert_eq!((found.cols(), found.rows()), (width, height));
        }
    }

    #[test]
    fn what_is_no_picture_is_refused_and_the_next_one_encoded() {
        let mut jpeg = Jpeg::new(3);
        let gray = Mat::new_rows_cols_with_default(8, 8, opencv::core::CV_8UC1, Scalar::all(0.0)).unwrap();
        assert_eq!(jpeg.encode(&gray), Err(Error::InvalidData));
        assert_eq!(jpeg.encode(&Mat::default()), Err(Error::InvalidData));
        assert!(jpeg.encode(&fields(8, 8, &[[9; 3]])).is_ok());
    }
}
