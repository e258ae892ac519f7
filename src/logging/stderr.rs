//! Log lines on the standard error, for a program that runs as a service: systemd's journal takes them there.
//!
//! Nobody waits for them. What is not read waits in memory up to a bound, and what is lost here is counted; the log files
//! have it all the same.

use std::{
    fs::File,
    io::{self, Write as _},
    os::fd::{AsFd, AsRawFd as _},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::line::Level;
use crate::native::{
    disk::Disk,
    leave::{self, Kind},
};

/// Lines that may wait for a reader. At some 100 bytes a line: 100 kB.
const QUEUE: usize = 1_024;

/// What a line looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As in the log files.
    Dated,
    /// As systemd's journal wants it: led by its priority (`<6>`), without a time stamp, which the journal has itself.
    Journal,
}

impl Form {
    /// What suits the reader of `stream`: systemd says in `JOURNAL_STREAM`, given here as `named`, which one it reads
    /// itself, as device and inode (`8:1234`).
    #[must_use]
    pub fn of(stream: impl AsFd, named: Option<&str>) -> Self {
        let read = || {
            let (device, inode) = named?.split_once(':')?;
            Some((device.parse::<u64>().ok()?, inode.parse::<u64>().ok()?))
        };
        let is = rustix::fs::fstat(stream).ok().map(|stat| (stat.st_dev, stat.st_ino));
        if is.is_some() && is == read() { Self::Journal } else { Self::Dated }
    }
}

/// Priority of a line, as in syslog.
fn priority(level: Level) -> u8 {
    match level {
        Level::Error => 3,
        Level::Warn => 4,
        Level::Info => 6,
        Level::Debug => 7,
    }
}

enum QueuedLine {
    Line(String),
    /// Dropped when all before it is written.
    Mark(Sender<()>),
}

#[derive(Debug, Default)]
struct State {
    lost: AtomicU64,
    gone: AtomicBool,
}

/// The standard error, written by a thread of its own. Cheap to clone.
#[derive(Clone)]
pub struct StandardError {
    queue: Sender<QueuedLine>,
    form: Form,
    state: Arc<State>,
}

impl StandardError {
    /// Starts the thread, which writes to a duplicate of `stream`, whatever takes its place later.
    ///
    /// # Errors
    /// When the system refuses a thread or a descriptor.
    pub fn start(stream: impl AsFd, form: Form) -> io::Result<Self> {
        let out = File::from(stream.as_fd().try_clone_to_owned()?);
        let disk = match leave::kind(out.as_raw_fd()) {
            Kind::Stream => None,
            Kind::File => Some(Disk::start("disk-stderr")?),
        };
        let (queue, pieces) = bounded(QUEUE);
        let state = Arc::<State>::default();
        let writer = Writer { out, disk, form, state: Arc::clone(&state), told: 0 };
        std::thread::Builder::new().name("stderr-log".into()).spawn(move || writer.run(&pieces))?;
        Ok(Self { queue, form, state })
    }

    /// Gives it a line: `dated` as the log files have it, or what it is made of. Never waits.
    pub(super) fn say(&self, level: Level, label: &str, message: &str, dated: &str) {
        if self.state.gone.load(Ordering::Relaxed) {
            return;
        }
        let line = match self.form {
            Form::Dated => dated.to_owned(),
            Form::Journal => format!("<{}>[{label}] {message}", priority(level)),
        };
        if self.queue.try_send(QueuedLine::Line(line)).is_err() {
            self.state.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Lines that were not taken by a reader who is there.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.state.lost.load(Ordering::Relaxed)
    }

    /// Waits until what was said so far is written, at most `timeout`.
    pub(super) fn flush(&self, timeout: Duration) {
        let (mark, wait) = bounded::<()>(0);
        if self.queue.try_send(QueuedLine::Mark(mark)).is_ok() {
            // Nothing is ever sent: it ends with the mark, or with patience.
            let _ = wait.recv_timeout(timeout);
        }
    }
}

struct Writer {
    out: File,
    disk: Option<Disk>,
    form: Form,
    state: Arc<State>,
    /// Lost lines that the reader was told of.
    told: u64,
}

impl Writer {
    fn run(mut self, pieces: &Receiver<QueuedLine>) {
        for piece in pieces {
            match piece {
                QueuedLine::Line(line) => {
                    self.tell_of_lost();
                    self.write(&line);
                }
                QueuedLine::Mark(mark) => drop(mark),
            }
        }
    }

    fn tell_of_lost(&mut self) {
        let lost = self.state.lost.load(Ordering::Relaxed);
        let new = lost - self.told;
        if new == 0 {
            return;
        }
        let lead = match self.form {
            Form::Dated => String::new(),
            Form::Journal => format!("<{}>", priority(Level::Warn)),
        };
        if self.write(&format!(
            "{lead}{new} log lines are missing here, because nothing read this output; the log files have \
             them"
        )) {
            self.told = lost;
        }
    }

    /// Whether it was taken.
    fn write(&mut self, line: &str) -> bool {
        if self.state.gone.load(Ordering::Relaxed) {
            return false;
        }
        let line = format!("{line}\n");
        let out = &mut self.out;
        let written = match &self.disk {
            Some(disk) => disk.run(|| out.write_all(line.as_bytes())),
            None => out.write_all(line.as_bytes()),
        };
        match written {
            Ok(()) => return true,
            // A full disk, or a stream that somebody has made not to wait: later lines may be taken.
            Err(error)
                if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::WouldBlock)
                    || error.kind() == io::ErrorKind::QuotaExceeded =>
            {
                self.state.lost.fetch_add(1, Ordering::Relaxed);
            }
            Err(_) => self.state.gone.store(true, Ordering::Relaxed),
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn the_journal_is_known_by_device_and_inode() {
        let (reader, writer) = io::pipe().unwrap();
        let stat = rustix::fs::fstat(&writer).unwrap();
        let named = format!("{}:{}", stat.st_dev, stat.st_ino);
        assert_eq!(Form::of(&writer, Some(&named)), Form::Journal);
        let other = format!("{}:{}", stat.st_dev, stat.st_ino + 1);
        for named in [None, Some(""), Some("x:y"), Some(other.as_str())] {
            assert_eq!(Form::of(&writer, named), Form::Dated, "{named:?}");
        }
        drop(reader);
    }

    #[test]
    fn lines_have_their_priority_and_no_time_in_the_journal() {
        let (mut reader, writer) = io::pipe().unwrap();
        let out = StandardError::start(&writer, Form::Journal).unwrap();
        drop(writer);
        for level in [Level::Error, Level::Warn, Level::Info, Level::Debug] {
            out.say(level, "ENGINE", "hello", "[2024-01-15 10:23:45] [ENGINE] [INFO] hello");
        }
        out.flush(Duration::from_secs(30));
        drop(out);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "<3>[ENGINE] hello\n<4>[ENGINE] hello\n<6>[ENGINE] hello\n<7>[ENGINE] hello\n");
    }

    #[test]
    fn a_reader_that_does_not_read_holds_nobody_up_and_is_told_what_it_misses() {
        let (mut reader, writer) = io::pipe().unwrap();
        let out = StandardError::start(&writer, Form::Dated).unwrap();
        drop(writer);
        let long = "x".repeat(4_000);
        for _ in 0..3 * QUEUE {
            out.say(Level::Info, "", "", &long);
        }
        let lost = out.lost();
        assert!(lost > 0, "a pipe holds 64 kB");
        let rest = std::thread::spawn(move || {
            let mut text = String::new();
            reader.read_to_string(&mut text).unwrap();
            text
        });
        while out.queue.len() > QUEUE / 2 {
            std::thread::sleep(Duration::from_millis(1));
        }
        out.say(Level::Info, "", "", "and on");
        out.flush(Duration::from_secs(30));
        drop(out);
        let text = rest.join().unwrap();
        let missing: u64 = text
            .lines()
            .filter_map(|line| {
                line.strip_suffix(
                    " log lines are missing here, because nothing read this output; the log \
                     files have them",
                )
            })
            .map(|count| count.parse::<u64>().unwrap())
            .sum();
        assert_eq!(missing, lost);
        assert!(text.ends_with("and on\n"));
        assert_eq!(text.lines().filter(|line| *line == long).count() as u64, 3 * QUEUE as u64 - lost);
    }

    #[test]
    fn a_reader_that_has_gone_misses_nothing() {
        let (reader, writer) = io::pipe().unwrap();
        let out = StandardError::start(&writer, Form::Dated).unwrap();
        drop((reader, writer));
        for _ in 0..3 * QUEUE {
            out.say(Level::Info, "", "", "nobody reads this");
            out.flush(Duration::from_millis(100));
        }
        assert_eq!(out.lost(), 0);
        assert!(out.state.gone.load(Ordering::Relaxed));
    }
}
