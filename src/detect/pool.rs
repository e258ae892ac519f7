//! Inference contexts, built when first needed and lent to one worker at a time.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::{DetectError, formats::Candidate, preprocess::Preprocessor};

/// Reads a network's output: its shape and its values.
pub(super) type ReadOutput<'a> = &'a mut dyn FnMut(&[i64], &[f32]);

/// One instance of a network, run by one thread at a time.
pub(super) trait Context: Send {
    /// Runs the network on `input` (NCHW, 1 x 3 x height x width) and hands the output to `read`.
    fn run(&mut self, input: &[f32], size: (u32, u32), read: ReadOutput<'_>) -> Result<(), DetectError>;
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
    /// Input size of the last run: a context is cheapest to run again at the same size.
    pub(super) size: (u32, u32),
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

    /// Runs `work` with a context that nobody else uses, preferably one whose last input had `size`.
    ///
    /// Builds a context when all are in use and the limit allows; otherwise waits for one, which happens only
    /// when more threads detect at once than the pool was made for.
    pub(super) fn with<R>(
        &self,
        size: (u32, u32),
        work: impl FnOnce(&mut Slot) -> Result<R, DetectError>,
    ) -> Result<R, DetectError> {
        let mut lease = Lease { pool: self, slot: None };
        let mut state = self.lock();
        let slot = loop {
            let same = state.idle.iter().rposition(|slot| slot.size == size);
            // A context not run yet is better than making one of another size adapt.
            let fresh = || state.idle.iter().rposition(|slot| slot.size == (0, 0));
            if let Some(at) = same.or_else(fresh) {
                break state.idle.swap_remove(at);
            }
            if let Some(slot) = state.idle.pop() {
                break slot;
            }
            if state.built < self.limit {
                state.built += 1;
                drop(state);
                let built = self.backend.context();
                state = self.lock();
                match built {
                    Ok(context) => break Slot::new(context),
                    Err(error) => {
                        state.built -= 1;
                        drop(state);
                        self.returned.notify_one();
                        return Err(error);
                    }
                }
            }
            state = self.returned.wait(state).unwrap_or_else(PoisonError::into_inner);
        };
        drop(state);
        let slot = lease.slot.insert(slot);
        let result = work(slot);
        slot.size = size;
        result
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    fn new(context: Box<dyn Context>) -> Self {
        Self { context, pre: Preprocessor::default(), candidates: Vec::new(), size: (0, 0) }
    }
}

/// Gives the context back, or its place when the work panicked and its state is unknown.
struct Lease<'a> {
    pool: &'a Pool,
    slot: Option<Slot>,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            let mut state = self.pool.lock();
            if std::thread::panicking() {
                state.built -= 1;
            } else {
                state.idle.push(slot);
            }
            drop(state);
            self.pool.returned.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        panic::{AssertUnwindSafe, catch_unwind},
        sync::{
            Arc, Barrier,
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
        fn run(&mut self, _: &[f32], _: (u32, u32), _: ReadOutput<'_>) -> Result<(), DetectError> {
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
        slot.context.run(&[], (0, 0), &mut |_, _| ())
    }

    #[test]
    fn one_thread_needs_one_context() {
        let (counter, pool) = pool(8);
        for i in 0..10 {
            pool.with((32 * i, 32), run).unwrap();
        }
        assert_eq!(counter.built.load(SeqCst), 1);
    }

    #[test]
    fn many_threads_never_get_more_than_the_limit_and_all_finish() {
        let (counter, pool) = pool(2);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..200).for_each(|i| pool.with((i % 3, 1), run).unwrap()));
            }
        });
        assert!(counter.built.load(SeqCst) <= 2);
        assert!(counter.most.load(SeqCst) <= 2);
    }

    #[test]
    fn a_context_of_the_same_size_is_preferred() {
        let (_, pool) = pool(2);
        let both = Barrier::new(2);
        thread::scope(|scope| {
            for size in [(1, 1), (2, 2)] {
                let (pool, both) = (&pool, &both);
                scope.spawn(move || {
                    pool.with(size, |_| {
                        both.wait();
                        Ok(())
                    })
                });
            }
        });
        for size in [(1, 1), (2, 2), (2, 2), (1, 1)] {
            pool.with(size, |slot| {
                assert_eq!(slot.size, size);
                Ok(())
            })
            .unwrap();
        }
    }

    #[test]
    fn a_panic_costs_its_context_and_no_more() {
        let (counter, pool) = pool(1);
        let crash =
            catch_unwind(AssertUnwindSafe(|| pool.with((1, 1), |_| -> Result<(), _> { panic!("inside") })));
        assert!(crash.is_err());
        pool.with((1, 1), run).unwrap();
        assert_eq!(counter.built.load(SeqCst), 2);
    }
}
