//! Where results and events go. Each way out is an [`Output`] and knows only how it writes; [`Running`] gives it a
//! bounded queue, a thread, a count of what was lost, `sync`, `health` and `close`. [`Outputs`] is the list of them, which
//! the engine feeds.
//!
//! | output | writes |
//! | --- | --- |
//! | [`csv`] | `results.csv` and `crossings.csv`, as things happen |
//! | [`json_lines`] | results and events on the standard output |
//! | [`ledger`] | every crossing once, into the ledger |
//! | [`status`] | `status.json`, once a second: the state for `--once` beside it |
//! | [`summary`] | `summary.json`, at the end |
//!
//! A new one is a file here and a line where the program makes its list (`app/outputs.rs`).
//!
//! The engine waits for none of them, and none for another: what a queue cannot take is lost and counted, and the output
//! is told how many events it missed.

pub mod csv;
pub mod json_lines;
pub mod ledger;
pub mod lines;
mod running;
pub mod status;
pub mod summary;

use std::{
    io,
    path::Path,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use parking_lot::Mutex;
use serde::Deserialize;

pub use self::running::Running;
use self::running::Wait;
use crate::{
    clock::{Clock, SystemClock},
    engine::aggregator::Sink,
    files,
    model::{Event, TaskResult},
};

/// A disk that has been busy with one operation for this long is said not to answer.
const SILENT: Duration = Duration::from_secs(5);

/// A longer file is none of ours: some 10,000 sources.
const MAX_BYTES: u64 = 16 << 20;

/// Time that what one output passes on to another has at least to get there.
const PASSED_ON: Duration = Duration::from_millis(250);

/// A way out of the program. All of it but [`Self::setup`] and [`Self::gauge`] is called on the output's own thread, which
/// may wait for a disk or a reader.
pub trait Output: Send + 'static {
    /// How it is to be run.
    fn setup(&self) -> Setup;

    /// Tells how it fares, to everybody, at any time and without waiting.
    fn gauge(&self) -> Box<Gauge>;

    /// Called once, first.
    fn begin(&mut self) {}

    /// An event, taken from the engine at this moment. Events come in order, each once.
    fn event(&mut self, event: &Arc<Event>, at: Moment) {
        let _ = (event, at);
    }

    /// A result, taken from the engine at this moment.
    fn result(&mut self, result: &Arc<TaskResult>, at: Moment) {
        let _ = (result, at);
    }

    /// So many events were lost between the last one and the next.
    fn missed(&mut self, events: u64) {
        let _ = events;
    }

    /// When [`Self::work`] is due, if ever.
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
    /// Where [`Moment`]s come from.
    pub clock: Arc<dyn Clock>,
}

impl Setup {
    /// An output that takes all events and no results, and of which nothing is ever missed.
    #[must_use]
    pub fn new(name: &'static str, room: usize) -> Self {
        Self {
            name,
            room,
            results: Results::None,
            wants: |_| true,
            keeps: false,
            overrun: None,
            unkept: |_| None,
            unclosed: |_| None,
            clock: Arc::new(SystemClock),
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
pub struct Moment {
    /// Wall time.
    pub wall: SystemTime,
    /// Since the machine started, sleep included.
    pub uptime: Duration,
}

impl Moment {
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

/// How an output fares.
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

/// Where an output of the list gets its events from. Results come from the engine in both cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feed {
    /// From the engine.
    Engine,
    /// From another output, once that has kept them: it is emptied and closed after those.
    Output,
}

/// The list of outputs. Cheap to clone: clones are the same list.
#[derive(Clone, Default)]
pub struct Outputs {
    list: Arc<Mutex<List>>,
}

#[derive(Default)]
struct List {
    outputs: Vec<(Arc<Running>, Feed)>,
    /// Of the latest event.
    number: u64,
}

impl Outputs {
    /// Adds an output, at any time: it hears of what comes after.
    pub fn add(&self, output: Arc<Running>, feed: Feed) {
        let mut list = self.list.lock();
        output.begin_after(list.number);
        list.outputs.push((output, feed));
    }

    /// What the engine feeds.
    #[must_use]
    pub fn sink(&self) -> Box<dyn Sink> {
        Box::new(self.clone())
    }

    /// How those fare in which counts are kept, in the order of the list.
    #[must_use]
    pub fn health(&self) -> Vec<Health> {
        let list = self.list.lock();
        list.outputs.iter().filter(|(output, _)| output.keeps()).map(|(output, _)| output.health()).collect()
    }

    /// What would be missing if the program ended now, as sentences.
    #[must_use]
    pub fn unkept(&self) -> Vec<String> {
        self.list.lock().outputs.iter().filter_map(|(output, _)| output.unkept()).collect()
    }

    /// Waits until everything given so far was handed on; `false` when that failed or `timeout` passed first.
    pub fn sync(&self, timeout: Duration) -> bool {
        self.each(timeout, Running::begin_sync)
    }

    /// Closes all of them, at once; waits at most `timeout`. What could not be closed is said in the log.
    pub fn close(&self, timeout: Duration) {
        self.each(timeout, Running::begin_close);
    }

    /// Asks something of all outputs at once and waits for the answers, first of those that the engine feeds.
    fn each(&self, timeout: Duration, ask: fn(&Running, Instant) -> Wait) -> bool {
        let outputs = self.list.lock().outputs.clone();
        let mut deadline = Instant::now() + timeout;
        let mut all = true;
        for of in [Feed::Engine, Feed::Output] {
            let asked = outputs.iter().filter(|(_, feed)| *feed == of);
            let waits: Vec<_> = asked.map(|(output, _)| (output, ask(output, deadline))).collect();
            for (output, wait) in waits {
                all &= output.wait(wait, deadline);
            }
            deadline = deadline.max(Instant::now() + PASSED_ON);
        }
        all
    }
}

impl Sink for Outputs {
    fn result(&mut self, result: &Arc<TaskResult>) {
        for (output, _) in &self.list.lock().outputs {
            output.result(result);
        }
    }

    fn event(&mut self, event: &Arc<Event>) {
        let mut list = self.list.lock();
        list.number = event.number;
        for (output, _) in list.outputs.iter().filter(|(_, feed)| *feed == Feed::Engine) {
            output.event(event);
        }
    }
}

/// Sets the file `path` aside if it does not hold a `T`: it is somebody else's, and about to be replaced. An empty
/// file is what a machine leaves that lost its power.
fn keep_foreign<T: for<'de> Deserialize<'de>>(path: &Path) -> io::Result<()> {
    let content = match files::read_start(path, MAX_BYTES) {
        Ok(content) => content,
        // Nothing, a link, which is replaced and not followed, or what cannot be replaced anyway.
        Err(_) => return Ok(()),
    };
    if content.is_empty() || serde_json::from_slice::<T>(&content).is_ok() {
        return Ok(());
    }
    let aside = files::set_aside(path)?;
    tracing::warn!("'{}' was somebody else's; it was set aside as '{}'", path.display(), aside.display());
    Ok(())
}
