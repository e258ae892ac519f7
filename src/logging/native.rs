//! What native libraries write to the standard error on their own (OpenCV and what it is made of) goes through here: it
//! must reach neither the screen nor a program that reads our output, and it may quote an address with its
//! password.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead as _, BufReader, PipeWriter, Read as _, Write as _},
    os::fd::{AsFd as _, AsRawFd as _, OwnedFd},
    path::{Path, PathBuf},
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use parking_lot::Mutex;

use super::{
    names,
    rotate::{Limits, RotatingFile},
};
use crate::{clock::Clock, config::redact, native::disk::Disk};

/// Longest line kept, in characters; what is longer is cut.
const MAX_LINE: usize = 4096;

/// Longest line read as one, in bytes.
const MAX_READ: u64 = 64 * 1024;

/// The end waits at most this long for the last lines: somebody may still hold the pipe.
const PATIENCE: Duration = Duration::from_secs(1);

/// A file that cannot be opened is left alone for this long.
const RETRY: Duration = Duration::from_secs(10);

/// A pipe whose other end cleans each line and appends it to `native-stderr.log`.
pub struct NativeOutput {
    writer: Option<PipeWriter>,
    /// What takes the place of the pipe at the end: the standard error as it was before [`Self::capture`].
    saved: Option<OwnedFd>,
    thread: Option<JoinHandle<()>>,
    /// Ends with the thread.
    ended: Receiver<()>,
}

impl NativeOutput {
    /// Begins to write into `dir`, up to `max_bytes`; then a new file is started and the one before kept as
    /// `native-stderr.log.1`. What `disk` refuses, or has no time for, is lost: decoders must not wait for it.
    ///
    /// # Errors
    /// When the system refuses a pipe or a thread.
    pub(super) fn start(dir: &Path, max_bytes: u64, disk: Disk, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let path = dir.join(format!("{}.log", names::NATIVE));
        let limits = Limits { max_bytes, max_files: 1, max_age: Duration::MAX, keep_for: Duration::MAX };
        let target = Arc::new(Mutex::new(LogSink { path, limits, file: None, refused: None, clock }));
        // Made at once, so that a user finds it.
        let first = Arc::clone(&target);
        let _ = disk.post(move || first.lock().open());
        let (reader, writer) = io::pipe()?;
        let (alive, ended) = bounded::<()>(0);
        let thread = std::thread::Builder::new().name("native-log".into()).spawn(move || {
            copy(BufReader::new(reader), |line| {
                let (target, line) = (Arc::clone(&target), line.to_owned());
                // Dropped when the disk does not follow.
                let _ = disk.post(move || target.lock().write(&line));
            });
            // What waits is written before the thread ends, or not at all.
            disk.run_within(PATIENCE, || ());
            drop(alive);
        })?;
        Ok(Self { writer: Some(writer), saved: None, thread: Some(thread), ended })
    }

    /// Takes the standard error and passes on what is written to it, without the secrets that the process knows; each
    /// line is printed by what `beside` is given. When this is dropped everything has been passed on, and from then on nobody hears what a thread that is stuck in
    /// native code has to say.
    ///
    /// # Errors
    /// When the system refuses a pipe or a thread.
    pub fn pass_on(beside: impl Fn(&mut dyn FnMut()) + Send + 'static) -> io::Result<Self> {
        let mut stderr = File::from(io::stderr().as_fd().try_clone_to_owned()?);
        let nowhere = OpenOptions::new().write(true).open("/dev/null")?;
        let (reader, writer) = io::pipe()?;
        let (alive, ended) = bounded::<()>(0);
        let thread = std::thread::Builder::new().name("native-stderr".into()).spawn(move || {
            copy(BufReader::new(reader), |line| {
                // A reader that is gone misses nothing.
                beside(&mut || drop(writeln!(stderr, "{line}")));
            });
            drop(alive);
        })?;
        rustix::stdio::dup2_stderr(&writer)?;
        Ok(Self { writer: Some(writer), saved: Some(nowhere.into()), thread: Some(thread), ended })
    }

    /// A name under which others in this process can open the pipe for writing, as if it were the file.
    #[must_use]
    pub fn path(&self) -> Option<PathBuf> {
        self.writer.as_ref().map(|writer| PathBuf::from(format!("/proc/self/fd/{}", writer.as_raw_fd())))
    }

    /// Puts the pipe in place of the standard error, until this is dropped.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn capture(&mut self) -> io::Result<()> {
        let saved = io::stderr().as_fd().try_clone_to_owned()?;
        if let Some(writer) = &self.writer {
            rustix::stdio::dup2_stderr(writer)?;
            self.saved = Some(saved);
        }
        Ok(())
    }
}

impl Drop for NativeOutput {
    fn drop(&mut self) {
        let restored = self.saved.take().is_none_or(|saved| rustix::stdio::dup2_stderr(&saved).is_ok());
        self.writer = None;
        // With the last writer gone the thread sees the end. Had the standard error stayed, it would not.
        if let Some(thread) = self.thread.take().filter(|_| restored) {
            // Nothing is ever sent.
            if self.ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Disconnected) {
                // A panic of the thread was reported by its hook.
                let _ = thread.join();
            }
        }
    }
}

struct LogSink {
    path: PathBuf,
    limits: Limits,
    file: Option<RotatingFile>,
    refused: Option<Instant>,
    clock: Arc<dyn Clock>,
}

impl LogSink {
    fn open(&mut self) {
        if self.file.is_some()
            || self.refused.is_some_and(|at| self.clock.now().saturating_duration_since(at) < RETRY)
        {
            return;
        }
        match RotatingFile::open(&self.path, self.limits) {
            Ok(file) => (self.file, self.refused) = (Some(file), None),
            Err(error) => {
                if self.refused.replace(self.clock.now()).is_none() {
                    tracing::warn!(
                        "What FFmpeg and OpenCV print cannot be logged to '{}': {error}",
                        self.path.display()
                    );
                }
            }
        }
    }

    fn write(&mut self, line: &str) {
        self.open();
        // A disk that refuses costs these lines and nothing else.
        if let Some(file) = &mut self.file
            && file.write_line(line.as_bytes(), self.clock.wall()).and_then(|()| file.flush()).is_err()
        {
            (self.file, self.refused) = (None, Some(self.clock.now()));
        }
    }
}

fn copy(mut reader: BufReader<io::PipeReader>, mut write: impl FnMut(&str)) {
    let mut line = Vec::new();
    loop {
        line.clear();
        match reader.by_ref().take(MAX_READ).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                let text = String::from_utf8_lossy(&line);
                // Cut afterwards: half a secret would not be found.
                let clean = redact(text.trim_end());
                let end = clean.char_indices().nth(MAX_LINE).map_or(clean.len(), |(at, _)| at);
                write(&clean[..end]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, OpenOptions},
        io::Write as _,
    };

    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn lines_are_cleaned_and_the_file_stays_within_its_size() {
        let dir = tempfile::tempdir().unwrap();
        crate::config::known().learn("hunter2-of-ffmpeg");
        let output =
            NativeOutput::start(dir.path(), 2000, Disk::start("disk-test").unwrap(), Arc::new(SystemClock))
                .unwrap();
        let mut pipe = OpenOptions::new().append(true).open(output.path().unwrap()).unwrap();
        for number in 0..100 {
            writeln!(pipe, "[rtsp @ 0x1] {number}: rtsp://u:other@h/1 and hunter2-of-ffmpeg failed").unwrap();
        }
        drop((pipe, output));
        let kept = ["native-stderr.log", "native-stderr.log.1"]
            .map(|name| fs::read_to_string(dir.path().join(name)).unwrap());
        let text = kept.concat();
        assert!(text.contains("99: rtsp://***@h/1 and *** failed"), "{text}");
        assert!(!text.contains("hunter2") && !text.contains("other"), "{text}");
        assert!(kept.iter().all(|file| file.len() < 2200));
    }
}
