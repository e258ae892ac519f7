//! Opens real sources: files, RTSP and HTTP cameras and capture devices through OpenCV's FFmpeg backend.
//!
//! OpenCV 4.6 gives each decoder one thread per processor and offers no way to change that; decoders of
//! cameras' streams, one slice a picture, leave the others asleep. What OpenCV itself would do with several
//! threads is switched off ([`prepare_process`]): the threads of this program are the parallelism.
//!
//! **Transport.** OpenCV 4.6 tells FFmpeg to try TCP first and then UDP, for the whole process, and no
//! address can say otherwise: it reads `OPENCV_FFMPEG_CAPTURE_OPTIONS` from the environment. When there are
//! RTSP cameras, the program starts itself anew with that variable set ([`options`]), to datagrams when all of
//! them are to use UDP. In a mixed configuration those for UDP try TCP first and say so in the log; two runs of the program with a
//! folder each do what one cannot.

use std::{
    ffi::{OsStr, OsString},
    fs, io,
    path::Path,
    sync::{Arc, Once},
    time::Duration,
};

use opencv::{
    core::Vector,
    videoio::{self, VideoCapture, VideoCaptureTrait as _, VideoCaptureTraitConst as _},
};
use url::Url;

use super::{
    FrameSource, Opener, SourceError,
    demo::Demo,
    file,
    pace::Paced,
    refusal,
    relay::{Destination, Relay},
    video::{Stopwatch, VideoSource, size_of},
};
use crate::{
    config::{Credentials, DemoSpec, SourceConfig, SourceKind, SourceSpec, Transport},
    native,
};

/// Where OpenCV takes FFmpeg's options from, at every opening.
pub const OPTIONS_VARIABLE: &str = "OPENCV_FFMPEG_CAPTURE_OPTIONS";

/// How many heaps the C library may make: a variable of the environment and its value. It would give most threads one of their
/// own; decoders that are opened again and again, each in a new thread, fill one after the other: 50 reconnections of
/// three cameras took 6 % more memory from the fifth on, with two heaps 0.5 % and 2.4 % (two runs).
pub const HEAPS: (&str, &str) = ("MALLOC_ARENA_MAX", "2");

/// FFmpeg's words for datagrams.
const UDP: &str = "rtsp_transport;udp";

/// What FFmpeg must not do in any run. It verifies no certificate of its own accord, so it is to encrypt nothing: the
/// relay does. And that is on this machine, where no proxy leads; `none` is one that FFmpeg does not take.
const OWN: &str = "protocol_blacklist;https,tls|http_proxy;none";

/// Its value: with RTSP cameras, over datagrams or as OpenCV has it by itself, or without any. FFmpeg would watch twenty
/// frames to estimate a rate that the cameras tell; without that a camera is there nearly a second sooner.
#[must_use]
pub fn options(rtsp: bool, datagrams: bool) -> String {
    match (rtsp, datagrams) {
        (false, _) => format!("rtsp_flags;prefer_tcp|{OWN}"),
        (true, false) => format!("rtsp_flags;prefer_tcp|fpsprobesize;2|{OWN}"),
        (true, true) => format!("{UDP}|fpsprobesize;2|{OWN}"),
    }
}

/// Endings of recordings that can be read from anywhere, and whose pictures may change their size on the way.
const RECORDINGS: [&str; 8] = ["ts", "mts", "m2ts", "mpg", "mpeg", "h264", "h265", "hevc"];

/// Bytes before the end of such a file in which its last size is looked for.
const TAIL: u64 = 4 << 20;

/// Makes OpenCV fit for many streams in one process: one thread in each of its calls, and no messages of its
/// own on the standard error, where they would repeat what our errors say. Every opening does this; `main`
/// may do it earlier. FFmpeg's own messages are not affected.
pub fn prepare_process() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Neither can fail in a way that matters: OpenCV works without, only less well.
        let _ = opencv::core::set_log_level(opencv::core::LogLevel::LOG_LEVEL_SILENT);
        let _ = opencv::core::set_num_threads(1);
    });
}

/// Opens files, network cameras, devices and demo scenes.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemOpener;

fn open_file(path: &Path, config: &SourceConfig) -> Result<Box<dyn FrameSource>, SourceError> {
    file::check(path)?;
    let begun = Stopwatch::start();
    // Relative names with a colon would be taken for the name of a protocol.
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let Some(capture) = open_capture(absolute.as_os_str(), &timeouts(config)) else {
        let interrupted = begun.was_interrupted(config.open_timeout);
        return Err(if interrupted { SourceError::StoodStill } else { file::diagnose(path) });
    };
    let mut source = VideoSource::file(capture, path, config.stall_timeout)?;
    // In what is left of the time for opening.
    let left = config.open_timeout.saturating_sub(begun.ran());
    let hurried = SourceConfig { open_timeout: left, ..config.clone() };
    if let Some(later) = size_near_end(&absolute, &timeouts(&hurried)) {
        source.note_later_size(later)?;
    }
    Ok(match config.kind {
        SourceKind::Video => Box::new(source),
        SourceKind::Camera => Box::new(Paced::new(source)),
    })
}

/// Size of the pictures at the end of a recording. `None` for other files, and where it cannot be told.
fn size_near_end(path: &Path, params: &[(i32, i32)]) -> Option<(u32, u32)> {
    let ending = path.extension()?.to_str()?.to_ascii_lowercase();
    if !RECORDINGS.contains(&ending.as_str()) {
        return None;
    }
    let length = fs::metadata(path).ok()?.len();
    let start = length - TAIL.min(length / 2);
    // FFmpeg's name for a part of a file.
    let mut part = OsString::from(format!("subfile,,start,{start},end,{length},,:"));
    part.push(path);
    open_capture(part, params).map(|capture| size_of(&capture))
}

fn open_demo(written: &str, kind: SourceKind) -> Result<Box<dyn FrameSource>, SourceError> {
    let spec: DemoSpec = written.parse().map_err(SourceError::Unsupported)?;
    let source = Demo::new(&spec, kind).source()?;
    Ok(match kind {
        SourceKind::Video => Box::new(source),
        SourceKind::Camera => Box::new(Paced::new(source)),
    })
}

fn open_url(
    config: &SourceConfig,
    shown: &Url,
    credentials: Option<&Credentials>,
) -> Result<Box<dyn FrameSource>, SourceError> {
    let Some(asked) = config.source.request_url() else {
        return Err(SourceError::Unsupported(format!("'{shown}' is no address")));
    };
    let options = std::env::var(OPTIONS_VARIABLE).unwrap_or_default();
    if config.transport == Transport::Udp && !options.contains(UDP) {
        tracing::warn!(camera = %config.id, "Other cameras of this run use TCP, and FFmpeg knows one transport a \
            process: trying TCP first; give the cameras for UDP a run of their own, with another --output");
    }
    let destination = Destination { shown, asked: &asked, credentials, tls: &config.tls };
    let relay = Arc::new(Relay::start(&destination, config.open_timeout)?);
    let started = Stopwatch::start();
    if let Some(capture) = open_capture(relay.address(), &timeouts(config)) {
        let live = config.kind == SourceKind::Camera;
        // In the time that a grab may take.
        let hurried =
            SourceConfig { open_timeout: config.open_timeout.min(config.stall_timeout), ..config.clone() };
        let again = Box::new(move || open_capture(relay.address(), &timeouts(&hurried)));
        let mut source = VideoSource::network(capture, shown, config.stall_timeout, live, again)?;
        if !config.tls.verify && matches!(asked.scheme(), "https" | "rtsps") {
            source.note(format!(
                "the certificate of '{shown}' is not verified (\"tls\": {{\"verify\": false}}): anybody between here \
                 and the camera can read the password"
            ));
        }
        return Ok(Box::new(source));
    }
    if started.was_interrupted(config.open_timeout) {
        return Err(SourceError::StoodStill);
    }
    if let Some(refused) = refusal::find() {
        return Err(refused);
    }
    let timed_out = started.ran() >= config.open_timeout;
    Err(relay.failure().unwrap_or_else(|| undecodable(shown, timed_out)))
}

impl Opener for SystemOpener {
    fn open(&self, config: &SourceConfig) -> Result<Box<dyn FrameSource>, SourceError> {
        prepare_process();
        if !matches!(config.source, SourceSpec::Demo(_)) {
            if let Some(refused) = refusal::find() {
                return Err(refused);
            }
            native::videoio::load().map_err(|error| refusal::library("OpenCV's video library", &error))?;
        }
        match &config.source {
            SourceSpec::File(path) => open_file(path, config),
            SourceSpec::Url { address, credentials, .. } => open_url(config, address, credentials.as_ref()),
            SourceSpec::Device(path) => open_device(path, config.stall_timeout),
            SourceSpec::Demo(written) => open_demo(written, config.kind),
        }
    }
}

fn open_device(path: &Path, stall_timeout: Duration) -> Result<Box<dyn FrameSource>, SourceError> {
    let shown = path.display().to_string();
    if let Err(error) = fs::File::open(path) {
        return Err(match error.kind() {
            io::ErrorKind::NotFound => SourceError::NotFound(shown),
            io::ErrorKind::PermissionDenied => SourceError::Unreachable(format!(
                "'{shown}' cannot be read ({error}); give this user access to it, as by adding it to the group 'video'"
            )),
            _ => refusal::of(&error)
                .unwrap_or_else(|| SourceError::Unreachable(format!("'{shown}' cannot be read: {error}"))),
        });
    }
    match VideoCapture::from_file(path, videoio::CAP_V4L2) {
        Ok(capture) if capture.is_opened().unwrap_or(false) => {
            Ok(Box::new(VideoSource::device(capture, &shown, stall_timeout)?))
        }
        _ => Err(refusal::find().unwrap_or_else(|| {
            SourceError::NoVideo(format!(
                "'{shown}' gives none; another program may be using it, or it is not a camera"
            ))
        })),
    }
}

/// An open FFmpeg capture, or `None`: the backend tells no reason.
fn open_capture(name: impl AsRef<OsStr>, params: &[(i32, i32)]) -> Option<VideoCapture> {
    let mut list = Vector::<i32>::new();
    for &(property, value) in params {
        list.push(property);
        list.push(value);
    }
    let mut capture = VideoCapture::default().ok()?;
    capture.set_exception_mode(false).ok()?;
    let opened = capture.open_file_with_params(name, videoio::CAP_FFMPEG, &list).ok()?;
    opened.then_some(capture)
}

/// FFmpeg's timeouts. Files have them too: they may lie on a network, or be damaged so that no end is found.
fn timeouts(config: &SourceConfig) -> [(i32, i32); 2] {
    [
        (videoio::CAP_PROP_OPEN_TIMEOUT_MSEC, milliseconds(config.open_timeout)),
        (videoio::CAP_PROP_READ_TIMEOUT_MSEC, milliseconds(config.stall_timeout)),
    ]
}

fn milliseconds(time: Duration) -> i32 {
    i32::try_from(time.as_millis()).unwrap_or(i32::MAX).max(1)
}

/// The host answers as it should, and still FFmpeg could make nothing of it.
fn undecodable(address: &Url, timed_out: bool) -> SourceError {
    if timed_out {
        SourceError::Unreachable(format!("'{address}' answers but sends no video"))
    } else if address.scheme().starts_with("rtsp") {
        // It has a description of the stream, so this may pass, as when all its sessions are taken.
        SourceError::Broken(format!(
            "'{address}' describes a video but does not deliver it; the other transport (tcp or udp) may help"
        ))
    } else {
        SourceError::NoVideo(format!(
            "'{address}' answers, but not with a video that can be decoded; try it with 'ffprobe'"
        ))
    }
}
