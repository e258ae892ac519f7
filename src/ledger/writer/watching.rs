//! When sources are watched: from a frame to a later one, by a clock that nobody sets. Pure.

use std::collections::BTreeMap;

use crate::{
    ledger::clock_check::{ClockReading, JUMP},
    model::{SourceId, StateKind},
};

/// Longest time from frames to frames that still counts as watched, in milliseconds. Results come every second; a
/// source that has stalled for two says so.
const TOLERANCE: i64 = 5000;

/// A time in which a source was watched, in milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watch {
    /// First frame.
    pub from: i64,
    /// Last frame so far.
    pub to: i64,
}

#[derive(Debug)]
struct Open {
    watch: Watch,
    /// First and last frame by the clock that nobody sets.
    began: i64,
    seen: i64,
    frames: u64,
    /// The source has said that it does not run.
    stopped: bool,
    /// It has said since that it runs again: what comes is another watch.
    over: bool,
    unnoted: bool,
}

/// All sources that were watched in this run.
#[derive(Debug, Default)]
pub struct Watching {
    open: BTreeMap<SourceId, Open>,
}

impl Watching {
    /// A source has handled `frames` frames so far. Gives the watch before, if this is the begin of another one.
    pub fn frames(&mut self, source: SourceId, frames: u64, now: ClockReading) -> Option<Watch> {
        let open = self.open.get_mut(&source);
        if frames == 0 || open.as_ref().is_some_and(|open| open.frames == frames) {
            return None;
        }
        if let Some(open) = open {
            let to = open.watch.from + (now.uptime - open.began);
            let goes_on = !open.over
                && now.uptime - open.seen <= TOLERANCE
                && now.uptime >= open.seen
                && (now.wall - to).abs() <= JUMP;
            if goes_on {
                (open.watch.to, open.seen, open.frames) = (to, now.uptime, frames);
                return None;
            }
        }
        let watch = Watch { from: now.wall, to: now.wall };
        let (began, seen) = (now.uptime, now.uptime);
        let begun = Open { watch, began, seen, frames, stopped: false, over: false, unnoted: true };
        self.open.insert(source, begun).map(|before| before.watch)
    }

    /// A source has said what state it is in.
    pub fn state(&mut self, source: &SourceId, state: StateKind) {
        if let Some(open) = self.open.get_mut(source) {
            if state == StateKind::Running {
                open.over |= open.stopped;
            } else {
                open.stopped = true;
            }
        }
    }

    /// What has to be noted: of all sources, or only of those of which nothing has been.
    pub fn unnoted(&self, all: bool) -> impl Iterator<Item = (&SourceId, Watch)> {
        let due = move |open: &Open| all || open.unnoted;
        self.open.iter().filter(move |(_, open)| due(open)).map(|(source, open)| (source, open.watch))
    }

    /// All of it has been noted.
    pub fn noted(&mut self) {
        self.open.values_mut().for_each(|open| open.unnoted = false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    /// A source that gives frames every second of these, by both clocks.
    fn watch(watching: &mut Watching, seconds: std::ops::RangeInclusive<i64>, off: i64) -> Vec<Watch> {
        let at = |second: i64| ClockReading { wall: second * 1000 + off, uptime: second * 1000 };
        let frames = |second: i64| second.unsigned_abs() + 1;
        seconds.filter_map(|s| watching.frames("a".into(), frames(s), at(s))).collect()
    }

    fn now(watching: &Watching) -> Watch {
        watching.unnoted(true).next().map(|(_, watch)| watch).expect("a watch")
    }

    #[test]
    fn a_source_is_watched_from_its_first_to_its_last_frame() {
        let mut watching = Watching::default();
        watching.state(&"a".into(), StateKind::Running);
        assert_eq!(watching.unnoted(true).count(), 0, "nothing was seen yet");
        assert_eq!(watch(&mut watching, 10..=60, 0), []);
        assert_eq!(now(&watching), Watch { from: 10_000, to: 60_000 });
        // It says that it runs, and no frame comes.
        watching.frames("a".into(), 61, ClockReading { wall: 99_000, uptime: 99_000 });
        assert_eq!(now(&watching), Watch { from: 10_000, to: 60_000 });
    }

    #[test]
    fn a_time_without_frames_is_a_gap_whatever_the_state() {
        let mut watching = Watching::default();
        watch(&mut watching, 0..=60, 0);
        assert_eq!(watch(&mut watching, 105..=200, 0), [Watch { from: 0, to: 60_000 }], "frozen for 45 s");
        assert_eq!(now(&watching), Watch { from: 105_000, to: 200_000 });
        for state in [StateKind::Stalled, StateKind::Running] {
            watching.state(&"a".into(), state);
        }
        assert_eq!(watch(&mut watching, 203..=210, 0), [Watch { from: 105_000, to: 200_000 }]);
    }

    #[test]
    fn a_clock_that_is_set_divides_a_watch_and_lengthens_none() {
        for off in [HOUR, -HOUR, 400 * 24 * HOUR, -10 * 24 * HOUR] {
            let mut watching = Watching::default();
            watch(&mut watching, 0..=60, 0);
            assert_eq!(watch(&mut watching, 61..=120, off), [Watch { from: 0, to: 60_000 }]);
            let second = now(&watching);
            assert_eq!((second.from, second.to - second.from), (61_000 + off, 59_000));
        }
    }

    #[test]
    fn the_last_frames_of_a_file_count_when_they_are_told_of_after_its_end() {
        let mut watching = Watching::default();
        watch(&mut watching, 0..=10, 0);
        watching.state(&"a".into(), StateKind::Completed);
        watch(&mut watching, 11..=11, 0);
        assert_eq!(now(&watching), Watch { from: 0, to: 11_000 });
    }
}
