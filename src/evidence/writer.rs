//! The thread that draws, encodes and writes strips.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};
use parking_lot::Mutex;

use super::{Bounds, EvidenceError, FOLDER, Store, draw::Scene, strip::Strip};
use crate::{
    clock::Clock,
    config::{EvidenceConfig, SourceConfig},
    native::{disk::Disk, ffmpeg::Jpeg},
};

/// Scenes that may wait for the thread, some 100 KB each; it takes a few milliseconds for one.
const QUEUE: usize = 32;

/// How strips are quantized, in FFmpeg's terms: less is lost than with libjpeg's quality of 80, in fewer bytes (167 strips of five clips:
/// 39.7 dB in 20.0 KB on average, against 38.8 dB in 21.5 KB).
const SCALE: u8 = 3;

/// Longest time from a strip to its commit, and so what a killed program loses.
const BATCH: Duration = Duration::from_secs(1);

/// Most bytes of strips that wait for the disk; more are lost, the oldest first.
const MOST_WAITING: usize = 4 << 20;

/// How long a disk that refuses is left alone.
const RETRY: Duration = Duration::from_secs(5);

/// How often old strips are searched.
const TIDY: Duration = Duration::from_mins(10);

/// Room on the disk that is left to the counts, where the disk is large enough; else a twentieth of it.
const RESERVE: u64 = 64 << 20;

/// A disk that has been busy with one operation for this long is said not to answer.
const SILENT: Duration = Duration::from_secs(5);

/// What evidence is kept with.
pub struct EvidenceOptions {
    /// The output folder.
    pub output: PathBuf,
    /// What holds for sources that say nothing else.
    pub program: Option<EvidenceConfig>,
    /// How long and in how much room strips are kept.
    pub bounds: Bounds,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
}

/// State of the evidence.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EvidenceStatus {
    /// Why strips cannot be written at this moment, if they cannot.
    pub problem: Option<String>,
    /// Strips on disk since the start.
    pub written: u64,
    /// Strips that will never be: the thread did not follow, the disk refused, or there was no picture.
    pub lost: u64,
}

#[derive(Default)]
struct Shared {
    written: AtomicU64,
    lost: AtomicU64,
    told: AtomicBool,
    problem: Mutex<Option<String>>,
}

enum Message {
    Scene(Box<Scene>, EvidenceConfig),
    #[cfg(test)]
    Sync(Sender<bool>),
    Close(Sender<bool>),
}

/// A handle on the thread that keeps evidence. Cheap to clone; nothing of it waits but [`Self::close`].
#[derive(Clone)]
pub struct Evidence {
    sender: Sender<Message>,
    shared: Arc<Shared>,
    disk: Disk,
    program: Option<EvidenceConfig>,
}

impl Evidence {
    /// Starts the thread. Files are opened when there is a first strip to write; what is too old goes at once.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn start(options: EvidenceOptions) -> io::Result<Self> {
        let EvidenceOptions { output, program, bounds, clock } = options;
        let disk = Disk::start("disk-evidence")?;
        let (sender, receiver) = bounded(QUEUE);
        let shared = Arc::<Shared>::default();
        let now = clock.now();
        let keeper = StripWriter {
            jpeg: Jpeg::new(SCALE),
            store: Store::new(&output, bounds),
            folder: output.join(FOLDER),
            clock,
            shared: Arc::clone(&shared),
            disk: disk.clone(),
            waiting: Vec::new(),
            bytes: 0,
            due: None,
            tidy: now,
        };
        std::thread::Builder::new().name("evidence".into()).spawn(move || keeper.run(&receiver))?;
        Ok(Self { sender, shared, disk, program })
    }

    /// How the strips of `source` are kept; `None` where none are.
    #[must_use]
    pub fn settings(&self, source: &SourceConfig) -> Option<EvidenceConfig> {
        source.evidence.resolve(self.program)
    }

    /// Takes a scene to be drawn and written as `settings` say. Never waits: what the thread does not follow is lost.
    pub fn offer(&self, scene: Scene, settings: EvidenceConfig) {
        let refused = self.sender.try_send(Message::Scene(Box::new(scene), settings));
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = refused {
            self.lose(1);
        }
    }

    /// So many strips will never be.
    pub fn lose(&self, strips: u64) {
        self.shared.lose(strips, "more people cross at once than strips can be drawn");
    }

    /// Its state.
    #[must_use]
    pub fn status(&self) -> EvidenceStatus {
        let problem = if self.disk.busy_for() > SILENT {
            Some("the disk of the evidence does not answer; strips are lost".to_owned())
        } else {
            self.shared.problem.lock().clone()
        };
        EvidenceStatus {
            problem,
            written: self.shared.written.load(Ordering::Relaxed),
            lost: self.shared.lost.load(Ordering::Relaxed),
        }
    }

    /// Waits until everything offered so far is on disk; `false` when that failed or `timeout` passed first.
    #[cfg(test)]
    #[must_use]
    pub fn sync(&self, timeout: Duration) -> bool {
        self.ask(Message::Sync, timeout)
    }

    /// Writes what waits and ends the thread; `false` when that failed or `timeout` passed first.
    pub fn close(&self, timeout: Duration) -> bool {
        let closed = self.ask(Message::Close, timeout);
        let EvidenceStatus { lost, .. } = self.status();
        if lost > 0 {
            tracing::warn!("Evidence: {lost} strips of crossings are not saved; every count is");
        }
        closed
    }

    fn ask(&self, message: fn(Sender<bool>) -> Message, timeout: Duration) -> bool {
        let (done, wait) = bounded(1);
        self.sender.send_timeout(message(done), timeout).is_ok()
            && wait.recv_timeout(timeout).unwrap_or(false)
    }
}

impl Shared {
    /// Counts what is lost, and says it once.
    fn lose(&self, strips: u64, why: &str) {
        self.lost.fetch_add(strips, Ordering::Relaxed);
        if strips > 0 && !self.told.swap(true, Ordering::Relaxed) {
            tracing::warn!("Evidence: a strip of a crossing is lost, for {why}; counting goes on");
        }
    }
}

struct StripWriter {
    jpeg: Jpeg,
    store: Store,
    folder: PathBuf,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
    disk: Disk,
    /// Strips that wait for their commit.
    waiting: Vec<Strip>,
    /// Of their pictures.
    bytes: usize,
    /// When the next commit is, where something waits for one.
    due: Option<Instant>,
    /// When old strips are searched.
    tidy: Instant,
}

impl StripWriter {
    fn run(mut self, receiver: &Receiver<Message>) {
        loop {
            let now = self.clock.now();
            let wake = self.due.map_or(self.tidy, |due| due.min(self.tidy));
            match receiver.recv_timeout(wake.saturating_duration_since(now)) {
                Ok(Message::Scene(scene, settings)) => self.take(&scene, settings),
                #[cfg(test)]
                Ok(Message::Sync(done)) => {
                    let _ = done.send(self.commit());
                }
                Ok(Message::Close(done)) => {
                    let committed = self.commit();
                    if !committed {
                        self.shared.lose(self.waiting.len() as u64, "the disk refuses it");
                    }
                    // The caller may have stopped waiting.
                    let _ = done.send(committed);
                    return;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    self.commit();
                    return;
                }
            }
            let now = self.clock.now();
            if self.due.is_some_and(|due| now >= due) {
                self.commit();
            }
            if now >= self.tidy {
                self.tidy = now + TIDY;
                self.expire();
            }
        }
    }

    fn take(&mut self, scene: &Scene, settings: EvidenceConfig) {
        let Ok(strip) = scene.draw() else {
            return self.shared.lose(1, "its snapshots cannot be drawn");
        };
        let jpeg = match self.jpeg.encode(&strip) {
            Ok(jpeg) => jpeg,
            Err(error) => return self.shared.lose(1, &format!("it cannot be encoded ({error})")),
        };
        let keep = i64::try_from(settings.keep.as_millis()).unwrap_or(i64::MAX);
        let until = scene.facts.wall.saturating_add(keep);
        let marks = serde_json::to_string(&scene.marks()).unwrap_or_default();
        let strip = Strip { facts: scene.facts.clone(), until, blurred: scene.blur, jpeg, marks };
        self.bytes += strip.bytes();
        self.waiting.push(strip);
        self.due = self.due.or(Some(self.clock.now() + BATCH));
        while self.bytes > MOST_WAITING && self.shared.problem.lock().is_none() {
            if !self.commit() {
                break;
            }
        }
        while self.bytes > MOST_WAITING {
            self.bytes -= self.waiting.remove(0).bytes();
            self.shared.lose(1, "the disk refuses it");
        }
    }

    /// Writes what waits. `false` when the disk refuses; all of it then still waits.
    fn commit(&mut self) -> bool {
        self.due = None;
        if self.waiting.is_empty() {
            return true;
        }
        let (store, waiting, folder) = (&mut self.store, &self.waiting, &self.folder);
        let wall = self.clock.wall();
        let bytes = self.bytes as u64;
        let written = self.disk.run(|| leave_room(folder, bytes).and_then(|()| store.add(waiting, wall)));
        if let Err(error) = written {
            self.fail(&error);
            return false;
        }
        self.shared.written.fetch_add(self.waiting.len() as u64, Ordering::Relaxed);
        self.waiting.clear();
        self.bytes = 0;
        self.recover();
        true
    }

    fn fail(&mut self, error: &EvidenceError) {
        self.due = Some(self.clock.now() + RETRY);
        let problem = format!("{error}; strips of crossings are lost, counting goes on");
        let mut known = self.shared.problem.lock();
        if known.is_none() {
            tracing::error!("{problem}");
        }
        *known = Some(problem);
    }

    fn recover(&self) {
        if self.shared.problem.lock().take().is_some() {
            tracing::info!("Evidence: can be written again");
        }
    }

    fn expire(&mut self) {
        let (store, wall) = (&mut self.store, millis(self.clock.wall()));
        if let Err(error) = self.disk.run(|| store.expire(wall)) {
            tracing::warn!("Old strips cannot be deleted: {error}");
        }
    }
}

/// Refuses to take the last room on the disk, which belongs to the counts.
fn leave_room(folder: &Path, bytes: u64) -> Result<(), EvidenceError> {
    let existing = folder.ancestors().find(|path| path.exists()).unwrap_or(folder);
    // A file system that does not tell refuses by itself.
    let Ok(found) = rustix::fs::statvfs(existing) else { return Ok(()) };
    let (free, all) = (found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize);
    let reserve = RESERVE.min(all / 20);
    if free >= reserve + bytes {
        return Ok(());
    }
    let problem = format!(
        "the disk is nearly full: its last {} MiB are reserved for counts; free some space, or lower 'size'",
        reserve >> 20
    );
    Err(EvidenceError::said(folder, problem))
}

/// Wall time in milliseconds since the Unix epoch, as the ledger stamps it.
#[must_use]
pub fn millis(wall: SystemTime) -> i64 {
    jiff::Timestamp::try_from(wall).map_or(0, jiff::Timestamp::as_millisecond)
}

#[cfg(test)]
mod tests;
