//! The ledger: every crossing once, on disk, and the totals and reports derived from them.
//!
//! One SQLite file (`ledger.sqlite`, write-ahead log, `synchronous = FULL`), one thread that writes it.
//! A crossing is committed at once, or [`BATCH`] after the commit before, so that what a screen has shown is on disk
//! within a second and survives a crash of the program or of the machine. Totals are kept
//! in the same transaction: after a restart they go on from exactly the crossings that are on disk.
//!
//! Counts belong to the ids of sources and the names of lines; an alias is not part of the ledger.
//!
//! Counting never waits for the disk. While it is full or read-only, crossings wait in memory (up to
//! [`MAX_WAITING`]), [`LedgerStatus::problem`] says so, and they are written when it is back. A damaged file
//! is set aside and a new one begun, with the totals carried over.
//!
//! Only one process writes a ledger; locks on its folder and on a file beside it see to it (`lock`). Reading
//! ([`Reader`]) needs no lock.

pub mod chart;
mod lock;
mod open;
pub mod reader;
pub mod render;
pub mod report;
mod salvage;
mod schema;
mod steady;
mod sums;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use parking_lot::Mutex;

pub use self::reader::Reader;
use self::{
    lock::Lock,
    steady::Moment,
    writer::{Order, Writer},
};
use crate::{
    clock::{Clock, SystemClock},
    engine::aggregator::Sink,
    headless::Lines,
    native::disk::Disk,
    source::SourceId,
    store::{Event, LineCounts, records::TaskResult},
};

/// Name of the file inside the output folder.
pub const FILE_NAME: &str = "ledger.sqlite";

/// Least time between two commits, and so the longest between a crossing and its own.
pub const BATCH: Duration = Duration::from_millis(500);

/// Crossings that wait in memory while the disk refuses; more are lost and counted. Some 20 MB.
pub const MAX_WAITING: usize = 200_000;

/// How long a program that has just been ended may still hold the ledger.
const HANDOVER: Duration = Duration::from_millis(1500);

/// A disk that has been busy with one operation for this long is said not to answer.
const SILENT: Duration = Duration::from_secs(5);

/// Events on their way to the writer.
const QUEUE: usize = 65_536;

/// What a ledger is opened with.
#[derive(Clone)]
pub struct LedgerOptions {
    /// The file; its folder is made when missing.
    pub path: PathBuf,
    /// Identifies the configuration of this run, such as a hash of its file.
    pub fingerprint: String,
    /// Crossings older than this are removed; their part of the totals stays. `None` keeps all.
    pub retention: Option<Duration>,
    /// Begin with all totals at zero. The crossings so far stay in the ledger.
    pub fresh: bool,
    /// Sources whose totals begin at zero: files, which are counted anew by every run.
    pub reset: Vec<SourceId>,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Takes every event once it is on disk, in order; see [`crate::headless::feed`].
    pub forward: Option<Lines>,
}

impl LedgerOptions {
    /// The ledger in the folder `dir`, kept for ever.
    #[must_use]
    pub fn new(dir: &Path) -> Self {
        Self {
            path: dir.join(FILE_NAME),
            fingerprint: String::new(),
            retention: None,
            fresh: false,
            reset: Vec::new(),
            clock: Arc::new(SystemClock),
            forward: None,
        }
    }
}

/// A ledger that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Another process writes it.
    #[error(
        "ledger '{path}': another pcount-tui writes it; end that one, or give this one another folder with \
         --output"
    )]
    Busy {
        /// The file.
        path: String,
    },
    /// Written by a newer version.
    #[error(
        "ledger '{path}': written by a newer version of the program (schema {found}, this one knows \
         {known}); use that version or another folder with --output"
    )]
    Newer {
        /// The file.
        path: String,
        /// Its schema.
        found: i64,
        /// The newest schema this program knows.
        known: i64,
    },
    /// There is none.
    #[error("ledger '{path}': not found; it is made by the first run with this output folder")]
    Missing {
        /// The file.
        path: String,
    },
    /// SQLite or the operating system refuses.
    #[error("ledger '{path}': {problem}")]
    Sql {
        /// The file.
        path: String,
        /// What it said.
        problem: String,
        /// Whether the file itself is broken.
        damaged: bool,
        /// SQLite's extended code; 0 where it was not SQLite.
        code: i32,
    },
    /// A database that is no ledger.
    #[error(
        "ledger '{path}': it is another program's database; move it away, or give another folder with --output"
    )]
    Foreign {
        /// The file.
        path: String,
    },
    /// A question that cannot be answered.
    #[error("{0}")]
    Question(String),
}

impl LedgerError {
    fn sql(path: &Path, error: &rusqlite::Error) -> Self {
        let damaged = matches!(
            error.sqlite_error_code(),
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase)
        );
        let code = error.sqlite_error().map_or(0, |error| error.extended_code);
        Self::Sql { path: path.display().to_string(), problem: open::explain(path, error), damaged, code }
    }

    fn thread(path: &Path, error: &std::io::Error) -> Self {
        let problem = format!(
            "the system refuses a thread: {error}; allow the program more processes (ulimit -u, TasksMax)"
        );
        Self::Sql { path: path.display().to_string(), problem, damaged: false, code: 0 }
    }

    fn io(path: &Path, error: &std::io::Error) -> Self {
        let problem = open::explain_io(path, error);
        Self::Sql { path: path.display().to_string(), problem, damaged: false, code: 0 }
    }

    fn damaged(path: &Path, problem: String) -> Self {
        Self::Sql { path: path.display().to_string(), problem, damaged: true, code: 0 }
    }

    fn is_damage(&self) -> bool {
        matches!(self, Self::Sql { damaged: true, .. })
    }

    /// Whether another process holds the file for the moment.
    fn is_busy(&self) -> bool {
        let codes = [rusqlite::ffi::SQLITE_BUSY, rusqlite::ffi::SQLITE_LOCKED];
        matches!(self, Self::Sql { code, .. } if codes.contains(&(code & 0xFF)))
    }
}

/// Health of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LedgerStatus {
    /// Why crossings wait in memory at this moment, if they do.
    pub problem: Option<String>,
    /// Crossings that are not on disk yet.
    pub waiting: usize,
    /// Crossings that will never be: too many waited.
    pub lost: u64,
    /// What the user should know: a damaged file set aside.
    pub notices: Vec<String>,
}

#[derive(Default)]
struct Shared {
    durable: AtomicU64,
    status: Mutex<LedgerStatus>,
}

/// A handle on the writer. Dropping it commits what waits and ends the session.
pub struct Ledger {
    clock: Arc<dyn Clock>,
    orders: Mutex<Orders>,
    shared: Arc<Shared>,
    totals: Vec<(SourceId, Vec<LineCounts>)>,
    disk: Disk,
    thread: Option<JoinHandle<()>>,
    /// What the first [`Ledger::close`] found.
    closed: Mutex<Option<bool>>,
}

/// Sequence numbers are given in the order of sending.
struct Orders {
    sender: Option<Sender<Order>>,
    sequence: u64,
}

impl Ledger {
    /// Opens or makes the ledger, begins a session and starts the writer.
    ///
    /// A file that cannot be opened or written (a full or missing disk, missing rights, a newer version's) is no
    /// error: crossings wait in memory, the writer goes on trying, and [`Self::status`] says why. A damaged file
    /// is set aside and a new one begun.
    ///
    /// # Errors
    /// [`LedgerError::Busy`] when another program counts into this folder, [`LedgerError::Sql`] when the system
    /// refuses a thread.
    pub fn start(options: LedgerOptions) -> Result<Self, LedgerError> {
        let (path, clock) = (options.path.clone(), Arc::clone(&options.clock));
        let disk = Disk::start("disk-ledger").map_err(|error| LedgerError::thread(&path, &error))?;
        let shared = Arc::new(Shared::default());
        let (sender, orders) = bounded(QUEUE);
        let (ready, opened) = bounded(1);
        let (seen, writing) = (Arc::clone(&shared), disk.clone());
        let thread = std::thread::Builder::new()
            .name("ledger".into())
            .spawn(move || match patiently(|| writing.run(|| Lock::take(&options.path))) {
                Ok(lock) => {
                    let mut writer = Writer::new(options, seen, lock, writing.clone());
                    writing.run(|| writer.open());
                    // Nobody waits any more when the disk took too long.
                    let _ = ready.send(Ok(writer.totals()));
                    writer.run(&orders);
                }
                Err(error) => {
                    if let Err(unheard) = ready.send(Err(error)) {
                        seen.status.lock().problem =
                            unheard.into_inner().err().map(|error| error.to_string());
                        lose(&orders, &seen);
                    }
                }
            })
            .map_err(|error| LedgerError::thread(&path, &error))?;
        // A disk that does not answer yet gives its totals to the file later, not to the screen.
        let totals = opened.recv_timeout(SILENT).unwrap_or_else(|_| Ok(Vec::new()))?;
        let orders = Mutex::new(Orders { sender: Some(sender), sequence: 0 });
        Ok(Self { orders, clock, shared, totals, disk, thread: Some(thread), closed: Mutex::new(None) })
    }

    /// The counts to go on from, by source and line, as they were when the ledger was opened.
    #[must_use]
    pub fn totals(&self) -> Vec<(SourceId, Vec<LineCounts>)> {
        self.totals.clone()
    }

    /// Notes an event. Never blocks. Gives its sequence number in this session, from 1.
    pub fn record(&self, event: Event) -> u64 {
        self.note(Arc::new(event))
    }

    fn note(&self, event: Arc<Event>) -> u64 {
        let mut orders = self.orders.lock();
        orders.sequence += 1;
        let sequence = orders.sequence;
        let moment = Moment::now(self.clock.as_ref());
        let order = Order::Event { sequence, moment, event };
        let sent = orders.sender.as_ref().map(|sender| sender.try_send(order));
        if !matches!(sent, Some(Ok(()))) {
            self.shared.status.lock().lost += 1;
        }
        sequence
    }

    /// Notes that `source` has handled `frames` frames so far: from one such note to the next, if they are not far
    /// apart, it is watched. Never blocks.
    pub fn watched(&self, source: SourceId, frames: u64) {
        let orders = self.orders.lock();
        let moment = Moment::now(self.clock.as_ref());
        // The room is for crossings where the writer cannot follow.
        if let Some(sender) = orders.sender.as_ref().filter(|sender| sender.len() < QUEUE / 2) {
            let _ = sender.try_send(Order::Frames { source, frames, moment });
        }
    }

    /// Every event up to this sequence number is on disk (or was lost, see [`LedgerStatus::lost`]).
    #[must_use]
    pub fn durable_seq(&self) -> u64 {
        self.shared.durable.load(Ordering::Acquire)
    }

    /// Events noted and not on disk: what would be missing if the program ended now without its disk. Events
    /// that were lost ([`LedgerStatus::lost`]) are not among them.
    #[must_use]
    pub fn unsaved(&self) -> u64 {
        // In this order: an event noted in between must not make the difference negative.
        let durable = self.durable_seq();
        self.orders.lock().sequence.saturating_sub(durable)
    }

    /// Its health.
    #[must_use]
    pub fn status(&self) -> LedgerStatus {
        let mut status = self.shared.status.lock().clone();
        if self.disk.busy_for() > SILENT {
            status.problem = Some("the ledger's disk does not answer; crossings wait in memory".to_owned());
        }
        status
    }

    /// Waits until everything noted so far is on disk; `false` when that failed or `timeout` passed first.
    pub fn sync(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        let (done, wait) = bounded(1);
        let Some(sender) = self.orders.lock().sender.clone() else { return false };
        sender.send_deadline(Order::Sync(done), deadline).is_ok()
            && wait.recv_deadline(deadline).unwrap_or(false)
    }

    /// Commits what waits, ends the session and closes the file; waits for it at most `timeout`. Later
    /// events are not noted. `false` when that failed or `timeout` passed first; asked again, it answers the same
    /// at once.
    pub fn close(&self, timeout: Duration) -> bool {
        *self.closed.lock().get_or_insert_with(|| self.end(timeout))
    }

    fn end(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        let (done, wait) = bounded(1);
        let Some(sender) = self.orders.lock().sender.take() else { return false };
        match sender.try_send(Order::Close(done)) {
            Ok(()) => wait.recv_deadline(deadline).unwrap_or(false),
            Err(TrySendError::Full(order)) => {
                sender.send_deadline(order, deadline).is_ok() && wait.recv_deadline(deadline).unwrap_or(false)
            }
            Err(TrySendError::Disconnected(_)) => false,
        }
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        // A disk that does not answer must not keep the program from ending.
        if self.close(Duration::from_secs(5))
            && let Some(thread) = self.thread.take()
        {
            // A panic of the writer was reported by its hook.
            let _ = thread.join();
        }
    }
}

/// Tries again for a moment while the ledger is another program's: the one before this may be ending.
fn patiently<T>(take: impl Fn() -> Result<T, LedgerError>) -> Result<T, LedgerError> {
    let deadline = Instant::now() + HANDOVER;
    loop {
        match take() {
            Err(LedgerError::Busy { .. }) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(20));
            }
            taken => return taken,
        }
    }
}

/// Takes orders for a ledger that is another program's, which was found out too late to say so in time.
fn lose(orders: &Receiver<Order>, shared: &Shared) {
    for order in orders {
        match order {
            Order::Event { .. } => shared.status.lock().lost += 1,
            Order::Frames { .. } => {}
            // Whoever waited may have lost patience.
            Order::Sync(done) | Order::Close(done) => drop(done.send(false)),
        }
    }
}

/// Feeds a ledger from the engine's result handler.
#[must_use]
pub fn sink(ledger: &Arc<Ledger>) -> Box<dyn Sink> {
    Box::new(LedgerSink(Arc::clone(ledger)))
}

struct LedgerSink(Arc<Ledger>);

impl Sink for LedgerSink {
    fn result(&mut self, result: &Arc<TaskResult>) {
        self.0.watched(result.camera_id.as_str().into(), result.frame_info.frame_count);
    }

    fn event(&mut self, event: &Arc<Event>) {
        self.0.note(Arc::clone(event));
    }
}

/// Sums up the crossings of an older ledger at `path`, where that makes `query` faster and no program counts into it;
/// `goes_on` hears how many are done, and of how many, and says whether to go on; what is done stays done. Blocks for
/// some seconds for each ten million.
pub fn sum_up(path: &Path, query: &report::Query, goes_on: &mut dyn FnMut(u64, u64) -> bool) {
    const STEP: usize = 50_000;
    /// A program that starts meanwhile must find the ledger free before it loses its patience.
    const HOLD: Duration = Duration::from_millis(300);
    const FREE: Duration = Duration::from_millis(100);
    let length = query.until.as_millisecond().saturating_sub(query.since.as_millisecond());
    if length < reader::LONG || !Reader::open(path).is_ok_and(|reader| !reader.is_summed()) {
        return;
    }
    let (mut done, mut all) = (0, None);
    loop {
        {
            let Ok(_lock) = Lock::take(path) else { return };
            let Ok(mut connection) = open::open(path) else { return };
            let all = *all.get_or_insert_with(|| sums::left(&connection).unwrap_or(0));
            if done == 0 && !goes_on(0, all) {
                return;
            }
            let begun = Instant::now();
            while begun.elapsed() < HOLD {
                let Ok(more @ 1..) = sums::sum_more(&mut connection, STEP) else { return };
                done += more as u64;
                if !goes_on(done, all) {
                    return;
                }
            }
        }
        std::thread::sleep(FREE);
    }
}
