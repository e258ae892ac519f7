//! Crossings by the minute, with gaps that stay gaps.

use std::{
    collections::VecDeque,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::model::{Direction, Minute};

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

    /// The entry of `minute`, made if need be with the gap before it. Where the wall clock was set back, the gap is
    /// after it; minutes that are then further away than the history reaches go.
    fn at(&mut self, minute: i64) -> Option<&mut Minute> {
        let gap = |minute, current| Minute { minute, total_in: 0, total_out: 0, current, watched: false };
        let reach = self.capacity as i64;
        let (first, last) = match (self.minutes.front(), self.minutes.back()) {
            (Some(first), Some(last)) => (first.minute, last.minute),
            _ => (minute, minute - 1),
        };
        let current = self.minutes.back().map_or(0, |last| last.current);
        if minute - last > reach || first - minute >= reach {
            self.minutes.clear();
            self.minutes.push_back(gap(minute, current));
        } else if minute < first {
            for earlier in (minute..first).rev() {
                if self.minutes.len() == self.capacity {
                    self.minutes.pop_back();
                }
                self.minutes.push_front(gap(earlier, current));
            }
        }
        for next in last + 1..=minute {
            if self.minutes.back().is_some_and(|last| last.minute >= next) {
                break;
            }
            if self.minutes.len() == self.capacity {
                self.minutes.pop_front();
            }
            self.minutes.push_back(gap(next, current));
        }
        let first = self.minutes.front()?.minute;
        self.minutes.get_mut(usize::try_from(minute - first).ok()?)
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
        let mut history = History::new(Duration::from_hours(1));
        history.cross(wall(100), Direction::In, 1);
        history.watch(wall(103), 1);
        let minutes = history.minutes();
        assert_eq!(minutes.iter().map(|m| m.minute).collect::<Vec<_>>(), [100, 101, 102, 103]);
        assert_eq!(minutes.iter().map(|m| m.watched).collect::<Vec<_>>(), [true, false, false, true]);
        assert_eq!(minutes[0].total_in, 1);
        assert_eq!(minutes[2].current, 1);
    }

    #[test]
    fn a_clock_set_back_goes_on_at_its_new_time() {
        let mut history = History::new(Duration::from_hours(1));
        (100..=110).for_each(|minute| history.watch(wall(minute), 7));
        for minute in 95..=98 {
            history.cross(wall(minute), Direction::In, 8);
        }
        let minutes = history.minutes();
        assert_eq!(minutes.iter().map(|m| m.minute).collect::<Vec<_>>(), (95..=110).collect::<Vec<_>>());
        assert_eq!(minutes.iter().map(|m| m.total_in).collect::<Vec<_>>()[..5], [1, 1, 1, 1, 0]);
        assert!(!minutes[4].watched && minutes[3].watched);
        // Further than it reaches back, and forward again.
        history.cross(wall(7), Direction::Out, 7);
        assert_eq!(history.minutes().len(), 1);
        history.cross(wall(110), Direction::Out, 6);
        assert_eq!(history.minutes().last().map(|m| (m.minute, m.total_out)), Some((110, 1)));
    }

    #[test]
    fn memory_is_bounded_and_a_clock_set_back_loses_no_crossing() {
        let mut history = History::new(Duration::from_mins(10));
        for minute in 0..1000 {
            history.cross(wall(minute), Direction::Out, 0);
        }
        assert_eq!(history.minutes().len(), 10);
        history.cross(wall(5), Direction::In, 0);
        assert_eq!(history.minutes().iter().map(|m| m.total_in).sum::<u32>(), 1);
        assert!(history.minutes().len() <= 10);
        history.watch(wall(9_000_000_000), 0);
        assert_eq!(history.minutes().len(), 1, "a jump of centuries fills no memory");
    }
}
