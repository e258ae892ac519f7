//! A ledger without a list of outputs, for tests.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use super::Ledger;
use crate::model::Event;

impl Ledger {
    /// Notes an event. Never blocks. Gives its place among those that were noted, from 1.
    #[allow(clippy::must_use_candidate, reason = "most callers note an event and need no place")]
    pub fn record(&self, event: Event) -> u64 {
        self.running.event(&Arc::new(event));
        self.running.taken.load(Ordering::SeqCst)
    }

    /// Of the events noted, so many are on disk (or were lost, see [`LedgerStatus::lost`]).
    #[must_use]
    pub fn durable_seq(&self) -> u64 {
        self.shared.durable()
    }

    /// Events noted and not on disk: what would be missing if the program ended now without its disk. Events
    /// that were lost ([`LedgerStatus::lost`]) are not among them.
    #[must_use]
    pub fn unsaved(&self) -> u64 {
        self.running.health().waiting
    }

    /// Commits what waits, ends the session and closes the file; waits for it at most `timeout`. Later
    /// events are not noted. `false` when that failed or `timeout` passed first; asked again, it answers the same
    /// at once.
    #[must_use]
    pub fn close(&self, timeout: Duration) -> bool {
        self.running.close(timeout)
    }
}
