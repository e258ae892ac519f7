//! Slots for open files: only so many are read at once, the others wait by priority, then in order. Pure.

/// The free slots and the sources that wait for one, by their numbers.
pub struct Slots {
    free: usize,
    waiting: Vec<Waiting>,
    closed: bool,
}

struct Waiting {
    number: usize,
    /// Higher first.
    priority: i32,
}

impl Slots {
    /// `count` slots, at least one.
    pub fn new(count: usize) -> Self {
        Self { free: count.max(1), waiting: Vec::new(), closed: false }
    }

    /// The source of this number wants a slot; higher priorities get one first.
    pub fn want(&mut self, number: usize, priority: i32) {
        if !self.closed {
            self.waiting.push(Waiting { number, priority });
        }
    }

    /// The source of this number wants no slot any more.
    pub fn forget(&mut self, number: usize) {
        self.waiting.retain(|waiting| waiting.number != number);
    }

    /// A slot is given back.
    pub fn free(&mut self) {
        self.free += 1;
    }

    /// The number of the next source that gets a slot, if one is free.
    pub fn grant(&mut self) -> Option<usize> {
        let best = self.waiting.iter().map(|waiting| waiting.priority).max()?;
        let first = self.waiting.iter().position(|waiting| waiting.priority == best)?;
        self.free = self.free.checked_sub(1)?;
        Some(self.waiting.remove(first).number)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_important_file_that_waits_is_next_and_among_equals_the_first() {
        let mut slots = Slots::new(1);
        for (number, priority) in [(1, 0), (2, 5), (3, 5), (4, 0)] {
            slots.want(number, priority);
        }
        assert_eq!((slots.grant(), slots.grant(), slots.waiting()), (Some(2), None, 3));
        slots.forget(3);
        slots.free();
        slots.free();
        assert_eq!((slots.grant(), slots.grant(), slots.grant()), (Some(1), Some(4), None));
    }

    #[test]
    fn a_slot_that_nobody_waits_for_is_kept_and_after_the_end_nobody_gets_one() {
        let mut slots = Slots::new(0);
        assert_eq!(slots.grant(), None);
        slots.want(1, 0);
        assert_eq!(slots.grant(), Some(1), "there is one at least");
        slots.want(2, 0);
        slots.close();
        slots.want(3, 0);
        slots.free();
        assert_eq!((slots.grant(), slots.waiting()), (None, 0));
    }
}
