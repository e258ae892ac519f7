//! The state of a running program in a small file, so that `--once` beside it (in a status line, in a script)
//! shows its numbers instead of opening every camera a second time.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use serde::{Deserialize, Serialize};

use super::{Gauge, MAX_BYTES, Output, Reading, Running, Setup, keep_foreign};
use crate::{
    clock::Clock,
    config::{SourceKind, Strategy},
    engine::EngineApi,
    files,
    native::disk::Disk,
    store::{EngineSnapshot, LineCounts, SourceSnapshot, SourceState, Strain, WorkerSnapshot},
};

/// Name of the file inside the output folder.
pub const FILE_NAME: &str = "status.json";

/// How often it is written.
const INTERVAL: Duration = Duration::from_secs(1);

/// A file older than this belongs to a program that is gone, or hangs.
const FRESH: Duration = Duration::from_secs(5);

/// What the text dashboard and the templates show.
#[derive(Debug, Serialize, Deserialize)]
struct Status {
    sources: Vec<Source>,
    active_workers: usize,
    worker_count: usize,
    max_workers: usize,
    queue_pending: usize,
    /// Of the process: CPU in cores, resident memory in bytes, events lost.
    #[serde(default)]
    cpu: f32,
    #[serde(default)]
    rss: u64,
    #[serde(default)]
    memory_limit: Option<u64>,
    #[serde(default)]
    events_lost: u64,
    /// What the user should know, such as a disk that refuses the ledger.
    #[serde(default)]
    problems: Vec<String>,
    #[serde(default)]
    notices: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Source {
    camera_id: String,
    alias: String,
    kind: SourceKind,
    status: String,
    fps: f32,
    frames: u64,
    #[serde(rename = "in")]
    total_in: u64,
    #[serde(rename = "out")]
    total_out: u64,
    threshold: Option<i64>,
    lines: Vec<(String, u64, u64)>,
    last_error: Option<String>,
    /// Shares of its detections and its frames it gets, and why they are below 1.
    #[serde(default = "whole")]
    rate_share: f32,
    #[serde(default = "whole")]
    frame_share: f32,
    #[serde(default)]
    throttled_by: Option<String>,
    /// Whether it sleeps and why, or why not, in words.
    #[serde(default)]
    sleep: Option<String>,
    /// In cores.
    #[serde(default)]
    cpu: f32,
    #[serde(default)]
    picture_bytes: u64,
}

fn whole() -> f32 {
    1.0
}

/// Starts to write the state of `engine` into `dir` once a second by `clock`, on `disk`. When it is closed, it removes the file, unless
/// another program has written it since. A disk that refuses is no error: the file goes stale and is not used. A file of
/// somebody else's that has the name is set aside.
///
/// # Errors
/// When the system refuses a thread.
pub fn start(
    dir: &Path,
    engine: Arc<dyn EngineApi>,
    disk: Disk,
    clock: Arc<dyn Clock>,
) -> io::Result<Running> {
    let (path, due) = (dir.join(FILE_NAME), clock.now());
    Running::start(StatusFile { path, engine, disk, written: None, refused: false, due, clock })
}

struct StatusFile {
    path: PathBuf,
    engine: Arc<dyn EngineApi>,
    disk: Disk,
    /// As it was last written.
    written: Option<File>,
    refused: bool,
    due: Instant,
    clock: Arc<dyn Clock>,
}

impl Output for StatusFile {
    fn setup(&self) -> Setup {
        Setup { wants: |_| false, ..Setup::new("status", 1, Arc::clone(&self.clock)) }
    }

    fn gauge(&self) -> Box<Gauge> {
        Box::new(Reading::default)
    }

    fn wake(&self) -> Option<Instant> {
        Some(self.due)
    }

    fn work(&mut self, _: bool) {
        self.flush();
        self.due = self.clock.now() + INTERVAL;
    }

    fn flush(&mut self) -> bool {
        let snapshot = self.engine.snapshot();
        match self.disk.run(|| write(&self.path, &snapshot, self.written.as_ref(), self.clock.wall())) {
            Ok(file) => (self.written, self.refused) = (Some(file), false),
            Err(error) if !std::mem::replace(&mut self.refused, true) => {
                tracing::warn!("The state cannot be written to '{}': {error}", self.path.display());
            }
            Err(_) => {}
        }
        !self.refused
    }

    fn close(&mut self) -> bool {
        let (written, path) = (self.written.take(), &self.path);
        self.disk.run(|| {
            if written.is_some_and(|file| files::is_at(&file, path)) {
                let _ = fs::remove_file(path);
            }
        });
        true
    }
}

/// Writes the state at the time `now`; `last` is the file as it was last written by this process.
fn write(path: &Path, snapshot: &EngineSnapshot, last: Option<&File>, now: SystemTime) -> io::Result<File> {
    let text = serde_json::to_vec(&Status::from(snapshot))?;
    if !last.is_some_and(|last| files::is_at(last, path)) {
        keep_foreign::<Status>(path, now)?;
    }
    files::publish(path, &text, files::SHARED)
}

/// The state of the program that writes into `dir` at the time `now`, as far as the text dashboard and the
/// templates show it; `None` when there is none.
#[must_use]
pub fn read(dir: &Path, now: SystemTime) -> Option<EngineSnapshot> {
    let path = dir.join(FILE_NAME);
    let written = fs::symlink_metadata(&path).and_then(|file| file.modified()).ok()?;
    // A file of the future was written before the clock was set back.
    let age = now.duration_since(written).unwrap_or_else(|ahead| ahead.duration());
    if age > FRESH {
        return None;
    }
    let status: Status = serde_json::from_slice(&files::read_start(&path, MAX_BYTES).ok()?).ok()?;
    Some(EngineSnapshot::from(status))
}

impl From<&EngineSnapshot> for Status {
    fn from(snapshot: &EngineSnapshot) -> Self {
        let source = |source: &Arc<SourceSnapshot>| Source {
            camera_id: source.id.to_string(),
            alias: source.alias.clone(),
            kind: source.kind,
            status: source.state.word().to_owned(),
            fps: if source.fps.is_finite() { source.fps } else { 0.0 },
            frames: source.frames,
            total_in: source.total_in,
            total_out: source.total_out,
            threshold: source.threshold,
            lines: source.lines.iter().map(|l| (l.name.clone(), l.total_in, l.total_out)).collect(),
            last_error: source.last_error.clone(),
            rate_share: source.rate_share,
            frame_share: source.frame_share,
            throttled_by: source.throttled_by.map(|cause| cause.words().to_owned()),
            sleep: source.rest.words().map(str::to_owned),
            cpu: source.cpu,
            picture_bytes: source.picture_bytes,
        };
        Self {
            sources: snapshot.sources.iter().map(source).collect(),
            active_workers: snapshot.active_workers(),
            worker_count: snapshot.worker_count,
            max_workers: snapshot.max_workers,
            queue_pending: snapshot.queue_pending,
            cpu: snapshot.cpu,
            rss: snapshot.rss,
            memory_limit: snapshot.memory_limit,
            events_lost: snapshot.events_lost,
            problems: snapshot.problems.clone(),
            notices: snapshot.notices.clone(),
        }
    }
}

impl From<Status> for EngineSnapshot {
    fn from(status: Status) -> Self {
        let source = |source: Source| {
            Arc::new(SourceSnapshot {
                alias: source.alias,
                kind: source.kind,
                state: state(&source.status),
                fps: source.fps,
                frames: source.frames,
                total_in: source.total_in,
                total_out: source.total_out,
                threshold: source.threshold,
                lines: source
                    .lines
                    .into_iter()
                    .map(|(name, total_in, total_out)| LineCounts { name, total_in, total_out })
                    .collect(),
                last_error: source.last_error,
                rate_share: source.rate_share,
                frame_share: source.frame_share,
                throttled_by: [Strain::FramesLost, Strain::Memory]
                    .into_iter()
                    .find(|cause| Some(cause.words()) == source.throttled_by.as_deref()),
                cpu: source.cpu,
                picture_bytes: source.picture_bytes,
                ..SourceSnapshot::new(&*source.camera_id)
            })
        };
        let worker = |number| WorkerSnapshot {
            number,
            enabled: number <= status.worker_count,
            busy: if number <= status.active_workers { 1.0 } else { 0.0 },
            ..WorkerSnapshot::default()
        };
        Self {
            sources: status.sources.into_iter().map(source).collect(),
            workers: (1..=status.max_workers.min(crate::config::defaults::WORKERS_LIMIT))
                .map(worker)
                .collect(),
            worker_count: status.worker_count,
            max_workers: status.max_workers,
            queue_pending: status.queue_pending,
            queue: Vec::new(),
            strategy: Strategy::Shared,
            detector: String::new(),
            problems: status.problems,
            notices: status.notices,
            events: Arc::default(),
            events_lost: status.events_lost,
            log_lines_lost: 0,
            cpu: status.cpu,
            rss: status.rss,
            memory_limit: status.memory_limit,
            uptime: Duration::ZERO,
            generation: 0,
        }
    }
}

/// The state whose word is `word`.
fn state(word: &str) -> SourceState {
    let at = Instant::now();
    let known = [
        SourceState::Queued,
        SourceState::Connecting,
        SourceState::Running,
        SourceState::Stalled,
        SourceState::Retrying { attempt: 1, at },
        SourceState::Paused,
        SourceState::Completed,
        SourceState::Failed { next: None },
        SourceState::Disabled,
        SourceState::AuthFailed { at },
        SourceState::NoSuchStream { at },
        SourceState::Unsupported,
    ];
    known.into_iter().find(|state| state.word() == word).unwrap_or(SourceState::Queued)
}
