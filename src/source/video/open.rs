//! Opening inputs, and what it means when one does not open.

use std::{
    collections::VecDeque,
    ffi::{CStr, OsString},
    io::Read as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use url::Url;

use super::{
    super::{Interrupt, SourceError, StreamInfo, refusal, relay::Relay},
    patience::Patience,
};
use crate::{
    clock::Clock,
    config::{Hwaccel, SourceConfig, redact},
    native::ffmpeg::{self, Decoder, Error, Heard, Input, VideoStream},
};

/// Lines of FFmpeg's that are remembered, to say why an input did not open.
const REMEMBERED: usize = 8;

/// What an input is, which decides what its errors mean.
pub enum Origin {
    /// A file, and its length in bytes when it was opened.
    File(PathBuf, u64),
    /// A network address and what stands between FFmpeg and it.
    Network(Url, Relay),
    /// A capture device.
    Device,
}

/// What FFmpeg is told to open, and how.
pub struct How {
    pub address: OsString,
    pub format: Option<&'static CStr>,
    pub options: Vec<(&'static str, String)>,
}

/// An input that is open, and what is needed to speak of it.
pub struct Opened {
    pub input: Input,
    /// As it is called in messages.
    pub name: String,
    /// Number of the video stream that was asked for.
    pub wanted: Option<usize>,
    /// Kind of device that is to decode it.
    pub hwaccel: Hwaccel,
    pub patience: Patience,
    pub clock: Arc<dyn Clock>,
    pub stall_timeout: Duration,
    /// What is to be said of it.
    pub remark: Option<String>,
    origin: Origin,
    how: How,
    lines: Lines,
}

type Lines = Arc<Mutex<VecDeque<String>>>;

impl Opened {
    /// Opens `origin` as `how` says, within the times that `config` allows by `clock`, or until `interrupt` is set.
    ///
    /// # Errors
    /// Why it cannot be opened.
    pub fn open(
        name: String,
        origin: Origin,
        how: How,
        config: &SourceConfig,
        interrupt: &Interrupt,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SourceError> {
        let patience = Patience::new(interrupt.clone(), Arc::clone(&clock));
        patience.allow(config.open_timeout);
        let lines = Lines::default();
        listen(config, &lines);
        match open(&how, &patience) {
            Ok(input) => Ok(Self {
                input,
                name,
                wanted: config.stream,
                hwaccel: config.hwaccel.unwrap_or_default(),
                patience,
                clock,
                stall_timeout: config.stall_timeout,
                remark: None,
                origin,
                how,
                lines,
            }),
            Err(error) => Err(failure(&name, &origin, error, &patience, config.open_timeout, &lines)),
        }
    }

    /// Opens it once more: it gives one frame at a time.
    ///
    /// # Errors
    /// Why it cannot be opened.
    pub fn again(&mut self) -> Result<(), SourceError> {
        match open(&self.how, &self.patience) {
            Ok(input) => {
                self.input = input;
                Ok(())
            }
            Err(error) => {
                Err(failure(&self.name, &self.origin, error, &self.patience, self.stall_timeout, &self.lines))
            }
        }
    }

    /// A decoder for `stream`.
    ///
    /// # Errors
    /// When there is none.
    pub fn decoder(&self, stream: &VideoStream) -> Result<Decoder, SourceError> {
        let device = self.hwaccel.device();
        self.input.decoder(stream.index, device).map_err(|error| self.undecodable(stream, error))
    }

    /// Whether it is a frame by itself, behind a network address.
    pub fn gives_stills(&self) -> bool {
        let format = self.input.format();
        matches!(self.origin, Origin::Network(..)) && (format.ends_with("_pipe") || format == "image2")
    }

    /// It is open and still of no use, for the reason that ends a sentence which begins with its name.
    pub fn unusable(&self, why: &str) -> SourceError {
        let text = format!("'{}' {why}", self.name);
        match self.origin {
            Origin::File(..) => SourceError::Unsupported(text),
            Origin::Network(..) | Origin::Device => SourceError::NoVideo(text),
        }
    }

    /// FFmpeg has no decoder for `stream`, or that one refuses it.
    fn undecodable(&self, stream: &VideoStream, error: Error) -> SourceError {
        match error {
            Error::DecoderNotFound => {
                self.unusable(&format!("is coded as '{}', which this FFmpeg cannot decode", stream.codec))
            }
            _ => {
                self.unusable(&format!("cannot be decoded ({}: {})", stream.codec, said(error, &self.lines)))
            }
        }
    }

    /// Reading it ended with `error` though it does not end by itself.
    pub fn broken(&self, error: Error) -> SourceError {
        let seen = match &self.origin {
            Origin::Network(_, relay) => relay.failure(),
            _ => None,
        };
        seen.or_else(|| refused(error)).unwrap_or_else(|| {
            let said = said(error, &self.lines);
            // So FFmpeg calls the end of a body that has no length.
            let is_over = error == Error::Eof || said.starts_with("Stream ends prematurely");
            SourceError::Broken(if is_over {
                format!("'{}' closed the connection", self.name)
            } else {
                format!("'{}': {said}", self.name)
            })
        })
    }

    /// What is to be said of a recording that was read to its end of `taken` frames, the last at `time` seconds, if its
    /// container promised more.
    pub fn early_end(
        &self,
        info: &StreamInfo,
        taken: u64,
        time: f64,
        stream: &VideoStream,
        broke_off: Option<String>,
    ) -> Option<String> {
        let name = &self.name;
        if let Origin::File(path, length) = &self.origin {
            match std::fs::metadata(path) {
                Err(_) => {
                    return Some(format!(
                        "'{name}' was removed while it was read; {taken} frames were counted"
                    ));
                }
                Ok(file) if file.len() != *length => {
                    return Some(format!(
                        "'{name}' is still being written; {taken} frames were read; restart it when it is \
                         complete"
                    ));
                }
                Ok(_) => {}
            }
        }
        if let Some(why) = broke_off {
            return Some(format!("'{name}' ended after {taken} frames, at {time:.1} s: {why}"));
        }
        // Containers often promise a little more than they hold, and say little of the number of frames where their
        // rate varies.
        let frame = 1.0 / info.fps.unwrap_or(1.0);
        let lacks_frames = info.frames.is_none_or(|frames| taken < frames - frames / 10);
        let is_early = |seconds: &f64| lacks_frames && time + frame < seconds * 0.9;
        stream.seconds.filter(is_early).map(|seconds| {
            let length = match info.frames {
                Some(frames) => format!("{taken} of {frames} frames"),
                None => format!("{time:.1} of {seconds:.1} s"),
            };
            format!("'{name}' ended after {length}; it may be damaged or cut short")
        })
    }
}

fn open(how: &How, patience: &Patience) -> Result<Input, Error> {
    let options: Vec<(&str, &str)> =
        how.options.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let asked = patience.clone();
    let mut input = Input::open(&how.address, how.format, &options, move || asked.gives_up())?;
    input.probe()?;
    // A call that was interrupted may return what it has by then.
    if patience.gives_up() { Err(Error::Exit) } else { Ok(input) }
}

/// Passes on what FFmpeg says on this thread, as said of this source, and remembers the last of it.
fn listen(config: &SourceConfig, lines: &Lines) {
    let (camera, lines) = (Arc::clone(&config.id), Arc::clone(lines));
    let spec = config.source.clone();
    ffmpeg::hear(move |Heard { text, is_error }| {
        let text = redact(&spec.redact(&text)).into_owned();
        tracing::debug!(camera = %camera, "FFmpeg: {text}");
        if is_error {
            let mut lines = lines.lock();
            lines.push_back(text);
            if lines.len() > REMEMBERED {
                lines.pop_front();
            }
        }
    });
}

/// What the system refuses, in words.
fn refused(error: Error) -> Option<SourceError> {
    let Error::Other { errno } = error else { return None };
    refusal::of(&std::io::Error::from_raw_os_error(errno))
}

/// FFmpeg's reason: its last line of words, or what its number stands for.
fn said(error: Error, lines: &Lines) -> String {
    let line = lines.lock().back().cloned();
    match line {
        // Without the part of FFmpeg that says it: "[h264 @ 0x5581] no frame!".
        Some(line) => {
            line.rsplit_once("] ").map_or(line.as_str(), |(_, text)| text).trim_end_matches('.').to_owned()
        }
        None => error.to_string(),
    }
}

/// Why an input did not open.
fn failure(
    name: &str,
    origin: &Origin,
    error: Error,
    patience: &Patience,
    allowed: Duration,
    lines: &Lines,
) -> SourceError {
    if patience.was_interrupted() {
        return SourceError::Interrupted;
    }
    if let Some(refused) = refused(error) {
        return refused;
    }
    match origin {
        Origin::File(path, _) => {
            if patience.is_over() {
                SourceError::Stalled(allowed)
            } else {
                file_failure(path, error, lines)
            }
        }
        Origin::Network(shown, relay) => {
            let late = patience.is_over().then_some(allowed);
            relay.failure().unwrap_or_else(|| undecodable(shown, late, error, lines))
        }
        Origin::Device => SourceError::NoVideo(format!(
            "'{name}' gives none ({}); another program may be using it, or it is not a camera",
            said(error, lines)
        )),
    }
}

/// Why a file that is there did not open.
fn file_failure(path: &Path, error: Error, lines: &Lines) -> SourceError {
    let said_of = |words: &str| lines.lock().iter().any(|line| line.contains(words));
    let problem = match error {
        // So FFmpeg calls the index of an MP4 file.
        Error::InvalidData if said_of("moov atom not found") && begins_as_mp4(path) => {
            "is cut short: its index (the 'moov' box) is missing, \
             so it is still being written or its recording was never finished"
                .to_owned()
        }
        Error::InvalidData if said_of("Picture size") => format!(
            "declares frames of more than {} megapixels; it may be damaged",
            ffmpeg::MOST_PIXELS / 1_000_000
        ),
        Error::InvalidData | Error::Eof => {
            "is no video that FFmpeg knows; it may be something else, damaged or cut short".to_owned()
        }
        Error::ProtocolNotFound => "refers to another address, which a file may not".to_owned(),
        _ => format!("cannot be opened: {}", said(error, lines)),
    };
    SourceError::Unsupported(format!("'{}' {problem}", path.display()))
}

/// Whether the file begins with one of the boxes of an MP4 file (ISO/IEC 14496-12), not with something else.
fn begins_as_mp4(path: &Path) -> bool {
    let mut head = [0; 8];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut head));
    read.is_ok() && [b"ftyp", b"mdat", b"free", b"skip", b"wide"].iter().any(|kind| head.ends_with(*kind))
}

/// The host answers as it should, and still FFmpeg could make nothing of it, `late` as long as it was given.
fn undecodable(address: &Url, late: Option<Duration>, error: Error, lines: &Lines) -> SourceError {
    if let Some(allowed) = late {
        SourceError::Unreachable(format!(
            "'{address}' answers but sent no video within {}; a camera that sends a frame every few seconds needs a \
             longer 'open_timeout'",
            humantime::format_duration(allowed)
        ))
    } else if address.scheme().starts_with("rtsp") {
        // It has a description of the stream, so this may pass, as when all its sessions are taken.
        SourceError::Broken(format!(
            "'{address}' describes a video but does not deliver it ({}); the other transport (tcp or udp) may help",
            said(error, lines)
        ))
    } else {
        SourceError::NoVideo(format!(
            "'{address}' answers, but not with a video that can be decoded ({})",
            said(error, lines)
        ))
    }
}
