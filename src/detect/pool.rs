//! Inference contexts, built when first needed and used by one worker at a time.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::{
    DetectError,
    formats::Candidate,
    preprocess::{Input, Preprocessor},
};

/// Reads a network's output: its shape and its values.
pub(super) type ReadOutput<'a> = &'a mut dyn FnMut(&[i64], &[f32]);

/// One instance of a network, run by one thread at a time.
pub(super) trait Context: Send {
    /// Runs the network on `input`, made for a picture of this (width, height), and hands the output to `read`.
    fn run(&mut self, input: Input<'_>, size: (u32, u32), read: ReadOutput<'_>) -> Result<(), DetectError>;
}

/// Makes contexts of one network.
pub(super) trait Backend: Send + Sync {
    /// A further context.
    fn context(&self) -> Result<Box<dyn Context>, DetectError>;
}

/// A context with the buffers of its work.
pub(super) struct Slot {
    pub(super) context: Box<dyn Context>,
    pub(super) pre: Preprocessor,
    pub(super) candidates: Vec<Candidate>,
}

/// At most `limit` contexts of one network.
pub(super) struct Pool {
    backend: Box<dyn Backend>,
    state: Mutex<State>,
    returned: Condvar,
    limit: usize,
}

struct State {
    idle: Vec<Slot>,
    built: usize,
}

impl Pool {
    /// A pool of at most `limit` contexts, of which `first` exists already.
    pub(super) fn new(backend: Box<dyn Backend>, first: Box<dyn Context>, limit: usize) -> Self {
        let state = State { idle: vec![Slot::new(first)], built: 1 };
        Self { backend, state: Mutex::new(state), returned: Condvar::new(), limit: limit.max(1) }
    }

    /// Runs `work` with a context that nobody else uses, whatever the size of its last input: changing it costs
    /// neither engine anything that can be measured.
    ///
    /// Builds a context when all are in use and the limit allows; otherwise waits for one, which happens only
    /// when more threads detect at once than the pool was made for.
    pub(super) fn with<R>(
        &self,
        work: impl FnOnce(&mut Slot) -> Result<R, DetectError>,
    ) -> Result<R, DetectError> {
        let idle = self.reserve();
        let mut lease = Lease { pool: self, slot: None };
        let slot = match idle {
            Some(slot) => slot,
            None => Slot::new(self.backend.context()?),
        };
        work(lease.slot.insert(slot))
    }

    /// A place among the contexts: an idle one, or `None` where one may be built.
    fn reserve(&self) -> Option<Slot> {
        let mut state = self.lock();
        loop {
            if let Some(slot) = state.idle.pop() {
                return Some(slot);
            }
            if state.built < self.limit {
                state.built += 1;
                return None;
            }
            state = self.returned.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    fn new(context: Box<dyn Context>) -> Self {
        Self { context, pre: Preprocessor::default(), candidates: Vec::new() }
    }
}

/// Gives the context back, or its place where building it failed or the work panicked and left it in an unknown
/// state.
struct Lease<'a> {
    pool: &'a Pool,
    slot: Option<Slot>,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let mut state = self.pool.lock();
        match self.slot.take() {
            Some(slot) if !std::thread::panicking() => state.idle.push(slot),
            _ => state.built -= 1,
        }
        drop(state);
        self.pool.returned.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        panic::{AssertUnwindSafe, catch_unwind},
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering::SeqCst},
        },
        thread,
    };

    use super::*;

    #[derive(Default)]
    struct Counter {
        built: AtomicUsize,
        running: AtomicUsize,
        most: AtomicUsize,
    }

    struct Counted(Arc<Counter>);

    impl Context for Counted {
        fn run(&mut self, _: Input<'_>, _: (u32, u32), _: ReadOutput<'_>) -> Result<(), DetectError> {
            let now = self.0.running.fetch_add(1, SeqCst) + 1;
            self.0.most.fetch_max(now, SeqCst);
            thread::yield_now();
            self.0.running.fetch_sub(1, SeqCst);
            Ok(())
        }
    }

    struct Maker(Arc<Counter>);

    impl Backend for Maker {
        fn context(&self) -> Result<Box<dyn Context>, DetectError> {
            self.0.built.fetch_add(1, SeqCst);
            Ok(Box::new(Counted(Arc::clone(&self.0))))
        }
    }

    fn pool(limit: usize) -> (Arc<Counter>, Pool) {
        let counter = Arc::new(Counter::default());
        let maker = Maker(Arc::clone(&counter));
        let first = maker.context().unwrap();
        (counter, Pool::new(Box::new(maker), first, limit))
    }

    fn run(slot: &mut Slot) -> Result<(), DetectError> {
        slot.context.run(Input::Planes(&[]), (0, 0), &mut |_, _| ())
    }

    #[test]
    fn one_thread_needs_one_context() {
        let (counter, pool) = pool(8);
        for _ in 0..10 {
            pool.with(run).unwrap();
        }
        assert_eq!(counter.built.load(SeqCst), 1);
    }

    #[test]
    fn many_threads_never_get_more_than_the_limit_and_all_finish() {
        let (counter, pool) = pool(2);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..200).for_each(|_| pool.with(run).unwrap()));
            }
        });
        assert!(counter.built.load(SeqCst) <= 2);
        assert!(counter.most.load(SeqCst) <= 2);
    }

    #[test]
    fn a_panic_costs_its_context_and_no_more() {
        let (counter, pool) = pool(1);
        let crash = catch_unwind(AssertUnwindSafe(|| pool.with(|_| -> Result<(), _> { panic!("inside") })));
        assert!(crash.is_err());
        pool.with(run).unwrap();
        assert_eq!(counter.built.load(SeqCst), 2);
    }
}
