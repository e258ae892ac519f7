//! Durations by size, without a lock and in bounded memory.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Buckets grow by this factor, so a quantile is right to about 5 %.
const GROWTH: f64 = 1.1;

/// Upper end of the first bucket, in seconds.
const FIRST: f64 = 0.0001;

/// 0.1 ms * 1.1^131 is about 27 s; what is longer falls into the last bucket.
const BUCKETS: usize = 132;

/// Counts of durations.
pub struct Histogram([AtomicU64; BUCKETS]);

impl Default for Histogram {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; BUCKETS])
    }
}

impl Histogram {
    /// Counts one duration.
    pub fn record(&self, duration: Duration) {
        let ratio = duration.as_secs_f64() / FIRST;
        let bucket = if ratio <= 1.0 { 0 } else { (ratio.ln() / GROWTH.ln()).ceil() as usize };
        self.0[bucket.min(BUCKETS - 1)].fetch_add(1, Ordering::Relaxed);
    }

    /// The duration that the share `quantile` (0..=1) of all does not exceed; zero when nothing was counted.
    #[must_use]
    pub fn quantile(&self, quantile: f64) -> Duration {
        let counts: Vec<u64> = self.0.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        let total: u64 = counts.iter().sum();
        let wanted = (total as f64 * quantile).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (bucket, count) in counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return Duration::from_secs_f64(FIRST * GROWTH.powi(bucket as i32));
            }
        }
        Duration::ZERO
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.0.iter().for_each(|count| count.store(0, Ordering::Relaxed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_right_to_a_tenth() {
        let histogram = Histogram::default();
        assert_eq!(histogram.quantile(0.5), Duration::ZERO);
        for ms in 1..=1000 {
            histogram.record(Duration::from_millis(ms));
        }
        for (quantile, expected) in [(0.5, 0.5), (0.99, 0.99), (0.0, 0.001), (1.0, 1.0)] {
            let found = histogram.quantile(quantile).as_secs_f64();
            assert!((expected..expected * 1.11).contains(&found), "{quantile}: {found} for {expected}");
        }
        histogram.record(Duration::from_hours(1));
        assert!(histogram.quantile(1.0) > Duration::from_secs(20));
    }
}
