//! The ledger as an output: events and watched times on their way to the writer of [`crate::ledger`].

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crossbeam_channel::{Sender, bounded};

use super::{BothClocks, Gauge, Output, Reading, Results, Running, Setup};
use crate::{
    ledger::{LedgerError, LedgerOptions, LedgerStatus, SILENT, Shared, Writer},
    model::{AreaRecord, Event, LineCounts, Scene, SourceId, TaskResult},
    native::disk::Disk,
};

#[cfg(feature = "internals")]
mod alone;

/// Events on their way to the writer.
const QUEUE: usize = 65_536;

/// What each source counted, line by line.
type Totals = Vec<(SourceId, Vec<LineCounts>)>;

/// What is known of the scenes of sources.
type Scenes = Vec<(SourceId, Scene)>;

/// What the file held when it was opened.
#[derive(Default)]
struct Held {
    totals: Totals,
    scenes: Scenes,
    areas: Vec<AreaRecord>,
}

/// A handle on a ledger that is being written. Dropping it commits what waits and ends the session.
pub struct Ledger {
    running: Arc<Running>,
    shared: Arc<Shared>,
    disk: Disk,
    held: Held,
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
        let path = options.path.clone();
        let thread = |error: std::io::Error| LedgerError::thread(&path, &error);
        let disk = Disk::start("disk-ledger").map_err(thread)?;
        let shared = Arc::new(Shared::default());
        let (ready, opened) = bounded(1);
        let running = Running::start(LedgerOutput {
            clock: Arc::clone(&options.clock),
            options: Some((options, ready)),
            shared: Arc::clone(&shared),
            disk: disk.clone(),
            writer: None,
        })
        .map_err(thread)?;
        // A disk that does not answer yet gives its totals to the file later, not to the screen.
        let held = opened.recv_timeout(SILENT).unwrap_or_else(|_| Ok(Held::default()))?;
        Ok(Self { running: Arc::new(running), shared, disk, held })
    }

    /// The output, for the list.
    #[must_use]
    pub fn output(&self) -> Arc<Running> {
        Arc::clone(&self.running)
    }

    /// The counts to go on from, by source and line, as they were when the ledger was opened.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.held.totals.clone()
    }

    /// What earlier runs have learned of the scenes of sources.
    #[must_use]
    pub fn scenes(&self) -> Scenes {
        self.held.scenes.clone()
    }

    /// What earlier runs have counted in areas.
    #[must_use]
    pub fn areas(&self) -> Vec<AreaRecord> {
        self.held.areas.clone()
    }

    /// Its health.
    #[must_use]
    pub fn status(&self) -> LedgerStatus {
        LedgerStatus { lost: self.running.health().lost, ..self.shared.status(&self.disk) }
    }

    /// Events that are on disk, or were lost: rises with each commit.
    #[must_use]
    pub(crate) fn durable(&self) -> u64 {
        self.shared.durable()
    }

    /// Waits until everything noted so far is on disk; `false` when that failed or `timeout` passed first.
    #[allow(clippy::must_use_candidate, reason = "also called for the wait alone")]
    pub fn sync(&self, timeout: Duration) -> bool {
        self.running.sync(timeout)
    }
}

struct LedgerOutput {
    clock: Arc<dyn crate::clock::Clock>,
    /// What to open, and who waits for it.
    options: Option<(LedgerOptions, Sender<Result<Held, LedgerError>>)>,
    shared: Arc<Shared>,
    disk: Disk,
    /// None where the ledger is another program's, which was found out too late to say so in time.
    writer: Option<Writer>,
}

impl Output for LedgerOutput {
    fn setup(&self) -> Setup {
        Setup {
            results: Results::Notes,
            keeps: true,
            unkept: |health| {
                let missing = health.missing();
                if missing > 0 {
                    Some(format!("{missing} events are not in the ledger{}", health.because()))
                } else {
                    health.problem.clone()
                }
            },
            unclosed: |_| {
                Some("The ledger could not be closed in time; crossings may be missing in it".to_owned())
            },
            ..Setup::new("ledger", QUEUE, Arc::clone(&self.clock))
        }
    }

    fn gauge(&self) -> Box<Gauge> {
        let (shared, disk) = (Arc::clone(&self.shared), self.disk.clone());
        Box::new(move || {
            let done = shared.durable();
            let LedgerStatus { problem, lost, notices, .. } = shared.status(&disk);
            Reading { done, lost, problem, notices }
        })
    }

    fn begin(&mut self) {
        let Some((options, ready)) = self.options.take() else { return };
        match Writer::start(options, Arc::clone(&self.shared), &self.disk) {
            Ok(mut writer) => {
                // Nobody waits any more when the disk took too long.
                let _ = ready.send(Ok(Held {
                    totals: writer.totals(),
                    scenes: writer.scenes(),
                    areas: writer.areas(),
                }));
                writer.begin();
                self.writer = Some(writer);
            }
            Err(error) => {
                if let Err(unheard) = ready.send(Err(error))
                    && let Err(error) = unheard.into_inner()
                {
                    self.shared.fail(&error);
                }
            }
        }
    }

    fn event(&mut self, event: &Arc<Event>, at: BothClocks) {
        match &mut self.writer {
            Some(writer) => writer.event(event, at.wall, at.uptime),
            None => self.shared.lose(),
        }
    }

    fn result(&mut self, result: &Arc<TaskResult>, at: BothClocks) {
        if let Some(writer) = &mut self.writer {
            writer.frames(
                result.camera_id.as_str().into(),
                result.frame_info.frame_count,
                at.wall,
                at.uptime,
            );
        }
    }

    fn wake(&self) -> Option<Instant> {
        self.writer.as_ref().map(Writer::wake)
    }

    fn work(&mut self, idle: bool) {
        if let Some(writer) = &mut self.writer {
            writer.work(idle);
        }
    }

    fn flush(&mut self) -> bool {
        self.writer.as_mut().is_some_and(Writer::flush)
    }

    fn close(&mut self) -> bool {
        // What came while there was none is counted as lost; the ledger of another program is not this one's to close.
        self.writer.as_mut().is_none_or(Writer::close)
    }
}
