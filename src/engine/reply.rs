//! What becomes of a [`Control`](super::Control): told as soon as it has taken effect or cannot.

use std::{sync::Arc, time::Duration};

use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;

use super::error::EngineError;

/// Done, or why not.
pub type Outcome = Result<(), EngineError>;

/// The outcome of a [`Control`](super::Control), which may still be on its way: what concerns the counts of a source
/// takes effect after the detection run that is on.
#[derive(Debug)]
pub struct Reply(Receiver<Outcome>);

impl Reply {
    /// A reply that is there already.
    #[must_use]
    pub fn new(outcome: Outcome) -> Self {
        let (answer, reply) = Answer::new();
        answer.give(outcome);
        reply
    }

    /// The outcome, once, if it is known by now. Never waits.
    #[must_use]
    pub fn poll(&self) -> Option<Outcome> {
        self.0.try_recv().ok()
    }

    /// The outcome, once; waits for it at most `timeout`.
    #[must_use]
    pub fn wait(&self, timeout: Duration) -> Option<Outcome> {
        self.0.recv_timeout(timeout).ok()
    }
}

/// The side that answers. Where several answer to one [`Reply`], it comes with the last of them and holds the first
/// error. An answer that is dropped says that the engine has ended.
pub struct Answer {
    shared: Arc<Shared>,
    given: bool,
}

struct Shared {
    sender: Sender<Outcome>,
    first_error: Mutex<Option<EngineError>>,
    /// Tells whom it concerns that the answer is owed, as long as it is.
    owed: Option<Arc<()>>,
}

impl Answer {
    /// An answer that is owed, and the reply that it becomes.
    #[must_use]
    pub fn new() -> (Self, Reply) {
        Self::with(None)
    }

    /// [`Self::new`], with `owed` held until the answer is given.
    pub(super) fn owed(owed: Arc<()>) -> (Self, Reply) {
        Self::with(Some(owed))
    }

    fn with(owed: Option<Arc<()>>) -> (Self, Reply) {
        let (sender, receiver) = bounded(1);
        let shared = Arc::new(Shared { sender, first_error: Mutex::default(), owed });
        (Self { shared, given: false }, Reply(receiver))
    }

    /// Another one that has to answer before the reply comes.
    #[must_use]
    pub fn share(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), given: false }
    }

    /// Answers.
    pub fn give(mut self, outcome: Outcome) {
        self.note(outcome);
    }

    fn note(&mut self, outcome: Outcome) {
        self.given = true;
        if let Err(error) = outcome {
            self.shared.first_error.lock().get_or_insert(error);
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if !self.given {
            self.note(Err(EngineError::Ended));
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let outcome = self.first_error.lock().take().map_or(Ok(()), Err);
        // Before the outcome is read: then nothing is owed any more.
        self.owed = None;
        // There is room for the one outcome; who asked may not want it any more.
        let _ = self.sender.try_send(outcome);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_comes_with_the_last_answer_and_holds_the_first_error() {
        let (one, reply) = Answer::new();
        let (two, three) = (one.share(), one.share());
        one.give(Ok(()));
        assert!(reply.poll().is_none());
        two.give(Err(EngineError::UnknownSource("two".into())));
        three.give(Err(EngineError::UnknownSource("three".into())));
        let error = reply.poll().unwrap().unwrap_err();
        assert!(matches!(error, EngineError::UnknownSource(id) if &*id == "two"));
        assert!(reply.poll().is_none(), "once");
    }

    #[test]
    fn what_is_dropped_without_an_answer_says_so() {
        let (answer, reply) = Answer::new();
        drop(answer);
        assert!(matches!(reply.poll(), Some(Err(EngineError::Ended))));
        assert!(matches!(Reply::new(Ok(())).wait(Duration::ZERO), Some(Ok(()))));
    }
}
