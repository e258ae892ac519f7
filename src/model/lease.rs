//! The right to count a source that a fleet lends to one node at a time.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// Which lease of a source it was: of two for the same source the greater one is the later one.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Epoch {
    /// Which version of the source in the fleet: grows with each change of it.
    pub revision: u64,
    /// How often that version was given to a node, from 1.
    pub delivery: u64,
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.revision, self.delivery)
    }
}

/// Tells whether a lease still holds; may be asked for every frame, and never waits.
pub type Holds = dyn Fn() -> bool + Send + Sync;

/// The lease of a source: while it does not hold, nothing of the source is counted here.
#[derive(Clone)]
pub struct Lease {
    /// Which one it is.
    pub epoch: Epoch,
    holds: Arc<Holds>,
}

impl Lease {
    /// A lease that lasts for as long as `holds` says so.
    #[must_use]
    pub fn new(epoch: Epoch, holds: Arc<Holds>) -> Self {
        Self { epoch, holds }
    }

    /// Whether it still holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        (self.holds)()
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lease").field(&self.epoch).finish()
    }
}

impl PartialEq for Lease {
    fn eq(&self, other: &Self) -> bool {
        self.epoch == other.epoch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_lease_is_the_greater_one_also_when_a_change_begins_to_count_deliveries_again() {
        let epoch = |revision, delivery| Epoch { revision, delivery };
        assert!(epoch(3, 2) > epoch(3, 1));
        assert!(epoch(4, 1) > epoch(3, 9));
        assert_eq!(epoch(4, 1).to_string(), "4.1");
    }
}
