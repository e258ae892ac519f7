//! Opens real sources: files, RTSP and HTTP cameras and capture devices through OpenCV's FFmpeg backend.
//!
//! OpenCV 4.6 gives each decoder one thread per processor and offers no way to change that; decoders of
//! cameras' streams, one slice a picture, leave the others asleep. What OpenCV itself would do with several
//! threads is switched off ([`prepare_process`]): the threads of this program are the parallelism.
//!
//! **Transport.** TCP is the default of OpenCV. UDP is asked for in the address (`?udp`), an option that FFmpeg
//! takes out of the address before it is sent; when the camera refuses UDP, FFmpeg falls back to TCP.

use std::{
    fs,
    path::Path,
    sync::Once,
    time::{Duration, Instant},
};

use opencv::{
    core::Vector,
    videoio::{self, VideoCapture, VideoCaptureTrait as _, VideoCaptureTraitConst as _},
};
use url::Url;

use super::{
    FrameSource, Opener, SourceError, file,
    network::{self, Target},
    pace::Paced,
    video::VideoSource,
};
use crate::config::{Credentials, SourceConfig, SourceKind, SourceSpec, Transport};

/// Longest time spent afterwards on finding out why an opening failed.
const DIAGNOSIS_TIMEOUT: Duration = Duration::from_secs(3);

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

fn open_file(path: &Path, kind: SourceKind) -> Result<Box<dyn FrameSource>, SourceError> {
    file::check(path)?;
    // Relative names with a colon would be taken for the name of a protocol.
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let capture = open_capture(absolute.as_os_str(), &[]).ok_or_else(|| file::diagnose(path))?;
    let source = VideoSource::file(capture, path);
    Ok(match kind {
        SourceKind::Video => Box::new(source),
        SourceKind::Camera => Box::new(Paced::new(source)),
    })
}

fn open_url(config: &SourceConfig, url: &UrlParts<'_>) -> Result<Box<dyn FrameSource>, SourceError> {
    let params = [
        (videoio::CAP_PROP_OPEN_TIMEOUT_MSEC, milliseconds(config.open_timeout)),
        (videoio::CAP_PROP_READ_TIMEOUT_MSEC, milliseconds(config.stall_timeout)),
    ];
    let started = Instant::now();
    if let Some(capture) = open_capture(with_transport(&url.full, config.transport), &params) {
        let live = config.kind == SourceKind::Camera;
        return Ok(Box::new(VideoSource::network(capture, url.shown, config.stall_timeout, live)));
    }
    let timed_out = started.elapsed() >= config.open_timeout;
    let mut asked = url.full.clone();
    // Neither can fail: the address has a host.
    let _ = asked.set_username("");
    let _ = asked.set_password(None);
    let target = Target { shown: url.shown, asked: &asked, credentials: url.credentials };
    let why = network::diagnose(target, DIAGNOSIS_TIMEOUT);
    Err(why.unwrap_or_else(|| undecodable(url.shown, timed_out)))
}

/// An address in the forms that are needed.
struct UrlParts<'a> {
    /// As it may be shown.
    shown: &'a Url,
    /// With all secrets.
    full: Url,
    credentials: Option<&'a Credentials>,
}

impl Opener for SystemOpener {
    fn open(&self, config: &SourceConfig) -> Result<Box<dyn FrameSource>, SourceError> {
        prepare_process();
        match &config.source {
            SourceSpec::File(path) => open_file(path, config.kind),
            SourceSpec::Url { address, credentials, .. } => {
                let full = with_credentials(address, credentials.as_ref());
                let url = UrlParts { shown: address, full, credentials: credentials.as_ref() };
                open_url(config, &url)
            }
            SourceSpec::Device(number) => open_device(*number, config.stall_timeout),
            SourceSpec::Demo(scene) => {
                Err(SourceError::Unsupported(format!("demo scene '{scene}' is not built yet")))
            }
        }
    }
}

fn open_device(number: u32, stall_timeout: Duration) -> Result<Box<dyn FrameSource>, SourceError> {
    let path = format!("/dev/video{number}");
    if !Path::new(&path).exists() {
        return Err(SourceError::NotFound(path));
    }
    if let Err(error) = fs::File::open(&path) {
        return Err(SourceError::Unsupported(format!(
            "'{path}' cannot be read ({error}); give this user access to it, as by adding it to the group 'video'"
        )));
    }
    let index = i32::try_from(number).map_err(|_| SourceError::NotFound(path.clone()))?;
    match VideoCapture::new(index, videoio::CAP_V4L2) {
        Ok(capture) if capture.is_opened().unwrap_or(false) => {
            Ok(Box::new(VideoSource::device(capture, &path, stall_timeout)))
        }
        _ => Err(SourceError::Unsupported(format!(
            "'{path}' gives no video; another program may be using it, or it is not a camera"
        ))),
    }
}

/// An open FFmpeg capture, or `None`: the backend tells no reason.
fn open_capture(name: impl AsRef<std::ffi::OsStr>, params: &[(i32, i32)]) -> Option<VideoCapture> {
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

fn milliseconds(time: Duration) -> i32 {
    i32::try_from(time.as_millis()).unwrap_or(i32::MAX).max(1)
}

/// The address with user name and password, as FFmpeg takes them. Never to be shown.
fn with_credentials(address: &Url, credentials: Option<&Credentials>) -> Url {
    let mut full = address.clone();
    if let Some(Credentials { user, password }) = credentials {
        // Both fail only for addresses without a host, which validation refuses.
        let _ = full.set_username(user);
        let _ = full.set_password(Some(&password.0));
    }
    full
}

/// The address with the wish for a transport, in the form that FFmpeg takes out of it again.
fn with_transport(address: &Url, transport: Transport) -> String {
    let mut text = address.to_string();
    if transport == Transport::Udp && address.scheme() == "rtsp" {
        text.push(if address.query().is_some() { '&' } else { '?' });
        text.push_str("udp");
    }
    text
}

/// The host answers as it should, and still FFmpeg could make nothing of it.
fn undecodable(address: &Url, timed_out: bool) -> SourceError {
    if timed_out {
        SourceError::Unreachable(format!("'{address}' answers but sends no video"))
    } else {
        SourceError::Unsupported(format!(
            "'{address}' answers, but not with a video that can be decoded; try it with 'ffprobe'"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    #[test]
    fn credentials_are_encoded_into_the_address_for_ffmpeg_only() {
        let address = Url::parse("rtsp://cam.local:8554/live?stream=1").unwrap();
        let credentials = Credentials { user: "admin".into(), password: Secret("p@ss/word".into()) };
        assert_eq!(
            with_credentials(&address, Some(&credentials)).as_str(),
            "rtsp://admin:p%40ss%2Fword@cam.local:8554/live?stream=1"
        );
    }

    #[test]
    fn udp_is_asked_for_in_the_address_and_only_of_rtsp() {
        let ask = |address: &str| with_transport(&Url::parse(address).unwrap(), Transport::Udp);
        assert_eq!(ask("rtsp://cam/live"), "rtsp://cam/live?udp");
        assert_eq!(ask("rtsp://cam/live?stream=1"), "rtsp://cam/live?stream=1&udp");
        assert_eq!(ask("http://cam/live.mjpg"), "http://cam/live.mjpg");
    }
}
