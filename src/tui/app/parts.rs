//! What the state of the screens is made of, and what it asks for.

use std::{collections::HashMap, sync::Arc, time::Instant};

use crate::{
    config::{SourceConfig, edit::KeepLogin},
    count::replay::TrackPath,
    engine::Control,
    host::{Drawn, crossings, history::ReportQuery},
    ledger::chart::{Column, Width},
    logging::LogLine,
    metrics::stages::StageTime,
    model::{EngineSnapshot, Event, Minute, Preview, SourceId},
    tui::{format::Moment, log_target::LogTarget},
};

/// How the front end ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The user has had enough.
    Quit,
    /// And wants the final table left on the terminal.
    QuitKeepTable,
    /// By this signal, or Ctrl-C (`SIGINT`).
    Signal(i32),
}

/// What has to be done outside of the screens.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Tell the engine.
    Control(Control),
    /// End.
    Quit(Exit),
    /// Back to the shell until continued.
    Suspend,
    /// Paint everything again.
    Repaint,
    /// To the clipboard.
    Copy(String),
    /// Write the results.
    Export,
    /// Read the ledger.
    Report(ReportQuery),
    /// Read which crossings have strips.
    Crossings(crossings::CrossingsQuery),
    /// Note what a person says of a crossing.
    Judge(crossings::NewJudgment),
    /// Write what the history screen shows into files.
    WriteReport(ReportQuery),
    /// Mouse reports on or off.
    Mouse(bool),
    /// Write the lines and zones of a source into the configuration file.
    SaveLines(SourceId, Drawn),
    /// Remove sources from the configuration file, after what is being saved to it.
    RemoveFromFile(Vec<SourceId>),
    /// Find out which ids the configuration file has by now.
    LookAtConfig,
    /// Check what was typed into the dialog that adds a source, and add it when it is right.
    AddSource {
        /// The source.
        text: String,
        /// Its name for people; may be empty.
        name: String,
        /// Where its password is kept.
        keep: KeepLogin,
        /// Whether it is known not to answer.
        is_silent: bool,
        /// Whether it was said what speaks against it.
        is_warned: bool,
    },
    /// Write a configuration file of what runs.
    WriteConfig,
    /// Find out what the configuration file would change.
    WorkOutReload,
    /// Take that over.
    Reload,
}

/// Which screen is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Screen {
    /// All sources.
    Overview,
    /// The selected source in full.
    Detail,
    /// The counting lines of a source.
    Editor,
    /// The keys.
    Help,
    /// What was counted on other days.
    Report,
    /// The workers and their queue.
    Workers,
    /// The pictures of crossings.
    Crossings,
    /// A log.
    Logs(LogTarget),
}

/// Parts of the overview between which Tab moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Panel {
    /// The table of sources.
    #[default]
    Sources,
    /// The table of workers.
    Workers,
    /// What happened.
    Events,
}

/// How serious a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Something was done.
    Done,
    /// Something could not be done.
    Refused,
}

/// A message in the footer.
#[derive(Debug, Clone)]
pub struct Toast {
    /// What it says.
    pub text: String,
    /// How serious it is.
    pub tone: Tone,
    pub(super) until: Instant,
}

/// A view that was held still.
#[derive(Debug, Clone)]
pub(super) struct Frozen {
    pub(super) snapshot: Arc<EngineSnapshot>,
    pub(super) moment: Moment,
}

/// Columns of the chart of one source, by width of column.
pub type ChartColumns = (SourceId, Width, Arc<Vec<Column>>);

/// Things that are fetched only while a screen shows them.
#[derive(Debug, Clone, Default)]
pub struct Extras {
    /// Minutes of history of each source.
    pub history: HashMap<SourceId, Arc<Vec<Minute>>>,
    /// The latest picture and whose it is.
    pub preview: Option<(SourceId, Arc<Preview>)>,
    /// Where the people on the picture came from.
    pub trails: Vec<TrackPath>,
    /// Columns of the chart on screen, once they are read.
    pub chart: Option<ChartColumns>,
    /// The latest events of the source on screen, oldest first, and whose they are.
    pub events: Option<(SourceId, Vec<Arc<Event>>)>,
    /// Why the chart on screen holds this run only.
    pub chart_problem: Option<String>,
    /// CPU time of the selected source by stage.
    pub stages: Vec<StageTime>,
    /// Configuration of the selected source.
    pub config: Option<Arc<SourceConfig>>,
    /// Last lines of the log on screen, oldest first.
    pub log: Arc<Vec<Arc<LogLine>>>,
    /// Why there is no log.
    pub log_problem: Option<String>,
}
