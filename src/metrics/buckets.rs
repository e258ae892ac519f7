//! Durations by fixed bounds, as Prometheus counts them, without a lock.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Upper bounds of the buckets, in seconds. What is longer than the last one is counted beyond it.
pub const BOUNDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Counts of durations. They only grow.
#[derive(Debug, Default)]
pub struct Buckets {
    counts: [AtomicU64; BOUNDS.len() + 1],
    nanoseconds: AtomicU64,
}

impl Buckets {
    /// Counts one duration.
    pub fn record(&self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        let bucket = BOUNDS.partition_point(|bound| *bound < seconds);
        self.counts[bucket].fetch_add(1, Ordering::Relaxed);
        self.nanoseconds.fetch_add(duration.as_nanos() as u64, Ordering::Relaxed);
    }

    /// What was counted so far.
    #[must_use]
    pub fn read(&self) -> Durations {
        let counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        Durations { counts, seconds: self.nanoseconds.load(Ordering::Relaxed) as f64 * 1e-9 }
    }
}

/// Durations that were counted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Durations {
    /// How many were in each bucket: up to and including its bound and above the bound before; the last is without a bound.
    /// Empty where nothing is measured.
    pub counts: Vec<u64>,
    /// Sum of all, in seconds.
    pub seconds: f64,
}

impl Durations {
    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_counted_once_in_the_bucket_that_it_does_not_exceed() {
        let buckets = Buckets::default();
        for millis in [0, 1, 2, 30_000, 30_001] {
            buckets.record(Duration::from_millis(millis));
        }
        let read = buckets.read();
        assert_eq!((read.counts[0], read.counts[1]), (2, 1), "a bound belongs to its bucket");
        assert_eq!(read.counts[BOUNDS.len() - 1..], [1, 1]);
        assert_eq!(read.count(), 5);
        assert!((read.seconds - 60.004).abs() < 1e-6, "{}", read.seconds);
        assert!(BOUNDS.is_sorted());
    }
}
