//! Spreads lines over the files. Runs on the log writer's thread; a failing disk costs lines, counted, and
//! nothing else.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use super::{
    names,
    rotate::{self, Limits, RotatingFile},
};

/// Stands between the parts of a record; never part of a cleaned line.
const SEPARATOR: char = '\u{1f}';

/// Files open at the same time; beyond it all are closed and opened again as needed.
const MAX_OPEN: usize = 200;

/// A file that cannot be opened is left alone for this long.
const RETRY: Duration = Duration::from_secs(1);

/// One line on its way to the router: whom it belongs to and what it says.
pub fn encode(worker: Option<u64>, camera_stem: Option<&str>, line: &str) -> String {
    let worker = worker.map(names::worker_stem).unwrap_or_default();
    format!("{worker}{SEPARATOR}{}{SEPARATOR}{line}", camera_stem.unwrap_or_default())
}

/// All the log files of one folder.
#[derive(Debug)]
pub struct Router {
    dir: PathBuf,
    limits: Limits,
    files: HashMap<String, RotatingFile>,
    refused: HashMap<String, Instant>,
    failed: Arc<AtomicU64>,
}

impl Router {
    /// Makes the folder, removes old files and opens the central log. Lines that cannot be written are
    /// added to `failed`.
    ///
    /// # Errors
    /// When the folder or the central log cannot be written.
    pub fn open(dir: &Path, limits: Limits, failed: Arc<AtomicU64>) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        rotate::remove_old(dir, &limits, SystemTime::now());
        let central = RotatingFile::open(dir.join(format!("{}.log", names::CENTRAL)), limits)?;
        Ok(Self {
            dir: dir.to_owned(),
            limits,
            files: HashMap::from([(names::CENTRAL.to_owned(), central)]),
            refused: HashMap::new(),
            failed,
        })
    }

    fn write_to(&mut self, stem: &str, line: &[u8]) {
        let result = self.file(stem).and_then(|file| file.write_line(line, SystemTime::now()));
        if result.is_err() {
            self.failed.fetch_add(1, Ordering::Relaxed);
            self.files.remove(stem);
            self.refused.insert(stem.to_owned(), Instant::now());
        }
    }

    fn file(&mut self, stem: &str) -> io::Result<&mut RotatingFile> {
        if !self.files.contains_key(stem) {
            if self.refused.get(stem).is_some_and(|since| since.elapsed() < RETRY) {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            if self.files.len() >= MAX_OPEN {
                self.flush_all();
                self.files.clear();
            }
            fs::create_dir_all(&self.dir)?;
            let file = RotatingFile::open(self.dir.join(format!("{stem}.log")), self.limits)?;
            self.refused.remove(stem);
            self.files.insert(stem.to_owned(), file);
        }
        self.files.get_mut(stem).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn flush_all(&mut self) {
        let failed = &self.failed;
        self.files.retain(|_, file| {
            let flushed = file.flush().is_ok();
            if !flushed {
                failed.fetch_add(1, Ordering::Relaxed);
            }
            flushed
        });
    }
}

impl io::Write for Router {
    /// Takes one whole record of [`encode`].
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(record);
        let mut parts = text.splitn(3, SEPARATOR);
        if let (Some(worker), Some(camera), Some(line)) = (parts.next(), parts.next(), parts.next()) {
            self.write_to(names::CENTRAL, line.as_bytes());
            for stem in [worker, camera] {
                if !stem.is_empty() {
                    self.write_to(stem, line.as_bytes());
                }
            }
        }
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flush_all();
        Ok(())
    }
}
