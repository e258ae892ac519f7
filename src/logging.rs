//! Logs: one central file, one for each worker, one for each camera, and the recent lines in memory.
//!
//! Code says what a line belongs to with two fields, on the event itself or on a span around it:
//!
//! ```
//! tracing::info!(worker = 1, "Starting camera_01");
//! tracing::info!(camera = "camera_01", "Person detected: ID=1, direction=IN");
//! ```
//!
//! Every line goes to `parallel_counter.log`; one with `worker` also to `worker_01.log`, one with `camera`
//! also to `<camera_id>.log`. Its form is
//! `[2024-01-15 10:23:45] [CAMERA-01] [INFO] Person detected: ID=1, direction=IN`.
//!
//! A tracing [`layer`] makes the lines, `tracing-appender`'s non-blocking writer carries them to one thread,
//! and a [`router`] spreads them over [`rotate`]d files. Nobody waits for a line: what the disk refuses is kept in
//! memory, up to a bound, and written when it can be; what is lost is counted. A folder that cannot be used is no error
//! but [`LogHandle::problem`].

pub mod layer;
pub mod line;
pub mod names;
pub mod native;
mod owned;
pub mod recent;
pub mod rotate;
pub mod router;
pub mod stderr;

use std::{
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use jiff::tz::TimeZone;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::layer::SubscriberExt;

pub use self::{
    layer::LogLayer,
    line::Level,
    native::NativeOutput,
    recent::{LogLine, RecentLogs, has_words},
    stderr::StandardError,
};
use self::{
    layer::Threshold,
    rotate::Limits,
    router::{Health, Router},
};
use crate::{
    clock::{Clock, SystemClock},
    config::LogLevel,
    native::disk::Disk,
};

/// Lines that wait for the disk; beyond it lines are dropped and counted. At some 100 bytes a line: 3 MB.
const QUEUE_LINES: usize = 32_768;

/// The end waits at most this long for a reader of the standard error.
const PRINTED: Duration = Duration::from_millis(100);

/// A disk that has been busy with one operation for this long is said not to answer.
const SILENT: Duration = Duration::from_secs(5);

/// What is written where.
#[derive(Clone)]
pub struct LogOptions {
    /// Folder of the files, made when missing; `None` keeps the lines in memory only.
    pub dir: Option<PathBuf>,
    /// Least severe level of the program's own lines. Libraries' lines are kept from `WARN` upwards.
    pub level: LogLevel,
    /// A file is rotated when it would grow beyond this many bytes.
    pub max_bytes: u64,
    /// Rotated files kept beside each log.
    pub max_files: usize,
    /// A file is rotated when it is older than this.
    pub max_age: Duration,
    /// Rotated files older than this are removed.
    pub keep_for: Duration,
    /// Time zone of the stamps.
    pub timezone: TimeZone,
    /// Lines kept in memory for [`LogHandle::recent`].
    pub recent_lines: usize,
    /// Where the lines are printed as well.
    pub printed: Option<StandardError>,
    /// Where the stamps come from.
    pub clock: Arc<dyn Clock>,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self {
            dir: None,
            level: LogLevel::Info,
            max_bytes: crate::config::defaults::MAX_LOG_SIZE,
            max_files: crate::config::defaults::MAX_LOG_FILES,
            max_age: Duration::from_hours(168),
            keep_for: Duration::from_hours(720),
            timezone: TimeZone::system(),
            recent_lines: 2_000,
            printed: None,
            clock: Arc::new(SystemClock),
        }
    }
}

/// Logs that cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The system refuses a thread.
    #[error("the logs cannot be started: {0}; allow the program more processes (ulimit -u, TasksMax)")]
    Thread(std::io::Error),
    /// Another part of the process has claimed the logs.
    #[error("the logs of this process were started already")]
    Started,
}

/// Keeps the logs going. Dropping it writes what is still queued; keep it until the end of `main`.
pub struct LogHandle {
    recent: Arc<RecentLogs>,
    dropped: Option<ErrorCounter>,
    health: Arc<Health>,
    dir: Option<PathBuf>,
    max_bytes: u64,
    disk: Option<Disk>,
    printed: Option<StandardError>,
    clock: Arc<dyn Clock>,
    guard: parking_lot::Mutex<Option<WorkerGuard>>,
    level: Arc<Threshold>,
}

impl LogHandle {
    /// The latest lines, for the screen.
    #[must_use]
    pub fn recent(&self) -> Arc<RecentLogs> {
        Arc::clone(&self.recent)
    }

    /// From now on lines of the program are kept from this level upwards.
    pub fn set_level(&self, level: LogLevel) {
        self.level.set(level);
    }

    /// Lines that reached no file and will not: the writer could not follow, or too many waited for the disk.
    #[must_use]
    pub fn lines_lost(&self) -> u64 {
        self.lost_counter()()
    }

    /// A counter of [`Self::lines_lost`] that can be given to others.
    #[must_use]
    pub fn lost_counter(&self) -> Arc<dyn Fn() -> u64 + Send + Sync> {
        let (dropped, health) = (self.dropped.clone(), Arc::clone(&self.health));
        Arc::new(move || {
            dropped.as_ref().map_or(0, ErrorCounter::dropped_lines) as u64
                + health.lost.load(Ordering::SeqCst)
        })
    }

    /// Lines in memory that the disk has refused so far, each as often as there are files it belongs to.
    #[must_use]
    pub fn lines_held(&self) -> u64 {
        self.health.held.load(Ordering::SeqCst)
    }

    /// Lines that were not taken from the standard error, where lines are printed there. The log files have them.
    #[must_use]
    pub fn lines_not_printed(&self) -> u64 {
        self.printed.as_ref().map_or(0, StandardError::lost)
    }

    /// Why lines wait in memory at this moment, if they do.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let silent = self.disk.as_ref().is_some_and(|disk| disk.busy_for() > SILENT);
        if let (true, Some(dir)) = (silent, &self.dir) {
            return Some(format!(
                "log folder '{}': the disk does not answer; lines wait in memory",
                dir.display()
            ));
        }
        self.health.problem.lock().clone()
    }

    /// Writes what is queued and ends the writer; waits for it at most about `timeout`. Later lines are kept in memory
    /// only. `false` when lines are missing in the files.
    pub fn close(&self, timeout: Duration) -> bool {
        if let Some(printed) = &self.printed {
            printed.flush(timeout.min(PRINTED));
        }
        let Some(guard) = self.guard.lock().take() else { return true };
        self.health.closing.store(true, Ordering::SeqCst);
        let (done, wait) = crossbeam_channel::bounded::<()>(0);
        // Its drop waits longer than we may, and complains on the standard output.
        let dropped = std::thread::Builder::new().name("log-close".into()).spawn(move || {
            drop(guard);
            drop(done);
        });
        let ended = dropped.is_ok()
            && wait.recv_timeout(timeout) == Err(crossbeam_channel::RecvTimeoutError::Disconnected)
            && self.disk.as_ref().is_none_or(|disk| disk.busy_for() < SILENT);
        ended && self.lines_held() + self.lines_lost() == 0
    }

    /// A place for what native libraries write to the standard error; `None` without a log folder.
    ///
    /// # Errors
    /// When the system refuses a pipe or a thread.
    pub fn native_output(&self) -> std::io::Result<Option<NativeOutput>> {
        let start = |(dir, disk): (&PathBuf, &Disk)| {
            NativeOutput::start(dir, self.max_bytes, disk.clone(), Arc::clone(&self.clock))
        };
        self.dir.as_ref().zip(self.disk.as_ref()).map(start).transpose()
    }
}

/// Starts the logs for the whole process.
///
/// # Errors
/// When the system refuses a thread, or logs were started before.
pub fn init(options: &LogOptions) -> Result<LogHandle, LogError> {
    let (layer, handle) = build(options)?;
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::set_global_default(subscriber).map_err(|_| LogError::Started)?;
    Ok(handle)
}

/// The layer and its handle, without touching the process: for tests and for programs that have a
/// subscriber of their own.
///
/// # Errors
/// When the system refuses a thread.
pub fn build(options: &LogOptions) -> Result<(LogLayer, LogHandle), LogError> {
    let recent = Arc::new(RecentLogs::new(options.recent_lines));
    let health = Arc::new(Health::default());
    let (writer, guard, disk) = match &options.dir {
        None => (None, None, None),
        Some(dir) => {
            let limits = Limits {
                max_bytes: options.max_bytes,
                max_files: options.max_files,
                max_age: options.max_age,
                keep_for: options.keep_for,
            };
            let disk = Disk::start("disk-logs").map_err(LogError::Thread)?;
            let router =
                Router::new(dir, limits, disk.clone(), Arc::clone(&health), Arc::clone(&options.clock));
            let (writer, guard) = non_blocking(router)?;
            (Some(writer), Some(guard), Some(disk))
        }
    };
    let level = Arc::new(Threshold::new(options.level));
    let clock = Arc::clone(&options.clock);
    let handle = LogHandle {
        recent: Arc::clone(&recent),
        dropped: writer.as_ref().map(NonBlocking::error_counter),
        health,
        dir: options.dir.clone(),
        max_bytes: options.max_bytes,
        disk,
        printed: options.printed.clone(),
        clock: Arc::clone(&clock),
        guard: parking_lot::Mutex::new(guard),
        level: Arc::clone(&level),
    };
    let layer = LogLayer::new(level, options.timezone.clone(), clock, writer, recent);
    Ok((layer.printing(options.printed.clone()), handle))
}

/// Starts the thread that carries lines to `router`.
fn non_blocking(router: Router) -> Result<(NonBlocking, WorkerGuard), LogError> {
    let builder =
        NonBlockingBuilder::default().buffered_lines_limit(QUEUE_LINES).lossy(true).thread_name("log-writer");
    // It panics where the system refuses a thread. To be deleted once it returns that as an error.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let started = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| builder.finish(router)));
    std::panic::set_hook(hook);
    started.map_err(|_| LogError::Thread(std::io::ErrorKind::WouldBlock.into()))
}
