//! Slots for open files: only so many are read at once, the others wait by priority, then in order.

use std::sync::Arc;

use crate::engine::source::Source;

/// The free slots and the sources that wait for one.
pub struct Slots {
    free: usize,
    waiting: Vec<Arc<Source>>,
    closed: bool,
}

impl Slots {
    /// `count` slots, at least one.
    pub fn new(count: usize) -> Self {
        Self { free: count.max(1), waiting: Vec::new(), closed: false }
    }

    /// `source` wants a slot.
    pub fn want(&mut self, source: Arc<Source>) {
        if !self.closed {
            self.waiting.push(source);
        }
    }

    /// The source of this number wants no slot any more.
    pub fn forget(&mut self, number: usize) {
        self.waiting.retain(|source| source.number != number);
    }

    /// A slot is given back.
    pub fn free(&mut self) {
        self.free += 1;
    }

    /// The next source that gets a slot, if one is free.
    pub fn grant(&mut self) -> Option<Arc<Source>> {
        let best = self.waiting.iter().map(|source| source.config.load().priority).max()?;
        let first = self.waiting.iter().position(|source| source.config.load().priority == best)?;
        self.free = self.free.checked_sub(1)?;
        Some(self.waiting.remove(first))
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Lets nobody in any more.
    pub fn close(&mut self) {
        self.closed = true;
        self.waiting.clear();
    }
}
