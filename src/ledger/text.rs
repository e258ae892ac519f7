//! How reports write times and shares.

use super::{
    local_time::LocalTime,
    report::{ClockChange, Drift, Share},
};
use crate::logging::line::clean;

/// `2024-01-15 10:00`.
pub fn minutes(time: &LocalTime) -> String {
    time.shown("%Y-%m-%d %H:%M")
}

/// `2024-01-15 10:00:00`. Gaps may be shorter than a minute.
pub fn seconds(time: &LocalTime) -> String {
    time.shown("%Y-%m-%d %H:%M:%S")
}

/// `96.0 % (86.5-98.9)`; `-` where there is none.
pub fn interval(share: Option<Share>) -> String {
    let Some(Share { value, low, high }) = share else { return "-".into() };
    let [value, low, high] = [value, low, high].map(|share| share * 100.0);
    format!("{value:.1} % ({low:.1}-{high:.1})")
}

/// `96.0 %`.
pub fn percent(share: f64) -> String {
    // Never 100 % for less than all of it.
    let percent = if share >= 1.0 { 100.0 } else { (share * 1000.0).floor() / 10.0 };
    format!("{percent:.1} %")
}

/// What there is to say of a day on which in and out part.
pub fn drift(drift: &Drift) -> String {
    format!(
        "{}, {}: {} in and {} out differ by {:.0} %; everybody who goes in comes out, so one of the two is wrong",
        clean(&drift.place),
        drift.day.shown("%Y-%m-%d"),
        drift.total_in,
        drift.total_out,
        drift.share * 100.0
    )
}

/// What there is to say of a clock that was set.
pub fn clock_change(change: &ClockChange) -> String {
    let (from, to) = (seconds(&change.from), seconds(&change.to));
    format!("The clock was set from {from} to {to}: times near these are not certain")
}
