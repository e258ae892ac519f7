//! How many capture threads are alive, so that the end can wait for them, but not for ever.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};

/// A count of threads.
#[derive(Default)]
pub struct Threads {
    alive: Mutex<usize>,
    left: Condvar,
}

/// Held by a thread as long as it lives.
pub struct Alive(Arc<Threads>);

impl Threads {
    /// Counts a thread that is about to start.
    pub fn enter(self: &Arc<Self>) -> Alive {
        *self.alive.lock() += 1;
        Alive(Arc::clone(self))
    }

    /// Waits until all are gone, at most `timeout`; gives how many are not.
    pub fn wait(&self, timeout: Duration) -> usize {
        let deadline = Instant::now() + timeout;
        let mut alive = self.alive.lock();
        while *alive > 0 {
            if self.left.wait_until(&mut alive, deadline).timed_out() {
                break;
            }
        }
        *alive
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        *self.0.alive.lock() -= 1;
        self.0.left.notify_all();
    }
}
