//! How sure a share is that was observed in few cases.

/// The standard normal quantile of a two-sided 95 % interval.
const Z: f64 = 1.959_963_984_540_054;

/// The Wilson score interval, at 95 %, of the share that `successes` of `trials` estimate: its lower and upper bound, 0..=1.
/// `None` without trials. More successes than trials are taken for all of them.
///
/// E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American
/// Statistical Association 22 (1927), 209-212: with p = successes / trials, the bounds are
/// (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n). Unlike p ± z √(p(1-p)/n), it stays within 0..=1 and does not
/// collapse where everything was right.
#[must_use]
pub fn interval(successes: u64, trials: u64) -> Option<(f64, f64)> {
    if trials == 0 {
        return None;
    }
    let n = trials as f64;
    interval_of(successes.min(trials) as f64 / n, n)
}

/// The same of a share `p` that was seen in `n` cases, which need be no whole number: of weighted cases, as many as would be
/// as sure if they were of equal weight. `None` where that is no number above 0.
#[must_use]
pub fn interval_of(p: f64, n: f64) -> Option<(f64, f64)> {
    if !(n > 0.0 && n.is_finite() && p.is_finite()) {
        return None;
    }
    let spread = Z * Z / n;
    let middle = p + spread / 2.0;
    let half = Z * (p * (1.0 - p) / n + spread / (4.0 * n)).sqrt();
    let bound = |value: f64| (value / (1.0 + spread)).clamp(0.0, 1.0);
    Some((bound(middle - half), bound(middle + half)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R. G. Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998),
    /// 857-872, table I, method 3 (score method without continuity correction).
    #[test]
    fn the_published_table_is_met() {
        for (successes, trials, lower, upper) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0000, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let (low, high) = interval(successes, trials).unwrap();
            assert!((low - lower).abs() < 5e-5, "{successes}/{trials}: {low}");
            assert!((high - upper).abs() < 5e-5, "{successes}/{trials}: {high}");
        }
    }

    #[test]
    fn all_right_and_nothing_right_mirror_each_other() {
        let (low, high) = interval(10, 10).unwrap();
        let (none_low, none_high) = interval(0, 10).unwrap();
        assert!((low - (1.0 - none_high)).abs() < 1e-12);
        assert!((1.0 - high).abs() < 1e-12 && none_low < 1e-12, "{high} {none_low}");
    }

    #[test]
    fn nothing_is_known_without_trials_and_nothing_exceeds_a_share() {
        assert_eq!(interval(0, 0), None);
        assert_eq!(interval(7, 5), interval(5, 5));
    }
}
