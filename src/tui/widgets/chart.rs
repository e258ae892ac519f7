//! Columns over time with a scale that stands still, and gaps where nobody watched.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{Look, put};
use crate::{
    store::Minute,
    tui::{layout::take_left, theme::Role},
};

/// How far back a chart reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Range {
    /// One hour.
    #[default]
    Hour,
    /// Six hours.
    SixHours,
    /// One day.
    Day,
    /// Seven days.
    Week,
}

impl Range {
    const ALL: [Self; 4] = [Self::Hour, Self::SixHours, Self::Day, Self::Week];

    /// The range `steps` further; `None` beyond the ends.
    #[must_use]
    pub fn stepped(self, steps: isize) -> Option<Self> {
        let now = Self::ALL.iter().position(|range| *range == self)?;
        Self::ALL.get(now.checked_add_signed(steps)?).copied()
    }

    /// Its length in minutes.
    #[must_use]
    pub fn minutes(self) -> i64 {
        match self {
            Self::Hour => 60,
            Self::SixHours => 6 * 60,
            Self::Day => 24 * 60,
            Self::Week => 7 * 24 * 60,
        }
    }

    /// Its name in titles.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hour => "last hour",
            Self::SixHours => "last 6 hours",
            Self::Day => "last 24 hours",
            Self::Week => "last 7 days",
        }
    }
}

/// One column: what happened in its share of the time. `None` where nobody watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// People in.
    pub total_in: u64,
    /// People out.
    pub total_out: u64,
    /// The current count at its end.
    pub current: i64,
}

/// `history` up to minute `now` as at most `columns` columns, and how many minutes each stands for.
#[must_use]
pub fn columns(history: &[Minute], now: i64, range: Range, columns: usize) -> (Vec<Option<Column>>, i64) {
    let room = i64::try_from(columns).unwrap_or(i64::MAX).max(1);
    let per_column = range.minutes().div_euclid(room) + i64::from(range.minutes().rem_euclid(room) != 0);
    let count = usize::try_from(range.minutes().div_euclid(per_column)).unwrap_or(0).min(columns);
    let last = now.div_euclid(per_column);
    let mut out: Vec<Option<Column>> = vec![None; count];
    for minute in history.iter().filter(|minute| minute.watched) {
        let back = last - minute.minute.div_euclid(per_column);
        if let Some(place) = usize::try_from(back).ok().and_then(|back| count.checked_sub(back + 1)) {
            let column = out[place].get_or_insert(Column { total_in: 0, total_out: 0, current: 0 });
            column.total_in += u64::from(minute.total_in);
            column.total_out += u64::from(minute.total_out);
            column.current = minute.current;
        }
    }
    (out, per_column)
}

/// The smallest of 1, 2, 5, 10, 20, 50 ... that is not below `value`: a scale that does not change with
/// every person.
#[must_use]
pub fn scale(value: u64) -> u64 {
    let mut step = 1;
    loop {
        for factor in [1, 2, 5] {
            if step * factor >= value {
                return step * factor;
            }
        }
        match step.checked_mul(10).filter(|step| *step <= u64::MAX / 50) {
            Some(next) => step = next,
            None => return value,
        }
    }
}

/// How many cells wide each of `count` columns can be drawn in `room`.
#[must_use]
pub fn stretch(count: usize, room: usize) -> usize {
    (room / count.max(1)).max(1)
}

/// Draws `values` as columns from the bottom of `area`, with the scale's top and zero at the left.
pub fn draw(values: &[Option<u64>], role: Role, area: Rect, buffer: &mut Buffer, look: &Look) {
    const SCALE: u16 = 6;
    let mut rest = area;
    if rest.height == 0 || rest.width <= SCALE {
        return;
    }
    let axis = take_left(&mut rest, SCALE);
    let top = scale(values.iter().flatten().copied().max().unwrap_or(0));
    put(&look.line(look.right(&crate::tui::format::count(top), 5), Role::Dim), axis, buffer);
    if axis.height > 1 {
        let foot = Rect { y: axis.bottom() - 1, height: 1, ..axis };
        put(&look.line(look.right("0", 5), Role::Dim), foot, buffer);
    }
    let steps = look.symbols.levels.len() as u64;
    let full = u64::from(rest.height) * steps;
    let wide = stretch(values.len(), usize::from(rest.width));
    let places = (rest.x..rest.right()).step_by(wide);
    for (value, left) in values.iter().zip(places) {
        let Some(value) = value else { continue };
        // Anything above zero shows; zero shows as the lowest level, so that it is not a gap.
        let height = (value * full).div_ceil(top).max(1).min(full);
        for row in 0..rest.height {
            let below = u64::from(row) * steps;
            if height <= below {
                break;
            }
            let level = (height - below).min(steps) - 1;
            let role = if *value == 0 { Role::Dim } else { role };
            for x in left..(left + wide as u16).min(rest.right()) {
                if let Some(cell) = buffer.cell_mut((x, rest.bottom() - 1 - row)) {
                    cell.set_symbol(look.symbols.levels[level as usize]).set_style(look.style(role));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(minute: i64, total_in: u32, watched: bool) -> Minute {
        Minute { minute, total_in, total_out: 1, current: i64::from(total_in), watched }
    }

    #[test]
    fn minutes_are_summed_and_gaps_stay_gaps() {
        let history = [minute(0, 3, true), minute(1, 4, true), minute(2, 9, false), minute(59, 5, true)];
        let (columns, per_column) = columns(&history, 59, Range::Hour, 30);
        assert_eq!((columns.len(), per_column), (30, 2));
        assert_eq!(columns[0], Some(Column { total_in: 7, total_out: 2, current: 4 }));
        assert_eq!(columns[1], None);
        assert_eq!(columns[29], Some(Column { total_in: 5, total_out: 1, current: 5 }));
    }

    #[test]
    fn nothing_older_than_the_range_is_shown() {
        let history = [minute(0, 3, true)];
        assert!(columns(&history, 500, Range::Hour, 30).0.iter().all(Option::is_none));
        assert!(columns(&history, 500, Range::Day, 0).0.is_empty());
    }

    #[test]
    fn scales_are_round() {
        assert_eq!([0, 1, 2, 3, 6, 11, 21, 99].map(scale), [1, 1, 2, 5, 10, 20, 50, 100]);
        assert!(scale(u64::MAX) == u64::MAX);
    }

    #[test]
    fn ranges_end() {
        assert_eq!(Range::Hour.stepped(1), Some(Range::SixHours));
        assert_eq!(Range::Hour.stepped(-1), None);
        assert_eq!(Range::Week.stepped(1), None);
    }
}
