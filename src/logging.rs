//! Logs: one central file, one for each worker, one for each camera, and the recent lines in memory.
//!
//! Code says whom a line belongs to with two fields, on the event itself or on a span around it:
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
//! and a [`router`] on that thread spreads them over [`rotate`]d files. A line that cannot be written is
//! counted, never waited for.

pub mod layer;
pub mod line;
pub mod names;
pub mod native;
mod ours;
pub mod recent;
pub mod redact;
pub mod rotate;
pub mod router;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::tz::TimeZone;
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::layer::SubscriberExt;

pub use self::{
    layer::LogLayer,
    line::Level,
    native::NativeOutput,
    recent::{LogLine, RecentLogs},
};
use self::{redact::Redactor, rotate::Limits, router::Router};
use crate::config::LogLevel;

/// Lines that wait for the disk; beyond it lines are dropped and counted. At some 100 bytes a line: 3 MB.
const QUEUE_LINES: usize = 32_768;

/// What is written where.
#[derive(Debug, Clone)]
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
}

impl Default for LogOptions {
    fn default() -> Self {
        Self {
            dir: None,
            level: LogLevel::Info,
            max_bytes: crate::config::defaults::MAX_LOG_SIZE,
            max_files: crate::config::defaults::MAX_LOG_FILES,
            max_age: Duration::from_secs(7 * 24 * 3600),
            keep_for: Duration::from_secs(30 * 24 * 3600),
            timezone: TimeZone::system(),
            recent_lines: 2_000,
        }
    }
}

/// Logs that cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The folder cannot be made or written.
    #[error("log folder '{path}': {problem}; choose another with 'log_dir' or make it writable")]
    Folder {
        /// The folder.
        path: String,
        /// What the operating system said.
        problem: std::io::Error,
    },
    /// Another part of the process has claimed the logs.
    #[error("the logs of this process were started already")]
    Started,
}

/// Keeps the logs going. Dropping it writes what is still queued; keep it until the end of `main`.
pub struct LogHandle {
    recent: Arc<RecentLogs>,
    redactor: Arc<Redactor>,
    dropped: Option<ErrorCounter>,
    failed: Arc<AtomicU64>,
    dir: Option<PathBuf>,
    max_bytes: u64,
    _guard: Option<WorkerGuard>,
}

impl LogHandle {
    /// The latest lines, for the screen.
    #[must_use]
    pub fn recent(&self) -> Arc<RecentLogs> {
        Arc::clone(&self.recent)
    }

    /// Lines that reached no file: the writer could not follow, or the disk refused.
    #[must_use]
    pub fn lines_lost(&self) -> u64 {
        let dropped = self.dropped.as_ref().map_or(0, ErrorCounter::dropped_lines);
        dropped as u64 + self.failed.load(Ordering::Relaxed)
    }

    /// A counter of [`Self::lines_lost`] that can be given to others.
    #[must_use]
    pub fn lost_counter(&self) -> Arc<dyn Fn() -> u64 + Send + Sync> {
        let (dropped, failed) = (self.dropped.clone(), Arc::clone(&self.failed));
        Arc::new(move || {
            dropped.as_ref().map_or(0, ErrorCounter::dropped_lines) as u64 + failed.load(Ordering::Relaxed)
        })
    }

    /// A place for what native libraries write to the standard error; `None` without a log folder.
    ///
    /// # Errors
    /// When its file cannot be opened, or the system refuses a pipe or a thread.
    pub fn native_output(&self) -> std::io::Result<Option<NativeOutput>> {
        let start = |dir: &PathBuf| NativeOutput::start(dir, self.max_bytes, Arc::clone(&self.redactor));
        self.dir.as_ref().map(start).transpose()
    }

    /// [`Self::hide`] for others.
    #[must_use]
    pub fn hider(&self) -> Arc<dyn Fn(&str) + Send + Sync> {
        let redactor = Arc::clone(&self.redactor);
        Arc::new(move |secret| redactor.hide(secret))
    }

    /// From now on `secret` is replaced by `***` wherever it would be logged.
    pub fn hide(&self, secret: &str) {
        self.redactor.hide(secret);
    }
}

/// Starts the logs for the whole process.
///
/// # Errors
/// When the folder cannot be written, or logs were started before.
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
/// When the folder cannot be written.
pub fn build(options: &LogOptions) -> Result<(LogLayer, LogHandle), LogError> {
    let recent = Arc::new(RecentLogs::new(options.recent_lines));
    let redactor = Arc::new(Redactor::default());
    let failed = Arc::new(AtomicU64::new(0));
    let (writer, guard) = match &options.dir {
        None => (None, None),
        Some(dir) => {
            let limits = Limits {
                max_bytes: options.max_bytes,
                max_files: options.max_files,
                max_age: options.max_age,
                keep_for: options.keep_for,
            };
            let router = Router::open(dir, limits, Arc::clone(&failed))
                .map_err(|problem| LogError::Folder { path: dir.display().to_string(), problem })?;
            let (writer, guard) = NonBlockingBuilder::default()
                .buffered_lines_limit(QUEUE_LINES)
                .lossy(true)
                .thread_name("log-writer")
                .finish(router);
            (Some(writer), Some(guard))
        }
    };
    let handle = LogHandle {
        recent: Arc::clone(&recent),
        redactor: Arc::clone(&redactor),
        dropped: writer.as_ref().map(tracing_appender::non_blocking::NonBlocking::error_counter),
        failed,
        dir: options.dir.clone(),
        max_bytes: options.max_bytes,
        _guard: guard,
    };
    Ok((LogLayer::new(options.level, options.timezone.clone(), writer, recent, redactor), handle))
}

/// A logger bound to one worker: what it says of a camera reaches the worker's file, the camera's and the
/// central one.
#[derive(Debug, Clone, Copy)]
pub struct WorkerLogger {
    worker: usize,
}

impl WorkerLogger {
    /// The logger of worker `worker`, counted from 1.
    #[must_use]
    pub fn new(worker: usize) -> Self {
        Self { worker }
    }

    /// Something that happened.
    pub fn info(&self, camera: &str, message: &str) {
        tracing::info!(worker = self.worker, camera, "{message}");
    }

    /// Something that went wrong.
    pub fn error(&self, camera: &str, message: &str) {
        tracing::error!(worker = self.worker, camera, "{message}");
    }

    /// A detail.
    pub fn debug(&self, camera: &str, message: &str) {
        tracing::debug!(worker = self.worker, camera, "{message}");
    }
}
