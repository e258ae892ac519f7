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
pub mod local_time;
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
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use self::lock::Lock;
pub use self::reader::Reader;
pub(crate) use self::writer::Writer;
use crate::{
    clock::{Clock, SystemClock},
    model::{Event, SourceId},
    native::disk::Disk,
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
pub(crate) const SILENT: Duration = Duration::from_secs(5);

/// See [`LedgerOptions::forward`].
pub type Forward = Arc<dyn Fn(&Arc<Event>) + Send + Sync>;

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
    /// Takes every event once it is on disk, in order.
    pub forward: Option<Forward>,
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

    pub(crate) fn thread(path: &Path, error: &std::io::Error) -> Self {
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

/// What a writer tells of itself to other threads.
#[derive(Default)]
pub(crate) struct Shared {
    durable: AtomicU64,
    status: Mutex<LedgerStatus>,
}

impl Shared {
    /// Events that are on disk, or were lost.
    pub(crate) fn durable(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    /// How a writer on this disk fares.
    pub(crate) fn status(&self, disk: &Disk) -> LedgerStatus {
        let mut status = self.status.lock().clone();
        if disk.busy_for() > SILENT {
            status.problem = Some("the ledger's disk does not answer; crossings wait in memory".to_owned());
        }
        status
    }

    /// Nothing can be written, and nobody has heard why.
    pub(crate) fn fail(&self, error: &LedgerError) {
        self.status.lock().problem = Some(error.to_string());
    }

    /// An event cannot be kept.
    pub(crate) fn lose(&self) {
        self.status.lock().lost += 1;
        self.durable.fetch_add(1, Ordering::AcqRel);
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
