//! Frames out of an open OpenCV capture: time stamps, sizes, ends and stalls.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use opencv::{
    core::{CV_8U, Mat, MatTraitConst as _, Rect, Size},
    imgproc,
    videoio::{self, VideoCapture, VideoCaptureTrait as _, VideoCaptureTraitConst as _},
};
use url::Url;

use super::{Frame, FrameSource, SourceError, StreamInfo};

/// Pictures with more pixels (8192 x 8192) come from damaged headers; one of them takes 200 MB.
const MAX_PIXELS: u64 = 8192 * 8192;
/// Frame rates above this are lies of the container.
const MAX_FPS: f64 = 1000.0;
/// Taken for a file that does not say its frame rate.
const FALLBACK_FPS: f64 = 25.0;
/// A step of the media time beyond this is a jump of the time stamps, not time that passed.
const MAX_STEP: f64 = 10.0;

/// What a capture reads from, which decides what its time and its end mean.
enum Origin {
    /// A file: media time, ends.
    File { stall_timeout: Duration },
    /// A network stream or device: monotonic time; `live` streams do not end by themselves.
    Stream { stall_timeout: Duration, live: bool },
}

/// A [`FrameSource`] over OpenCV's `VideoCapture`.
pub struct VideoSource {
    capture: VideoCapture,
    name: String,
    origin: Origin,
    info: StreamInfo,
    clock: MediaClock,
    opened: Instant,
    /// Length of the file when it was opened, in bytes; 0 for what is no file.
    length: u64,
    /// Frames grabbed so far.
    grabbed: u64,
    time: f64,
    captured: Instant,
    /// Full-size picture, kept to save its allocation.
    full: Mat,
}

impl VideoSource {
    /// Frames of a file.
    ///
    /// # Errors
    /// When it declares pictures so large that decoding them would take the machine's memory.
    pub fn file(capture: VideoCapture, path: &Path, stall_timeout: Duration) -> Result<Self, SourceError> {
        let source = Self::new(capture, path.display().to_string(), Origin::File { stall_timeout });
        let (width, height) = source.info.size;
        if u64::from(width) * u64::from(height) > MAX_PIXELS {
            return Err(SourceError::Unsupported(format!(
                "'{}' declares pictures of {width}x{height} pixels; it may be damaged",
                source.name
            )));
        }
        Ok(source)
    }

    /// Frames of a network stream; one that is not `live` (a video behind an address) may end.
    #[must_use]
    pub fn network(capture: VideoCapture, address: &Url, stall_timeout: Duration, live: bool) -> Self {
        Self::new(capture, address.to_string(), Origin::Stream { stall_timeout, live })
    }

    /// Frames of a capture device.
    #[must_use]
    pub fn device(capture: VideoCapture, path: &str, stall_timeout: Duration) -> Self {
        Self::new(capture, path.to_owned(), Origin::Stream { stall_timeout, live: true })
    }

    fn new(capture: VideoCapture, name: String, origin: Origin) -> Self {
        let property = |id| capture.get(id).unwrap_or(0.0);
        let pixels = |id| property(id).clamp(0.0, f64::from(u16::MAX)) as u32;
        let live = matches!(origin, Origin::Stream { live: true, .. });
        let frames = property(videoio::CAP_PROP_FRAME_COUNT);
        let info = StreamInfo {
            size: (pixels(videoio::CAP_PROP_FRAME_WIDTH), pixels(videoio::CAP_PROP_FRAME_HEIGHT)),
            fps: sane_fps(property(videoio::CAP_PROP_FPS)),
            live,
            frames: (!live && (1.0..1e12).contains(&frames)).then_some(frames as u64),
        };
        let now = Instant::now();
        let length = match origin {
            Origin::File { .. } => std::fs::metadata(&name).map_or(0, |file| file.len()),
            Origin::Stream { .. } => 0,
        };
        Self {
            capture,
            name,
            origin,
            clock: MediaClock::new(info.fps),
            info,
            opened: now,
            length,
            grabbed: 0,
            time: 0.0,
            captured: now,
            full: Mat::default(),
        }
    }

    /// A file that vanishes, is damaged, or is still being written ends like any other: FFmpeg tells no reason.
    fn say_early_end(&self) {
        let name = &self.name;
        let Ok(file) = std::fs::metadata(&self.name) else {
            tracing::warn!("'{name}' has vanished while it was read; {} frames were counted", self.grabbed);
            return;
        };
        if file.len() != self.length {
            tracing::warn!(
                "'{name}' is still being written; it was read as far as it went, {} frames; restart it when it \
                 is complete",
                self.grabbed
            );
        } else if let Some(frames) = self.info.frames.filter(|frames| self.grabbed < frames - frames / 10) {
            // Containers often promise a few frames more than they hold.
            tracing::warn!(
                "'{name}' ended after {} of {frames} frames; it may be damaged or cut short",
                self.grabbed
            );
        }
    }

    /// What the absence of a next frame means, after waiting for it for `waited`.
    fn end(&self, waited: Duration) -> Result<bool, SourceError> {
        match self.origin {
            Origin::File { stall_timeout } if waited >= stall_timeout.mul_f64(0.9) => {
                Err(SourceError::Stalled(stall_timeout))
            }
            Origin::File { .. } if self.grabbed == 0 => Err(SourceError::Unsupported(format!(
                "'{}' holds no frame that can be decoded; it may be damaged or cut short",
                self.name
            ))),
            Origin::File { .. } => {
                self.say_early_end();
                Ok(false)
            }
            // FFmpeg's timer and ours do not start at the same moment.
            Origin::Stream { stall_timeout, .. } if waited >= stall_timeout.mul_f64(0.9) => {
                Err(SourceError::Stalled(stall_timeout))
            }
            Origin::Stream { live: false, .. } if self.grabbed > 0 => Ok(false),
            Origin::Stream { .. } => {
                Err(SourceError::Broken(format!("'{}' closed the connection", self.name)))
            }
        }
    }
}

impl FrameSource for VideoSource {
    fn info(&self) -> StreamInfo {
        self.info.clone()
    }

    fn codec(&self) -> Option<String> {
        let code = self.capture.get(videoio::CAP_PROP_FOURCC).ok()? as i64 as u32;
        let text: String = code.to_le_bytes().iter().map(|&byte| char::from(byte)).collect();
        let text = text.trim_matches(|c: char| c == '\0' || c == ' ').to_owned();
        (!text.is_empty() && text.chars().all(|c| c.is_ascii_graphic())).then_some(text)
    }

    fn grab(&mut self) -> Result<bool, SourceError> {
        let asked = Instant::now();
        let grabbed = self
            .capture
            .grab()
            .map_err(|error| SourceError::Broken(format!("'{}': {}", self.name, said(&error))))?;
        if !grabbed {
            return self.end(asked.elapsed());
        }
        self.captured = Instant::now();
        self.time = match self.origin {
            Origin::File { .. } | Origin::Stream { live: false, .. } => {
                let stamp = self.capture.get(videoio::CAP_PROP_POS_MSEC).unwrap_or(f64::NAN) / 1000.0;
                self.clock.next(stamp)
            }
            Origin::Stream { live: true, .. } => (self.captured - self.opened).as_secs_f64(),
        };
        self.grabbed += 1;
        Ok(true)
    }

    fn time(&self) -> f64 {
        self.time
    }

    fn retrieve(&mut self, working_size: &dyn Fn(u32, u32) -> (u32, u32)) -> Result<Frame, SourceError> {
        let broken = |problem: String| SourceError::Broken(format!("'{}': {problem}", self.name));
        let retrieved = self.capture.retrieve(&mut self.full, 0).map_err(|error| broken(said(&error)))?;
        if !retrieved || self.full.empty() {
            return Err(broken("a frame could not be decoded".into()));
        }
        let stream_size = (self.full.cols().max(1) as u32, self.full.rows().max(1) as u32);
        let image = reduce(&mut self.full, working_size(stream_size.0, stream_size.1))
            .map_err(|error| broken(said(&error)))?;
        Ok(Frame {
            image,
            index: self.grabbed.saturating_sub(1),
            time: self.time,
            captured: self.captured,
            stream_size,
        })
    }
}

/// `full` as 8-bit BGR of `size`, never enlarged. A picture that needs no reduction is taken, not copied,
/// which leaves `full` empty.
pub(super) fn reduce(full: &mut Mat, size: (u32, u32)) -> opencv::Result<Mat> {
    if let Some(bgr) = to_bgr(full)? {
        *full = bgr;
    }
    let width = (size.0 as i32).clamp(1, full.cols());
    let height = (size.1 as i32).clamp(1, full.rows());
    if (width, height) == (full.cols(), full.rows()) {
        return Ok(std::mem::take(full));
    }
    // Averaging squares of four is fast and loses nothing; what is left is less than a halving, which
    // interpolation does without passing over pixels.
    while full.cols() >= 2 * width && full.rows() >= 2 * height {
        let (columns, rows) = (full.cols() / 2, full.rows() / 2);
        let mut half = Mat::default();
        let even = full.roi(Rect::new(0, 0, columns * 2, rows * 2))?;
        imgproc::resize(&even, &mut half, Size::new(columns, rows), 0.0, 0.0, imgproc::INTER_AREA)?;
        drop(even);
        *full = half;
    }
    if (width, height) == (full.cols(), full.rows()) {
        return Ok(std::mem::take(full));
    }
    let mut image = Mat::default();
    imgproc::resize(full, &mut image, Size::new(width, height), 0.0, 0.0, imgproc::INTER_LINEAR)?;
    Ok(image)
}

/// `picture` converted to 8-bit BGR; `None` when it is that already.
fn to_bgr(picture: &Mat) -> opencv::Result<Option<Mat>> {
    let mut current = None;
    if picture.depth() != CV_8U {
        let mut shallow = Mat::default();
        // Deeper pictures use their full range, as cameras with 10, 12 or 16 bits deliver them.
        picture.convert_to(&mut shallow, CV_8U, 1.0 / 256.0, 0.0)?;
        current = Some(shallow);
    }
    let conversion = match picture.channels() {
        3 => return Ok(current),
        1 => imgproc::COLOR_GRAY2BGR,
        4 => imgproc::COLOR_BGRA2BGR,
        other => {
            return Err(opencv::Error::new(
                opencv::core::StsUnsupportedFormat,
                format!("pictures of {other} channels are not supported"),
            ));
        }
    };
    let mut bgr = Mat::default();
    imgproc::cvt_color_def(current.as_ref().unwrap_or(picture), &mut bgr, conversion)?;
    Ok(Some(bgr))
}

/// What OpenCV says, as one line without its place in OpenCV's code.
fn said(error: &opencv::Error) -> String {
    let line = error.message.lines().find(|line| !line.trim().is_empty()).unwrap_or("no reason given");
    let reason = line.split_once("error: ").map_or(line, |(_, reason)| reason);
    crate::config::redact(reason.trim()).into_owned()
}

fn sane_fps(fps: f64) -> Option<f64> {
    (fps.is_finite() && fps > 0.0 && fps <= MAX_FPS).then_some(fps)
}

/// Media time out of a file's time stamps, which may be missing, repeat, run backwards or jump.
struct MediaClock {
    /// Length of a frame by the declared rate, in seconds.
    frame: f64,
    /// Time stamp of the frame before.
    stamp: f64,
    /// Time given for the frame before; negative before the first.
    time: f64,
}

impl MediaClock {
    fn new(fps: Option<f64>) -> Self {
        Self { frame: 1.0 / fps.unwrap_or(FALLBACK_FPS), stamp: f64::NAN, time: -1.0 }
    }

    /// Time of the next frame, whose stamp in seconds is `stamp`. The first is at 0; none is earlier than
    /// the one before. A stamp that does not advance, or advances beyond reason, counts as one frame.
    fn next(&mut self, stamp: f64) -> f64 {
        let step = stamp - self.stamp;
        self.stamp = stamp;
        self.time = if self.time < 0.0 {
            0.0
        } else if step > 0.0 && step <= MAX_STEP {
            self.time + step
        } else {
            self.time + self.frame
        };
        self.time
    }
}

#[cfg(test)]
mod tests {
    use opencv::core::{CV_8UC1, CV_8UC3, CV_16UC1, Scalar};

    use super::*;

    fn times(fps: Option<f64>, stamps: &[f64]) -> Vec<f64> {
        let mut clock = MediaClock::new(fps);
        stamps.iter().map(|&stamp| (clock.next(stamp) * 1000.0).round() / 1000.0).collect()
    }

    #[test]
    fn media_time_follows_sane_stamps_from_zero() {
        assert_eq!(times(Some(25.0), &[5.0, 5.04, 5.08, 5.2]), [0.0, 0.04, 0.08, 0.2]);
    }

    #[test]
    fn stamps_that_are_missing_repeated_or_backwards_count_as_one_frame() {
        assert_eq!(times(Some(10.0), &[0.0, 0.0, 0.0]), [0.0, 0.1, 0.2]);
        assert_eq!(times(Some(10.0), &[f64::NAN, f64::NAN, f64::NAN]), [0.0, 0.1, 0.2]);
        assert_eq!(times(Some(10.0), &[1.0, 0.5, 0.6]), [0.0, 0.1, 0.2]);
        assert_eq!(times(None, &[0.0, 0.0]), [0.0, 0.04]);
    }

    #[test]
    fn a_jump_of_the_stamps_is_not_time_that_passed() {
        assert_eq!(times(Some(10.0), &[0.0, 0.1, 90_000.0, 90_000.1]), [0.0, 0.1, 0.2, 0.3]);
    }

    #[test]
    fn frame_rates_that_cannot_be_are_unknown() {
        for lie in [0.0, -1.0, f64::NAN, f64::INFINITY, 90_000.0] {
            assert_eq!(sane_fps(lie), None, "{lie}");
        }
        assert_eq!(sane_fps(29.97), Some(29.97));
    }

    #[test]
    fn errors_of_opencv_are_one_line() {
        let message = "OpenCV(4.6.0) ./modules/core/src/alloc.cpp:73: error: (-4:Insufficient memory) \
                       Failed to allocate 9 bytes in function 'OutOfMemoryError'\n\n";
        let text = said(&opencv::Error::new(-4, message));
        assert!(text.starts_with("(-4:Insufficient memory) Failed"), "{text}");
        assert_eq!(text.lines().count(), 1);
    }

    #[test]
    fn pictures_are_reduced_never_enlarged() {
        let full =
            |cols, rows| Mat::new_rows_cols_with_default(rows, cols, CV_8UC3, Scalar::all(7.0)).unwrap();
        let size = |mat: Mat| (mat.cols(), mat.rows());
        assert_eq!(size(reduce(&mut full(64, 48), (32, 24)).unwrap()), (32, 24));
        assert_eq!(size(reduce(&mut full(64, 48), (640, 480)).unwrap()), (64, 48));
        assert_eq!(size(reduce(&mut full(64, 48), (0, 0)).unwrap()), (1, 1));
    }

    #[test]
    fn grey_and_deep_pictures_become_bgr() {
        let grey = Mat::new_rows_cols_with_default(4, 4, CV_8UC1, Scalar::all(9.0)).unwrap();
        assert_eq!(to_bgr(&grey).unwrap().unwrap().typ(), CV_8UC3);
        let deep = Mat::new_rows_cols_with_default(4, 4, CV_16UC1, Scalar::all(25600.0)).unwrap();
        let bgr = to_bgr(&deep).unwrap().unwrap();
        assert_eq!(bgr.typ(), CV_8UC3);
        assert_eq!(bgr.at_2d::<opencv::core::Vec3b>(0, 0).unwrap()[0], 100);
    }
}
