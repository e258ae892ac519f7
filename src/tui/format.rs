//! Numbers and times in as few columns as they need, rounded to what can be read, so that the screen does
//! not change without need.

use std::time::{Duration, Instant, SystemTime};

/// What stands before a count: nothing, or a mark where it cannot be relied upon.
#[must_use]
pub const fn about(is_doubted: bool) -> &'static str {
    if is_doubted { "~" } else { "" }
}

/// One moment on both clocks: everything on a screen is drawn as of one of these.
#[derive(Debug, Clone)]
pub struct Moment {
    /// For what the screens wait for; ages and countdowns are as of the snapshot.
    pub mono: Instant,
    /// For the clock and for stamps, in the zone that the user reads.
    pub wall: jiff::Zoned,
}

impl Moment {
    /// Now, in `zone`.
    #[must_use]
    pub fn now(zone: &jiff::tz::TimeZone) -> Self {
        Self { mono: crate::clock::now(), wall: jiff::Timestamp::now().to_zoned(zone.clone()) }
    }

    /// `time` as `12:34:56` where it is of the same day as this moment, else its day, `2026-12-01`.
    #[must_use]
    pub fn clock_or_day(&self, time: SystemTime) -> String {
        match jiff::Timestamp::try_from(time)
            .map(|stamp| stamp.to_zoned(self.wall.time_zone().clone()).date())
        {
            Ok(day) if day != self.wall.date() => day.to_string(),
            _ => self.clock(time),
        }
    }

    /// `time` as `12:34:56` in the zone of this moment.
    #[must_use]
    pub fn clock(&self, time: SystemTime) -> String {
        jiff::Timestamp::try_from(time).map_or_else(
            |_| "--:--:--".into(),
            |stamp| stamp.to_zoned(self.wall.time_zone().clone()).strftime("%H:%M:%S").to_string(),
        )
    }
}

/// A count in at most six columns: `0`, `999999`, `1.23M`.
#[must_use]
pub fn count(value: u64) -> String {
    match value {
        0..=999_999 => value.to_string(),
        1_000_000..=99_989_999 => format!("{:.2}M", value as f64 / 1e6),
        99_990_000..=99_999_000_000 => format!("{:.0}M", value as f64 / 1e6),
        _ => ">99G".into(),
    }
}

/// A count that may be negative, in at most seven columns, without a plus sign.
#[must_use]
pub fn current(value: i64) -> String {
    if value < 0 { format!("-{}", count(value.unsigned_abs())) } else { count(value.unsigned_abs()) }
}

/// A count with its sign: `+2`, `-2`, `+0`.
#[must_use]
pub fn signed(value: i64) -> String {
    if value < 0 {
        format!("-{}", count(value.unsigned_abs()))
    } else {
        format!("+{}", count(value.unsigned_abs()))
    }
}

/// Frames per second in at most six columns; `-` for what is not a rate.
#[must_use]
pub fn fps(value: f32) -> String {
    if !value.is_finite() || value < 0.0 {
        "-".into()
    } else if value < 999.95 {
        format!("{value:.1}")
    } else {
        format!("{:.0}", value.min(99_999.0))
    }
}

/// An age in at most four columns: `<1s`, `12s`, `3m`, `5h`, `9d`.
#[must_use]
pub fn age(age: Duration) -> String {
    match age.as_secs() {
        0 => "<1s".into(),
        s @ 1..60 => format!("{s}s"),
        s @ 60..3600 => format!("{}m", s / 60),
        s @ 3600..86_400 => format!("{}h", s / 3600),
        s => format!("{}d", (s / 86_400).min(999)),
    }
}

/// A countdown in at most four columns, rounded up so that it ends at `1s`.
#[must_use]
pub fn countdown(left: Duration) -> String {
    let seconds = left.as_millis().div_ceil(1000).max(1);
    if seconds < 100 { format!("{seconds}s") } else { age(Duration::from_secs(seconds as u64)) }
}

/// A longer time in two units: `42s`, `3m 05s`, `1h 02m`, `9d 04h`.
#[must_use]
pub fn duration(time: Duration) -> String {
    let s = time.as_secs();
    match s {
        0..60 => format!("{s}s"),
        60..3600 => format!("{}m {:02}s", s / 60, s % 60),
        3600..86_400 => format!("{}h {:02}m", s / 3600, s / 60 % 60),
        _ => format!("{}d {:02}h", s / 86_400, s / 3600 % 24),
    }
}

/// Milliseconds of a short time: `0 ms`, `72 ms`, `1.3 s`.
#[must_use]
pub fn latency(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{} ms", time.as_millis())
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}

/// Memory in the unit that fits, decimal: `412 MB`, `1.2 GB`.
#[must_use]
pub fn bytes(value: u64) -> String {
    let value = value as f64;
    if value < 999.5e3 {
        format!("{:.0} kB", value / 1e3)
    } else if value < 999.5e6 {
        format!("{:.0} MB", value / 1e6)
    } else {
        format!("{:.1} GB", value / 1e9)
    }
}

/// A share of 0..=1 as a percentage in at most four columns.
#[must_use]
pub fn percent(share: f32) -> String {
    if share.is_finite() { format!("{:.0}%", (share * 100.0).clamp(0.0, 999.0)) } else { "-".into() }
}

/// `40 s`, `1 min`, `10 min`.
#[must_use]
pub fn minutes(seconds: f64) -> String {
    match (seconds / 60.0).round() as u64 {
        0 => format!("{seconds:.0} s"),
        1 => "1 min".into(),
        minutes => format!("{minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_keep_to_their_columns() {
        for value in [0, 7, 999_999, 1_000_000, 99_989_999, 99_999_999, 100_000_000, 99_999_000_001, u64::MAX]
        {
            assert!(count(value).len() <= 6, "{}", count(value));
        }
        assert_eq!(count(1_234_567), "1.23M");
        assert_eq!((signed(2), signed(-2), signed(0)), ("+2".into(), "-2".into(), "+0".into()));
        assert_eq!(current(-2), "-2");
        assert!(current(i64::MIN).len() <= 7);
    }

    #[test]
    fn a_time_of_another_day_is_shown_as_its_day() {
        let wall = "2026-12-02T15:00:00[UTC]".parse().unwrap();
        let now = Moment { mono: crate::clock::now(), wall };
        let shown = |at: &str| now.clock_or_day(at.parse::<jiff::Timestamp>().unwrap().into());
        assert_eq!(shown("2026-12-02T04:00:12Z"), "04:00:12");
        assert_eq!(shown("2026-11-30T14:00:00Z"), "2026-11-30");
    }

    #[test]
    fn rates_that_are_none_do_not_show_as_nan() {
        assert_eq!(fps(f32::NAN), "-");
        assert_eq!(fps(25.34), "25.3");
        assert_eq!(fps(999.96), "1000");
        assert_eq!(fps(f32::INFINITY), "-");
    }

    #[test]
    fn times_are_short() {
        let s = Duration::from_secs;
        assert_eq!(age(Duration::from_millis(300)), "<1s");
        assert_eq!(
            (age(s(59)), age(s(60)), age(s(7200)), age(s(86_400))),
            ("59s".into(), "1m".into(), "2h".into(), "1d".into())
        );
        assert_eq!(countdown(Duration::from_millis(3200)), "4s");
        assert_eq!(countdown(Duration::ZERO), "1s");
        assert_eq!(duration(s(3723)), "1h 02m");
        assert_eq!(bytes(412_345_678), "412 MB");
        assert_eq!(latency(Duration::from_millis(1300)), "1.3 s");
    }
}
