//! Opens real sources: files, network cameras and capture devices, through FFmpeg's libraries, and demo scenes.

use std::{
    ffi::OsString,
    fs, io,
    path::Path,
    sync::{Arc, Once},
};

use url::Url;

use super::{
    FrameSource, Interrupt, Opener, SourceError,
    demo::Demo,
    file,
    pace::Paced,
    refusal,
    relay::{Destination, Relay},
    video::{How, Opened, Origin, VideoSource},
};
use crate::{
    clock::{Clock, SystemClock},
    config::{Credentials, DemoSpec, SourceConfig, SourceSpec, Transport},
    model::SourceKind,
    native::ffmpeg,
};

/// What a file may lead to: itself, its parts, and what is written in it.
const FILE_PROTOCOLS: &str = "file,crypto,data";

/// What a network source may lead to; all of it goes to the relay on this machine.
const NETWORK_PROTOCOLS: &str = "http,tcp,udp,rtp,rtsp,crypto,data";

/// Streams that an input may have.
const MOST_STREAMS: &str = "100";

/// Makes OpenCV fit for many streams in one process: one thread in each of its calls, and no messages of its own on the
/// standard error, where they would repeat what our errors say. Every opening does this; `main` may do it earlier.
pub fn prepare_process() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Neither can fail in a way that matters: OpenCV works without, only less well.
        let _ = opencv::core::set_log_level(opencv::core::LogLevel::LOG_LEVEL_SILENT);
        let _ = opencv::core::set_num_threads(1);
    });
}

/// Opens files, network cameras, devices and demo scenes.
#[derive(Clone)]
pub struct SystemOpener {
    clock: Arc<dyn Clock>,
}

impl SystemOpener {
    /// What it opens is paced and stamped by `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }
}

/// By the machine's clock.
impl Default for SystemOpener {
    fn default() -> Self {
        Self::new(Arc::new(SystemClock))
    }
}

impl Opener for SystemOpener {
    fn open(
        &self,
        config: &SourceConfig,
        interrupt: &Interrupt,
    ) -> Result<Box<dyn FrameSource>, SourceError> {
        prepare_process();
        if !matches!(config.source, SourceSpec::Demo(_))
            && let Some(refused) = refusal::find()
        {
            return Err(refused);
        }
        let clock = Arc::clone(&self.clock);
        match &config.source {
            SourceSpec::File(path) => open_file(path, config, interrupt, clock),
            SourceSpec::Url { address, credentials, .. } => {
                open_url(config, address, credentials.as_ref(), interrupt, clock)
            }
            SourceSpec::Device(path) => open_device(path, config, interrupt, clock),
            SourceSpec::Demo(written) => open_demo(written, config.kind, interrupt, clock),
        }
    }
}

fn open_file(
    path: &Path,
    config: &SourceConfig,
    interrupt: &Interrupt,
    clock: Arc<dyn Clock>,
) -> Result<Box<dyn FrameSource>, SourceError> {
    let length = file::check(path)?;
    // Relative names with a colon would be taken for the name of a protocol.
    let mut address = OsString::from("file:");
    address.push(std::path::absolute(path).unwrap_or_else(|_| path.to_owned()));
    let options = vec![
        ("protocol_whitelist", FILE_PROTOCOLS.to_owned()),
        ("max_streams", MOST_STREAMS.to_owned()),
        // A name with a percent sign is the name of one file.
        ("pattern_type", "none".to_owned()),
    ];
    let origin = Origin::File(path.to_owned(), length);
    let how = How { address, format: None, options };
    let opened =
        Opened::open(path.display().to_string(), origin, how, config, interrupt, Arc::clone(&clock))?;
    let source = VideoSource::new(opened, false)?;
    Ok(match config.kind {
        SourceKind::Video => Box::new(source),
        SourceKind::Camera => Box::new(Paced::new(source, interrupt.clone(), clock)),
    })
}

fn open_demo(
    written: &str,
    kind: SourceKind,
    interrupt: &Interrupt,
    clock: Arc<dyn Clock>,
) -> Result<Box<dyn FrameSource>, SourceError> {
    let spec: DemoSpec = written.parse().map_err(SourceError::Unsupported)?;
    let source = Demo::new(&spec, kind).source(Arc::clone(&clock))?;
    Ok(match kind {
        SourceKind::Video => Box::new(source),
        SourceKind::Camera => Box::new(Paced::new(source, interrupt.clone(), clock)),
    })
}

fn open_url(
    config: &SourceConfig,
    shown: &Url,
    credentials: Option<&Credentials>,
    interrupt: &Interrupt,
    clock: Arc<dyn Clock>,
) -> Result<Box<dyn FrameSource>, SourceError> {
    let Some(asked) = config.source.request_url() else {
        return Err(SourceError::Unsupported(format!("'{shown}' is no address")));
    };
    let destination = Destination { shown, asked: &asked, credentials, tls: &config.tls };
    let relay = Relay::start(&destination, config.open_timeout)?;
    let mut options =
        vec![("protocol_whitelist", NETWORK_PROTOCOLS.to_owned()), ("max_streams", MOST_STREAMS.to_owned())];
    match asked.scheme() {
        "rtsp" | "rtsps" => {
            // Datagrams would not be encrypted.
            let datagrams = config.transport == Transport::Udp && asked.scheme() == "rtsp";
            let transport = match (datagrams, asked.scheme()) {
                (true, _) => "udp",
                (false, "rtsps") => "tcp",
                // A few cameras offer nothing but datagrams.
                (false, _) => "tcp+udp",
            };
            options.extend([
                ("rtsp_transport", transport.to_owned()),
                ("rtsp_flags", "prefer_tcp".to_owned()),
                // Sound is not even asked for.
                ("allowed_media_types", "video".to_owned()),
                // FFmpeg would watch twenty frames to estimate a rate that cameras tell; without that a camera is there
                // nearly a second sooner.
                ("fpsprobesize", "2".to_owned()),
            ]);
        }
        _ => {}
    }
    let how = How { address: relay.address().into(), format: None, options };
    let origin = Origin::Network(shown.clone(), relay);
    let mut opened = Opened::open(shown.to_string(), origin, how, config, interrupt, clock)?;
    if !config.tls.verify && matches!(asked.scheme(), "https" | "rtsps") {
        opened.remark = Some(format!(
            "the certificate of '{shown}' is not verified (\"tls\": {{\"verify\": false}}): anybody between here and \
             the camera can read the password"
        ));
    }
    Ok(Box::new(VideoSource::new(opened, config.kind == SourceKind::Camera)?))
}

fn open_device(
    path: &Path,
    config: &SourceConfig,
    interrupt: &Interrupt,
    clock: Arc<dyn Clock>,
) -> Result<Box<dyn FrameSource>, SourceError> {
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
    ffmpeg::can_capture()
        .map_err(|why| SourceError::Unsupported(format!("'{shown}' cannot be read: {why}; install it")))?;
    let how =
        How { address: path.as_os_str().to_owned(), format: Some(c"video4linux2"), options: Vec::new() };
    let opened = Opened::open(shown, Origin::Device, how, config, interrupt, clock)?;
    Ok(Box::new(VideoSource::new(opened, true)?))
}
