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
    engine::EngineApi,
    files,
    model::{AreaSnapshot, Doubt, EngineSnapshot, SourceKind, SourceSnapshot, StateKind, Total},
    native::disk::Disk,
};

/// Name of the file inside the output folder.
pub const FILE_NAME: &str = "status.json";

/// How often it is written.
const INTERVAL: Duration = Duration::from_secs(1);

/// A file older than this belongs to a program that is gone, or hangs.
const FRESH: Duration = Duration::from_secs(5);

/// What the text dashboard and the templates show, of this program or of another one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Status {
    /// Each source.
    pub sources: Vec<SourceStatus>,
    /// Workers that did anything in the last seconds.
    pub active_workers: usize,
    /// Workers that may run now.
    pub worker_count: usize,
    /// Upper bound.
    pub max_workers: usize,
    /// Tasks that wait for a worker, and files not opened yet.
    pub queue_pending: usize,
    /// CPU of the whole process, in cores (1.0 = one core busy).
    #[serde(default)]
    pub cpu: f32,
    /// Resident memory, in bytes.
    #[serde(default)]
    pub rss: u64,
    /// What [`Self::rss`] is kept below, when configured.
    #[serde(default)]
    pub memory_limit: Option<u64>,
    /// Events lost so far.
    #[serde(default)]
    pub events_lost: u64,
    /// What the user should know, such as a disk that refuses the ledger.
    #[serde(default)]
    pub problems: Vec<String>,
    /// What the user should know besides.
    #[serde(default)]
    pub notices: Vec<String>,
    /// How many are inside each area; left out where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub areas: Vec<AreaSnapshot>,
    /// The socket at which the program can be asked, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub socket: Option<String>,
}

/// One source of a [`Status`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SourceStatus {
    /// Id.
    pub camera_id: String,
    /// Name for people.
    pub alias: String,
    /// Camera or video.
    pub kind: SourceKind,
    /// Its state.
    pub status: StateKind,
    /// Frames handled per second; finite.
    pub fps: f32,
    /// Frames handled.
    pub frames: u64,
    /// Crossings in.
    #[serde(rename = "in")]
    pub total_in: u64,
    /// Crossings out.
    #[serde(rename = "out")]
    pub total_out: u64,
    /// Limit for [`Self::current`].
    pub threshold: Option<i64>,
    /// Name of each line, with its crossings in and out.
    pub lines: Vec<(String, u64, u64)>,
    /// Why these counts cannot be relied upon, where they cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
    /// The last error, kept until frames come again.
    pub last_error: Option<String>,
    /// Share (0..=1) of its detections it gets.
    #[serde(default = "whole")]
    pub rate_share: f32,
    /// Share (0..=1) of its frames it gets.
    #[serde(default = "whole")]
    pub frame_share: f32,
    /// Why one of both is below 1, in words.
    #[serde(default)]
    pub throttled_by: Option<String>,
    /// Whether it sleeps and why, or why not, in words.
    #[serde(default)]
    pub sleep: Option<String>,
    /// In cores (1.0 = one core busy).
    #[serde(default)]
    pub cpu: f32,
    /// Pictures of it that are held at a time, in bytes.
    #[serde(default)]
    pub picture_bytes: u64,
    /// What is said of a camera whose sessions are short; the file leaves it out.
    #[serde(skip)]
    pub flapping: Option<String>,
    /// Whether one of its zones is at its limit; the file leaves it out.
    #[serde(skip)]
    pub has_full_zone: bool,
}

impl Status {
    /// Sums over all sources.
    #[must_use]
    pub fn total(&self) -> Total {
        let sum = |of: fn(&SourceStatus) -> u64| self.sources.iter().map(of).sum::<u64>();
        let (total_in, total_out) = (sum(|source| source.total_in), sum(|source| source.total_out));
        Total { total_in, total_out, net: total_in as i64 - total_out as i64 }
    }
}

impl SourceStatus {
    /// In minus out; may be negative.
    #[must_use]
    pub fn current(&self) -> i64 {
        self.total_in as i64 - self.total_out as i64
    }

    /// Whether the source or one of its zones has reached its limit.
    #[must_use]
    pub fn over_threshold(&self) -> bool {
        self.has_full_zone || self.threshold.is_some_and(|limit| self.current() >= limit)
    }
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
    socket: Option<String>,
    disk: Disk,
    clock: Arc<dyn Clock>,
) -> io::Result<Running> {
    let (path, due) = (dir.join(FILE_NAME), clock.now());
    Running::start(StatusFile { path, engine, socket, disk, written: None, refused: false, due, clock })
}

struct StatusFile {
    path: PathBuf,
    engine: Arc<dyn EngineApi>,
    socket: Option<String>,
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
        let status = Status { socket: self.socket.clone(), ..Status::from(&self.engine.snapshot()) };
        match self.disk.run(|| write(&self.path, &status, self.written.as_ref(), self.clock.wall())) {
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
fn write(path: &Path, status: &Status, last: Option<&File>, now: SystemTime) -> io::Result<File> {
    let text = serde_json::to_vec(status)?;
    if !last.is_some_and(|last| files::is_at(last, path)) {
        keep_foreign::<Status>(path, now)?;
    }
    files::publish(path, &text, files::SHARED)
}

/// The state of the program that writes into `dir` at the time `now`, as far as the text dashboard and the
/// templates show it; `None` when there is none.
#[must_use]
pub fn read(dir: &Path, now: SystemTime) -> Option<Status> {
    let path = dir.join(FILE_NAME);
    let written = fs::symlink_metadata(&path).and_then(|file| file.modified()).ok()?;
    // A file of the future was written before the clock was set back.
    let age = now.duration_since(written).unwrap_or_else(|ahead| ahead.duration());
    if age > FRESH {
        return None;
    }
    serde_json::from_slice(&files::read_start(&path, MAX_BYTES).ok()?).ok()
}

impl From<&EngineSnapshot> for Status {
    fn from(snapshot: &EngineSnapshot) -> Self {
        let source = |source: &Arc<SourceSnapshot>| SourceStatus {
            camera_id: source.id.to_string(),
            alias: source.alias.clone(),
            kind: source.kind,
            status: source.state.kind(),
            fps: if source.fps.is_finite() { source.fps } else { 0.0 },
            frames: source.frames,
            total_in: source.total_in,
            total_out: source.total_out,
            threshold: source.threshold,
            lines: source.lines.iter().map(|l| (l.name.clone(), l.total_in, l.total_out)).collect(),
            doubt: source.doubt(),
            last_error: source.last_error.clone(),
            rate_share: source.rate_share,
            frame_share: source.frame_share,
            throttled_by: source.throttled_by.map(|cause| cause.words().to_owned()),
            sleep: source.rest.words().map(str::to_owned),
            cpu: source.cpu,
            picture_bytes: source.picture_bytes,
            flapping: source.flapping(),
            has_full_zone: source.limits().any(|limit| limit.zone.is_some() && limit.is_reached()),
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
            areas: snapshot.areas.to_vec(),
            socket: None,
        }
    }
}
