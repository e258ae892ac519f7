//! What a key asks for, by who performs it: the shell of the screens, the engine, the program around it, the terminal.

use std::sync::Arc;

use crate::{
    config::{SourceConfig, edit::KeepLogin},
    engine::Control,
    host::{Drawn, Settings, crossings, history::ReportQuery},
    model::SourceId,
    tui::screens::{crossings::state::Crossings, lines::editor::Editor, logs::state::LogTarget},
};

/// How the front end ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// By the key that quits.
    Quit,
    /// By the key that leaves the final table on the terminal.
    QuitKeepTable,
    /// By this signal, or Ctrl-C (`SIGINT`).
    Signal(i32),
}

/// One thing to do, as a screen or a dialog asks for it.
#[derive(Debug, Clone)]
pub enum Effect {
    /// To be done by the shell of the screens.
    Go(Go),
    /// To be sent to the engine.
    Engine(Control),
    /// To be done by the program around the engine.
    Host(HostWork),
    /// To be done by the owner of the terminal.
    Terminal(TerminalWork),
}

/// Moves between screens.
#[derive(Debug, Clone)]
pub enum Go {
    /// Close the screen on top.
    Back,
    /// Show the selected source.
    Source,
    /// Edit lines and zones.
    Lines(Box<Editor>),
    /// Show earlier counts.
    History,
    /// Show crossings.
    Crossings(Box<Crossings>),
    /// Show a log.
    Logs(LogTarget),
    /// Show the workers.
    Workers,
    /// Show the nodes of the fleet.
    Nodes,
    /// Back to the overview, over all screens that are open.
    Overview,
    /// Show the alerts.
    Alerts,
    /// Show the wall of previews.
    Wall,
    /// Show the keys.
    Help,
    /// Ask a question.
    Ask(Question),
    /// Ask which source to add.
    AddSource,
    /// Ask which settings of a source to change.
    EditSource(Arc<SourceConfig>),
    /// Ask how many are inside an area.
    SetArea,
    /// Ask for a command by its name.
    Palette,
}

/// A question before something that is hard to take back.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// What is asked.
    pub title: String,
    /// What it is about.
    pub lines: Vec<String>,
    /// What is said on yes.
    pub done: String,
    /// What happens on yes.
    pub effects: Vec<Effect>,
    /// Another yes, which goes further.
    pub further: Option<Further>,
    /// Whether it asks to quit: the key that opened it, and Enter, then mean yes.
    pub is_quit: bool,
}

/// A yes that goes further than the plain one, on a key of its own.
#[derive(Debug, Clone)]
pub struct Further {
    /// Its key.
    pub key: char,
    /// What the plain yes is called beside it.
    pub plain: String,
    /// What it is called.
    pub what: String,
    /// What is said afterwards.
    pub done: String,
    /// What happens.
    pub effects: Vec<Effect>,
}

/// Work for the program around the engine; it is done on a thread of its own and answered later.
#[derive(Debug, Clone)]
pub enum HostWork {
    /// Write the results.
    Export,
    /// Read the ledger.
    ReadHistory(ReportQuery),
    /// Write what the history screen shows into files.
    WriteHistory(ReportQuery),
    /// Read which crossings have strips.
    FindCrossings(crossings::CrossingsQuery),
    /// Note what a person says of a crossing.
    Judge(crossings::NewJudgment),
    /// Write the lines and zones of a source into the configuration file.
    SaveLines {
        /// The source.
        source: SourceId,
        /// What is drawn on its frame.
        drawn: Drawn,
        /// The same as it was; `None` where the user has been told that another user changed it.
        before: Option<Drawn>,
    },
    /// Write changed settings of a source into the configuration file and have them take effect.
    SaveSettings(Box<SettingsChange>),
    /// Remove sources from the configuration file, after what is being saved to it.
    RemoveFromFile(Vec<SourceId>),
    /// Find out which ids the configuration file has by now.
    ReadConfig,
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
    CompareConfig,
    /// Take that over.
    Reload,
    /// Remember the layout of the overview for the next time.
    Remember(String),
}

/// A change of a source's settings.
#[derive(Debug, Clone)]
pub struct SettingsChange {
    /// The source.
    pub source: SourceId,
    /// As they are.
    pub before: Settings,
    /// As they are to be.
    pub after: Settings,
    /// Whether this undoes the last change.
    pub is_undo: bool,
}

/// Work for the owner of the terminal.
#[derive(Debug, Clone)]
pub enum TerminalWork {
    /// End.
    Quit(Exit),
    /// Back to the shell until continued.
    Suspend,
    /// Paint everything again.
    Repaint,
    /// To the clipboard.
    Copy(String),
    /// Ring the bell.
    Bell,
    /// Mouse reports on or off.
    Mouse(bool),
}

/// What is left of [`Effect`]s once the shell has done its part.
#[derive(Debug, Clone)]
pub enum Outside {
    /// To be sent to the engine.
    Engine(Control),
    /// To be done by the program around the engine.
    Host(HostWork),
    /// To be done by the owner of the terminal.
    Terminal(TerminalWork),
}

impl From<Control> for Effect {
    fn from(control: Control) -> Self {
        Self::Engine(control)
    }
}

impl From<HostWork> for Effect {
    fn from(work: HostWork) -> Self {
        Self::Host(work)
    }
}

impl From<TerminalWork> for Effect {
    fn from(work: TerminalWork) -> Self {
        Self::Terminal(work)
    }
}

impl From<Go> for Effect {
    fn from(go: Go) -> Self {
        Self::Go(go)
    }
}
