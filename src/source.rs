//! Where frames come from: files, cameras, demo scenes, each behind [`FrameSource`].
//!
//! A capture thread owns one source: it opens, reads, reconnects and hands frames to its [`capture::Host`].

pub mod backoff;
pub mod capture;
pub mod decode_scheduler;
pub mod demo;
pub mod file;
pub mod image;
pub mod life;
pub mod network;
pub mod pace;
pub mod pacer;
pub mod probe;
pub mod refusal;
mod relay;
pub mod resume;
pub mod stretch;
pub mod substream;
pub mod system;
pub mod video;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};

use self::{image::FrameImage, resume::StreamPosition};
use crate::clock::Clock;
pub use probe::{Probe, probe_source};
pub use substream::substream_for;
pub use system::SystemOpener;

/// One frame on its way through the program.
pub struct Frame {
    /// What it shows.
    pub picture: FrameImage,
    /// Number of this frame in its source since it was opened, from 0; skipped frames are counted.
    #[cfg_attr(not(feature = "internals"), expect(dead_code, reason = "only tests ask"))]
    pub index: u64,
    /// Seconds on the source's clock: media time of a file, monotonic time since start of a camera.
    /// Never decreases within one opening.
    pub time: f64,
    /// When it left the decoder, for the age shown to the user.
    pub captured: std::time::Instant,
    /// Size (width, height) of the frame as a player shows it, before reduction.
    pub stream_size: (u32, u32),
    /// Whether the source says that it ends with this one.
    pub last: bool,
}

impl Frame {
    /// Width over height of the frame in the stream.
    #[must_use]
    pub fn aspect(&self) -> f32 {
        self.stream_size.0 as f32 / self.stream_size.1.max(1) as f32
    }
}

/// What is known of a source once it is open.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamInfo {
    /// Width and height in pixels.
    pub size: (u32, u32),
    /// Frames per second as declared; `None` when the stream does not say or lies (0, NaN, above 1000).
    pub fps: Option<f64>,
    /// Whether it is live (frames are lost when not taken) or a file (frames wait).
    pub live: bool,
    /// Number of frames, when a file knows it.
    pub frames: Option<u64>,
}

/// An open source of frames. Calls may block up to the read timeout; workers never call it.
pub trait FrameSource: Send {
    /// What was found on opening.
    fn info(&self) -> StreamInfo;

    /// Name of the codec, such as `h264`, when the source has one and tells it.
    fn codec(&self) -> Option<String> {
        None
    }

    /// Something about the stream that the user should know, once; asked after every frame and at the end.
    fn remark(&mut self) -> Option<String> {
        None
    }

    /// Moves to the next frame without converting it. `Ok(false)` at the end of a file.
    ///
    /// # Errors
    /// When the stream breaks or nothing came within the read timeout.
    fn grab(&mut self) -> Result<bool, SourceError>;

    /// When the next frame of a live source comes or came, where that is known: from then on, grabbing it takes no
    /// longer than decoding it.
    fn due(&self) -> Option<Instant> {
        None
    }

    /// Whether the frame grabbed last came late through no fault of this machine, in a burst: it is not to be passed
    /// over for a newer one.
    fn is_owed(&self) -> bool {
        false
    }

    /// Whether it can do without the frames between its key frames.
    fn can_sleep(&self) -> bool {
        false
    }

    /// Says whether it may sleep: from its next key frame on it may decode nothing else, until this is called again
    /// with `false` or [`Self::wake`] is. Sources that are never told do not sleep, and neither do those that cannot.
    fn sleep(&mut self, _allowed: bool) {}

    /// Whether it sleeps: the frame grabbed last is a key frame, and others after the key frame before it were not decoded.
    fn is_asleep(&self) -> bool {
        false
    }

    /// The key frame grabbed last shows something: it is to be passed over, and comes again after all frames that were
    /// not decoded since the one before, with their true times.
    fn wake(&mut self) {}

    /// The key frame grabbed last shows nothing: what was kept before it is let go. Gives the number of frames that were
    /// never decoded.
    fn stay_asleep(&mut self) -> u64 {
        0
    }

    /// Whether its key frames come often enough to sleep.
    fn is_regular(&self) -> bool {
        false
    }

    /// Where a live source stands on its stream's own time, for [`Self::resume`] of a later session with it.
    fn seen(&self) -> Option<StreamPosition> {
        None
    }

    /// Passes over what an earlier session gave and the stream repeats.
    fn resume(&mut self, _seen: StreamPosition) {}

    /// Seconds on the source's clock of the frame grabbed last (see [`Frame::time`]), known without
    /// converting it, so that the capture thread can decide whether it is wanted.
    fn time(&self) -> f64;

    /// Whether the source ends with the frame grabbed last, as far as its container tells.
    fn is_last(&self) -> bool {
        false
    }

    /// The frame grabbed last, reduced to `working_size` of its stream size (never enlarged).
    ///
    /// # Errors
    /// When the frame cannot be decoded.
    fn retrieve(&mut self, working_size: &dyn Fn(u32, u32) -> (u32, u32)) -> Result<Frame, SourceError>;
}

/// Opens sources; injected so that tests need no camera.
pub trait Opener: Send + Sync {
    /// Opens `source`. May block up to the open timeout; it and what it gives return soon, with
    /// [`SourceError::Interrupted`], when `interrupt` is set.
    ///
    /// # Errors
    /// One of [`SourceError`], with secrets removed from its text.
    fn open(
        &self,
        source: &crate::config::SourceConfig,
        interrupt: &Interrupt,
    ) -> Result<Box<dyn FrameSource>, SourceError>;
}

/// Set while the user wants something else of a source than what it does: what waits for it gives up at once.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<Flag>);

#[derive(Debug, Default)]
struct Flag {
    set: AtomicBool,
    /// Held while it is set, so that no thread misses it between its look and its wait.
    lock: Mutex<()>,
    changed: Condvar,
}

impl Interrupt {
    /// Sets or clears it. What waits for it wakes at once.
    pub fn set(&self, set: bool) {
        let guard = self.0.lock.lock();
        self.0.set.store(set, Ordering::SeqCst);
        drop(guard);
        self.0.changed.notify_all();
    }

    /// Whether it is set.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.set.load(Ordering::SeqCst)
    }

    /// Waits until `clock` says `until`.
    ///
    /// # Errors
    /// [`SourceError::Interrupted`], at once, when it is set or becomes so.
    pub fn rest_until(&self, clock: &dyn Clock, until: Instant) -> Result<(), SourceError> {
        while !self.is_set() {
            let left = until.saturating_duration_since(clock.now());
            if left.is_zero() {
                return Ok(());
            }
            clock.wait(left, &mut |left| {
                let mut guard = self.0.lock.lock();
                if !self.is_set() {
                    self.0.changed.wait_for(&mut guard, left);
                }
            });
        }
        Err(SourceError::Interrupted)
    }
}

/// Why a source could not be opened or read. Texts hold no credentials.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SourceError {
    /// File or device that is not there.
    #[error("not found: '{0}'")]
    NotFound(String),
    /// The host does not answer or refuses.
    #[error("cannot connect: {0}")]
    Unreachable(String),
    /// User name or password refused.
    #[error("the camera refuses the user name or password")]
    Auth,
    /// The host answers but has no such stream.
    #[error("no such stream: {0}")]
    NoSuchStream(String),
    /// A file without a video that can be decoded: it will not have one later either.
    #[error("unsupported: {0}")]
    Unsupported(String),
    /// What answers sends no video that can be decoded, for now: a page, nothing, a frame far too large.
    #[error("no video: {0}")]
    NoVideo(String),
    /// Sessions deliver frames and break off, one after the other.
    #[error("flapping: {0}")]
    Flapping(String),
    /// The system refuses the program threads, open files or memory; the source is not to blame.
    #[error("{0}")]
    System(String),
    /// The user wants something else of the source.
    #[error("interrupted")]
    Interrupted,
    /// No frame within the time allowed.
    #[error("no frame for {}", humantime::format_duration(*.0))]
    Stalled(Duration),
    /// The stream broke off.
    #[error("stream ended: {0}")]
    Broken(String),
}
