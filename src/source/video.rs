//! Frames out of an open OpenCV capture: time stamps, sizes, ends and stalls.

mod doubt;
mod picture;
mod time;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use opencv::{
    core::{Mat, MatTraitConst as _},
    videoio::{self, VideoCapture, VideoCaptureTrait as _, VideoCaptureTraitConst as _},
};
use parking_lot::Mutex;
use url::Url;

pub(super) use self::picture::reduce;
use self::{
    doubt::{Standstill, is_grey},
    time::{Arrivals, MediaClock, sane_fps},
};
use super::{Frame, FrameSource, SourceError, StreamInfo};

/// Pictures with more pixels (8192 x 8192) come from damaged headers; one of them takes 200 MB.
const MAX_PIXELS: u64 = 8192 * 8192;
/// Share of the time allowed from which a wait counts as the whole of it: FFmpeg's timer and ours do not start at
/// the same moment.
const WHOLE_WAIT: f64 = 0.9;
/// Pictures of a stream that may lack a key frame; then they are taken as they are.
const KEY_FRAME_WITHIN: u64 = 300;

/// Full-size pictures that wait for their next use by whatever source. Few sources convert one at the same moment, and
/// one for each would be a large part of the memory that a source takes.
static SPARE: Mutex<Vec<Mat>> = Mutex::new(Vec::new());
/// More than that many convert at once seldom enough.
const MOST_SPARE: usize = 4;

/// Opens a stream once more, beside the one that is open.
pub type Reopen = Box<dyn Fn() -> Option<VideoCapture> + Send>;

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
    /// When frames of a live stream come.
    arrivals: Arrivals,
    /// The full-size picture between [`Self::decode`] and [`FrameSource::retrieve`].
    full: Mat,
    /// How long the grab before took: a decoder that gives out what it still holds hides the wait for more.
    waited: Duration,
    /// Pictures passed over because no key frame had come; `None` once one has.
    without_key_frame: Option<u64>,
    standstill: Standstill,
    in_doubt: bool,
    /// What is to be said.
    remark: Option<String>,
    /// Held also where it is not asked: the way to a stream ends with it.
    reopen: Option<Reopen>,
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

    /// The file's pictures have this (width, height) in pixels later on; OpenCV 4.6 keeps to the first size.
    pub fn note_later_size(&mut self, later: (u32, u32)) {
        let size = self.info.size;
        if later != size && size != (0, 0) && later != (0, 0) {
            self.remark = Some(format!(
                "'{}' changes its pictures from {}x{} to {}x{} pixels; people after that are not counted rightly: \
                 split the file there, or convert it to one size",
                self.name, size.0, size.1, later.0, later.1
            ));
        }
    }

    /// Says `remark` with the next frame.
    pub fn note(&mut self, remark: String) {
        self.remark = Some(remark);
    }

    /// Frames of a network stream; one that is not `live` (a video behind an address) may end. `reopen` is asked
    /// when a live one seems to have changed its size.
    #[must_use]
    pub fn network(
        capture: VideoCapture,
        address: &Url,
        stall_timeout: Duration,
        live: bool,
        reopen: Reopen,
    ) -> Self {
        let source = Self::new(capture, address.to_string(), Origin::Stream { stall_timeout, live });
        Self { reopen: Some(reopen), ..source }
    }

    /// Frames of a capture device.
    #[must_use]
    pub fn device(capture: VideoCapture, path: &str, stall_timeout: Duration) -> Self {
        Self::new(capture, path.to_owned(), Origin::Stream { stall_timeout, live: true })
    }

    fn new(capture: VideoCapture, name: String, origin: Origin) -> Self {
        let property = |id| capture.get(id).unwrap_or(0.0);
        let live = matches!(origin, Origin::Stream { live: true, .. });
        let fps = sane_fps(property(videoio::CAP_PROP_FPS));
        // Where the container tells no number, OpenCV makes one of the rate.
        let frames = fps.map_or(0.0, |_| property(videoio::CAP_PROP_FRAME_COUNT));
        let info = StreamInfo {
            size: size_of(&capture),
            fps,
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
            arrivals: Arrivals::default(),
            full: Mat::default(),
            waited: Duration::ZERO,
            without_key_frame: Some(0),
            standstill: Standstill::default(),
            in_doubt: false,
            remark: None,
            reopen: None,
        }
    }

    /// A file that vanishes, is damaged, or is still being written ends like any other: FFmpeg tells no reason.
    fn say_early_end(&mut self) {
        let (name, read) = (&self.name, self.grabbed);
        self.remark = match std::fs::metadata(name) {
            Err(_) => Some(format!("'{name}' has vanished while it was read; {read} frames were counted")),
            Ok(file) if file.len() != self.length => Some(format!(
                "'{name}' is still being written; it was read as far as it went, {read} frames; restart it when it \
                 is complete"
            )),
            // Containers often promise a few frames more than they hold.
            Ok(_) => self.info.frames.filter(|frames| read < frames - frames / 10).map(|frames| {
                format!("'{name}' ended after {read} of {frames} frames; it may be damaged or cut short")
            }),
        };
    }

    fn broken(&self, problem: &str) -> SourceError {
        SourceError::Broken(format!("'{}': {problem}", self.name))
    }

    /// Puts the frame grabbed last into [`Self::full`].
    fn decode(&mut self) -> Result<(), SourceError> {
        if self.full.empty() {
            self.full = SPARE.lock().pop().unwrap_or_default();
        }
        match self.capture.retrieve(&mut self.full, 0) {
            Ok(true) if !self.full.empty() => Ok(()),
            Ok(_) => Err(self.broken("a frame could not be decoded")),
            Err(error) => Err(self.broken(&said(&error))),
        }
    }

    /// Whether the frame grabbed last has what it refers to. Some decoders (MPEG-4) give out grey pictures with
    /// what moves in them when a stream is joined between two key frames.
    fn has_key_frame(&mut self) -> Result<bool, SourceError> {
        let Some(passed) = self.without_key_frame else { return Ok(true) };
        self.decode()?;
        if passed < KEY_FRAME_WITHIN && is_grey(&self.full) {
            self.without_key_frame = Some(passed + 1);
            self.grabbed += 1;
            return Ok(false);
        }
        if passed > 0 {
            self.remark = Some(format!(
                "'{}': {passed} grey pictures before the first key frame were passed over",
                self.name
            ));
        }
        self.without_key_frame = None;
        Ok(true)
    }

    /// Opens a live stream that seems to have changed its size beside the one that is open, and goes on with it
    /// when it has.
    fn look_again(&mut self) {
        let before = self.info.size;
        match self.reopen.as_ref().and_then(|reopen| reopen()) {
            Some(capture) if size_of(&capture) != before => {
                self.info.size = size_of(&capture);
                self.capture = capture;
                self.standstill = Standstill::default();
                self.without_key_frame = Some(0);
            }
            _ => self.standstill.unfounded(),
        }
    }

    /// What the absence of a next frame means, after waiting for it for `waited`.
    fn end(&mut self, waited: Duration) -> Result<bool, SourceError> {
        match self.origin {
            Origin::File { stall_timeout } if waited >= stall_timeout.mul_f64(WHOLE_WAIT) => {
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
            Origin::Stream { stall_timeout, .. } if waited >= stall_timeout.mul_f64(WHOLE_WAIT) => {
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

    fn remark(&mut self) -> Option<String> {
        self.remark.take()
    }

    fn grab(&mut self) -> Result<bool, SourceError> {
        if std::mem::take(&mut self.in_doubt) {
            self.look_again();
        }
        loop {
            let asked = Instant::now();
            if !self.capture.grab().map_err(|error| self.broken(&said(&error)))? {
                return self.end(asked.elapsed().max(self.waited));
            }
            self.waited = asked.elapsed();
            if self.has_key_frame()? {
                break;
            }
        }
        self.captured = Instant::now();
        let stamp = self.capture.get(videoio::CAP_PROP_POS_MSEC).unwrap_or(f64::NAN) / 1000.0;
        self.time = match self.origin {
            Origin::File { .. } | Origin::Stream { live: false, .. } => self.clock.next(stamp),
            Origin::Stream { live: true, .. } => {
                let time = (self.captured - self.opened).as_secs_f64();
                self.arrivals.note(stamp, time, self.waited.as_secs_f64());
                time
            }
        };
        self.grabbed += 1;
        Ok(true)
    }

    fn due(&self) -> Option<Instant> {
        Some(self.opened + Duration::try_from_secs_f64(self.arrivals.next()?).ok()?)
    }

    fn time(&self) -> f64 {
        self.time
    }

    fn is_last(&self) -> bool {
        self.info.frames == Some(self.grabbed)
    }

    fn retrieve(&mut self, working_size: &dyn Fn(u32, u32) -> (u32, u32)) -> Result<Frame, SourceError> {
        self.decode()?;
        self.in_doubt |=
            self.reopen.is_some() && self.info.live && self.standstill.observe(&self.full, self.time);
        let stream_size = (self.full.cols().max(1) as u32, self.full.rows().max(1) as u32);
        let image = reduce(&mut self.full, working_size(stream_size.0, stream_size.1))
            .map_err(|error| self.broken(&said(&error)))?;
        let full = std::mem::take(&mut self.full);
        let mut spare = SPARE.lock();
        if !full.empty() && spare.len() < MOST_SPARE {
            spare.push(full);
        }
        drop(spare);
        Ok(Frame {
            image,
            index: self.grabbed.saturating_sub(1),
            time: self.time,
            captured: self.captured,
            stream_size,
            last: self.is_last(),
        })
    }
}

/// Width and height that an open capture declares, in pixels.
pub(super) fn size_of(capture: &VideoCapture) -> (u32, u32) {
    let pixels = |id| capture.get(id).unwrap_or(0.0).clamp(0.0, f64::from(u16::MAX)) as u32;
    (pixels(videoio::CAP_PROP_FRAME_WIDTH), pixels(videoio::CAP_PROP_FRAME_HEIGHT))
}

/// What OpenCV says, as one line without its place in OpenCV's code.
fn said(error: &opencv::Error) -> String {
    let line = error.message.lines().find(|line| !line.trim().is_empty()).unwrap_or("no reason given");
    let reason = line.split_once("error: ").map_or(line, |(_, reason)| reason);
    crate::config::redact(reason.trim()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_opencv_are_one_line() {
        let message = "OpenCV(4.6.0) ./modules/core/src/alloc.cpp:73: error: (-4:Insufficient memory) \
                       Failed to allocate 9 bytes in function 'OutOfMemoryError'\n\n";
        let text = said(&opencv::Error::new(-4, message));
        assert!(text.starts_with("(-4:Insufficient memory) Failed"), "{text}");
        assert_eq!(text.lines().count(), 1);
    }
}
