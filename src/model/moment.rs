//! Time as snapshots tell it.

use std::{
    ops::{Add, Sub},
    time::Duration,
};

use serde::{Deserialize, Serialize};

/// A moment on an engine's own clock: the time since that engine started. The clock is monotonic and leaves out the time
/// in which the program stood still. Moments of two engines cannot be compared.
///
/// Arithmetic saturates: nothing is before the start, and what lies in the future is no time ago.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
pub struct Moment(Duration);

impl Moment {
    /// When the engine started.
    pub const START: Self = Self(Duration::ZERO);

    /// The moment this long after the engine's start.
    #[must_use]
    pub const fn new(since_start: Duration) -> Self {
        Self(since_start)
    }

    /// Time since the engine's start.
    #[must_use]
    pub const fn since_start(self) -> Duration {
        self.0
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, time: Duration) -> Self {
        Self(self.0.saturating_add(time))
    }
}

impl Sub<Duration> for Moment {
    type Output = Self;

    fn sub(self, time: Duration) -> Self {
        Self(self.0.saturating_sub(time))
    }
}

impl Sub for Moment {
    type Output = Duration;

    /// Time from `earlier` to `self`; zero when `earlier` is later.
    fn sub(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates() {
        let second = Duration::from_secs(1);
        let (early, late) = (Moment::new(second), Moment::new(second * 3));
        assert_eq!((late - early, early - late), (second * 2, Duration::ZERO));
        assert_eq!(
            (early - second * 2, Moment::new(Duration::MAX) + second),
            (Moment::START, Moment::new(Duration::MAX))
        );
    }
}
