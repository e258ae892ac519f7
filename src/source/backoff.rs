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

    /// Whether as many attempts failed in a row as `max_attempts` says.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.config.max_attempts != 0 && self.attempts >= self.config.max_attempts
    }

    /// Takes note of a failed attempt and gives how long to wait: `initial * 2^(attempt - 1)`, at most `max` and `max`
    /// once [`Self::is_exhausted`], plus or minus 20 %.
    pub fn next_delay(&mut self) -> Duration {
        self.attempts = self.attempts.saturating_add(1);
        let exponent = f64::from(self.attempts.min(64) - 1);
        let longest = self.config.max.as_secs_f64();
        let plain = if self.is_exhausted() {
            longest
        } else {
            (self.config.initial.as_secs_f64() * FACTOR.powf(exponent)).min(longest)
        };
        Duration::from_secs_f64(plain * (1.0 + JITTER * self.spread()))
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
        let (initial, max) = (Duration::from_secs(1), Duration::from_secs(30));
        RetryConfig { max_attempts, initial, max, give_up: false }
    }

    #[test]
    fn delays_double_up_to_the_maximum_within_the_jitter() {
        let mut backoff = Backoff::new(config(0), 42);
        for expected in [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0] {
            let delay = backoff.next_delay().as_secs_f64();
            assert!((expected * 0.8..=expected * 1.2).contains(&delay), "{delay} is not {expected} +-20 %");
        }
    }

    #[test]
    fn attempts_are_used_up_and_forgotten_after_a_reset() {
        let mut backoff = Backoff::new(config(2), 7);
        backoff.next_delay();
        assert!(!backoff.is_exhausted());
        assert!(backoff.next_delay() >= Duration::from_secs(24), "the longest delay from then on");
        assert!(backoff.is_exhausted());
        backoff.reset();
        assert!(!backoff.is_exhausted());
        assert!(backoff.next_delay() <= Duration::from_millis(1200));
    }

    #[test]
    fn unlimited_attempts_are_never_used_up_even_after_years() {
        let mut backoff = Backoff::new(config(0), 9);
        for _ in 0..100_000 {
            assert!(backoff.next_delay() <= Duration::from_secs(36) && !backoff.is_exhausted());
        }
    }

    #[test]
    fn cameras_with_different_ids_do_not_come_back_in_step() {
        let first = Backoff::new(config(0), 1).next_delay();
        let second = Backoff::new(config(0), 2).next_delay();
        assert_ne!(first, second);
    }
}
