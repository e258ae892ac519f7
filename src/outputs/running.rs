//! What every output has: a bounded queue, a thread, a count of what was lost, `sync`, `health` and `close`.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};
use parking_lot::Mutex;

use super::{BothClocks, Gauge, Health, Output, Results, Setup};
use crate::{
    clock::Clock,
    model::{Event, TaskResult},
};

/// What is asked of outputs beside what they are given has room of its own.
const QUESTIONS: usize = 16;

/// Who drops an output waits at most this long for it.
const PATIENCE: Duration = Duration::from_secs(5);

enum Message {
    Event {
        event: Arc<Event>,
        at: BothClocks,
        /// Events lost just before this one.
        missed: u64,
    },
    Result {
        result: Arc<TaskResult>,
        at: BothClocks,
    },
    Sync(Sender<bool>),
    Close(Sender<bool>),
}

/// An output at work. Giving it something never blocks. Dropping it closes it.
pub struct Running {
    setup: Setup,
    gauge: Box<Gauge>,
    intake: Mutex<Intake>,
    /// Events and rows in the queue or taken from it since the start.
    pub(super) taken: AtomicU64,
    lost: AtomicU64,
    /// What the first closing found.
    closed: Mutex<Option<bool>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Intake {
    /// None once it is closed.
    sender: Option<Sender<Message>>,
    /// Of the latest event, whether it was wanted or not.
    number: u64,
    /// Events lost since the last one that was taken.
    missed: u64,
}

/// An answer that is waited for.
pub(super) enum Wait {
    Sync(Option<Receiver<bool>>),
    Close(Option<Receiver<bool>>),
    /// It was closed before.
    Closed,
}

impl Running {
    /// Starts the thread of `output`.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn start(output: impl Output) -> io::Result<Self> {
        let (setup, gauge) = (output.setup(), output.gauge());
        let (sender, queue) = bounded(setup.room + QUESTIONS);
        let clock = Arc::clone(&setup.clock);
        let thread = std::thread::Builder::new()
            .name(setup.name.into())
            .spawn(move || run(output, &queue, clock.as_ref()))?;
        Ok(Self {
            setup,
            gauge,
            intake: Mutex::new(Intake { sender: Some(sender), number: 0, missed: 0 }),
            taken: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            closed: Mutex::new(None),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Gives it an event. A number that was left out since the last one is that of an event which was lost.
    pub fn event(&self, event: &Arc<Event>) {
        let mut intake = self.intake.lock();
        if event.number > 0 {
            intake.missed += event.number.saturating_sub(intake.number + 1);
            intake.number = event.number;
        }
        if !(self.setup.wants)(event) {
            return;
        }
        let at = BothClocks::now(self.setup.clock.as_ref());
        let message = Message::Event { event: Arc::clone(event), at, missed: intake.missed };
        if Self::put(&intake, self.setup.room, message) {
            intake.missed = 0;
            self.taken.fetch_add(1, Ordering::SeqCst);
        } else {
            intake.missed += 1;
            self.lose();
        }
    }

    /// Gives it a result.
    pub fn result(&self, result: &Arc<TaskResult>) {
        if self.setup.results == Results::None {
            return;
        }
        let intake = self.intake.lock();
        let at = BothClocks::now(self.setup.clock.as_ref());
        let taken =
            Self::put(&intake, self.setup.room / 2, Message::Result { result: Arc::clone(result), at });
        if self.setup.results == Results::Rows {
            if taken {
                self.taken.fetch_add(1, Ordering::SeqCst);
            } else {
                self.lose();
            }
        }
    }

    fn put(intake: &Intake, room: usize, message: Message) -> bool {
        let Some(sender) = &intake.sender else { return false };
        sender.len() < room && sender.try_send(message).is_ok()
    }

    fn lose(&self) {
        if self.lost.fetch_add(1, Ordering::Relaxed) == 0
            && let Some([first, _]) = self.setup.overrun
        {
            tracing::warn!("{first}");
        }
    }

    /// Its state.
    #[must_use]
    pub fn health(&self) -> Health {
        // In this order: what is taken in between must not make the difference negative.
        let reading = (self.gauge)();
        Health {
            waiting: self.taken.load(Ordering::SeqCst).saturating_sub(reading.done),
            lost: self.lost.load(Ordering::Relaxed) + reading.lost,
            problem: reading.problem,
            notices: reading.notices,
        }
    }

    /// Waits until everything given so far was handed on; `false` when that failed or `timeout` passed first.
    pub fn sync(&self, timeout: Duration) -> bool {
        let begun = self.setup.clock.now();
        let wait = self.begin_sync(timeout);
        self.wait(wait, self.left(begun, timeout))
    }

    /// Hands on what waits and ends the thread; waits for it at most `timeout`. What is given to it later is lost. `false`
    /// when that failed or `timeout` passed first; asked again, it answers the same at once.
    pub fn close(&self, timeout: Duration) -> bool {
        let begun = self.setup.clock.now();
        let wait = self.begin_close(timeout);
        self.wait(wait, self.left(begun, timeout))
    }

    fn left(&self, begun: Instant, timeout: Duration) -> Duration {
        timeout.saturating_sub(self.setup.clock.now().saturating_duration_since(begun))
    }

    pub(super) fn keeps(&self) -> bool {
        self.setup.keeps
    }

    pub(super) fn unkept(&self) -> Option<String> {
        (self.setup.unkept)(&self.health())
    }

    /// What comes next follows the event `number`.
    pub(super) fn begin_after(&self, number: u64) {
        self.intake.lock().number = number;
    }

    /// Asks for everything given so far to be handed on; waits at most `patience` to ask.
    pub(super) fn begin_sync(&self, patience: Duration) -> Wait {
        let sender = self.intake.lock().sender.clone();
        Wait::Sync(sender.and_then(|sender| ask(&sender, Message::Sync, patience)))
    }

    /// Asks it to end; waits at most `patience` to ask.
    pub(super) fn begin_close(&self, patience: Duration) -> Wait {
        let Some(sender) = self.intake.lock().sender.take() else { return Wait::Closed };
        Wait::Close(ask(&sender, Message::Close, patience))
    }

    /// Waits for an answer at most `patience`.
    pub(super) fn wait(&self, wait: Wait, patience: Duration) -> bool {
        let heard = |answer: Option<Receiver<bool>>| {
            answer.is_some_and(|answer| answer.recv_timeout(patience).unwrap_or(false))
        };
        let closed = match wait {
            Wait::Sync(answer) => return heard(answer),
            Wait::Closed => return self.closed.lock().unwrap_or(false),
            Wait::Close(answer) => heard(answer),
        };
        *self.closed.lock() = Some(closed);
        let health = self.health();
        if !closed && let Some(sentence) = (self.setup.unclosed)(&health) {
            tracing::error!("{sentence}");
        }
        if health.lost > 0
            && let Some([_, lost]) = self.setup.overrun
        {
            tracing::warn!("{} {lost}", health.lost);
        }
        closed
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A disk that does not answer must not keep the program from ending.
        if self.close(PATIENCE)
            && let Some(thread) = self.thread.lock().take()
        {
            // A panic of the thread was reported by its hook.
            let _ = thread.join();
        }
    }
}

fn ask(
    sender: &Sender<Message>,
    question: impl Fn(Sender<bool>) -> Message,
    patience: Duration,
) -> Option<Receiver<bool>> {
    let (answer, wait) = bounded(1);
    match sender.try_send(question(answer)) {
        Ok(()) => Some(wait),
        Err(TrySendError::Full(question)) => sender.send_timeout(question, patience).ok().map(|()| wait),
        Err(TrySendError::Disconnected(_)) => None,
    }
}

fn run(mut output: impl Output, queue: &Receiver<Message>, clock: &dyn Clock) {
    output.begin();
    loop {
        let next = match output.wake() {
            Some(at) => queue.recv_timeout(at.saturating_duration_since(clock.now())),
            None => queue.recv().map_err(RecvTimeoutError::from),
        };
        let idle = match next {
            Ok(Message::Event { event, at, missed }) => {
                if missed > 0 {
                    output.missed(missed);
                }
                output.event(&event, at);
                false
            }
            Ok(Message::Result { result, at }) => {
                output.result(&result, at);
                false
            }
            // Who waited may have lost patience, here and below.
            Ok(Message::Sync(done)) => {
                let _ = done.send(output.flush());
                false
            }
            Ok(Message::Close(done)) => {
                let _ = done.send(output.close());
                return;
            }
            Err(RecvTimeoutError::Timeout) => true,
            Err(RecvTimeoutError::Disconnected) => {
                output.close();
                return;
            }
        };
        // Checked after every event: a busy queue must not put a flush off.
        if idle || output.wake().is_some_and(|at| clock.now() >= at) {
            output.work(idle);
        }
    }
}

#[cfg(test)]
mod tests;
