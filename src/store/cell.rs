//! One source's row in the state store: written by its actor, read by anybody.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use arc_swap::ArcSwap;

use crate::model::SourceSnapshot;

/// The latest snapshot of one source. Readers never wait and never see half an update.
pub struct SourceCell {
    published: ArcSwap<SourceSnapshot>,
    generation: Arc<AtomicU64>,
}

impl SourceCell {
    /// A cell that shows `snapshot`; `generation` is raised with every change.
    #[must_use]
    pub fn new(snapshot: SourceSnapshot, generation: Arc<AtomicU64>) -> Self {
        Self { published: ArcSwap::from_pointee(snapshot), generation }
    }

    /// The source as it is now.
    #[must_use]
    pub fn load(&self) -> Arc<SourceSnapshot> {
        self.published.load_full()
    }

    /// Publishes a snapshot as a whole, which copies it.
    pub fn publish(&self, snapshot: &SourceSnapshot) {
        // In this order: a reader of the new generation finds the new snapshot.
        self.published.store(Arc::new(snapshot.clone()));
        self.generation.fetch_add(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_read_a_generation_finds_what_it_stands_for() {
        const UPDATES: u64 = 20_000;
        let generation = Arc::<AtomicU64>::default();
        let cell = SourceCell::new(SourceSnapshot::new("camera"), Arc::clone(&generation));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut shown = SourceSnapshot::new("camera");
                for frames in 1..=UPDATES {
                    shown.frames = frames;
                    cell.publish(&shown);
                }
            });
            loop {
                let read = generation.load(Ordering::Acquire);
                assert!(cell.load().frames >= read);
                if read == UPDATES {
                    break;
                }
            }
        });
    }
}
