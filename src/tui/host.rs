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

/// The program around the screens. Errors are sentences for the user, without secrets.
pub trait Host: Send + Sync {
    /// Writes all results that are not written yet and says where they are. May take a while.
    ///
    /// # Errors
    /// Why it could not.
    fn export(&self) -> Result<String, String>;

    /// Opens a source, looks at its first picture and says in a few words what it sends. May take as long as
    /// its open timeout.
    ///
    /// # Errors
    /// Why it cannot be used.
    fn probe(&self, source: &SourceConfig) -> Result<String, String> {
        let _ = source;
        Err("sources cannot be tried out here".into())
    }

    /// Writes the lines of a source into the configuration file and says where. May take a while.
    ///
    /// # Errors
    /// Why it could not.
    fn save_lines(&self, source: &SourceId, lines: &[LineConfig]) -> Result<String, String> {
        let _ = (source, lines);
        Err("there is no configuration file to save to; start with '--config FILE'".into())
    }

    /// The latest log lines of the whole program, when there are logs.
    fn recent_logs(&self) -> Option<Arc<RecentLogs>> {
        None
    }
}
