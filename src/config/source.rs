//! One source: what to open, where its lines are, how it is detected and tracked.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Address, Credentials, DetectorChoice, EvidenceChoice, LearnedSecrets, Schedule, Secret, defaults, secret,
    videos::kind::is_video_extension,
};
use crate::model::{Drawn, Lease, LineConfig, Polygon, SourceId, SourceKind, ZoneConfig};

/// One source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SourceConfig {
    /// Unique id.
    pub id: SourceId,
    /// Camera or video.
    pub kind: SourceKind,
    /// What to open.
    pub source: SourceSpec,
    /// Name for people; the id when none was given.
    pub alias: String,
    /// Where it hangs, for grouping.
    pub location: Option<String>,
    /// `current_count` at which the source is at its limit.
    pub threshold: Option<i64>,
    /// Disabled sources are listed and not opened.
    pub enabled: bool,
    /// Counting lines; never empty once validated (the default is the horizontal middle, anchor center).
    pub lines: Vec<LineConfig>,
    /// Zones whose occupancy is watched.
    pub zones: Vec<ZoneConfig>,
    /// Regions in which nobody is seen.
    #[serde(default)]
    pub ignore: Vec<Polygon>,
    /// Least height of a person, as a share (0..=1) of the frame's height.
    #[serde(default)]
    pub min_height: Option<f32>,
    /// Greatest height of a person, as a share (0..=1) of the frame's height.
    #[serde(default)]
    pub max_height: Option<f32>,
    /// Detector, when other than the program's; demo scenes have `motion` unless they name another.
    pub detector: Option<DetectorChoice>,
    /// Tracker: the default one or the original's `centroid`.
    pub tracker: TrackerChoice,
    /// How often to detect.
    pub cadence: Cadence,
    /// Higher first.
    pub priority: i32,
    /// Reconnecting.
    pub retry: RetryConfig,
    /// A camera that sends nothing for this long is reconnected.
    pub stall_timeout: Duration,
    /// An attempt to open it is given up after this long.
    pub open_timeout: Duration,
    /// RTSP transport.
    pub transport: Transport,
    /// Number of the video stream to read, where the source has several; the best one when none is given.
    pub stream: Option<usize>,
    /// Kind of device that decodes it; none is given where the program's is meant.
    pub hwaccel: Option<Hwaccel>,
    /// Whether only key frames are decoded while nobody is there and nothing moves.
    pub sleep: bool,
    /// Opening hours of a camera, outside of which it is closed; `None` is always.
    #[serde(default)]
    pub schedule: Option<Schedule>,
    /// Whether the people who go in come out on the same day, over this source or another closed one of its location.
    pub closed: bool,
    /// Which certificates it trusts when the connection is encrypted.
    pub tls: TlsConfig,
    /// Whether pictures of its crossings are kept.
    pub evidence: EvidenceChoice,
    /// Which nodes of a fleet can reach it: those of this site, or all. Means nothing to a single machine.
    #[serde(default)]
    pub site: Option<String>,
    /// By which right it is counted here, where a fleet lends it. Never in a file.
    #[serde(skip)]
    pub lease: Option<Lease>,
}

impl SourceConfig {
    /// A source with defaults for everything that is not named.
    #[must_use]
    pub fn new(id: impl Into<SourceId>, kind: SourceKind, source: SourceSpec) -> Self {
        let id = id.into();
        // Drawn figures move as people do but do not look like them, which only a network would mind.
        let detector = matches!(source, SourceSpec::Demo(_)).then_some(DetectorChoice::Motion);
        Self {
            alias: id.to_string(),
            id,
            kind,
            source,
            location: None,
            threshold: None,
            enabled: true,
            lines: vec![LineConfig::default()],
            zones: Vec::new(),
            ignore: Vec::new(),
            min_height: None,
            max_height: None,
            detector,
            tracker: TrackerChoice::default(),
            cadence: Cadence::default(),
            priority: 0,
            retry: RetryConfig::default(),
            stall_timeout: defaults::STALL_TIMEOUT,
            open_timeout: defaults::OPEN_TIMEOUT,
            transport: Transport::default(),
            stream: None,
            hwaccel: None,
            sleep: true,
            schedule: None,
            closed: false,
            tls: TlsConfig::default(),
            evidence: EvidenceChoice::default(),
            site: None,
            lease: None,
        }
    }

    /// What is drawn on its frame.
    #[must_use]
    pub fn drawn(&self) -> Drawn {
        let Self { lines, zones, ignore, .. } = self;
        Drawn { lines: lines.clone(), zones: zones.clone(), ignore: ignore.clone() }
    }

    /// Other lines, zones and ignored regions.
    pub fn set_drawn(&mut self, drawn: Drawn) {
        (self.lines, self.zones, self.ignore) = (drawn.lines, drawn.zones, drawn.ignore);
    }

    /// Whether it is a camera that may send a smaller stream beside this one; capture devices do not.
    #[must_use]
    pub(crate) fn may_have_substream(&self) -> bool {
        self.kind == SourceKind::Camera && !matches!(self.source, SourceSpec::Device(_))
    }
}

/// Trackers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum TrackerChoice {
    /// Motion model with two-stage association.
    #[default]
    Motion,
    /// The original program's tracker and counting rule.
    Centroid,
}

/// How often the detector runs on a source.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cadence {
    /// The program's default rate.
    #[default]
    Auto,
    /// This many frames are skipped after each detection run.
    SkipFrames(u32),
    /// At most this many detections per second of the source's clock.
    DetectFps(f64),
}

/// Reconnecting with exponential backoff.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RetryConfig {
    /// Failed attempts in a row after which a camera is marked as failed; 0: never.
    pub max_attempts: u32,
    /// First delay.
    pub initial: Duration,
    /// Longest delay.
    pub max: Duration,
    /// Whether a camera that is marked as failed is no longer retried.
    pub give_up: bool,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            max_attempts: defaults::RETRY_MAX_ATTEMPTS,
            initial: defaults::RETRY_INITIAL,
            max: defaults::RETRY_MAX,
            give_up: false,
        }
    }
}

/// RTSP transports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Transport {
    /// Interleaved in the RTSP connection.
    #[default]
    Tcp,
    /// Separate datagrams.
    Udp,
}

/// Kinds of devices that decode video, by FFmpeg's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Hwaccel {
    /// The processor decodes.
    #[default]
    None,
    /// Intel and AMD graphics.
    Vaapi,
    /// NVIDIA graphics.
    Cuda,
    /// Intel Quick Sync Video.
    Qsv,
    /// NVIDIA and AMD graphics of old.
    Vdpau,
    /// Decoders of small boards.
    Drm,
}

/// Which certificates `rtsps://` and `https://` sources trust.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TlsConfig {
    /// PEM file of the certificates trusted for this source, in place of the system's.
    pub ca: Option<PathBuf>,
    /// Whether the server must prove who it is before anything is sent to it.
    pub verify: bool,
}

impl Default for TlsConfig {
    fn default() -> Self {
        Self { ca: None, verify: true }
    }
}

/// What to open, with the credentials kept apart from the address.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum SourceSpec {
    /// `rtsp://`, `rtsps://`, `http://`, `https://`; see [`SourceSpec::opening_url`].
    Url {
        /// The address as it may be shown: no user name, no password, `***` for secrets in path and query.
        address: url::Url,
        /// User name and password, when given.
        credentials: Option<Credentials>,
        /// Path and query as written, when they hold a secret (`?user=admin&pwd=..`).
        hidden: Option<Secret>,
    },
    /// A capture device, such as `/dev/video0` or `/dev/v4l/by-id/..`.
    Device(PathBuf),
    /// A video file.
    File(PathBuf),
    /// A scene drawn by the program: everything after `demo:`.
    Demo(String),
}

impl TrackerChoice {
    /// The words of the configuration.
    pub const NAMES: [(&'static str, Self); 2] = [("motion", Self::Motion), ("centroid", Self::Centroid)];
}

impl Transport {
    /// The words of the configuration.
    pub const NAMES: [(&'static str, Self); 2] = [("tcp", Self::Tcp), ("udp", Self::Udp)];
}

impl Hwaccel {
    /// The words of the configuration.
    pub const NAMES: [(&'static str, Self); 6] = [
        ("none", Self::None),
        ("vaapi", Self::Vaapi),
        ("cuda", Self::Cuda),
        ("qsv", Self::Qsv),
        ("vdpau", Self::Vdpau),
        ("drm", Self::Drm),
    ];

    /// Its word in the configuration.
    #[must_use]
    pub(crate) fn word(self) -> &'static str {
        Self::NAMES.iter().find(|(_, choice)| *choice == self).map_or("none", |(word, _)| word)
    }

    /// FFmpeg's name of the kind of device, where there is one.
    #[must_use]
    pub(crate) fn device(self) -> Option<&'static str> {
        (self != Self::None).then(|| self.word())
    }
}

impl SourceSpec {
    /// The capture device of this number: `/dev/videoN`.
    #[must_use]
    pub fn device(number: u32) -> Self {
        Self::Device(format!("/dev/video{number}").into())
    }

    /// The whole URL with user name, password and secret parameters, percent-encoded: for opening the
    /// source and nothing else. `None` for what is no URL.
    #[must_use]
    pub fn opening_url(&self) -> Option<url::Url> {
        match self {
            Self::Url { address, credentials, hidden } => {
                Some(secret::join(address, credentials.as_ref(), hidden.as_ref()))
            }
            _ => None,
        }
    }

    /// The URL as it is asked of the host: with secret parameters, without user name and password (which
    /// travel in a header). For opening the source and nothing else. `None` for what is no URL.
    #[must_use]
    pub(crate) fn request_url(&self) -> Option<url::Url> {
        match self {
            Self::Url { address, hidden, .. } => Some(secret::restore_tail(address, hidden.as_ref())),
            _ => None,
        }
    }

    /// From now on `known` hides the secrets of this source.
    pub(crate) fn teach(&self, known: &LearnedSecrets) {
        if let Self::Url { credentials, hidden, .. } = self {
            credentials.iter().for_each(|login| known.learn_login(login));
            hidden.iter().for_each(|tail| secret::teach_tail(tail, known));
        }
    }

    /// Whether it holds a password, or another secret in its path or query.
    #[must_use]
    pub fn has_secret(&self) -> bool {
        let has_password = match self {
            Self::Url { credentials, .. } => {
                credentials.as_ref().is_some_and(|login| !login.password.0.is_empty())
            }
            _ => false,
        };
        has_password || self.has_secret_tail()
    }

    /// Whether its path or query holds a secret.
    #[must_use]
    pub(crate) fn has_secret_tail(&self) -> bool {
        matches!(self, Self::Url { hidden: Some(tail), .. } if secret::is_secret_tail(tail))
    }

    /// `text` without the secrets of this source, without those that the process knows, and without those of any URL
    /// in it.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let own = LearnedSecrets::default();
        self.teach(&own);
        secret::redact(&own.clean(text)).into_owned()
    }

    /// What kind of thing it is when nothing says whether it is a camera or a video.
    #[must_use]
    pub fn natural_kind(&self) -> SourceKind {
        match self {
            Self::File(_) => SourceKind::Video,
            Self::Url { address, .. } if address.scheme().starts_with("http") => {
                match Path::new(address.path()).extension().and_then(|extension| extension.to_str()) {
                    Some(extension) if is_video_extension(extension) => SourceKind::Video,
                    _ => SourceKind::Camera,
                }
            }
            // A scene with an end is played to its end.
            Self::Demo(scene) if scene.contains("seconds=") => SourceKind::Video,
            Self::Url { .. } | Self::Device(_) | Self::Demo(_) => SourceKind::Camera,
        }
    }
}

impl std::fmt::Display for SourceSpec {
    /// The source as it may be shown and logged: without credentials.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Url { address, .. } => write!(f, "{address}"),
            Self::Device(path) => write!(f, "{}", path.display()),
            // Somebody may have put an address where a file belongs, and a name may hold anything.
            Self::File(path) => {
                let name = Address(&path.to_string_lossy()).to_string();
                f.write_str(&super::text::printable(&secret::redact_unknown(&name)))
            }
            Self::Demo(scene) => write!(f, "demo:{}", secret::redact_unknown(scene)),
        }
    }
}

impl std::fmt::Debug for SourceSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}
