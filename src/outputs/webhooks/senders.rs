//! The threads that wait for the server of a webhook, so that one slow answer holds up no other source.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use super::{
    http::{Caller, Outcome},
    message::Message,
};
use crate::ledger::webhooks::Undelivered;

/// Most messages that are on their way at once.
const MOST: usize = 8;

/// A message to send.
struct Job {
    event: Undelivered,
    message: Message,
    caller: Arc<Caller>,
    /// Now, in seconds since the Unix epoch.
    timestamp: i64,
}

/// What became of an event.
pub type Answer = (Undelivered, Outcome);

/// Threads that send; they end when this is dropped, at the latest after the answer that they wait for.
pub struct Senders {
    jobs: Sender<Job>,
    waiting: Receiver<Job>,
    answered: Sender<Answer>,
    /// What became of events that were sent.
    pub answers: Receiver<Answer>,
    threads: usize,
    busy: usize,
}

impl Senders {
    /// No thread before there is something to send.
    pub fn new() -> Self {
        let ((jobs, waiting), (answered, answers)) = (bounded(MOST), unbounded());
        Self { jobs, waiting, answered, answers, threads: 0, busy: 0 }
    }

    /// Whether another message can be sent at once.
    pub fn are_free(&self) -> bool {
        self.busy < MOST
    }

    /// Sends `message` of `event` at `timestamp`, in seconds since the Unix epoch; never waits. Only where they
    /// [are free](Self::are_free).
    ///
    /// # Errors
    /// When the system refuses the first thread.
    pub fn send(
        &mut self,
        event: Undelivered,
        message: Message,
        caller: Arc<Caller>,
        timestamp: i64,
    ) -> Result<(), String> {
        if self.busy >= self.threads {
            match self.start() {
                Ok(()) => self.threads += 1,
                Err(error) if self.threads == 0 => {
                    return Err(format!("the system refuses a thread: {error}"));
                }
                // It waits for one of the others.
                Err(_) => {}
            }
        }
        self.busy += 1;
        // There is room for as many as are ever under way.
        let _ = self.jobs.try_send(Job { event, message, caller, timestamp });
        Ok(())
    }

    /// Notes that an answer was taken.
    pub fn is_answered(&mut self) {
        self.busy = self.busy.saturating_sub(1);
    }

    fn start(&self) -> std::io::Result<()> {
        let (waiting, answered) = (self.waiting.clone(), self.answered.clone());
        let work = move || {
            for Job { event, message, caller, timestamp } in waiting {
                let outcome = caller.send(&message, timestamp);
                if answered.send((event, outcome)).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("webhook-send".into()).spawn(work).map(drop)
    }
}
