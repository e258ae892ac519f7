//! Spreads lines over the files. Called on the log writer's thread; the files are written on the [`Disk`] of the logs.
//! Lines that the disk refuses wait in memory, up to a bound, and are written when it takes them.

use std::{
    collections::{HashMap, VecDeque},
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::{
    names,
    rotate::{self, Limits, RotatingFile},
};
use crate::{clock::Clock, native::disk::Disk};

/// Stands between the parts of a record; never part of a cleaned line.
const SEPARATOR: char = '\u{1f}';

/// Files open at the same time; beyond it all are closed and opened again as needed.
const MAX_OPEN: usize = 200;

/// A file that cannot be opened is left alone for this long.
const RETRY: Duration = Duration::from_secs(1);

/// Lines that wait for a disk that refuses; beyond it they are lost and counted. At some 100 bytes a line: 2 MB.
const MAX_HELD: usize = 20_000;

/// Records handed to the disk at once.
const BATCH: usize = 512;

/// One line on its way to the router: what it belongs to and what it says.
pub fn encode(worker: Option<u64>, camera_stem: Option<&str>, line: &str) -> String {
    let worker = worker.map(names::worker_stem).unwrap_or_default();
    format!("{worker}{SEPARATOR}{}{SEPARATOR}{line}", camera_stem.unwrap_or_default())
}

/// State of the log files.
#[derive(Debug, Default)]
pub struct Health {
    /// Lines that reached no file and will not.
    pub lost: AtomicU64,
    /// Lines that wait in memory.
    pub held: AtomicU64,
    /// Why they wait.
    pub problem: Mutex<Option<String>>,
    /// The end has come: whatever waits is tried once more.
    pub closing: AtomicBool,
}

/// All the log files of one folder.
pub struct Router {
    disk: Disk,
    files: Files,
    batch: Vec<Vec<u8>>,
}

impl Router {
    /// Does nothing yet: the folder is made and the central log is opened with the first batch, also an empty one.
    pub fn new(dir: &Path, limits: Limits, disk: Disk, health: Arc<Health>, clock: Arc<dyn Clock>) -> Self {
        let files = Files {
            dir: dir.to_owned(),
            limits,
            cleaned: false,
            open: HashMap::new(),
            refused: HashMap::new(),
            health,
            clock,
        };
        Self { disk, files, batch: Vec::new() }
    }

    fn hand_over(&mut self) {
        let (files, batch) = (&mut self.files, &mut self.batch);
        self.disk.run(|| files.write(batch));
        self.batch.clear();
    }
}

impl io::Write for Router {
    /// Takes one whole record of [`encode`].
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        self.batch.push(record.to_vec());
        if self.batch.len() >= BATCH {
            self.hand_over();
        }
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.hand_over();
        Ok(())
    }
}

/// A file that was refused, and what it is to hold.
struct Refused {
    since: Instant,
    lines: VecDeque<Vec<u8>>,
}

struct Files {
    dir: PathBuf,
    limits: Limits,
    /// Whether files of earlier runs were removed.
    cleaned: bool,
    open: HashMap<String, RotatingFile>,
    refused: HashMap<String, Refused>,
    health: Arc<Health>,
    clock: Arc<dyn Clock>,
}

impl Files {
    /// Writes the lines of these records, file by file, and what waited before them.
    fn write(&mut self, records: &[Vec<u8>]) {
        let mut lines: Vec<(String, Vec<Vec<u8>>)> = vec![(names::CENTRAL.to_owned(), Vec::new())];
        for record in records {
            let text = String::from_utf8_lossy(record);
            let mut parts = text.splitn(3, SEPARATOR);
            let (Some(worker), Some(camera), Some(line)) = (parts.next(), parts.next(), parts.next()) else {
                continue;
            };
            for stem in [names::CENTRAL, worker, camera].into_iter().filter(|stem| !stem.is_empty()) {
                match lines.iter_mut().find(|(known, _)| known == stem) {
                    Some((_, of_file)) => of_file.push(line.as_bytes().to_vec()),
                    None => lines.push((stem.to_owned(), vec![line.as_bytes().to_vec()])),
                }
            }
        }
        let closing = self.health.closing.load(Ordering::SeqCst);
        let now = self.clock.now();
        let due = |refused: &Refused| closing || now.saturating_duration_since(refused.since) >= RETRY;
        let again: Vec<_> =
            self.refused.iter().filter(|(_, refused)| due(refused)).map(|(stem, _)| stem.clone()).collect();
        for stem in again {
            if !lines.iter().any(|(known, _)| *known == stem) {
                lines.push((stem, Vec::new()));
            }
        }
        for (stem, lines) in lines {
            self.write_to(&stem, lines, closing);
        }
    }

    fn write_to(&mut self, stem: &str, lines: Vec<Vec<u8>>, closing: bool) {
        let now = self.clock.now();
        let is_recent = |refused: &Refused| now.saturating_duration_since(refused.since) < RETRY;
        let mut waiting = match self.refused.remove(stem) {
            Some(mut refused) if !closing && is_recent(&refused) => {
                self.hold(&mut refused.lines, lines);
                self.refused.insert(stem.to_owned(), refused);
                return;
            }
            Some(refused) => refused.lines,
            None => VecDeque::new(),
        };
        self.health.held.fetch_sub(waiting.len() as u64, Ordering::SeqCst);
        waiting.extend(lines);
        match self.try_write(stem, &waiting) {
            Ok(()) => self.written_again(),
            Err(error) => {
                // Half of the lines may have been written and are written again: twice is better than not at all.
                self.open.remove(stem);
                self.refuse(&error);
                let mut kept = VecDeque::new();
                self.hold(&mut kept, waiting);
                self.refused.insert(stem.to_owned(), Refused { since: self.clock.now(), lines: kept });
            }
        }
    }

    fn try_write(&mut self, stem: &str, lines: &VecDeque<Vec<u8>>) -> io::Result<()> {
        if !self.open.contains_key(stem) {
            if self.open.len() >= MAX_OPEN {
                self.open.clear();
            }
            fs::create_dir_all(&self.dir)?;
            if !std::mem::replace(&mut self.cleaned, true) {
                rotate::remove_old(&self.dir, &self.limits, self.clock.wall());
            }
            let file = RotatingFile::open(self.dir.join(format!("{stem}.log")), self.limits)?;
            self.open.insert(stem.to_owned(), file);
        }
        let Some(file) = self.open.get_mut(stem) else { return Err(io::ErrorKind::NotFound.into()) };
        for line in lines {
            file.write_line(line, self.clock.wall())?;
        }
        file.flush()
    }

    /// Adds `lines` to those that wait, as far as there is room for them.
    fn hold(&self, waiting: &mut VecDeque<Vec<u8>>, lines: impl IntoIterator<Item = Vec<u8>>) {
        for line in lines {
            if self.health.held.load(Ordering::SeqCst) < MAX_HELD as u64 {
                self.health.held.fetch_add(1, Ordering::SeqCst);
                waiting.push_back(line);
            } else {
                self.health.lost.fetch_add(1, Ordering::SeqCst);
            }
        }
    }

    fn refuse(&self, error: &io::Error) {
        let mut problem = self.health.problem.lock();
        if problem.is_none() {
            *problem = Some(format!(
                "log folder '{}': {error}; lines wait in memory, free disk space, make it writable or \
                 choose another with 'log_dir'",
                self.dir.display()
            ));
        }
    }

    fn written_again(&self) {
        if self.refused.is_empty() {
            *self.health.problem.lock() = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn lines_wait_while_the_folder_cannot_be_and_are_then_written_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let logs = dir.path().join("place/logs");
        fs::write(dir.path().join("place"), "a file where the folder should be").unwrap();
        let limits = Limits {
            max_bytes: 1 << 20,
            max_files: 3,
            max_age: Duration::from_hours(1),
            keep_for: Duration::from_hours(1),
        };
        let health = Arc::new(Health::default());
        let mut router = Router::new(
            &logs,
            limits,
            Disk::start("disk-test").unwrap(),
            Arc::clone(&health),
            Arc::new(SystemClock),
        );
        let mut say = |text: &str| {
            router.write_all(encode(Some(1), Some("cam"), text).as_bytes()).unwrap();
            router.flush().unwrap();
        };
        say("one");
        say("two");
        assert_eq!(health.held.load(Ordering::SeqCst), 6, "two lines for each of three files");
        let problem = health.problem.lock().clone().unwrap();
        assert!(problem.contains(&logs.display().to_string()) && problem.contains("log_dir"), "{problem}");
        fs::remove_file(dir.path().join("place")).unwrap();
        health.closing.store(true, Ordering::SeqCst);
        say("three");
        for stem in ["parallel_counter", "worker_01", "cam"] {
            assert_eq!(fs::read_to_string(logs.join(format!("{stem}.log"))).unwrap(), "one\ntwo\nthree\n");
        }
        assert_eq!(health.held.load(Ordering::SeqCst) + health.lost.load(Ordering::SeqCst), 0);
        assert_eq!(*health.problem.lock(), None);
    }
}
