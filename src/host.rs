//! What front ends ask of the program around the engine: history, snapshots of crossings, the configuration file.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub mod crossings;
pub mod history;

pub use crate::{config::Settings, model::Drawn};

use crossings::{CrossingDetails, NewJudgment};
use history::ReportQuery;

use crate::{
    config::{SourceConfig, edit::KeepLogin},
    evidence::Facts,
    ledger::{
        chart::{Column, Width},
        report::Report,
    },
    logging::RecentLogs,
    model::{Judgment, Preview, SourceId},
};

/// What a host without a ledger says.
const NO_LEDGER: &str = "this run keeps no history";

/// What a host without evidence says.
const NO_EVIDENCE: &str = "this run keeps no snapshots of crossings";

/// What was found behind a source.
#[derive(Debug, Clone, Default)]
pub struct ProbedSource {
    /// Size, rate, codec in a few words.
    pub words: String,
    /// Its first picture.
    pub picture: Option<Arc<Preview>>,
}

/// The configuration file of this run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConfigPlace {
    /// Changes are saved here.
    File(String),
    /// There is none; this one can be written.
    CouldBe(String),
    /// Lines and settings are saved in the sources of a fleet; sources are added and removed with `fleet apply`.
    Fleet,
    /// There is none, and none can be written.
    Nowhere,
}

/// The program around the engine. Errors are sentences for the user, without secrets.
pub trait Host: Send + Sync {
    /// Writes all results that are not written yet and says where they are. May take a while.
    ///
    /// # Errors
    /// Why it could not.
    fn export(&self) -> Result<String, String>;

    /// Opens a source, reads its first frame and says in a few words what it sends. May take as long as
    /// its open timeout.
    ///
    /// # Errors
    /// Why it cannot be used.
    fn probe(&self, source: &SourceConfig) -> Result<ProbedSource, String> {
        let _ = source;
        Err("sources cannot be tried out here".into())
    }

    /// Where sources and lines are kept.
    fn config_place(&self) -> ConfigPlace {
        ConfigPlace::Nowhere
    }

    /// Reads which ids the configuration file has by now. May take a while.
    fn refresh_config(&self) {}

    /// Ids that a new source must not have, beside those that run: as of the last look. At once.
    fn taken_ids(&self) -> Vec<String> {
        Vec::new()
    }

    /// Sources of the configuration file, also those that do not run: as of the last look. At once.
    fn saved_sources(&self) -> Vec<SourceConfig> {
        Vec::new()
    }

    /// Keeps the secrets of a source that is about to be opened out of the logs.
    fn hide_secrets(&self, source: &SourceConfig) {
        let _ = source;
    }

    /// Writes what is drawn on the frame of a source into the configuration file, or into the sources of the fleet, and says where.
    /// There another user may have changed it since it was as in `before`, which is refused. May take a while.
    ///
    /// # Errors
    /// Why it could not.
    fn save_lines(&self, source: &SourceId, drawn: &Drawn, before: Option<&Drawn>) -> Result<String, String> {
        let _ = (source, drawn, before);
        Err("there is no configuration file".into())
    }

    /// Writes a source that was added, as `written` by the user, into the configuration file and says where,
    /// also where its password went. May take a while.
    ///
    /// # Errors
    /// Why it could not.
    fn save_source(&self, source: &SourceConfig, written: &str, keep: KeepLogin) -> Result<String, String> {
        let _ = (source, written, keep);
        Err("there is no configuration file".into())
    }

    /// Writes what differs between `before` and `after` of a source's settings into the configuration file, has it take effect, and
    /// says where it was written. May take a while.
    ///
    /// # Errors
    /// Why it could not; the file is then as it was.
    fn save_settings(
        &self,
        source: &SourceId,
        before: &Settings,
        after: &Settings,
    ) -> Result<String, String> {
        let _ = (source, before, after);
        Err("there is no configuration file".into())
    }

    /// Removes sources from the configuration file and says so. May take a while.
    ///
    /// # Errors
    /// Why it could not.
    fn remove_sources(&self, ids: &[SourceId]) -> Result<String, String> {
        let _ = ids;
        Err("there is no configuration file".into())
    }

    /// Writes a configuration file of these sources, or what could not be saved to the one there is, and says
    /// where. May take a while.
    ///
    /// # Errors
    /// Why it could not, or why there is nothing to write.
    fn write_config(&self, sources: &[Arc<SourceConfig>]) -> Result<String, String> {
        let _ = sources;
        Err("no configuration file can be written here".into())
    }

    /// What the configuration file would change of what runs, a sentence for each. May take a while.
    ///
    /// # Errors
    /// Every problem of the file, a line each, or why there is none.
    fn reload_shown(&self) -> Result<Vec<String>, String> {
        Err("there is no configuration file to reload".into())
    }

    /// What the configuration file would change now of what runs, a sentence for each; nothing where both say the same. Other than
    /// [`Self::reload_shown`], it prepares nothing. May take a while.
    ///
    /// # Errors
    /// Why that cannot be asked.
    fn file_changes(&self) -> Result<Vec<String>, String> {
        Ok(Vec::new())
    }

    /// Takes over what [`Self::reload_shown`] has found last, and says so. May take a while.
    ///
    /// # Errors
    /// What could not be taken over.
    fn reload(&self) -> Result<String, String> {
        Err("there is no configuration file to reload".into())
    }

    /// What was counted in the time asked for. May take a while.
    ///
    /// # Errors
    /// Why nothing is known.
    fn report(&self, asked: &ReportQuery) -> Result<Report, String> {
        let _ = asked;
        Err(NO_LEDGER.into())
    }

    /// Writes [`Self::report`] into files and says where. May take a while.
    ///
    /// # Errors
    /// Why it could not.
    fn write_report(&self, asked: &ReportQuery) -> Result<String, String> {
        let _ = asked;
        Err(NO_LEDGER.into())
    }

    /// The last `count` columns of a chart, oldest first; `None` where history are not kept. May take a while.
    ///
    /// # Errors
    /// Why they cannot be read.
    fn chart(&self, source: &SourceId, width: Width, count: usize) -> Result<Option<Vec<Column>>, String> {
        let _ = (source, width, count);
        Ok(None)
    }

    /// The crossings asked for that have strips. May take a while.
    ///
    /// # Errors
    /// Why they cannot be read.
    fn crossings(&self, asked: &crossings::CrossingsQuery) -> Result<crossings::CrossingsAnswer, String> {
        let _ = asked;
        Err(NO_EVIDENCE.into())
    }

    /// What is known of a crossing: its strip, and what was said of it. May take a while.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn crossing(&self, facts: &Facts) -> Result<CrossingDetails, String> {
        let _ = facts;
        Err(NO_EVIDENCE.into())
    }

    /// Notes in the ledger what a person says of a crossing, and gives what was noted. May take a while.
    ///
    /// # Errors
    /// Why it could not.
    fn judge(&self, said: &NewJudgment) -> Result<Judgment, String> {
        let _ = said;
        Err(NO_LEDGER.into())
    }

    /// The latest log lines of the whole program, when there are logs.
    fn recent_logs(&self) -> Option<Arc<RecentLogs>> {
        None
    }
}
