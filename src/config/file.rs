//! The configuration file as the user writes it: the source of the JSON Schema.
//!
//! The checks themselves are in `validate`, which reads the text with its positions; a test holds the keys
//! here and there equal, and every valid file of the test corpus deserialises into these types as well.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    EngineChoice, Hwaccel, ID_LENGTH, LABEL_LENGTH, LogLevel, ModelFormat, Strategy, Theme, TrackerChoice,
    Transport,
};
use crate::count::Anchor;

/// Configuration of pcount-tui. Paths are relative to the folder of this file; `${NAME}` in any text is
/// replaced by the environment variable of that name.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigFile {
    /// Address of this schema, for editors; not used by the program.
    #[serde(rename = "$schema")]
    pub schema: Option<String>,
    /// Settings of the whole program.
    pub parallel_config: Option<ParallelFile>,
    /// Live sources: the newest frame wins.
    pub cameras: Option<Vec<CameraFile>>,
    /// Sources that run to their end: no frame is lost.
    pub videos: Option<Vec<VideoFile>>,
    /// Look and keys of the dashboard.
    pub tui: Option<TuiFile>,
}

/// Settings of the whole program.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParallelFile {
    /// Workers at start, 1..=max_workers. Default 4, or max_workers if that is less.
    #[schemars(range(min = 1, max = 256))]
    pub worker_count: Option<usize>,
    /// Upper bound of the pool. Default 8, or worker_count if that is more.
    #[schemars(range(min = 1, max = 256))]
    pub max_workers: Option<usize>,
    /// Folder for CSV files and the ledger. Default `parallel/results/`.
    pub result_output: Option<String>,
    /// Least severe level written to the logs. Default INFO.
    pub log_level: Option<LogLevel>,
    /// Whether the workers are shared by all sources (default) or each camera has one of its own.
    pub strategy: Option<Strategy>,
    /// Detector of sources that name none. Default `auto`.
    pub detector: Option<DetectorFile>,
    /// What runs the `auto` and `builtin` detectors. Default `auto`.
    pub engine: Option<EngineChoice>,
    /// Kind of device that decodes sources which name none, where there is one. Default `none`.
    pub hwaccel: Option<Hwaccel>,
    /// Folder searched for model files. Default: `models` beside this file, then where the program is installed.
    pub models: Option<String>,
    /// Folder of the log files. Default `logs` inside result_output.
    pub log_dir: Option<String>,
    /// Size at which a log file is rotated. Default `10MiB`.
    pub max_log_size: Option<SizeText>,
    /// Rotated files kept for each log. Default 5.
    #[schemars(range(min = 0, max = 1000))]
    pub max_log_files: Option<usize>,
    /// How long the history charts reach back. Default `1day`.
    pub history: Option<DurationText>,
    /// Videos open at the same time; the others wait. Default 16.
    #[schemars(range(min = 1, max = 1024))]
    pub max_open_sources: Option<usize>,
    /// Time zone of days, hours and reports, such as `Europe/Berlin`. Default: the machine's own.
    pub timezone: Option<String>,
    /// Memory above which the program throttles itself, such as `512MiB`. Default: no bound.
    pub memory_limit: Option<SizeText>,
    /// Whether crossings are kept in a database under result_output. Default true.
    pub ledger: Option<bool>,
    /// How long the ledger keeps crossings, such as `400days`. Default: for ever.
    pub ledger_retention: Option<DurationText>,
}

/// Defines a kind of source: its own keys, then those that all kinds share.
macro_rules! source_file {
    ($(#[$doc:meta])* $name:ident {
        $(#[$id_doc:meta])* $id:ident,
        $(#[$what_doc:meta])* $what:ident: $what_type:ty
    }) => {
        $(#[$doc])*
        #[derive(Debug, Deserialize, Serialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $(#[$id_doc])*
            #[schemars(length(min = 1, max = ID_LENGTH))]
            pub $id: String,
            $(#[$what_doc])*
            pub $what: $what_type,
            /// Name for people. Default: the id.
            #[schemars(length(min = 1, max = LABEL_LENGTH))]
            pub alias: Option<String>,
            /// Where it hangs; sources of one location are grouped.
            #[schemars(length(min = 1, max = LABEL_LENGTH))]
            pub location: Option<String>,
            /// `current_count` (in minus out) at which the source is at its limit.
            #[schemars(range(min = 1, max = 1_000_000))]
            pub threshold: Option<i64>,
            /// Disabled sources are listed and not opened. Default true.
            pub enabled: Option<bool>,
            /// Counting lines. Default: one across the middle, downwards is in, anchor `center`.
            pub lines: Option<Vec<LineFile>>,
            /// Areas whose occupancy and dwell time are watched.
            pub zones: Option<Vec<ZoneFile>>,
            /// Detector, when other than the program's.
            pub detector: Option<DetectorFile>,
            /// `motion` (default), or `centroid`: tracker and counting rule of the original program.
            pub tracker: Option<TrackerChoice>,
            /// Frames skipped after each one looked at. Not together with detect_fps.
            #[schemars(range(min = 0, max = 10_000))]
            pub skip_frames: Option<u32>,
            /// Most detections per second. Not together with skip_frames.
            #[schemars(range(min = 0.1, max = 1000.0))]
            pub detect_fps: Option<f64>,
            /// Sources of higher priority are served first. Default 0.
            #[schemars(range(min = -1000, max = 1000))]
            pub priority: Option<i32>,
            /// Reconnecting with exponential backoff.
            pub retry: Option<RetryFile>,
            /// A camera that sends nothing for this long is opened again. Default `20s`.
            pub stall_timeout: Option<DurationText>,
            /// An attempt to open it is given up after this long. Default `10s`.
            pub open_timeout: Option<DurationText>,
            /// RTSP transport. Default `tcp`.
            pub transport: Option<Transport>,
            /// Number of the video stream to read, where there are several (as `ffprobe` counts them). Default: the one
            /// that its container recommends; of an HLS address the smallest that is large enough.
            #[schemars(range(min = 0, max = 99))]
            pub stream: Option<usize>,
            /// Kind of device that decodes it. Default: the program's.
            pub hwaccel: Option<Hwaccel>,
            /// Whether a camera may sleep: while nobody is there and nothing moves, only its key frames are decoded, where
            /// they are at most two seconds apart. Default `true`.
            pub sleep: Option<bool>,
            /// Whom an encrypted connection (`rtsps://`, `https://`) trusts.
            pub tls: Option<TlsFile>,
            /// User name and password, instead of writing them into the address.
            pub credentials: Option<CredentialsFile>,
        }
    };
}

source_file! {
    /// A camera.
    CameraFile {
        /// Unique id; names the camera's log file.
        camera_id,
        /// `rtsp://`, `rtsps://`, `http://` or `https://` address, device number, `/dev/video0`, video file
        /// (played at its own speed) or `demo:NAME?people=6&seed=1`.
        source: CameraSource
    }
}

source_file! {
    /// A video.
    VideoFile {
        /// Unique id; names the video's log file.
        video_id,
        /// Video file, folder or pattern of videos (`**` reads folders in it), `file://` and `http(s)://` address of a
        /// file, or `demo:NAME?seconds=60`.
        path: String
    }
}

/// Address or device number.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum CameraSource {
    /// Number of `/dev/videoN`.
    Device(u32),
    /// Anything else.
    Text(String),
}

/// A counting line. `in` is the crossing to the right-hand side when walking from a to b (y points down).
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LineFile {
    /// Unique in its source. Default `line_1` and so on.
    #[schemars(length(min = 1, max = LABEL_LENGTH))]
    pub name: Option<String>,
    /// Start [x, y] in 0..1 of width and height.
    pub a: PointFile,
    /// End [x, y] in 0..1 of width and height.
    pub b: PointFile,
    /// Point of the person that must cross. Default `center`.
    pub anchor: Option<Anchor>,
}

/// An area of the picture.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ZoneFile {
    /// Unique in its source. Default `zone_1` and so on.
    #[schemars(length(min = 1, max = LABEL_LENGTH))]
    pub name: Option<String>,
    /// Corners [x, y] in 0..1 of width and height, at least three.
    #[schemars(length(min = 3))]
    pub points: Vec<PointFile>,
    /// Point of the person that must be inside. Default `foot`.
    pub anchor: Option<Anchor>,
    /// Occupancy from which an alert is raised.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub threshold: Option<i64>,
}

/// A point [x, y] in 0..1 of width and height.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
pub struct PointFile(#[schemars(inner(range(min = 0, max = 1)))] pub [f32; 2]);

/// Which detector is used.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum DetectorFile {
    /// A detector that needs no file.
    Named(DetectorName),
    /// A model file, or the embedded model with settings of its own.
    Model(ModelFile),
}

/// Detectors that need no file.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DetectorName {
    /// The configured or found model, else the embedded one, else motion.
    Auto,
    /// The embedded model.
    Builtin,
    /// Background subtraction.
    Motion,
}

/// A model and how to run it.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// How input and output of the file are laid out, or `builtin`.
    pub format: FormatName,
    /// Weights: `.onnx`, or `.caffemodel` for `caffe-ssd`. Needed for all formats but `builtin`.
    pub model: Option<String>,
    /// Network description; `caffe-ssd` only.
    pub prototxt: Option<String>,
    /// Network input [width, height] in pixels. Default: chosen by the source.
    pub input: Option<[u32; 2]>,
    /// Score from which a detection is trusted. Default: the format's own.
    #[schemars(range(min = 0.01, max = 1.0))]
    pub confidence: Option<f32>,
    /// What runs it. Default `auto`.
    pub engine: Option<EngineChoice>,
}

/// Layouts of model files, and the model that needs none.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum FormatName {
    /// The embedded model.
    Embedded(EmbeddedName),
    /// A model file.
    File(ModelFormat),
}

/// The embedded model.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EmbeddedName {
    /// The embedded model.
    Builtin,
}

/// Reconnecting.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryFile {
    /// Failed attempts in a row after which a camera is marked as failed; it is still tried, at the longest delay. 0:
    /// never marked. Default 100.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub max_attempts: Option<u32>,
    /// Delay before the first new attempt; doubles each time. Default `1s`.
    pub initial: Option<DurationText>,
    /// Longest delay. Default `30s`.
    pub max: Option<DurationText>,
    /// Whether a camera that is marked as failed is tried no more. Default false.
    pub give_up: Option<bool>,
}

/// Whom an encrypted connection trusts. Default: whom the system trusts, under the name in the address.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsFile {
    /// PEM file of the certificates trusted for this source, in place of the system's: an authority's, or the
    /// camera's own, which is then accepted as it is, whatever names and dates it holds.
    pub ca: Option<String>,
    /// `false` accepts any certificate: anybody between here and the camera can read the password. Default true.
    pub verify: Option<bool>,
}

/// User name and password: written here, or `user:password` in an environment variable or a file.
/// Exactly one of the three ways.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CredentialsFile {
    /// User name.
    pub user: Option<String>,
    /// Password.
    pub password: Option<String>,
    /// Name of an environment variable that holds `user:password`.
    pub env: Option<String>,
    /// File that holds `user:password`.
    pub file: Option<String>,
}

/// Look and keys of the dashboard.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TuiFile {
    /// Colours. Default `auto`.
    pub theme: Option<Theme>,
    /// Keys by action, such as `{"pause": ["p"]}`.
    pub keys: Option<BTreeMap<String, KeysFile>>,
}

/// One key, or several.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum KeysFile {
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

/// A duration such as `30s`, `1m 30s`, `2h` or `7d`.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[schemars(example = "30s")]
pub struct DurationText(pub String);

/// A number of bytes, or text with a unit, such as `10MiB`.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum SizeText {
    /// Bytes.
    Bytes(u64),
    /// With a unit: kB, MB, GB or KiB, MiB, GiB.
    Text(String),
}

/// The JSON Schema (draft 2020-12) of the configuration file.
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(ConfigFile).to_value()
}
