//! Work that goes on beside the screens, and its answers.

use std::{collections::HashMap, sync::Arc, time::Instant};

use crate::{
    config::{SourceConfig, edit::KeepLogin},
    count::replay::Paths,
    engine::Reply,
    host::{
        Drawn, ProbedSource,
        crossings::{self, CrossingDetails},
        history::ReportQuery,
    },
    ledger::{
        chart::{Column, Width},
        report::Report,
    },
    model::{Crossed, Judgment, Minute, SourceId, SourceSnapshot},
    tui::{effect::SettingsChange, screens::lines::editor::Replayed},
};

/// The answer to work done beside the screens.
pub enum Answer {
    /// The configuration file was read.
    Looked,
    /// Whether the layout is remembered.
    Remembered(Result<(), String>),
    /// What is to be said in the footer.
    Said(Result<String, String>),
    /// What became of saving lines.
    Saved(SourceId, Drawn, Result<String, String>),
    /// What became of writing the configuration file.
    Written(Result<String, String>),
    /// What became of changing settings.
    SettingsSaved(Box<SettingsChange>, Result<String, String>),
    /// What the configuration file would change of what runs.
    Differs(Result<Vec<String>, String>),
    /// What trying out a source has given.
    Probed(u64, Result<ProbedSource, String>),
    /// Which crossings there are.
    Crossings(Box<crossings::CrossingsQuery>, Result<crossings::CrossingsAnswer, String>),
    /// What is known of a crossing.
    Crossing(Crossed, Box<Result<CrossingDetails, String>>),
    /// What became of a judgment.
    Judged(Result<Judgment, String>),
    /// What the configuration file would change.
    Reloadable(Result<Vec<String>, String>),
    /// Earlier counts.
    History(ReportQuery, Result<Report, String>),
    /// Columns of a chart.
    Chart(SourceId, Width, Result<Option<Vec<Column>>, String>),
    /// The hour before this run.
    LastHour(Result<HashMap<SourceId, Vec<Minute>>, String>),
    /// What edited lines would have counted.
    Replayed(SourceId, Box<Replayed>),
}

/// Reports being read beside the screens: one at a time, and then the one asked for last.
#[derive(Default)]
pub(super) struct Reports {
    pub(super) running: bool,
    /// The sources as they were when it was asked for.
    pub(super) before: Vec<Arc<SourceSnapshot>>,
    pub(super) wanted: Option<ReportQuery>,
    pub(super) due: Option<Instant>,
}

/// Charts being read beside the screens, one at a time.
#[derive(Default)]
pub(super) struct Charts {
    pub(super) running: bool,
    /// What is on the screen, and when it is to be read again.
    pub(super) due: Option<(SourceId, Width, Instant)>,
}

/// How many tries run, and the newest that waits for one of them to end.
#[derive(Default)]
pub(super) struct Probes {
    pub(super) running: usize,
    pub(super) waiting: Option<(u64, SourceConfig)>,
}

/// What is not answered yet.
#[derive(Default)]
pub(super) struct Asking {
    pub(super) replies: Vec<Reply>,
    pub(super) addition: Option<(Addition, Reply)>,
}

impl Asking {
    /// Whether something was asked of which nothing is known yet.
    pub(super) fn is_waiting(&self) -> bool {
        !self.replies.is_empty()
    }
}

/// A source that is being added.
pub(super) struct Addition {
    pub source: SourceConfig,
    /// As the user wrote it.
    pub written: String,
    pub keep: KeepLogin,
}

/// The tracks, and the work on them.
#[derive(Default)]
pub(super) struct Replaying {
    pub(super) paths: Option<(SourceId, Arc<Paths>)>,
    pub(super) due: Option<Instant>,
    pub(super) running: bool,
    /// For which lines and of which moment it was last begun.
    pub(super) begun: Option<(Drawn, f64)>,
}
