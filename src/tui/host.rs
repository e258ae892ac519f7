//! What the screens ask of the program around them, beyond the engine.

use std::sync::Arc;

use crate::{
    config::{LineConfig, SourceConfig},
    logging::RecentLogs,
    source::SourceId,
};

/// Which log a screen shows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum LogTarget {
    /// The whole program's.
    Central,
    /// One source's.
    Source(SourceId),
}

/// What was found when a source was tried out.
#[derive(Debug, Clone, Default)]
pub struct Probe {
    /// Width and height in pixels.
    pub size: (u32, u32),
    /// Declared frame rate.
    pub fps: Option<f64>,
    /// How the video is encoded, when known.
    pub codec: Option<String>,
    /// Whether it is live.
    pub live: bool,
    /// First picture.
    pub picture: Option<Arc<crate::store::Preview>>,
}

/// The program around the screens. Errors are sentences for the user, without secrets.
pub trait Host: Send + Sync {
    /// Writes all results that are not written yet and says where they are. May take a while.
    ///
    /// # Errors
    /// Why it could not.
    fn export(&self) -> Result<String, String>;

    /// Opens a source and looks at it. May take as long as its open timeout.
    ///
    /// # Errors
    /// Why it cannot be used.
    fn probe(&self, source: &SourceConfig) -> Result<Probe, String> {
        let _ = source;
        Err("probing is not available here".into())
    }

    /// Writes the lines of a source into the configuration file and says where. May take a while.
    ///
    /// # Errors
    /// Why it could not.
    fn save_lines(&self, source: &SourceId, lines: &[LineConfig]) -> Result<String, String> {
        let _ = (source, lines);
        Err("there is no configuration file to save to; start with '--config FILE'".into())
    }

    /// Adds a source to the configuration file and says where. May take a while.
    ///
    /// # Errors
    /// Why it could not.
    fn save_source(&self, source: &SourceConfig, text: &str) -> Result<String, String> {
        let _ = (source, text);
        Err("there is no configuration file to save to; start with '--config FILE'".into())
    }

    /// The latest log lines of the whole program, when there are logs.
    fn recent_logs(&self) -> Option<Arc<RecentLogs>> {
        None
    }
}
