//! Settings that concern the whole program.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    AreaConfig, DetectorChoice, EngineChoice, EvidenceConfig, FleetConfig, HttpConfig, Hwaccel, MqttConfig,
    Schedule, WebhookConfig, defaults, text::word,
};
use crate::model::Strategy;

/// Settings that concern all sources.
#[derive(Debug, Clone, PartialEq)]
pub struct ParallelConfig {
    /// Workers at start, `1..=max_workers`.
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
    /// What runs the detectors `auto` and `builtin`; a model file names its own.
    pub engine: EngineChoice,
    /// Kind of device that decodes sources which name none.
    pub hwaccel: Hwaccel,
    /// Where model files are searched.
    pub models: ModelFolders,
    /// Folder of the log files.
    pub log_dir: PathBuf,
    /// Size in bytes at which a log file is rotated.
    pub max_log_size: u64,
    /// Rotated files kept for each log, beside the one being written; 0 keeps none.
    pub max_log_files: usize,
    /// How long the history charts reach back.
    pub history: Duration,
    /// Files open at the same time; the others are queued.
    pub max_open_sources: usize,
    /// Time zone of days, hours and reports.
    pub timezone: jiff::tz::TimeZone,
    /// Opening hours of cameras that name none; `None` is always.
    pub schedule: Option<Schedule>,
    /// Resident memory in bytes above which the program throttles itself; `None` sets no bound.
    pub memory_limit: Option<u64>,
    /// Whether crossings are kept in a database under [`Self::result_output`].
    pub ledger: bool,
    /// How long the ledger keeps crossings; `None` keeps them for ever.
    pub ledger_retention: Option<Duration>,
    /// How snapshots of crossings are kept of sources that say nothing else; `None` keeps none.
    pub evidence: Option<EvidenceConfig>,
    /// When a changed configuration file takes effect while the program runs.
    pub reload: Reload,
    /// The API over TCP, beside the socket; `None` where there is none.
    pub http: Option<HttpConfig>,
    /// The fleet that it is a node of; `None` where it stands alone.
    pub fleet: Option<FleetConfig>,
    /// Where people are counted who come by several lines.
    pub areas: Vec<AreaConfig>,
    /// The MQTT broker that is told; `None` where there is none.
    pub mqtt: Option<MqttConfig>,
    /// Servers that are told of events.
    pub webhooks: Vec<WebhookConfig>,
}

impl Default for ParallelConfig {
    /// What an empty file means, with paths relative to the current folder.
    fn default() -> Self {
        let result_output = PathBuf::from(defaults::RESULT_OUTPUT);
        Self {
            worker_count: defaults::WORKER_COUNT,
            max_workers: defaults::MAX_WORKERS,
            log_dir: result_output.join(defaults::LOG_DIR),
            result_output,
            log_level: LogLevel::default(),
            strategy: Strategy::default(),
            detector: DetectorChoice::default(),
            engine: EngineChoice::default(),
            hwaccel: Hwaccel::default(),
            models: ModelFolders::default(),
            max_log_size: defaults::MAX_LOG_SIZE,
            max_log_files: defaults::MAX_LOG_FILES,
            history: defaults::HISTORY,
            max_open_sources: defaults::MAX_OPEN_SOURCES,
            timezone: jiff::tz::TimeZone::system(),
            schedule: None,
            memory_limit: None,
            ledger: true,
            ledger_retention: None,
            evidence: None,
            reload: Reload::default(),
            http: None,
            fleet: None,
            areas: Vec::new(),
            mqtt: None,
            webhooks: Vec::new(),
        }
    }
}

/// Where model files are searched. Never in the folder that the program happens to stand in.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModelFolders {
    /// In this folder alone, because the user named it.
    Named(PathBuf),
    /// In this one, if any (`models` beside the configuration file), then where the program is installed.
    Usual(Option<PathBuf>),
}

impl Default for ModelFolders {
    fn default() -> Self {
        Self::Usual(None)
    }
}

/// When a changed configuration file takes effect while the program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Reload {
    /// When somebody asks for it.
    #[default]
    Asked,
    /// By itself, when the file changes.
    Auto,
}

impl Reload {
    /// The words of the configuration.
    pub const NAMES: [(&'static str, Self); 2] = [("asked", Self::Asked), ("auto", Self::Auto)];
}

impl LogLevel {
    /// The word of the configuration.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::NAMES.iter().find(|(_, level)| *level == self).map_or("", |(word, _)| word)
    }

    /// The words of the configuration.
    pub const NAMES: [(&'static str, Self); 5] = [
        ("ERROR", Self::Error),
        ("WARN", Self::Warn),
        ("WARNING", Self::Warn),
        ("INFO", Self::Info),
        ("DEBUG", Self::Debug),
    ];
}

/// How the dashboard looks and which keys it obeys.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct TuiConfig {
    /// Colors.
    pub theme: Theme,
    /// Whether the terminal's bell rings when something new goes wrong.
    pub bell: bool,
    /// Keys by the name of the action, such as `pause` to `["p"]`; actions not named keep their keys.
    pub keys: BTreeMap<String, Vec<String>>,
}

/// Colors of the dashboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Theme {
    /// For dark backgrounds unless the terminal says that its own is light.
    #[default]
    Auto,
    /// For dark backgrounds.
    Dark,
    /// For light backgrounds.
    Light,
    /// Told apart by people who cannot tell red from green.
    ColorBlind,
    /// No colors: bold, dim and reverse only.
    Mono,
}

/// Log levels as written in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[non_exhaustive]
pub enum LogLevel {
    /// Errors only.
    Error,
    /// And warnings.
    #[serde(alias = "WARNING")]
    Warn,
    /// And what happens.
    #[default]
    Info,
    /// And details.
    Debug,
}

impl Theme {
    /// The words of the configuration.
    pub const NAMES: [(&'static str, Self); 5] = [
        ("auto", Self::Auto),
        ("dark", Self::Dark),
        ("light", Self::Light),
        ("color-blind", Self::ColorBlind),
        ("mono", Self::Mono),
    ];
}

impl LogLevel {
    /// Reads the command line's form, one of [`Self::NAMES`] in any case.
    ///
    /// # Errors
    /// One sentence that names the words known.
    pub(crate) fn parse_cli(text: &str) -> Result<Self, String> {
        word(text, &Self::NAMES, "log level")
    }
}
