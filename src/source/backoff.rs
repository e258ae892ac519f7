//! Delays between attempts to reach a source: exponential with jitter. Pure.

use std::time::Duration;

use crate::config::RetryConfig;

/// Each delay is this many times the one before.
const FACTOR: f64 = 2.0;

/// Delays are spread by this share up and down, so that cameras behind one rebooted switch do not all
/// come back in the same instant.
const JITTER: f64 = 0.2;

/// Counts attempts and says how long to wait before the next.
#[derive(Debug, Clone)]
pub struct Backoff {
    config: RetryConfig,
    attempts: u32,
    random: u64,
}

impl Backoff {
    /// No attempt made yet. `seed` decides the jitter (the source's id, hashed).
    #[must_use]
    pub fn new(config: RetryConfig, seed: u64) -> Self {
        Self { config, attempts: 0, random: seed | 1 }
    }

    /// Attempts that failed in a row.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Takes note of a failed attempt. `None` when `max_attempts` is reached, else how long to wait:
    /// `initial * 2^(attempt - 1)`, at most `max`, plus or minus 20 %.
    pub fn next_delay(&mut self) -> Option<Duration> {
        self.attempts = self.attempts.saturating_add(1);
        if self.config.max_attempts != 0 && self.attempts >= self.config.max_attempts {
            return None;
        }
        let exponent = f64::from(self.attempts.min(64) - 1);
        let plain =
            (self.config.initial.as_secs_f64() * FACTOR.powf(exponent)).min(self.config.max.as_secs_f64());
        Some(Duration::from_secs_f64(plain * (1.0 + JITTER * self.spread())))
    }

    /// Goes on after this many failed attempts, those of a thread before this one.
    pub fn resume(&mut self, attempts: u32) {
        self.attempts = attempts;
    }

    /// Forgets failed attempts, after a while of good frames or when the user asks.
    pub fn reset(&mut self) {
        self.attempts = 0;
    }

    /// A number in -1..1 (xorshift64*, Vigna 2016; quality hardly matters here).
    fn spread(&mut self) -> f64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        let bits = self.random.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11;
        bits as f64 / (1_u64 << 52) as f64 - 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(max_attempts: u32) -> RetryConfig {
        RetryConfig { max_attempts, initial: Duration::from_secs(1), max: Duration::from_secs(30) }
    }

    #[test]
    fn delays_double_up_to_the_maximum_within_the_jitter() {
        let mut backoff = Backoff::new(config(0), 42);
        for expected in [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0] {
            let delay = backoff.next_delay().unwrap().as_secs_f64();
            assert!((expected * 0.8..=expected * 1.2).contains(&delay), "{delay} is not {expected} +-20 %");
        }
    }

    #[test]
    fn gives_up_after_the_last_attempt_and_starts_over_after_a_reset() {
        let mut backoff = Backoff::new(config(3), 7);
        assert!(backoff.next_delay().is_some());
        assert!(backoff.next_delay().is_some());
        assert!(backoff.next_delay().is_none());
        backoff.reset();
        assert!(backoff.next_delay().is_some());
    }

    #[test]
    fn never_gives_up_when_attempts_are_unlimited_even_after_years() {
        let mut backoff = Backoff::new(config(0), 9);
        for _ in 0..100_000 {
            assert!(backoff.next_delay().is_some_and(|delay| delay <= Duration::from_secs(36)));
        }
    }

    #[test]
    fn cameras_with_different_ids_do_not_come_back_in_step() {
        let first = Backoff::new(config(0), 1).next_delay();
        let second = Backoff::new(config(0), 2).next_delay();
        assert_ne!(first, second);
    }
}
