//! Columns of different heights from history, with gaps where nobody watched.

use crate::{model::Minute, tui::symbols::Symbols};

/// The last `minutes` of `history` up to minute `now`, as `columns` characters: each the crossings (both
/// ways) of its share of the time against the busiest share. A gap is a space, a watched zero the lowest
/// level.
#[must_use]
pub fn crossings(history: &[Minute], now: i64, minutes: i64, columns: usize, symbols: &Symbols) -> String {
    let columns_i = i64::try_from(columns).unwrap_or(i64::MAX).max(1);
    // Whole minutes a column, or columns would jump about as the time passes.
    let per_column = ((minutes + columns_i - 1) / columns_i).max(1);
    let last = now.div_euclid(per_column);
    let mut sums: Vec<Option<u64>> = vec![None; columns];
    for minute in history.iter().filter(|minute| minute.watched) {
        let back = last - minute.minute.div_euclid(per_column);
        if (0..columns_i).contains(&back) {
            let column = columns - 1 - back as usize;
            let crossings = u64::from(minute.total_in) + u64::from(minute.total_out);
            *sums[column].get_or_insert(0) += crossings;
        }
    }
    let top = sums.iter().flatten().copied().max().unwrap_or(0);
    sums.into_iter()
        .map(|sum| match sum {
            None => " ",
            Some(value) => level(value, top, symbols),
        })
        .collect()
}

/// The glyph for `value` of `top`: the lowest for zero only.
#[must_use]
pub fn level(value: u64, top: u64, symbols: &Symbols) -> &'static str {
    let steps = symbols.levels.len() as u64 - 1;
    let height = if top == 0 { 0 } else { (value.min(top) * steps).div_ceil(top) };
    symbols.levels[height as usize]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::symbols::{ASCII, UNICODE};

    fn minute(minute: i64, total_in: u32, watched: bool) -> Minute {
        Minute { minute, total_in, total_out: 0, current: 0, watched }
    }

    #[test]
    fn gaps_are_not_zeroes() {
        let history = [minute(96, 0, true), minute(97, 8, true), minute(98, 0, false), minute(100, 4, true)];
        assert_eq!(crossings(&history, 100, 6, 6, &UNICODE), " ▁█  ▅");
        assert_eq!(crossings(&history, 100, 6, 6, &ASCII), " _#  =");
    }

    #[test]
    fn minutes_share_columns_on_whole_boundaries() {
        let history: Vec<Minute> = (0..60).map(|m| minute(m, u32::from(m >= 55), true)).collect();
        let line = crossings(&history, 59, 60, 12, &UNICODE);
        assert_eq!(line, "▁▁▁▁▁▁▁▁▁▁▁█");
    }

    #[test]
    fn no_history_is_blank_and_a_single_crossing_shows() {
        assert_eq!(crossings(&[], 5, 60, 4, &UNICODE), "    ");
        assert_eq!(level(1, 1_000_000, &UNICODE), "▂");
    }
}
