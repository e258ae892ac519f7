//! Frames out of an open OpenCV capture: time stamps, sizes, ends and stalls.

mod doubt;
mod limits;
mod picture;
mod time;

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use opencv::{
    core::{Mat, MatTraitConst as _},
    videoio::{self, VideoCapture, VideoCaptureTrait as _, VideoCaptureTraitConst as _},
};
use parking_lot::Mutex;
use url::Url;

pub(super) use self::limits::Stopwatch;
pub(super) use self::picture::reduce;
use self::{
    doubt::{Standstill, is_grey},
    limits::{WHOLE_WAIT, check_size},
    time::{Arrivals, MediaClock, sane_fps},
};
use super::{Frame, FrameSource, SourceError, StreamInfo};
use crate::clock;

/// Pictures of a stream that may lack a key frame; then they are taken as they are.
const KEY_FRAME_WITHIN: u64 = 300;

/// Time after which grey pictures of a live stream are what its camera sees, or says that it sees nothing.
const KEY_FRAME_AFTER: Duration = Duration::from_secs(10);

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
    File { path: PathBuf, stall_timeout: Duration },
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
    /// When it was opened, in the time that passes whether the program runs or not: people who were there before it
    /// stood still are others afterwards.
    opened: Duration,
    /// Length of the file when it was opened, in bytes; 0 for what is no file.
    length: u64,
    /// Seconds that it plays, as declared; `None` where that is not said.
    seconds: Option<f64>,
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
    /// Whether FFmpeg took a standstill of the program for a stream that sends nothing; then it reads no further.
    is_interrupted: bool,
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
        let origin = Origin::File { path: path.to_owned(), stall_timeout };
        let source = Self::new(capture, path.display().to_string(), origin);
        check_size(&source.name, source.info.size).map_err(SourceError::Unsupported)?;
        Ok(source)
    }

    /// The file's pictures have this (width, height) in pixels later on; OpenCV 4.6 keeps to the first size.
    ///
    /// # Errors
    /// As [`Self::file`].
    pub fn note_later_size(&mut self, later: (u32, u32)) -> Result<(), SourceError> {
        let size = self.info.size;
        check_size(&self.name, later).map_err(SourceError::Unsupported)?;
        if later != size && size != (0, 0) && later != (0, 0) {
            self.remark = Some(format!(
                "'{}' changes its pictures from {}x{} to {}x{} pixels; people after that are not counted rightly: \
                 split the file there, or convert it to one size",
                self.name, size.0, size.1, later.0, later.1
            ));
        }
        Ok(())
    }

    /// Says `remark` with the next frame.
    pub fn note(&mut self, remark: String) {
        self.remark = Some(remark);
    }

    /// Frames of a network stream; one that is not `live` (a video behind an address) may end. `reopen` is asked
    /// when a live one seems to have changed its size.
    ///
    /// # Errors
    /// As [`Self::file`].
    pub fn network(
        capture: VideoCapture,
        address: &Url,
        stall_timeout: Duration,
        live: bool,
        reopen: Reopen,
    ) -> Result<Self, SourceError> {
        let source = Self::new(capture, address.to_string(), Origin::Stream { stall_timeout, live });
        check_size(&source.name, source.info.size).map_err(SourceError::NoVideo)?;
        Ok(Self { reopen: Some(reopen), ..source })
    }

    /// Frames of a capture device.
    ///
    /// # Errors
    /// As [`Self::file`].
    pub fn device(capture: VideoCapture, path: &str, stall_timeout: Duration) -> Result<Self, SourceError> {
        let source = Self::new(capture, path.to_owned(), Origin::Stream { stall_timeout, live: true });
        check_size(path, source.info.size).map_err(SourceError::NoVideo)?;
        Ok(source)
    }

    fn new(capture: VideoCapture, name: String, origin: Origin) -> Self {
        let property = |id| capture.get(id).unwrap_or(0.0);
        let live = matches!(origin, Origin::Stream { live: true, .. });
        let fps = sane_fps(property(videoio::CAP_PROP_FPS));
        // Where the container tells no number, OpenCV makes one of the rate.
        let counted = property(videoio::CAP_PROP_FRAME_COUNT);
        let frames = fps.map_or(0.0, |_| counted);
        let seconds = counted / property(videoio::CAP_PROP_FPS);
        let info = StreamInfo {
            size: size_of(&capture),
            fps,
            live,
            frames: (!live && (1.0..1e12).contains(&frames)).then_some(frames as u64),
        };
        let now = clock::now();
        let length = match &origin {
            Origin::File { path, .. } => std::fs::metadata(path).map_or(0, |file| file.len()),
            Origin::Stream { .. } => 0,
        };
        Self {
            capture,
            name,
            origin,
            clock: MediaClock::new(info.fps),
            info,
            opened: clock::passed(),
            length,
            seconds: (!live && seconds.is_finite() && seconds > 0.0).then_some(seconds),
            grabbed: 0,
            time: 0.0,
            captured: now,
            arrivals: Arrivals::default(),
            full: Mat::default(),
            waited: Duration::ZERO,
            is_interrupted: false,
            without_key_frame: Some(0),
            standstill: Standstill::default(),
            in_doubt: false,
            remark: None,
            reopen: None,
        }
    }

    /// A file that vanishes, is damaged, or is still being written ends like any other: FFmpeg tells no reason.
    fn say_early_end(&mut self, path: &Path) {
        let (name, read) = (&self.name, self.grabbed);
        self.remark = match std::fs::metadata(path) {
            Err(_) => Some(format!("'{name}' has vanished while it was read; {read} frames were counted")),
            Ok(file) if file.len() != self.length => Some(format!(
                "'{name}' is still being written; it was read as far as it went, {read} frames; restart it when it \
                 is complete"
            )),
            // Containers often promise a little more than they hold, and say little of the number of frames where
            // their rate varies.
            Ok(_) => {
                let frame = 1.0 / self.info.fps.unwrap_or(1.0);
                let lacks_frames = self.info.frames.is_none_or(|frames| read < frames - frames / 10);
                let is_early = |seconds: &f64| lacks_frames && self.time + frame < seconds * 0.9;
                self.seconds.filter(is_early).map(|seconds| {
                    let length = match self.info.frames {
                        Some(frames) => format!("{read} of {frames} frames"),
                        None => format!("{:.1} of {seconds:.1} s", self.time),
                    };
                    format!("'{name}' ended after {length}; it may be damaged, cut short, or go on with what cannot be decoded")
                })
            }
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
        let is_late = match self.origin {
            Origin::Stream { stall_timeout, live: true } => {
                clock::passed().saturating_sub(self.opened) > stall_timeout.min(KEY_FRAME_AFTER)
            }
            _ => false,
        };
        if passed < KEY_FRAME_WITHIN && !is_late && is_grey(&self.full) {
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
            Some(capture)
                if size_of(&capture) != before && check_size(&self.name, size_of(&capture)).is_ok() =>
            {
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
        if self.is_interrupted {
            return Err(SourceError::StoodStill);
        }
        match self.origin {
            Origin::File { stall_timeout, .. } if waited >= stall_timeout.mul_f64(WHOLE_WAIT) => {
                Err(SourceError::Stalled(stall_timeout))
            }
            Origin::File { .. } if self.grabbed == 0 => Err(SourceError::Unsupported(format!(
                "'{}' holds no frame that can be decoded; it may be damaged or cut short",
                self.name
            ))),
            Origin::File { ref path, .. } => {
                let path = path.clone();
                self.say_early_end(&path);
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
            let asked = Stopwatch::start();
            let grabbed = self.capture.grab();
            let (Origin::File { stall_timeout, .. } | Origin::Stream { stall_timeout, .. }) = self.origin;
            self.is_interrupted |= asked.was_interrupted(stall_timeout);
            if !grabbed.map_err(|error| self.broken(&said(&error)))? {
                return self.end(asked.ran().max(self.waited));
            }
            self.waited = asked.ran();
            if self.has_key_frame()? {
                break;
            }
        }
        self.captured = clock::now();
        let stamp = self.capture.get(videoio::CAP_PROP_POS_MSEC).unwrap_or(f64::NAN) / 1000.0;
        self.time = match self.origin {
            Origin::File { .. } | Origin::Stream { live: false, .. } => self.clock.next(stamp),
            Origin::Stream { live: true, .. } => {
                let time = clock::passed().saturating_sub(self.opened).as_secs_f64();
                self.arrivals.note(stamp, time, self.waited.as_secs_f64());
                time
            }
        };
        self.grabbed += 1;
        Ok(true)
    }

    fn due(&self) -> Option<Instant> {
        let ahead = self.arrivals.next()? - self.time;
        let distance = Duration::try_from_secs_f64(ahead.abs()).ok()?;
        if ahead < 0.0 { self.captured.checked_sub(distance) } else { self.captured.checked_add(distance) }
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
