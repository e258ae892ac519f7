//! Whether the threads that everything depends on still turn.

use std::sync::atomic::{AtomicU64, Ordering};

/// How often two threads of an engine have gone round their loops so far. Both go round at least twice a second, also when
/// there is nothing to do; one that hangs stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Heartbeat {
    /// The coordinator, which everything asked of the engine goes to.
    pub coordinator: u64,
    /// The result handler, which passes on everything that is counted.
    pub results: u64,
}

impl Heartbeat {
    /// Whether both threads have gone round since `before`.
    #[must_use]
    pub fn has_gone_on_since(self, before: Self) -> bool {
        self.coordinator > before.coordinator && self.results > before.results
    }
}

/// Counted by the threads themselves.
#[derive(Debug, Default)]
pub struct Rounds {
    coordinator: AtomicU64,
    results: AtomicU64,
}

impl Rounds {
    /// The coordinator goes round.
    pub fn coordinator_turns(&self) {
        self.coordinator.fetch_add(1, Ordering::Relaxed);
    }

    /// The result handler goes round.
    pub fn results_turn(&self) {
        self.results.fetch_add(1, Ordering::Relaxed);
    }

    /// As of now.
    pub fn heartbeat(&self) -> Heartbeat {
        Heartbeat {
            coordinator: self.coordinator.load(Ordering::Relaxed),
            results: self.results.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heartbeat_goes_on_only_when_both_threads_turn() {
        let rounds = Rounds::default();
        let before = rounds.heartbeat();
        rounds.coordinator_turns();
        assert!(!rounds.heartbeat().has_gone_on_since(before));
        rounds.results_turn();
        assert!(rounds.heartbeat().has_gone_on_since(before));
        assert!(!before.has_gone_on_since(before));
    }
}
