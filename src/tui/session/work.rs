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
    tui::editor::Replayed,
};

/// The answer to work done beside the screens.
pub(super) enum Answer {
    Looked,
    Said(Result<String, String>),
    Saved(SourceId, Drawn, Result<String, String>),
    Written(Result<String, String>),
    Probed(u64, Result<ProbedSource, String>),
    Crossings(Box<crossings::CrossingsQuery>, Result<crossings::CrossingsAnswer, String>),
    Crossing(Crossed, Box<Result<CrossingDetails, String>>),
    Judged(Result<Judgment, String>),
    Reloadable(Result<Vec<String>, String>),
    Report(ReportQuery, Result<Report, String>),
    Chart(SourceId, Width, Result<Option<Vec<Column>>, String>),
    LastHour(Result<HashMap<SourceId, Vec<Minute>>, String>),
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
