//! What this process holds of the machine.
#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::fs;

/// Threads, file handles and resident memory at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Threads.
    pub threads: usize,
    /// Open file handles, without the one that looks.
    pub handles: usize,
    /// Resident memory in KiB.
    pub resident: u64,
}

/// What this process holds now.
pub fn held() -> Held {
    Held {
        threads: fs::read_dir("/proc/self/task").unwrap().count(),
        handles: fs::read_dir("/proc/self/fd").unwrap().count() - 1,
        resident: pcount::internals::metrics::resident_bytes() / 1024,
    }
}

/// The middle one of `values`.
pub fn median(values: impl IntoIterator<Item = u64>) -> u64 {
    let mut values: Vec<u64> = values.into_iter().collect();
    values.sort_unstable();
    values[values.len() / 2]
}
