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

mod actions;
mod area_text;
mod areas;
pub mod chart;
mod clock_check;
mod copies;
mod deletions;
pub mod drift;
mod error;
pub mod examine;
pub(crate) mod fleet;
pub mod html;
pub mod judgments;
pub mod local_time;
mod lock;
mod names;
mod notes;
mod open;
pub mod reader;
pub mod render;
pub mod report;
mod salvage;
mod schedules;
mod schema;
pub mod span;
mod sum_up;
mod sums;
mod text;
pub(crate) mod webhooks;
mod writer;
pub mod xlsx;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;

pub(crate) use self::fleet::ServerClock;
pub(crate) use self::writer::Writer;
pub use self::{
    actions::note_action,
    deletions::{Deletion, note_deletion},
    error::LedgerError,
    judgments::note_judgment,
    reader::Reader,
    sum_up::sum_up,
};
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
    /// Sources whose totals begin at zero: files, which are counted again by every run.
    pub reset: Vec<SourceId>,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Whether changes of state and reached limits are kept as well, for webhooks.
    pub keeps_states: bool,
    /// Takes every event once it is on disk, in order.
    pub forward: Option<Forward>,
    /// The clock of the fleet's server, for what is counted by its leases.
    pub server_clock: Arc<ServerClock>,
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
            keeps_states: false,
            forward: None,
            server_clock: Arc::default(),
        }
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

    /// State of a writer on this disk.
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
