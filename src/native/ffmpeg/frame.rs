//! Decoded pictures: what is known of them, their luma as it lies in memory, and their conversion.

#![allow(unsafe_code, reason = "foreign functions and structures")]

use std::{ffi::c_int, ptr};

use ffmpeg_next::{Error, ffi, frame};
use opencv::{
    boxed_ref::BoxedRef,
    core::{CV_8UC1, CV_8UC3, CV_16UC1, Mat, MatTrait as _, MatTraitConst as _, Rect, Scalar},
};

/// A decoded picture. Its memory belongs to the decoder's pool and goes back to it.
pub struct DecodedFrame {
    frame: frame::Video,
}

/// How luma lies in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth {
    /// Bits of a value, 8 to 16.
    pub bits: u32,
    /// Whether all values are used: otherwise black is 16 and white 235 (of 8 bits; ITU-R BT.601, 2.5.3).
    pub is_full: bool,
}

/// How a picture is to be turned to stand upright: first it may change rows with columns, then it may be mirrored.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Orientation {
    /// Rows become columns.
    pub transposed: bool,
    /// Left becomes right.
    pub mirrored: bool,
    /// Above becomes below.
    pub upended: bool,
    /// Degrees that it is still to be turned clockwise, at most 45 to either side.
    pub degrees: f64,
}

impl Orientation {
    /// By a display matrix (libavutil/display.h): a point (x, y) of the picture is shown at (a x + c y, b x + d y).
    #[must_use]
    pub fn of(matrix: &[i32; 9]) -> Self {
        let [a, b, _, c, d, ..] = matrix.map(f64::from);
        if a.hypot(b) == 0.0 || c.hypot(d) == 0.0 {
            return Self::default();
        }
        let transposed = b.abs() > a.abs();
        let (across, down) = if transposed { (c, b) } else { (a, d) };
        // What is left when the quarter turn and the mirrors are undone: the first column of what remains.
        let (right, below) = if transposed { (c, d) } else { (a, b) };
        let degrees = (below * across.signum()).atan2(right * across.signum()).to_degrees();
        Self {
            transposed,
            mirrored: across < 0.0,
            upended: down < 0.0,
            degrees: if degrees.abs() < 1.0 { 0.0 } else { degrees },
        }
    }
}

impl DecodedFrame {
    pub(super) fn new(frame: frame::Video) -> Self {
        Self { frame }
    }

    fn raw(&self) -> &ffi::AVFrame {
        // SAFETY: the frame is there as long as `self`, and only its owner changes it.
        unsafe { &*self.frame.as_ptr() }
    }

    /// Width and height in pixels, as they lie in memory.
    #[must_use]
    pub fn size(&self) -> (u32, u32) {
        let pixels = |side| u32::try_from(side).unwrap_or(0);
        (pixels(self.raw().width), pixels(self.raw().height))
    }

    /// Width and height in pixels of what is converted: of an interlaced picture the even lines.
    #[must_use]
    pub fn stored_size(&self) -> (u32, u32) {
        let (width, height) = self.size();
        if self.is_interlaced() { (width, height / 2) } else { (width, height) }
    }

    /// Its time stamp, in units of its stream; `None` where there is none.
    #[must_use]
    pub fn stamp(&self) -> Option<i64> {
        let stamp = self.raw().best_effort_timestamp;
        (stamp != ffi::AV_NOPTS_VALUE).then_some(stamp)
    }

    /// Whether parts of it were lost, made up, or refer to what was not there.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        self.frame.is_corrupt() || self.frame.has_decode_errors()
    }

    /// Whether its odd and even lines are of two moments.
    #[must_use]
    pub fn is_interlaced(&self) -> bool {
        self.raw().interlaced_frame != 0 && self.raw().height >= 4
    }

    /// Width of a pixel over its height; 1 where it is not told.
    #[must_use]
    pub fn pixel_aspect(&self) -> f64 {
        aspect(self.raw().sample_aspect_ratio)
    }

    /// The display matrix that came with it.
    #[must_use]
    pub fn matrix(&self) -> Option<[i32; 9]> {
        // SAFETY: the side data belong to the frame, and are as long as they say.
        unsafe {
            let data = ffi::av_frame_get_side_data(
                self.frame.as_ptr(),
                ffi::AVFrameSideDataType::AV_FRAME_DATA_DISPLAYMATRIX,
            );
            (!data.is_null() && (*data).size >= size_of::<[i32; 9]>())
                .then(|| (*data).data.cast::<[i32; 9]>().read_unaligned())
        }
    }

    fn is_full_range(&self) -> bool {
        self.raw().color_range == ffi::AVColorRange::AVCOL_RANGE_JPEG || plain(self.raw().format).1
    }

    /// What `see` makes of its luma, of the even lines alone where it is interlaced, without a copy. `None` where luma
    /// does not lie in a plane of its own.
    pub fn luma<R>(&self, see: impl FnOnce(&Mat, Depth) -> R) -> Option<R> {
        let raw = self.raw();
        // SAFETY: the description is a constant of the library, or null for an unknown format.
        let description = unsafe { ffi::av_pix_fmt_desc_get(pixel_format(raw.format)).as_ref() }?;
        let flags = description.flags;
        let is = |flag: i32| flags & u64::from(flag.unsigned_abs()) != 0;
        let luma = description.comp[0];
        let bits = u32::try_from(luma.depth).ok()?;
        let (bytes, kind) = if bits == 8 { (1, CV_8UC1) } else { (2, CV_16UC1) };
        let strange = is(ffi::AV_PIX_FMT_FLAG_RGB)
            || is(ffi::AV_PIX_FMT_FLAG_PAL)
            || is(ffi::AV_PIX_FMT_FLAG_BITSTREAM)
            || is(ffi::AV_PIX_FMT_FLAG_HWACCEL)
            || is(ffi::AV_PIX_FMT_FLAG_BE)
            || is(ffi::AV_PIX_FMT_FLAG_FLOAT);
        if strange
            || luma.plane != 0
            || luma.step != bytes
            || luma.offset != 0
            || luma.shift != 0
            || !(8..=16).contains(&bits)
        {
            return None;
        }
        let fields = if self.is_interlaced() { 2 } else { 1 };
        let step = usize::try_from(raw.linesize[0]).ok()?;
        let rows = raw.height / fields;
        if raw.data[0].is_null() || rows < 1 || step < raw.width as usize * bytes as usize {
            return None;
        }
        // SAFETY: the plane holds `height` lines of `step` bytes, of which `rows` with `fields` between them are seen;
        // the view ends before the picture can.
        let view = unsafe {
            Mat::new_rows_cols_with_data_unsafe(
                rows,
                raw.width,
                kind,
                raw.data[0].cast(),
                step * fields as usize,
            )
        };
        Some(see(&view.ok()?, Depth { bits, is_full: self.is_full_range() }))
    }
}

/// The planes of a picture, each reduced by the same factor: what is left to be converted.
pub struct Planes {
    /// Luma and the two of chroma, 8 bits a value, with room behind each row and below the last one: the converter reads
    /// whole groups of pixels.
    reduced: [Mat; 3],
    size: (c_int, c_int),
    format: c_int,
    colors: (u32, bool),
}

impl DecodedFrame {
    /// Its planes as `reduce` makes them out of what is given: a plane as it lies in memory, and the width and height
    /// that it becomes where luma becomes `size`. `None` where it has no such planes of 8 bits, or is interlaced, or where
    /// `reduce` fails.
    ///
    /// A third of the bytes of BGR are reduced so, and only what is left is converted.
    pub fn reduced<E>(
        &self,
        size: (u32, u32),
        mut reduce: impl FnMut(&Mat, (u32, u32)) -> Result<Mat, E>,
    ) -> Option<Planes> {
        use ffi::AVPixelFormat as F;
        let raw = self.raw();
        let (format, _) = plain(raw.format);
        let known =
            [(F::AV_PIX_FMT_YUV420P, 1, 1), (F::AV_PIX_FMT_YUV422P, 1, 0), (F::AV_PIX_FMT_YUV444P, 0, 0)];
        let (_, across, down) = known.into_iter().find(|(known, ..)| *known as c_int == format)?;
        if self.is_interlaced() {
            return None;
        }
        let mut plane = |number: usize, across: u32, down: u32| {
            let half = |side: u32, times: u32| side.div_ceil(1 << times);
            let full = (half(self.size().0, across), half(self.size().1, down));
            let step = usize::try_from(raw.linesize[number]).ok()?;
            if raw.data[number].is_null() || full.0 < 1 || full.1 < 1 || step < full.0 as usize {
                return None;
            }
            // SAFETY: the plane holds so many lines of `step` bytes; the view ends before the picture can.
            let view = unsafe {
                Mat::new_rows_cols_with_data_unsafe(
                    full.1 as c_int,
                    full.0 as c_int,
                    CV_8UC1,
                    raw.data[number].cast(),
                    step,
                )
            };
            let size = (half(size.0, across), half(size.1, down));
            let less = reduce(&view.ok()?, size).ok()?;
            if (less.typ(), less.cols(), less.rows()) != (CV_8UC1, size.0 as c_int, size.1 as c_int) {
                return None;
            }
            let (columns, rows) = ((less.cols() + 63) / 64 * 64, less.rows() + 1);
            let mut roomy = Mat::new_rows_cols_with_default(rows, columns, CV_8UC1, Scalar::all(0.0)).ok()?;
            less.copy_to(&mut roomy.roi_mut(Rect::new(0, 0, less.cols(), less.rows())).ok()?).ok()?;
            Some(roomy)
        };
        let reduced = [plane(0, 0, 0)?, plane(1, across, down)?, plane(2, across, down)?];
        let size = (c_int::try_from(size.0).ok()?, c_int::try_from(size.1).ok()?);
        Some(Planes { reduced, size, format, colors: self.colors() })
    }

    fn colors(&self) -> (u32, bool) {
        (self.raw().colorspace as u32, self.is_full_range())
    }
}

/// What is converted: planes as they lie in memory.
struct Lines {
    size: (c_int, c_int),
    format: c_int,
    colors: (u32, bool),
    data: [*const u8; 4],
    steps: [c_int; 4],
}

/// Converts pictures of one source; keeps what the next one needs as well.
#[derive(Default)]
pub struct Converter {
    context: Option<Context>,
}

struct Context {
    raw: ptr::NonNull<ffi::SwsContext>,
    key: Key,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    from: (c_int, c_int, c_int),
    colors: (u32, bool),
    to: (c_int, c_int),
    gray: bool,
}

// SAFETY: the context is used through an exclusive reference to its converter only.
unsafe impl Send for Context {}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: it was made by the library and is freed once.
        unsafe { ffi::sws_freeContext(self.raw.as_ptr()) }
    }
}

/// A format of FFmpeg's by its number.
fn pixel_format(number: c_int) -> ffi::AVPixelFormat {
    // SAFETY: the number comes out of a frame that the library made: it is one of its own.
    unsafe { std::mem::transmute::<c_int, ffi::AVPixelFormat>(number) }
}

/// Formats that say of themselves that all values are used go by the name of those that do not; the converter is told
/// apart.
fn plain(format: c_int) -> (c_int, bool) {
    use ffi::AVPixelFormat as F;
    for (full, plain) in [
        (F::AV_PIX_FMT_YUVJ420P, F::AV_PIX_FMT_YUV420P),
        (F::AV_PIX_FMT_YUVJ422P, F::AV_PIX_FMT_YUV422P),
        (F::AV_PIX_FMT_YUVJ444P, F::AV_PIX_FMT_YUV444P),
        (F::AV_PIX_FMT_YUVJ440P, F::AV_PIX_FMT_YUV440P),
        (F::AV_PIX_FMT_YUVJ411P, F::AV_PIX_FMT_YUV411P),
    ] {
        if format == full as c_int {
            return (plain as c_int, true);
        }
    }
    (format, false)
}

/// `picture` as it lies in memory; of an interlaced one the even lines.
fn lines_of(picture: &DecodedFrame) -> Lines {
    let raw = picture.raw();
    let fields = if picture.is_interlaced() { 2 } else { 1 };
    let first =
        |of: &[*mut u8; 8]| [of[0].cast_const(), of[1].cast_const(), of[2].cast_const(), of[3].cast_const()];
    let steps = |of: &[c_int; 8]| [of[0], of[1], of[2], of[3]].map(|bytes| bytes * fields);
    Lines {
        size: (raw.width, raw.height / fields),
        format: plain(raw.format).0,
        colors: picture.colors(),
        data: first(&raw.data),
        steps: steps(&raw.linesize),
    }
}

impl Converter {
    /// `picture` as 8-bit BGR of `size` (width, height), as a part of `room`, which is replaced where it does not fit.
    /// Of an interlaced one the even lines.
    ///
    /// # Errors
    /// Where FFmpeg cannot convert it, or there is no memory.
    pub fn bgr<'a>(
        &mut self,
        picture: &DecodedFrame,
        size: (u32, u32),
        room: &'a mut Mat,
    ) -> Result<BoxedRef<'a, Mat>, Error> {
        self.convert(&lines_of(picture), size, false, room)
    }

    /// What was reduced, as [`Self::bgr`] has it.
    ///
    /// # Errors
    /// As there.
    pub fn bgr_of<'a>(&mut self, reduced: &Planes, room: &'a mut Mat) -> Result<BoxedRef<'a, Mat>, Error> {
        let (mut data, mut steps) = ([ptr::null(); 4], [0; 4]);
        for (plane, (data, step)) in reduced.reduced.iter().zip(data.iter_mut().zip(&mut steps)) {
            (*data, *step) = (plane.data(), plane.cols());
        }
        let Planes { size, format, colors, .. } = *reduced;
        let lines = Lines { size, format, colors, data, steps };
        let size = (size.0.max(1) as u32, size.1.max(1) as u32);
        self.convert(&lines, size, false, room)
    }

    /// As [`Self::bgr`], in gray: all 256 values are used.
    ///
    /// # Errors
    /// As there.
    pub fn gray<'a>(
        &mut self,
        picture: &DecodedFrame,
        size: (u32, u32),
        room: &'a mut Mat,
    ) -> Result<BoxedRef<'a, Mat>, Error> {
        self.convert(&lines_of(picture), size, true, room)
    }

    fn convert<'a>(
        &mut self,
        lines: &Lines,
        size: (u32, u32),
        gray: bool,
        into: &'a mut Mat,
    ) -> Result<BoxedRef<'a, Mat>, Error> {
        let side = |side: u32| c_int::try_from(side).unwrap_or(c_int::MAX).max(1);
        let key = Key {
            from: (lines.size.0, lines.size.1, lines.format),
            colors: lines.colors,
            to: (side(size.0), side(size.1)),
            gray,
        };
        if self.context.as_ref().is_none_or(|context| context.key != key) {
            self.context = None;
            self.context = Some(Context::new(key)?);
        }
        let Some(context) = &self.context else { return Err(Error::Bug) };
        let (width, height) = key.to;
        let kind = if gray { CV_8UC1 } else { CV_8UC3 };
        // The converter writes whole groups of pixels where the rows have room, and leaves out the last ones where they
        // have none.
        let room = (width + 31) / 32 * 32;
        let failed = |_| Error::Other { errno: ffmpeg_next::error::ENOMEM };
        if into.typ() != kind || into.cols() != room || into.rows() != height {
            // SAFETY: every byte that is read later was written by then: by the converter, row for row.
            *into = unsafe { Mat::new_rows_cols(height, room, kind) }.map_err(failed)?;
        }
        let step = room * if gray { 1 } else { 3 };
        let (mut planes, mut steps) = ([ptr::null_mut(); 4], [0; 4]);
        (planes[0], steps[0]) = (into.data_mut(), step);
        // SAFETY: the planes are as large as their format, size and steps say; the target has room for
        // `height` lines of `step` bytes.
        let done = unsafe {
            ffi::sws_scale(
                context.raw.as_ptr(),
                lines.data.as_ptr(),
                lines.steps.as_ptr(),
                0,
                key.from.1,
                planes.as_ptr(),
                steps.as_ptr(),
            )
        };
        if done != height {
            return Err(Error::from(done.min(-1)));
        }
        into.roi(Rect::new(0, 0, width, height)).map_err(failed)
    }
}

impl Context {
    fn new(key: Key) -> Result<Self, Error> {
        let to = if key.gray {
            ffi::AVPixelFormat::AV_PIX_FMT_GRAY8
        } else {
            ffi::AVPixelFormat::AV_PIX_FMT_BGR24
        };
        let no = || Error::Other { errno: ffmpeg_next::error::EINVAL };
        // SAFETY: the context is checked before it is used; tables of coefficients are constants of the library. No
        // filters and no parameters are given.
        unsafe {
            const ONE: c_int = 1 << 16;
            let raw = ffi::sws_getContext(
                key.from.0,
                key.from.1,
                pixel_format(key.from.2),
                key.to.0,
                key.to.1,
                to,
                ffi::SWS_BICUBIC,
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null(),
            );
            let context = Self { raw: ptr::NonNull::new(raw).ok_or_else(no)?, key };
            let space = c_int::try_from(key.colors.0).unwrap_or(ffi::SWS_CS_DEFAULT as c_int);
            let coefficients = ffi::sws_getCoefficients(space);
            // Refused for formats that have nothing of the kind, which are converted all the same.
            ffi::sws_setColorspaceDetails(
                raw,
                coefficients,
                c_int::from(key.colors.1),
                ffi::sws_getCoefficients(ffi::SWS_CS_DEFAULT as c_int),
                1,
                0,
                ONE,
                ONE,
            );
            Ok(context)
        }
    }
}

/// Width of a pixel over its height.
pub(super) fn aspect(ratio: ffi::AVRational) -> f64 {
    if ratio.num > 0 && ratio.den > 0 { f64::from(ratio.num) / f64::from(ratio.den) } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The display matrix of a picture that is turned clockwise by so many degrees.
    fn turned(degrees: f64) -> [i32; 9] {
        let (sine, cosine) = degrees.to_radians().sin_cos();
        let one = f64::from(1 << 16);
        [cosine * one, sine * one, 0.0, -sine * one, cosine * one, 0.0, 0.0, 0.0, f64::from(1 << 30)]
            .map(|number| number.round() as i32)
    }

    #[test]
    fn quarter_turns_and_mirrors_are_told_by_the_matrix() {
        let of = |degrees| Orientation::of(&turned(degrees));
        assert_eq!(of(0.0), Orientation::default());
        assert_eq!(of(90.0), Orientation { transposed: true, mirrored: true, ..Orientation::default() });
        assert_eq!(of(180.0), Orientation { mirrored: true, upended: true, ..Orientation::default() });
        assert_eq!(of(270.0), Orientation { transposed: true, upended: true, ..Orientation::default() });
        let mut mirrored = turned(0.0);
        mirrored[0] = -mirrored[0];
        assert_eq!(Orientation::of(&mirrored), Orientation { mirrored: true, ..Orientation::default() });
        assert_eq!(Orientation::of(&[0; 9]), Orientation::default(), "a matrix that says nothing");
    }

    #[test]
    fn what_is_no_quarter_turn_is_left_to_be_turned() {
        for degrees in [10.0, 100.0, 200.0, 280.0, 350.0] {
            let left = Orientation::of(&turned(degrees)).degrees;
            let expected = degrees - (degrees / 90.0_f64).round() * 90.0;
            assert!((left - expected).abs() < 0.01, "{degrees}: {left}, not {expected}");
        }
    }
}
