//! One source's row in the state store: written by its worker and its capture thread, read by anybody.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use arc_swap::ArcSwap;
use parking_lot::Mutex;

use crate::model::SourceSnapshot;

/// The latest snapshot of one source. Readers never wait and never see half an update.
pub struct SourceCell {
    draft: Mutex<SourceSnapshot>,
    published: ArcSwap<SourceSnapshot>,
    generation: Arc<AtomicU64>,
}

impl SourceCell {
    /// A cell that shows `snapshot`; `generation` is raised with every change.
    #[must_use]
    pub fn new(snapshot: SourceSnapshot, generation: Arc<AtomicU64>) -> Self {
        Self { published: ArcSwap::from_pointee(snapshot.clone()), draft: Mutex::new(snapshot), generation }
    }

    /// The source as it is now.
    #[must_use]
    pub fn load(&self) -> Arc<SourceSnapshot> {
        self.published.load_full()
    }

    /// Changes the snapshot and publishes the result as a whole, which copies it.
    pub fn update<T>(&self, change: impl FnOnce(&mut SourceSnapshot) -> T) -> T {
        let mut draft = self.draft.lock();
        let result = change(&mut draft);
        self.publish(&draft);
        result
    }

    /// [`Self::update`] that publishes nothing, and copies nothing, when `change` gives `None`: then it has changed
    /// nothing.
    pub fn update_if<T>(&self, change: impl FnOnce(&mut SourceSnapshot) -> Option<T>) -> Option<T> {
        let mut draft = self.draft.lock();
        let result = change(&mut draft)?;
        self.publish(&draft);
        Some(result)
    }

    /// In this order: who has read the new generation finds the new snapshot.
    fn publish(&self, draft: &SourceSnapshot) {
        self.published.store(Arc::new(draft.clone()));
        self.generation.fetch_add(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::copies;

    #[test]
    fn an_update_copies_once_and_one_that_changes_nothing_never() {
        let generation = Arc::<AtomicU64>::default();
        let cell = SourceCell::new(SourceSnapshot::new("camera"), Arc::clone(&generation));
        assert_eq!(copies::during(|| cell.update(|shown| shown.frames = 1)), 1);
        let none = copies::during(|| assert_eq!(cell.update_if(|_| None::<()>), None));
        assert_eq!((none, cell.load().frames, generation.load(Ordering::Acquire)), (0, 1, 1));
        let next = |shown: &mut SourceSnapshot| {
            shown.frames += 1;
            Some(shown.frames)
        };
        let some = copies::during(|| assert_eq!(cell.update_if(next), Some(2)));
        assert_eq!((some, cell.load().frames, generation.load(Ordering::Acquire)), (1, 2, 2));
    }

    #[test]
    fn who_has_read_a_generation_finds_what_it_stands_for() {
        const UPDATES: u64 = 20_000;
        let generation = Arc::<AtomicU64>::default();
        let cell = SourceCell::new(SourceSnapshot::new("camera"), Arc::clone(&generation));
        std::thread::scope(|scope| {
            scope.spawn(|| (1..=UPDATES).for_each(|frames| cell.update(|shown| shown.frames = frames)));
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
