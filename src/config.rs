//! The configuration after validation: every field has a value, every path is resolved.
//!
//! `keys` declares every key of the file once, `defaults` holds one constant for each default, `validate` turns a file
//! into a [`Config`] and reports all problems at once, `secret` keeps passwords off every output.

use std::path::PathBuf;

mod area;
pub(crate) mod defaults;
mod demo;
mod detector;
pub(crate) mod difference;
pub(crate) mod edit;
mod env;
mod evidence;
mod fleet;
mod fleet_file;
mod http;
mod json;
mod key;
mod keys;
mod kinds;
mod limits;
mod load;
mod login;
mod mqtt;
mod problem;
mod program;
mod schedule;
mod secret;
mod section;
mod settings;
mod shapes;
mod shown;
mod source;
mod source_spec;
mod text;
mod timezone;
mod tree_secrets;
mod validate;
mod videos;
mod webhook;

pub use area::AreaConfig;
pub use demo::{DemoScene, DemoSpec};
pub use detector::{BuiltinConfig, DetectorChoice, EngineChoice, ModelConfig, ModelFormat};
pub use evidence::{EvidenceChoice, EvidenceConfig, EvidenceSettings};
pub use fleet::{FleetConfig, ServerUrl};
pub use fleet_file::{FleetEntry, NamedSource, fleet_sources};
pub use http::HttpConfig;
pub use keys::schema;
pub(crate) use limits::{ID_LENGTH, LABEL_LENGTH, check_id, label};
pub use load::Overrides;
pub(crate) use load::is_stream;
pub use mqtt::MqttConfig;
pub use problem::{ConfigErrors, Problem};
pub use program::{LogLevel, ModelFolders, ParallelConfig, Reload, Theme, TuiConfig};
pub use schedule::{ALWAYS, Schedule, Stretch, shown_opening};
pub use secret::{Address, Credentials, Secret};
pub(crate) use secret::{LearnedSecrets, known, redact};
pub use settings::Settings;
pub use source::{
    Cadence, Hwaccel, RetryConfig, SourceConfig, SourceSpec, TlsConfig, TrackerChoice, Transport,
};
pub(crate) use text::{listed, nearest, parse_duration, printable};
pub(crate) use validate::readable_by_all;
pub use webhook::{WebhookConfig, WebhookEvent};

/// A whole validated configuration.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Config {
    /// Settings of the program.
    pub parallel: ParallelConfig,
    /// All sources, in the order of the file (cameras first); directories and globs already expanded.
    pub sources: Vec<SourceConfig>,
    /// Appearance and keys of the dashboard.
    pub tui: TuiConfig,
    /// File it came from, for saving changes; `None` for sources named on the command line.
    pub path: Option<PathBuf>,
    /// Its text, where it came from a pipe and cannot be written back.
    pub piped: Option<Secret>,
    /// Things worth telling the user that stop nothing.
    pub warnings: Vec<String>,
    /// Whether the file itself holds a password (rather than the environment or another file).
    pub holds_secret: bool,
}
