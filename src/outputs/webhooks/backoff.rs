//! When the next attempt is. Pure.

use std::time::{Duration, Instant};

/// The first wait.
const FIRST: Duration = Duration::from_secs(1);

/// The longest wait without a word of the server.
const LONGEST: Duration = Duration::from_mins(5);

/// The longest wait that a server may ask for.
const MOST_ASKED: Duration = Duration::from_hours(1);

/// Failed attempts in a row, and when the next is.
#[derive(Debug, Clone, Default)]
pub struct Backoff {
    failures: u32,
    /// No attempt before.
    pub until: Option<Instant>,
}

impl Backoff {
    /// Notes a failed attempt at `now`: twice the wait before, up to five minutes, of which up to a fifth is left out by
    /// `random`. What the server has asked for counts where it is longer, up to an hour.
    pub fn fail(&mut self, now: Instant, asked: Option<Duration>, random: u32) -> Instant {
        let wait = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        let wait = wait.mul_f64(1.0 - 0.2 * f64::from(random) / f64::from(u32::MAX));
        let until = now + wait.max(asked.unwrap_or_default().min(MOST_ASKED));
        self.until = Some(until);
        until
    }

    /// Notes a failed attempt that is worth another one `until` then, before the waits begin.
    pub fn begin(&mut self, until: Instant) -> Instant {
        self.until = Some(until);
        until
    }

    /// Whether an attempt has failed.
    pub fn has_failed(&self) -> bool {
        self.until.is_some()
    }

    /// Whether it is too early for an attempt.
    pub fn holds(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_five_minutes_and_a_server_may_ask_for_up_to_an_hour() {
        let (now, mut backoff) = (Instant::now(), Backoff::default());
        assert!(!backoff.holds(now));
        let waits: Vec<u64> = (0..12).map(|_| (backoff.fail(now, None, 0) - now).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        assert!(backoff.holds(now) && !backoff.holds(now + LONGEST));
        let asked =
            |seconds| Backoff::default().fail(now, Some(Duration::from_secs(seconds)), u32::MAX) - now;
        assert_eq!(asked(0), Duration::from_millis(800));
        assert_eq!((asked(70).as_secs(), asked(1 << 40).as_secs()), (70, 3600));
    }
}
