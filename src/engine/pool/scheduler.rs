//! The worker pool: a ready queue by priority, then first come first served, on a private rayon pool.
//!
//! The pool has `max_workers` threads; how many may work at once is a number that changes while it runs.
//! A unit of work is short and never blocks. A source has at most one unit here at a time, so the queue is
//! never longer than the number of sources and the order inside a source is kept.

use std::{
    cmp::Ordering as Order,
    collections::BinaryHeap,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Instant,
};

use parking_lot::Mutex;

use crate::{
    model::{SourceId, Strategy},
    source::refusal,
};

/// Something with work to do now and then.
pub trait Unit: Send + Sync {
    /// The source that the worker works for while it runs this unit.
    fn source(&self) -> &SourceId;
    /// Higher first.
    fn priority(&self) -> i32;
    /// Number of the source, for the strategy of one worker each.
    fn number(&self) -> usize;
    /// Does one piece of work as worker `worker` (from 1). `true` when there is more to do.
    fn run(self: Arc<Self>, worker: usize) -> bool;
}

struct Ready {
    priority: i32,
    sequence: u64,
    unit: Arc<dyn Unit>,
}

impl Ord for Ready {
    fn cmp(&self, other: &Self) -> Order {
        self.priority.cmp(&other.priority).then(other.sequence.cmp(&self.sequence))
    }
}
impl PartialOrd for Ready {
    fn partial_cmp(&self, other: &Self) -> Option<Order> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Ready {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Order::Equal
    }
}
impl Eq for Ready {}

/// What is known of one worker.
#[derive(Default)]
pub struct Worker {
    /// Number of the source it works for now, from 1; 0 for none.
    pub source: AtomicUsize,
    /// Pieces of work done.
    pub done: AtomicU64,
    /// Nanoseconds spent working.
    pub busy: AtomicU64,
    /// Nanoseconds of CPU time that took.
    pub cpu: AtomicU64,
    /// Frames with a detection run.
    pub detection_runs: AtomicU64,
    /// Frames that failed.
    pub errors: AtomicU64,
    /// Pieces of work that panicked; the worker went on with the next one.
    pub restarts: AtomicU64,
}

struct State {
    /// One queue for all workers (shared) or one for each (dedicated).
    queues: Vec<BinaryHeap<Ready>>,
    sequence: u64,
    limit: usize,
    occupied: Vec<bool>,
}

struct Shared {
    strategy: Strategy,
    state: Mutex<State>,
    workers: Vec<Worker>,
}

/// The pool and its queue.
pub struct Scheduler {
    pool: rayon::ThreadPool,
    shared: Arc<Shared>,
}

/// Threads that are left for reading, decoding and writing where the system gives few.
const LEFT_FOR_OTHERS: usize = 12;

/// `wanted` threads for the pool, or fewer where the system would not give the others theirs; at least one.
fn affordable(wanted: usize) -> usize {
    let room = refusal::room_for_threads(wanted + LEFT_FOR_OTHERS);
    let threads = wanted.min(room.saturating_sub(LEFT_FOR_OTHERS)).max(1);
    if threads < wanted {
        tracing::warn!(
            "The system gives this program no more than {room} threads: {threads} of {wanted} workers; raise the limit \
             (ulimit -u, TasksMax= of a service)"
        );
    }
    threads
}

impl Scheduler {
    /// A pool of `max_workers` threads of which `workers` may work at once (both at least 1). Where the system refuses
    /// so many threads the pool is smaller.
    ///
    /// # Errors
    /// When the system refuses even one thread.
    pub fn new(
        workers: usize,
        max_workers: usize,
        strategy: Strategy,
    ) -> Result<Self, rayon::ThreadPoolBuildError> {
        let max_workers = affordable(max_workers.max(1));
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(max_workers)
            .thread_name(|index| format!("worker-{:02}", index + 1))
            // Units catch their own panics; without a handler rayon would abort the process on what slips.
            .panic_handler(|_| tracing::error!("A worker panicked outside a unit of work"))
            .build()?;
        let queues = match strategy {
            Strategy::Shared => 1,
            Strategy::Dedicated => max_workers,
        };
        let state = State {
            queues: (0..queues).map(|_| BinaryHeap::new()).collect(),
            sequence: 0,
            limit: workers.clamp(1, max_workers),
            occupied: vec![false; max_workers],
        };
        let shared = Shared {
            strategy,
            state: Mutex::new(state),
            workers: (0..max_workers).map(|_| Worker::default()).collect(),
        };
        Ok(Self { pool, shared: Arc::new(shared) })
    }

    /// Queues a unit.
    pub fn submit(&self, unit: Arc<dyn Unit>) {
        let mut state = self.shared.state.lock();
        self.shared.push(&mut state, unit);
        self.dispatch(&mut state);
    }

    /// Changes how many may work at once, clamped to `1..=max_workers`; gives the number in force.
    pub fn set_limit(&self, workers: usize) -> usize {
        let mut state = self.shared.state.lock();
        state.limit = workers.clamp(1, state.occupied.len());
        if self.shared.strategy == Strategy::Dedicated {
            let waiting: Vec<Ready> = state.queues.iter_mut().flat_map(BinaryHeap::drain).collect();
            for ready in waiting {
                self.shared.push(&mut state, ready.unit);
            }
        }
        self.dispatch(&mut state);
        state.limit
    }

    /// How many may work at once.
    pub fn limit(&self) -> usize {
        self.shared.state.lock().limit
    }

    /// Whose units wait for a worker, in the order in which they will be taken.
    pub fn waiting(&self) -> Vec<SourceId> {
        let state = self.shared.state.lock();
        let mut waiting: Vec<&Ready> = state.queues.iter().flatten().collect();
        waiting.sort_by(|a, b| b.cmp(a));
        waiting.into_iter().map(|ready| ready.unit.source().clone()).collect()
    }

    /// One entry for each thread of the pool.
    pub fn workers(&self) -> &[Worker] {
        &self.shared.workers
    }

    /// Sets free workers to work while there is something for them to do.
    fn dispatch(&self, state: &mut State) {
        let waiting: usize = state.queues.iter().map(BinaryHeap::len).sum();
        for _ in 0..waiting {
            let Some(slot) = self.shared.free_slot(state) else { return };
            state.occupied[slot] = true;
            let shared = Arc::clone(&self.shared);
            self.pool.spawn_fifo(move || shared.work(slot));
        }
    }
}

impl Shared {
    fn queue_of(&self, slot: usize) -> usize {
        if self.strategy == Strategy::Dedicated { slot } else { 0 }
    }

    fn push(&self, state: &mut State, unit: Arc<dyn Unit>) {
        let queue = if self.strategy == Strategy::Dedicated { unit.number() % state.limit } else { 0 };
        let sequence = state.sequence;
        state.sequence += 1;
        state.queues[queue].push(Ready { priority: unit.priority(), sequence, unit });
    }

    /// The first worker within the limit that is free and has something to do.
    fn free_slot(&self, state: &State) -> Option<usize> {
        (0..state.limit).find(|slot| !state.occupied[*slot] && !state.queues[self.queue_of(*slot)].is_empty())
    }

    /// The next unit for the worker in `slot`, which may move to another slot when it is no longer within
    /// the limit and what it queued last would wait for nobody. Frees the slot when there is none.
    fn next(&self, slot: &mut usize) -> Option<Ready> {
        let mut state = self.state.lock();
        if *slot >= state.limit {
            state.occupied[*slot] = false;
            *slot = self.free_slot(&state)?;
            state.occupied[*slot] = true;
        }
        let ready = state.queues[self.queue_of(*slot)].pop();
        if ready.is_none() {
            state.occupied[*slot] = false;
        }
        ready
    }

    /// One worker's turn: unit after unit until there is none, or fewer workers are wanted.
    fn work(&self, mut slot: usize) {
        loop {
            let Some(ready) = self.next(&mut slot) else { return };
            let worker = &self.workers[slot];
            worker.source.store(ready.unit.number() + 1, Ordering::Relaxed);
            let started = Instant::now();
            let more = Arc::clone(&ready.unit).run(slot + 1);
            worker.busy.fetch_add(started.elapsed().as_nanos() as u64, Ordering::Relaxed);
            worker.done.fetch_add(1, Ordering::Relaxed);
            worker.source.store(0, Ordering::Relaxed);
            if more {
                self.push(&mut self.state.lock(), ready.unit);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering::SeqCst},
        time::Duration,
    };

    use super::*;

    struct Probe {
        source: SourceId,
        number: usize,
        priority: i32,
        left: AtomicUsize,
        at_once: Arc<AtomicUsize>,
        most: Arc<AtomicUsize>,
        order: Arc<Mutex<Vec<usize>>>,
        workers: Arc<Mutex<Vec<(usize, usize)>>>,
    }

    impl Unit for Probe {
        fn source(&self) -> &SourceId {
            &self.source
        }
        fn priority(&self) -> i32 {
            self.priority
        }
        fn number(&self) -> usize {
            self.number
        }
        fn run(self: Arc<Self>, worker: usize) -> bool {
            let now = self.at_once.fetch_add(1, SeqCst) + 1;
            self.most.fetch_max(now, SeqCst);
            self.order.lock().push(self.number);
            self.workers.lock().push((self.number, worker));
            std::thread::yield_now();
            self.at_once.fetch_sub(1, SeqCst);
            self.left.fetch_sub(1, SeqCst) > 1
        }
    }

    fn probes(count: usize, rounds: usize, priority: impl Fn(usize) -> i32) -> Vec<Arc<Probe>> {
        let (at_once, most) = (Arc::default(), Arc::default());
        let (order, workers) = (Arc::default(), Arc::default());
        (0..count)
            .map(|number| {
                Arc::new(Probe {
                    source: format!("s{number}").into(),
                    number,
                    priority: priority(number),
                    left: AtomicUsize::new(rounds),
                    at_once: Arc::clone(&at_once),
                    most: Arc::clone(&most),
                    order: Arc::clone(&order),
                    workers: Arc::clone(&workers),
                })
            })
            .collect()
    }

    const PATIENCE: Duration = Duration::from_secs(30);

    /// Waits until nothing is queued and nobody works.
    fn wait_idle(scheduler: &Scheduler) -> bool {
        let begun = Instant::now();
        let is_idle =
            |state: &State| !state.occupied.contains(&true) && state.queues.iter().all(BinaryHeap::is_empty);
        while !is_idle(&scheduler.shared.state.lock()) {
            if begun.elapsed() > PATIENCE {
                return false;
            }
            std::thread::yield_now();
        }
        true
    }

    #[test]
    fn every_source_gets_its_turn_and_never_more_workers_than_the_limit_run() {
        let scheduler = Scheduler::new(3, 8, Strategy::Shared).unwrap();
        let probes = probes(16, 50, |_| 0);
        for probe in &probes {
            scheduler.submit(probe.clone());
        }
        assert!(wait_idle(&scheduler));
        assert_eq!(probes[0].order.lock().len(), 16 * 50);
        assert!(probes[0].most.load(SeqCst) <= 3);
    }

    #[test]
    fn one_worker_takes_turns_between_sources_and_serves_higher_priority_first() {
        let scheduler = Scheduler::new(1, 1, Strategy::Shared).unwrap();
        let gate = Arc::new(Mutex::new(()));
        let closed = gate.lock();
        let (g, done) = (Arc::clone(&gate), Arc::new(Mutex::new(false)));
        scheduler.pool.spawn_fifo(move || {
            let _open = g.lock();
            *done.lock() = true;
        });
        let probes = probes(3, 2, |number| i32::from(number == 2));
        for probe in &probes {
            scheduler.submit(probe.clone());
        }
        drop(closed);
        assert!(wait_idle(&scheduler));
        assert_eq!(*probes[0].order.lock(), [2, 2, 0, 1, 0, 1]);
    }

    #[test]
    fn the_limit_can_change_at_any_moment_and_no_work_is_left_lying() {
        for strategy in [Strategy::Shared, Strategy::Dedicated] {
            let scheduler = Scheduler::new(4, 4, strategy).unwrap();
            let probes = probes(12, 200, |_| 0);
            for probe in &probes {
                scheduler.submit(probe.clone());
            }
            for limit in [1, 4, 2, 3, 1, 4, 1, 2, 1] {
                assert_eq!(scheduler.set_limit(limit), limit);
                std::thread::yield_now();
            }
            assert!(wait_idle(&scheduler), "{strategy:?}: {} left", scheduler.waiting().len());
            assert_eq!(probes[0].order.lock().len(), 12 * 200, "{strategy:?}");
        }
        assert_eq!(Scheduler::new(4, 2, Strategy::Shared).unwrap().limit(), 2);
        assert_eq!(Scheduler::new(0, 2, Strategy::Shared).unwrap().set_limit(99), 2);
    }

    #[test]
    fn dedicated_workers_keep_to_their_source() {
        let scheduler = Scheduler::new(4, 4, Strategy::Dedicated).unwrap();
        let probes = probes(4, 25, |_| 0);
        for probe in &probes {
            scheduler.submit(probe.clone());
        }
        assert!(wait_idle(&scheduler));
        for (number, worker) in probes[0].workers.lock().iter() {
            assert_eq!(*worker, number + 1);
        }
    }
}
