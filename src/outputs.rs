//! Where results and events go. Each way out is an [`Output`] and knows only how it writes; [`Running`] gives it a
//! bounded queue, a thread, a count of what was lost, `sync`, `health` and `close`. [`Outputs`] is the list of them, which
//! the engine feeds.
//!
//! | output | writes |
//! | --- | --- |
//! | [`csv`] | `results.csv` and `crossings.csv`, as things happen |
//! | [`json_lines`] | results and events on the standard output |
//! | [`ledger`] | every crossing once, into the ledger |
//! | [`mqtt`] | states, totals and events to an MQTT broker |
//! | [`status`] | `status.json`, once a second: the state for `--once` beside it |
//! | [`summary`] | `summary.json`, at the end |
//! | [`webhooks`] | events to other servers, out of the ledger |
//!
//! A new one is a file here and a line where the program makes its list (`app/outputs.rs`).
//!
//! The engine waits for none of them, and none for another: what a queue cannot take is lost and counted, and the output
//! is told how many events it missed.

pub mod csv;
pub mod json_lines;
pub mod ledger;
pub mod lines;
mod list;
pub mod mqtt;
mod running;
pub mod status;
pub mod summary;
pub mod webhooks;

use std::{
    io,
    path::Path,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use serde::Deserialize;

pub use self::{
    list::{Feed, Outputs},
    running::Running,
};
use crate::{
    clock::Clock,
    files,
    model::{Event, TaskResult},
};

/// A disk that has been busy with one operation for this long is said not to answer.
const SILENT: Duration = Duration::from_secs(5);

/// A longer file is none of ours: some 10,000 sources.
const MAX_BYTES: u64 = 16 << 20;

/// A way out of the program. All of it but [`Self::setup`] and [`Self::gauge`] is called on the output's own thread, which
/// may wait for a disk or a reader.
pub trait Output: Send + 'static {
    /// How it is to be run.
    fn setup(&self) -> Setup;

    /// Reports its state, to every caller, at any time and without waiting.
    fn gauge(&self) -> Box<Gauge>;

    /// Called once, first.
    fn begin(&mut self) {}

    /// An event, taken from the engine at this moment. Events come in order, each once.
    fn event(&mut self, event: &Arc<Event>, at: BothClocks) {
        let _ = (event, at);
    }

    /// A result, taken from the engine at this moment.
    fn result(&mut self, result: &Arc<TaskResult>, at: BothClocks) {
        let _ = (result, at);
    }

    /// So many events were lost between the last one and the next.
    fn missed(&mut self, events: u64) {
        let _ = events;
    }

    /// When [`Self::work`] is due by the clock of [`Self::setup`], if ever.
    fn wake(&self) -> Option<Instant> {
        None
    }

    /// Work of its own: a flush, a commit. `idle`: nothing waits in the queue.
    fn work(&mut self, idle: bool) {
        let _ = idle;
    }

    /// Hands on everything it was given; whether it was taken.
    fn flush(&mut self) -> bool;

    /// Nothing more comes; whether everything was taken.
    fn close(&mut self) -> bool {
        self.flush()
    }
}

/// How an [`Output`] is to be run.
pub struct Setup {
    /// Of its thread.
    pub name: &'static str,
    /// What may wait for the thread; more is lost and counted.
    pub room: usize,
    /// Which results it takes.
    pub results: Results,
    /// Which events it takes.
    pub wants: fn(&Event) -> bool,
    /// Whether counts are kept there: the screen shows its problem, and events that it loses.
    pub keeps: bool,
    /// Said in the log when something is lost for the first time, and after the number of all that was, at the end.
    pub overrun: Option<[&'static str; 2]>,
    /// What is missing if the program ends now, as a sentence, if something is.
    pub unkept: fn(&Health) -> Option<String>,
    /// What the log says when it could not be closed, in time or at all.
    pub unclosed: fn(&Health) -> Option<String>,
    /// Where [`BothClocks`]s come from, and what [`Output::wake`] goes by.
    pub clock: Arc<dyn Clock>,
}

impl Setup {
    /// An output that takes all events and no results, and of which nothing is ever missed.
    #[must_use]
    pub fn new(name: &'static str, room: usize, clock: Arc<dyn Clock>) -> Self {
        Self {
            name,
            room,
            results: Results::None,
            wants: |_| true,
            keeps: false,
            overrun: None,
            unkept: |_| None,
            unclosed: |_| None,
            clock,
        }
    }
}

/// Which results an output takes. They repeat what events have said, so that they may take half of the room only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Results {
    /// None.
    None,
    /// As notes: nobody misses one.
    Notes,
    /// As rows, which are counted like events.
    Rows,
}

/// When something was taken from the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BothClocks {
    /// Wall time.
    pub wall: SystemTime,
    /// Since the machine started, sleep included.
    pub uptime: Duration,
}

impl BothClocks {
    fn now(clock: &dyn Clock) -> Self {
        Self { wall: clock.wall(), uptime: clock.uptime() }
    }
}

/// What an output tells of itself.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// Events and rows that it is done with: written, or lost by it.
    pub done: u64,
    /// Of which were lost.
    pub lost: u64,
    /// Why things wait at this moment, if they do.
    pub problem: Option<String>,
    /// What the user should know besides.
    pub notices: Vec<String>,
}

/// See [`Output::gauge`].
pub type Gauge = dyn Fn() -> Reading + Send + Sync;

/// State of an output.
#[derive(Debug, Clone, Default)]
pub struct Health {
    /// Events and rows that were taken and are neither written nor lost.
    pub waiting: u64,
    /// Those that never will be.
    pub lost: u64,
    /// Why things wait at this moment, if they do.
    pub problem: Option<String>,
    /// What the user should know besides.
    pub notices: Vec<String>,
}

impl Health {
    /// What would be missing if the program ended now.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.waiting + self.lost
    }

    /// The problem in brackets, to follow what it is the reason for.
    #[must_use]
    pub fn because(&self) -> String {
        self.problem.as_ref().map(|problem| format!(" ({problem})")).unwrap_or_default()
    }
}

/// Sets the file `path` aside if it does not hold a `T`: it is somebody else's, and about to be replaced. An empty
/// file is what a machine leaves that lost its power.
fn keep_foreign<T: for<'de> Deserialize<'de>>(path: &Path, now: SystemTime) -> io::Result<()> {
    let Ok(content) = files::read_start(path, MAX_BYTES) else {
        // Nothing, a link, which is replaced and not followed, or what cannot be replaced anyway.
        return Ok(());
    };
    if content.is_empty() || serde_json::from_slice::<T>(&content).is_ok() {
        return Ok(());
    }
    let aside = files::set_aside(path, now)?;
    tracing::warn!(
        "'{}' was not written by this program; it was set aside as '{}'",
        path.display(),
        aside.display()
    );
    Ok(())
}
