//! The way out with a deadline. Every step of it runs on the thread that owns what is closed, and the main thread
//! waits for it at most so long. Should the main thread itself hang, in a terminal that does not read, another one takes
//! the steps in its place; the deadline ends the process in every case.
//!
//! | how it ends | exit code |
//! | --- | --- |
//! | everything was kept | of the run: 0, 1 or 69; after signal n: 128 + n |
//! | something was not kept: crossings, rows, log lines, printed lines | 1 (69 stays), and a sentence for each on the standard error |
//! | a second signal n comes | 128 + n, at once |

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use parking_lot::Mutex;

use super::{
    failure::{DONE, FAILED, NO_SOURCE},
    notices::Notices,
    signals::StopSignal,
};
use crate::native::{crash, leave};

/// From the signal to the end of the process. The sender of a signal waits two seconds.
const AFTER_SIGNAL: Duration = Duration::from_millis(1650);

/// From the loss of the terminal to the end of the process: nobody waits for it, and a busy machine gets to write everything.
const AFTER_HANG_UP: Duration = Duration::from_secs(5);

/// From the end of the run to the end of the process, when nobody is waiting.
const OTHERWISE: Duration = Duration::from_secs(10);

/// The main thread has this long after a signal to begin the way out.
const BEGIN: Duration = Duration::from_millis(500);

/// What was not kept, as sentences. May be asked from any thread and at any time; must not wait.
pub type Unkept = dyn Fn() -> Vec<String> + Send + Sync;

/// The deadline of the process.
#[derive(Clone)]
pub struct Ending {
    shared: Arc<Shared>,
    begin: Sender<Instant>,
    stop: StopSignal,
    notices: Notices,
}

#[derive(Default)]
struct Shared {
    unkept: Mutex<Option<Box<Unkept>>>,
    steps: Mutex<Option<Box<dyn FnOnce() + Send>>>,
    /// The earliest time set, once one is.
    deadline: Mutex<Option<Instant>>,
    left: AtomicBool,
}

impl Ending {
    /// Starts to wait: for a signal in `stop`, or for [`Self::begin`].
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn watch(stop: &StopSignal, notices: &Notices) -> std::io::Result<Self> {
        let (begin, begun) = bounded(1);
        let this = Self { shared: Arc::default(), begin, stop: stop.clone(), notices: notices.clone() };
        let (watched, signal) = (this.clone(), stop.heard.clone());
        std::thread::Builder::new().name("deadline".into()).spawn(move || watched.wait(&signal, &begun))?;
        Ok(this)
    }

    /// From now on `unkept` says what would be lost by ending now.
    pub fn set_unkept(&self, unkept: Box<Unkept>) {
        *self.shared.unkept.lock() = Some(unkept);
    }

    /// From now on `steps` is what has to be done on the way out, should the main thread not come to it.
    pub fn set_steps(&self, steps: Box<dyn FnOnce() + Send>) {
        *self.shared.steps.lock() = Some(steps);
    }

    /// The way out has begun, by itself or after a signal.
    pub fn begin(&self) {
        let deadline = *self.shared.deadline.lock().get_or_insert_with(|| Instant::now() + self.patience());
        // Full when it has begun before.
        let _ = self.begin.try_send(deadline);
    }

    /// From now, or from the signal that came, to the end of the process.
    fn patience(&self) -> Duration {
        match self.stop.code() {
            None => OTHERWISE,
            Some(_) if self.stop.is_hang_up() => AFTER_HANG_UP,
            Some(_) => AFTER_SIGNAL,
        }
    }

    /// Time until the deadline for a step that may take `part` of what is left, 0..=1.
    pub fn left(&self, part: f64) -> Duration {
        let deadline = self.shared.deadline.lock().unwrap_or_else(|| Instant::now() + OTHERWISE);
        deadline.saturating_duration_since(Instant::now()).mul_f64(part)
    }

    fn wait(&self, signal: &Receiver<Instant>, begun: &Receiver<Instant>) {
        let mut deadline = crossbeam_channel::select! {
            recv(signal) -> at => {
                let deadline = at.unwrap_or_else(|_| Instant::now()) + self.patience();
                *self.shared.deadline.lock() = Some(deadline);
                if begun.recv_timeout(BEGIN).is_err() {
                    self.take_over(deadline);
                }
                deadline
            }
            recv(begun) -> at => at.unwrap_or_else(|_| Instant::now()),
        };
        // A signal shortens a way out that has begun without one.
        if let Ok(at) = signal.recv_deadline(deadline) {
            deadline = deadline.min(at + self.patience());
            *self.shared.deadline.lock() = Some(deadline);
        }
        std::thread::sleep(deadline.saturating_duration_since(Instant::now()));
        self.leave(DONE, true);
    }

    /// Does what the main thread does not come to.
    fn take_over(&self, deadline: Instant) {
        let Some(steps) = self.shared.steps.lock().take() else { return };
        let (done, wait) = bounded::<()>(0);
        let started = std::thread::Builder::new().name("ending".into()).spawn(move || {
            steps();
            drop(done);
        });
        // Nothing is ever sent: it ends with the steps, or with patience.
        if started.is_ok() && wait.recv_deadline(deadline) == Err(RecvTimeoutError::Disconnected) {
            self.leave(DONE, true);
        }
    }

    /// Ends the process with `code`, or the one that the table above gives instead.
    pub fn leave(&self, code: u8, forced: bool) -> ! {
        if self.shared.left.swap(true, Ordering::SeqCst) {
            // Another thread is ending the process already.
            loop {
                std::thread::park();
            }
        }
        crash::give_back();
        let unkept = self.shared.unkept.try_lock_for(Duration::from_millis(50));
        let unkept = unkept.and_then(|unkept| unkept.as_ref().map(|ask| ask())).unwrap_or_default();
        for sentence in &unkept {
            self.notices.say_now(sentence);
        }
        if forced && unkept.is_empty() {
            self.notices
                .say_now("exited without waiting for a terminal, disk or decoder that does not answer");
        }
        let code =
            if !unkept.is_empty() && code != NO_SOURCE { FAILED } else { self.stop.code().unwrap_or(code) };
        leave::now(code)
    }
}
