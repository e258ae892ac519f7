//! Crossings by the minute, with gaps that stay gaps.

use std::{
    collections::VecDeque,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::Minute;
use crate::count::Direction;

/// The last minutes of one source.
#[derive(Debug)]
pub struct History {
    minutes: VecDeque<Minute>,
    capacity: usize,
}

/// The minute of the epoch that `wall` lies in.
fn minute_of(wall: SystemTime) -> i64 {
    wall.duration_since(UNIX_EPOCH).map_or(0, |since| (since.as_secs() / 60) as i64)
}

impl History {
    /// A history that reaches back over `span`, at least one minute.
    #[must_use]
    pub fn new(span: Duration) -> Self {
        let capacity = usize::try_from(span.as_secs() / 60).unwrap_or(usize::MAX).clamp(1, 366 * 24 * 60);
        Self { minutes: VecDeque::new(), capacity }
    }

    /// The source is being watched at `wall` with this many people inside.
    pub fn watch(&mut self, wall: SystemTime, current: i64) {
        if let Some(minute) = self.at(minute_of(wall)) {
            minute.watched = true;
            minute.current = current;
        }
    }

    /// Somebody crossed a line at `wall`; `current` is the count after it.
    pub fn cross(&mut self, wall: SystemTime, direction: Direction, current: i64) {
        if let Some(minute) = self.at(minute_of(wall)) {
            match direction {
                Direction::In => minute.total_in += 1,
                Direction::Out => minute.total_out += 1,
            }
            minute.watched = true;
            minute.current = current;
        }
    }

    /// All minutes, oldest first, without holes.
    #[must_use]
    pub fn minutes(&self) -> Vec<Minute> {
        self.minutes.iter().copied().collect()
    }

    /// The entry of `minute`, made if need be with the gap before it; `None` for a time before the history
    /// begins (the wall clock was set back), which is then booked on the latest minute instead of lost.
    fn at(&mut self, minute: i64) -> Option<&mut Minute> {
        let latest = self.minutes.back().copied();
        let (mut next, current) = latest.map_or((minute, 0), |last| (last.minute + 1, last.current));
        if minute - next >= self.capacity as i64 {
            self.minutes.clear();
            next = minute;
        }
        while next <= minute {
            if self.minutes.len() == self.capacity {
                self.minutes.pop_front();
            }
            self.minutes.push_back(Minute {
                minute: next,
                total_in: 0,
                total_out: 0,
                current,
                watched: false,
            });
            next += 1;
        }
        let first = self.minutes.front()?.minute;
        let last = self.minutes.len().checked_sub(1)?;
        let index = usize::try_from(minute - first).map_or(last, |index| index.min(last));
        self.minutes.get_mut(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wall(minute: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(minute * 60 + 30)
    }

    #[test]
    fn a_gap_is_kept_as_minutes_that_nobody_watched() {
        let mut history = History::new(Duration::from_secs(3600));
        history.cross(wall(100), Direction::In, 1);
        history.watch(wall(103), 1);
        let minutes = history.minutes();
        assert_eq!(minutes.iter().map(|m| m.minute).collect::<Vec<_>>(), [100, 101, 102, 103]);
        assert_eq!(minutes.iter().map(|m| m.watched).collect::<Vec<_>>(), [true, false, false, true]);
        assert_eq!(minutes[0].total_in, 1);
        assert_eq!(minutes[2].current, 1);
    }

    #[test]
    fn memory_is_bounded_and_a_clock_set_back_loses_no_crossing() {
        let mut history = History::new(Duration::from_secs(600));
        for minute in 0..1000 {
            history.cross(wall(minute), Direction::Out, 0);
        }
        assert_eq!(history.minutes().len(), 10);
        history.cross(wall(5), Direction::In, 0);
        assert_eq!(history.minutes().iter().map(|m| m.total_in).sum::<u32>(), 1);
        history.watch(wall(9_000_000_000), 0);
        assert_eq!(history.minutes().len(), 1, "a jump of centuries fills no memory");
    }
}
