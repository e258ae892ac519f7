//! Places for open files: only so many are read at once, the others wait by priority, then in order.

use std::sync::{Arc, atomic::Ordering};

use parking_lot::Mutex;

use super::runtime::{Begun, SourceRuntime};
use crate::model::SourceState;

struct Queue {
    free: usize,
    waiting: Vec<Arc<SourceRuntime>>,
    closed: bool,
}

/// The places and who waits for one.
pub struct Places(Mutex<Queue>);

impl Places {
    /// `count` places, at least one.
    pub fn new(count: usize) -> Self {
        Self(Mutex::new(Queue { free: count.max(1), waiting: Vec::new(), closed: false }))
    }

    /// Takes a place for `source` and begins it, or remembers and shows that it wants one.
    pub fn take(&self, source: &Arc<SourceRuntime>) -> Begun {
        // Under the lock to the end: whoever gives a place back must not begin the source before it is shown as
        // waiting, nor one that has just left the queue.
        let mut queue = self.0.lock();
        if queue.free > 0 {
            let begun = seat(source);
            queue.free -= usize::from(!matches!(begun, Begun::No(_)));
            begun
        } else {
            if !queue.waiting.iter().any(|known| Arc::ptr_eq(known, source)) {
                queue.waiting.push(Arc::clone(source));
            }
            source.set_state(SourceState::Queued, None);
            Begun::Yes
        }
    }

    /// Gives a place back. If somebody waits, the place is theirs and they begin.
    pub fn release(&self) {
        let mut queue = self.0.lock();
        while !queue.closed && !queue.waiting.is_empty() {
            let best = queue.waiting.iter().map(|source| source.config().priority).max();
            let first = queue.waiting.iter().position(|source| Some(source.config().priority) == best);
            let next = queue.waiting.remove(first.unwrap_or(0));
            if !matches!(seat(&next), Begun::No(_)) {
                return;
            }
        }
        queue.free += 1;
    }

    /// The source wants no place any more.
    pub fn forget(&self, source: &Arc<SourceRuntime>) {
        self.0.lock().waiting.retain(|known| !Arc::ptr_eq(known, source));
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.0.lock().waiting.len()
    }

    /// Lets nobody in any more.
    pub fn close(&self) {
        let mut queue = self.0.lock();
        queue.closed = true;
        queue.waiting.clear();
    }
}

/// Begins `source` in a place; when it cannot begin it needs none.
fn seat(source: &Arc<SourceRuntime>) -> Begun {
    source.holds_place.store(true, Ordering::SeqCst);
    let begun = source.begin();
    if matches!(begun, Begun::No(_)) {
        source.holds_place.store(false, Ordering::SeqCst);
    }
    begun
}
