//! What the user is told on the standard error while the program runs. Nothing waits until it is read.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, Write as _},
    os::fd::{AsFd as _, AsRawFd as _},
    sync::Arc,
    time::Duration,
};

use crossbeam_channel::{Sender, bounded};
use parking_lot::Mutex;

use crate::{
    config,
    native::{
        disk::Disk,
        leave::{self, Kind},
    },
};

/// Sentences that may wait for a reader; more are dropped. Each of them is in the log as well.
const QUEUE: usize = 64;

/// The last sentences wait at most this long for a reader.
const PATIENCE: Duration = Duration::from_millis(100);

/// The standard error as it was when the program began, whatever takes its place later. Cheap to clone.
#[derive(Clone)]
pub struct Notices {
    queue: Sender<(String, Option<Sender<()>>)>,
    told: Arc<Mutex<BTreeSet<String>>>,
}

impl Notices {
    /// Starts the thread that writes.
    ///
    /// # Errors
    /// When the system refuses a thread or a descriptor.
    pub fn start() -> io::Result<Self> {
        Self::led_by("pcount-tui: ")
    }

    /// [`Self::start`], with `lead` before each sentence.
    ///
    /// # Errors
    /// When the system refuses a thread or a descriptor.
    pub fn led_by(lead: &'static str) -> io::Result<Self> {
        let mut out = File::from(io::stderr().as_fd().try_clone_to_owned()?);
        let disk = match leave::kind(out.as_raw_fd()) {
            Kind::Stream => None,
            Kind::File => Some(Disk::start("disk-stderr")?),
        };
        let (queue, sentences) = bounded::<(String, Option<Sender<()>>)>(QUEUE);
        std::thread::Builder::new().name("stderr".into()).spawn(move || {
            for (sentence, done) in sentences {
                let line = format!("{lead}{}\n", config::redact(&sentence));
                // There is nobody to tell when it fails.
                let _ = match &disk {
                    Some(disk) => disk.run(|| out.write_all(line.as_bytes())),
                    None => out.write_all(line.as_bytes()),
                };
                drop(done);
            }
        })?;
        Ok(Self { queue, told: Arc::default() })
    }

    /// Says `sentence`.
    pub fn say(&self, sentence: &str) {
        let _ = self.queue.try_send((sentence.to_owned(), None));
    }

    /// Says each of `problems` that was not there when this was last called.
    pub fn say_new(&self, problems: &[String]) {
        let mut told = self.told.lock();
        told.retain(|known| problems.contains(known));
        for problem in problems {
            if told.insert(problem.clone()) {
                self.say(problem);
            }
        }
    }

    /// Says `sentence` and waits a moment for it to be taken.
    pub fn say_now(&self, sentence: &str) {
        let (done, wait) = bounded(0);
        if self.queue.try_send((sentence.to_owned(), Some(done))).is_ok() {
            // Nothing is ever sent: it ends when the thread has written, or when patience ends.
            let _ = wait.recv_timeout(PATIENCE);
        }
    }
}
