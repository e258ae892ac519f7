//! How often snapshots are copied, for tests.

use std::cell::Cell;

thread_local! {
    static COPIES: Cell<usize> = const { Cell::new(0) };
}

/// A field that notes each copy of its owner.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Copies;

impl Clone for Copies {
    fn clone(&self) -> Self {
        COPIES.set(COPIES.get() + 1);
        Self
    }
}

/// Copies made by this thread while `work` runs.
pub(crate) fn during(work: impl FnOnce()) -> usize {
    let before = COPIES.get();
    work();
    COPIES.get() - before
}
