//! One source's row in the state store: written by its worker and its capture thread, read by anybody.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use arc_swap::ArcSwap;
use parking_lot::Mutex;

use super::SourceSnapshot;

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

    /// Changes the snapshot and publishes the result as a whole.
    pub fn update<T>(&self, change: impl FnOnce(&mut SourceSnapshot) -> T) -> T {
        let mut draft = self.draft.lock();
        let result = change(&mut draft);
        self.published.store(Arc::new(draft.clone()));
        self.generation.fetch_add(1, Ordering::Relaxed);
        result
    }
}
