//! The decode scheduler: which stream decodes next while the machine cannot decode every frame.
//!
//! Hundreds of decoding threads get unequal parts of the cores from the system's scheduler, and leave the workers next
//! to nothing. So a live stream that is behind waits for its turn, decodes one frame and queues again; as long as anybody
//! waits, so do those that are not behind, once their next frame is there.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};

use crate::clock::Clock;

/// A turn is over after this long, even if its frame is not decoded: a camera that was thought to have a frame ready
/// holds nobody up.
const LONGEST: Duration = Duration::from_millis(25);

/// The queue for decoding: by rounds, in each of which a stream has one turn (start-time fair queueing, Goyal,
/// Vin and Cheng, SIGCOMM 1996, with equal weights and lengths).
#[derive(Debug)]
pub struct DecodeScheduler {
    at_once: usize,
    longest: Duration,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    /// By round and, within a round, by arrival.
    waiting: BTreeMap<(u64, u64), Arc<Condvar>>,
    arrivals: u64,
    /// The round of the turn begun last.
    round: u64,
    /// Arrival of the stream that has a turn, and its end.
    taken: Vec<(u64, Instant)>,
}

impl Queue {
    fn wake_first(&self) {
        if let Some((_, first)) = self.waiting.first_key_value() {
            first.notify_one();
        }
    }
}

/// Place of one stream in the [`DecodeScheduler`]: the round of its last turn.
#[derive(Debug, Default)]
pub struct QueuePosition(u64);

/// Somebody's turn, until it is dropped.
#[derive(Debug)]
#[must_use]
pub struct DecodeTurn<'a> {
    scheduler: &'a DecodeScheduler,
    arrival: u64,
}

impl DecodeScheduler {
    /// At most `at_once` turns at the same time; as many as there are cores.
    #[must_use]
    pub fn new(at_once: usize) -> Self {
        Self::lasting(at_once, LONGEST)
    }

    /// Turns that are over after `longest`.
    pub(super) fn lasting(at_once: usize, longest: Duration) -> Self {
        Self { at_once: at_once.max(1), longest, queue: Mutex::default() }
    }

    /// Whether somebody waits for a turn: the machine cannot decode every frame now.
    #[must_use]
    pub fn are_waited_for(&self) -> bool {
        !self.queue.lock().waiting.is_empty()
    }

    /// Waits for a turn by `clock`, at most 25 ms for each `at_once` of the streams before it. A stream that missed rounds has no right
    /// to more turns than others in the next one.
    pub fn take(&self, place: &mut QueuePosition, clock: &dyn Clock) -> DecodeTurn<'_> {
        let mut queue = self.queue.lock();
        queue.arrivals += 1;
        let arrival = queue.arrivals;
        place.0 = queue.round.max(place.0 + 1);
        let mine = (place.0, arrival);
        let called = Arc::new(Condvar::new());
        queue.waiting.insert(mine, Arc::clone(&called));
        loop {
            let now = clock.now();
            queue.taken.retain(|(_, end)| *end > now);
            let first = queue.waiting.first_key_value().is_some_and(|(key, _)| *key == mine);
            let soonest = queue.taken.iter().map(|(_, end)| *end).min();
            match soonest {
                Some(end) if first && queue.taken.len() >= self.at_once => {
                    // The end of that turn wakes it; the clock only says when the turn is over by itself.
                    called.wait_for(&mut queue, end.saturating_duration_since(now));
                }
                _ if first => break,
                _ => called.wait(&mut queue),
            }
        }
        queue.waiting.remove(&mine);
        queue.round = mine.0;
        queue.taken.push((arrival, clock.now() + self.longest));
        queue.wake_first();
        DecodeTurn { scheduler: self, arrival }
    }
}

impl Drop for DecodeTurn<'_> {
    fn drop(&mut self) {
        let mut queue = self.scheduler.queue.lock();
        queue.taken.retain(|(arrival, _)| *arrival != self.arrival);
        queue.wake_first();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Barrier,
            atomic::{AtomicUsize, Ordering},
        },
        thread,
    };

    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn every_waiting_stream_gets_as_many_turns_as_the_others() {
        const EACH: usize = 40;
        let (scheduler, total, start) = (DecodeScheduler::new(2), AtomicUsize::new(0), Barrier::new(12));
        let finished: Vec<usize> = thread::scope(|scope| {
            let threads: Vec<_> = (0..12)
                .map(|_| {
                    scope.spawn(|| {
                        let mut place = QueuePosition::default();
                        start.wait();
                        for _ in 0..EACH {
                            let _turn = scheduler.take(&mut place, &SystemClock);
                            total.fetch_add(1, Ordering::SeqCst);
                            thread::sleep(Duration::from_micros(300));
                        }
                        total.load(Ordering::SeqCst)
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let first = finished.iter().min().unwrap();
        assert!(*first > 12 * EACH * 3 / 4, "one was done when all together had had {first} turns");
    }

    #[test]
    fn no_more_than_allowed_have_a_turn_at_once() {
        let scheduler = DecodeScheduler::lasting(2, Duration::from_mins(1));
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    let mut place = QueuePosition::default();
                    for _ in 0..50 {
                        let turn = scheduler.take(&mut place, &SystemClock);
                        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        thread::yield_now();
                        now.fetch_sub(1, Ordering::SeqCst);
                        drop(turn);
                    }
                });
            }
        });
        assert!(most.into_inner() <= 2);
    }

    #[test]
    fn a_turn_that_takes_too_long_blocks_no_stream() {
        let scheduler = DecodeScheduler::new(1);
        let kept = scheduler.take(&mut QueuePosition::default(), &SystemClock);
        let other = scheduler.take(&mut QueuePosition::default(), &SystemClock);
        drop(kept);
        let queue = scheduler.queue.lock();
        assert_eq!(queue.taken.len(), 1, "the end of a turn that was over ends no other one");
        drop(queue);
        drop(other);
    }
}
