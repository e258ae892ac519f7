//! Places for open files: only so many are read at once, the others wait by priority, then in order.

use std::sync::Arc;

use parking_lot::Mutex;

use super::runtime::SourceRuntime;

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

    /// Takes a place for `source`, or remembers that it wants one.
    pub fn take(&self, source: &Arc<SourceRuntime>) -> bool {
        let mut queue = self.0.lock();
        if queue.free > 0 {
            queue.free -= 1;
            return true;
        }
        if !queue.waiting.iter().any(|known| Arc::ptr_eq(known, source)) {
            queue.waiting.push(Arc::clone(source));
        }
        false
    }

    /// Gives a place back. If somebody waits, the place is theirs at once.
    pub fn release(&self) -> Option<Arc<SourceRuntime>> {
        let mut queue = self.0.lock();
        let next = if queue.closed {
            None
        } else {
            let best = queue.waiting.iter().map(|source| source.config().priority).max();
            queue.waiting.iter().position(|source| Some(source.config().priority) == best)
        };
        match next {
            Some(index) => Some(queue.waiting.remove(index)),
            None => {
                queue.free += 1;
                None
            }
        }
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
