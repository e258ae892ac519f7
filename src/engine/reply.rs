//! What becomes of a [`Control`](super::Control): told as soon as it has taken effect or cannot.

use std::{fmt, sync::Arc, time::Duration};

use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;

use super::error::EngineError;

/// Done, or why not.
pub type Outcome = Result<(), EngineError>;

/// Told the outcome, once.
type Hook = Box<dyn FnOnce(&Outcome) + Send>;

/// The outcome of a [`Control`](super::Control), which may still be on its way: what concerns the counts of a source
/// takes effect after the detection run that is on.
pub struct Reply {
    outcome: Receiver<Outcome>,
    hook: Mutex<Option<Hook>>,
}

impl Reply {
    /// A reply that is there already.
    #[must_use]
    pub fn new(outcome: Outcome) -> Self {
        let (answer, reply) = Answer::new();
        answer.give(outcome);
        reply
    }

    /// Has `hook` run once, when the outcome becomes known to the caller: in [`Self::poll`] or [`Self::wait`], on their
    /// thread. A reply that is dropped before runs it if its outcome is there by then, else never. Hooks run in the order in
    /// which they were given.
    #[must_use]
    pub fn then(self, hook: impl FnOnce(&Outcome) + Send + 'static) -> Self {
        {
            let mut held = self.hook.lock();
            *held = Some(match held.take() {
                None => Box::new(hook),
                Some(first) => Box::new(move |outcome: &Outcome| {
                    first(outcome);
                    hook(outcome);
                }),
            });
        }
        self
    }

    /// The outcome, once, if it is known by now. Never waits.
    #[must_use]
    pub fn poll(&self) -> Option<Outcome> {
        self.pass(self.outcome.try_recv().ok())
    }

    /// The outcome, once; waits for it at most `timeout`.
    #[must_use]
    pub fn wait(&self, timeout: Duration) -> Option<Outcome> {
        self.pass(self.outcome.recv_timeout(timeout).ok())
    }

    fn pass(&self, outcome: Option<Outcome>) -> Option<Outcome> {
        let outcome = outcome?;
        // Outside the lock: the hook may take its time.
        let hook = self.hook.lock().take();
        if let Some(hook) = hook {
            hook(&outcome);
        }
        Some(outcome)
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").finish_non_exhaustive()
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if self.hook.get_mut().is_some() {
            drop(self.poll());
        }
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
    /// Marks the answer as owed, as long as it is.
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
        (Self { shared, given: false }, Reply { outcome: receiver, hook: Mutex::default() })
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
    fn hooks_run_once_in_order_when_the_outcome_is_known_to_the_caller() {
        let told = Arc::<Mutex<Vec<(u8, bool)>>>::default();
        let tell = |number: u8| {
            let told = Arc::clone(&told);
            move |outcome: &Outcome| told.lock().push((number, outcome.is_ok()))
        };
        let (answer, reply) = Answer::new();
        let reply = reply.then(tell(1)).then(tell(2));
        assert!(reply.poll().is_none());
        answer.give(Ok(()));
        assert_eq!(*told.lock(), [], "the caller has not asked");
        assert!(matches!(reply.wait(Duration::ZERO), Some(Ok(()))));
        assert!(reply.poll().is_none());
        drop(reply);
        assert_eq!(std::mem::take(&mut *told.lock()), [(1, true), (2, true)]);

        drop(Reply::new(Err(EngineError::Ended)).then(tell(3)));
        assert_eq!(std::mem::take(&mut *told.lock()), [(3, false)], "the outcome was there");
        let (answer, reply) = Answer::new();
        drop(reply.then(tell(4)));
        answer.give(Ok(()));
        assert_eq!(*told.lock(), [], "it was not");
    }

    #[test]
    fn what_is_dropped_without_an_answer_says_so() {
        let (answer, reply) = Answer::new();
        drop(answer);
        assert!(matches!(reply.poll(), Some(Err(EngineError::Ended))));
        assert!(matches!(Reply::new(Ok(())).wait(Duration::ZERO), Some(Ok(()))));
    }
}
