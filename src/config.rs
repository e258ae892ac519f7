//! The configuration after validation: every field has a value, every path is resolved.
//!
//! `file` holds what the user writes, `defaults` one constant for each default, `validate` turns the one
//! into the other and reports all problems at once, `secret` keeps passwords off every output.

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{count::Anchor, source::SourceId};

/// A whole validated configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Settings of the program.
    pub parallel: ParallelConfig,
    /// All sources, in the order of the file (cameras first); directories and globs already expanded.
    pub sources: Vec<SourceConfig>,
    /// File it came from, for saving changes; `None` for sources named on the command line.
    pub path: Option<PathBuf>,
    /// Things worth telling the user that stop nothing.
    pub warnings: Vec<String>,
}

/// Settings that concern all sources.
#[derive(Debug, Clone, PartialEq)]
pub struct ParallelConfig {
    /// Workers at start, 1..=max_workers.
    pub worker_count: usize,
    /// Upper bound of the pool.
    pub max_workers: usize,
    /// Folder for CSV files and the ledger.
    pub result_output: PathBuf,
    /// Least severe level written to the logs.
    pub log_level: LogLevel,
    /// How workers and sources go together.
    pub strategy: Strategy,
    /// Detector of sources that name none.
    pub detector: DetectorChoice,
    /// Folder searched for model files.
    pub models: PathBuf,
    /// Folder of the log files.
    pub log_dir: PathBuf,
    /// How long the history charts reach back.
    pub history: Duration,
    /// Files open at the same time; the others are queued.
    pub max_open_sources: usize,
}

/// How workers and sources go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Strategy {
    /// A fixed pool whose workers all sources share.
    #[default]
    Shared,
    /// One worker for each source.
    Dedicated,
}

/// Log levels as written in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum LogLevel {
    /// Errors only.
    Error,
    /// And warnings.
    Warn,
    /// And what happens.
    #[default]
    Info,
    /// And details.
    Debug,
}

/// Which detector a source uses.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum DetectorChoice {
    /// The configured or found model, else the embedded one, else motion.
    #[default]
    Auto,
    /// The embedded model.
    Builtin,
    /// Background subtraction; needs no file.
    Motion,
    /// A model file.
    Model(ModelConfig),
}

/// A model file and how to run it.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelConfig {
    /// How input and output are laid out.
    pub format: ModelFormat,
    /// Weights.
    pub model: PathBuf,
    /// Network description; Caffe only.
    pub prototxt: Option<PathBuf>,
    /// Network input (width, height) in pixels; `None` chooses by the source.
    pub input: Option<(u32, u32)>,
    /// Score from which a detection is trusted, 0..=1; `None` takes the format's default.
    pub confidence: Option<f32>,
    /// What runs it.
    pub engine: EngineChoice,
}

/// Layouts of detection networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ModelFormat {
    /// RTMDet without its decoding.
    Rtmdet,
    /// YOLOX without its decoding.
    Yolox,
    /// SSD head with priors (person-detection-0200).
    SsdPrior,
    /// MobileNet-SSD in Caffe, as the original uses it.
    CaffeSsd,
}

/// What runs a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EngineChoice {
    /// ONNX Runtime where its library is found, else OpenCV.
    #[default]
    Auto,
    /// ONNX Runtime.
    OnnxRuntime,
    /// OpenCV's `dnn`.
    OpenCv,
}

/// Whether a source is a camera or a video (serialised as the task's `type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// Live: newest frame wins.
    Camera,
    /// Runs to its end, no frame is lost.
    Video,
}

/// One source.
#[derive(Debug, Clone)]
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
    /// `current_count` from which the source is over its limit.
    pub threshold: Option<i64>,
    /// Disabled sources are listed and not opened.
    pub enabled: bool,
    /// Counting lines; never empty once validated (the default is the horizontal middle, anchor centre).
    pub lines: Vec<LineConfig>,
    /// Zones whose occupancy is watched.
    pub zones: Vec<ZoneConfig>,
    /// Detector, when other than the program's.
    pub detector: Option<DetectorChoice>,
    /// Tracker: the default one or the original's `centroid`.
    pub tracker: TrackerChoice,
    /// How often to detect.
    pub cadence: Cadence,
    /// Higher first.
    pub priority: i32,
    /// Reconnecting.
    pub retry: RetryConfig,
    /// A camera that sends nothing for this long is opened again.
    pub stall_timeout: Duration,
    /// RTSP transport.
    pub transport: Transport,
}

/// Trackers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TrackerChoice {
    /// Motion model with two-stage association.
    #[default]
    Motion,
    /// The original program's tracker and counting rule.
    Centroid,
}

/// How often a source is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Cadence {
    /// The program's default rate.
    #[default]
    Auto,
    /// This many frames are skipped after each one looked at.
    SkipFrames(u32),
    /// At most this many detections per second of the source's clock.
    DetectFps(f64),
}

/// Reconnecting with exponential backoff.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryConfig {
    /// Attempts in a row before the source is marked failed; 0 never gives up.
    pub max_attempts: u32,
    /// First delay.
    pub initial: Duration,
    /// Longest delay.
    pub max: Duration,
}

/// RTSP transports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Interleaved in the RTSP connection.
    #[default]
    Tcp,
    /// Separate datagrams.
    Udp,
}

/// A counting line, in 0..1 of width and height.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LineConfig {
    /// Unique in its source.
    pub name: String,
    /// Start (x, y).
    pub a: [f32; 2],
    /// End (x, y).
    pub b: [f32; 2],
    /// Point of the person that must cross.
    pub anchor: Anchor,
}

/// A polygon whose occupancy and dwell time are watched, in 0..1 of width and height.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ZoneConfig {
    /// Unique in its source.
    pub name: String,
    /// At least three corners (x, y).
    pub points: Vec<[f32; 2]>,
    /// Point of the person that must be inside.
    pub anchor: Anchor,
    /// Occupancy from which an alert is raised.
    pub threshold: Option<i64>,
}

/// What to open, with the credentials kept apart from the address.
#[derive(Clone, PartialEq)]
pub enum SourceSpec {
    /// `rtsp://`, `rtsps://`, `http://`, `https://`; the address holds no user name or password.
    Url {
        /// Address without credentials.
        address: url::Url,
        /// User name and password, when given.
        credentials: Option<Credentials>,
    },
    /// A capture device, by number (`/dev/videoN`).
    Device(u32),
    /// A video file.
    File(PathBuf),
    /// A scene drawn by the program: everything after `demo:`.
    Demo(String),
}

/// User name and password. `Debug` prints `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// User name.
    pub user: String,
    /// Password.
    pub password: Secret,
}

/// Text that is never printed: `Debug` and `Display` give `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub(crate) String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl std::fmt::Display for SourceSpec {
    /// The source as it may be shown and logged: without credentials.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Url { address, .. } => write!(f, "{address}"),
            Self::Device(number) => write!(f, "/dev/video{number}"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Demo(scene) => write!(f, "demo:{scene}"),
        }
    }
}

impl std::fmt::Debug for SourceSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}
