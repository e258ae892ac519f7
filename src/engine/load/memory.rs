//! Keeps the process below its `memory_limit`: which source is closed, and which may open again. Pure; called
//! about twice a second.
//!
//! Rarer detections save little memory; decoders and their frames are what a source costs. When the limit is near and
//! memory has grown in the last seconds, the source that grew pays: one that is being opened or sends nothing, or has
//! just been opened or changed its size. Else the least important camera is closed. It is opened again when there is
//! room for what it was seen to cost. A file that is read steadily is never closed half-way: it would be counted again.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

/// Share of the limit from which a source is closed, what may come until the next look included: as much again as
/// came since the last one.
const CLOSE_AT: f64 = 0.9;

/// Share of the limit below which a camera may open again, its own cost included.
const OPEN_BELOW: f64 = 0.8;

/// Time between two decisions: a closed decoder gives its memory back only when its thread has ended.
const SETTLE: Duration = Duration::from_secs(1);

/// Shortest time a camera stays closed; doubled every time it had to be closed again.
const FIRST_WAIT: Duration = Duration::from_secs(10);

/// Longest time a camera stays closed when there is room.
const LONGEST_WAIT: Duration = Duration::from_mins(10);

/// Growth is what came in this time, and a source that was opened or changed its size in it may be the cause.
const RECENT: Duration = Duration::from_secs(10);

/// Share of the limit by which memory must have grown in that time for a source to be the cause.
const GROWTH: f64 = 0.05;

/// One source that holds memory, or a camera that was closed for want of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// Number of the source.
    pub number: usize,
    /// Higher is closed later.
    pub priority: i32,
    /// Whether somebody is in the frame.
    pub occupied: bool,
    /// Whether it is a file, which is closed for good.
    pub is_file: bool,
    /// Whether it was closed by [`Decision::Close`].
    pub closed: bool,
    /// Whether it is being opened or sends nothing.
    pub is_silent: bool,
    /// When it was opened or its frames grew.
    pub changed: Option<Instant>,
}

impl Holder {
    /// Whether what memory has grown by until `now` may be due to it.
    fn is_suspect(&self, now: Instant) -> bool {
        let recent = |at| now.saturating_duration_since(at) < RECENT;
        self.is_silent || self.changed.is_some_and(recent)
    }
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Nothing.
    Keep,
    /// Close the source of this number.
    Close(usize),
    /// Open the source of this number.
    Open(usize),
}

struct Past {
    closed_at: Instant,
    times: u32,
    /// Resident memory before it was closed; what it cost is known at the next look.
    before: u64,
    cost: u64,
}

/// What was closed and what that brought.
#[derive(Default)]
pub struct MemoryGuard {
    decided: Option<Instant>,
    /// Bytes held at the measurements of the last seconds.
    held: VecDeque<(Instant, u64)>,
    last_closed: Option<usize>,
    past: BTreeMap<usize, Past>,
}

impl MemoryGuard {
    /// Decides, with `resident` bytes held and `limit` allowed.
    pub fn decide(&mut self, resident: u64, limit: u64, holders: &[Holder], now: Instant) -> Decision {
        let before = self.held.back().map_or(resident, |(_, held)| *held);
        self.held.retain(|(at, _)| now.saturating_duration_since(*at) < RECENT);
        self.held.push_back((now, resident));
        let least = self.held.iter().map(|(_, held)| *held).min().unwrap_or(resident);
        if self.decided.is_some_and(|at| now.saturating_duration_since(at) < SETTLE) {
            return Decision::Keep;
        }
        if let Some(past) = self.last_closed.take().and_then(|number| self.past.get_mut(&number)) {
            past.cost = past.before.saturating_sub(resident);
        }
        let share = |bytes: u64| bytes as f64 / limit.max(1) as f64;
        if share(resident + resident.saturating_sub(before)) >= CLOSE_AT {
            let has_grown = share(resident - least) >= GROWTH;
            let Some(holder) = choose(holders, has_grown, now) else { return Decision::Keep };
            self.decided = Some(now);
            self.last_closed = Some(holder.number);
            let times = self.past.get(&holder.number).map_or(0, |past| past.times);
            let past = Past { closed_at: now, times: times + 1, before: resident, cost: 0 };
            self.past.insert(holder.number, past);
            return Decision::Close(holder.number);
        }
        let fits = |holder: &&Holder| {
            self.past.get(&holder.number).is_none_or(|past| {
                let wait = FIRST_WAIT.saturating_mul(1 << (past.times - 1).min(6)).min(LONGEST_WAIT);
                now.saturating_duration_since(past.closed_at) >= wait
                    && (resident + past.cost) as f64 <= OPEN_BELOW * limit as f64
            })
        };
        let closed = holders.iter().filter(|holder| holder.closed).filter(fits);
        match closed.max_by_key(|holder| (holder.priority, std::cmp::Reverse(holder.number))) {
            Some(holder) => {
                self.decided = Some(now);
                Decision::Open(holder.number)
            }
            None => Decision::Keep,
        }
    }
}

/// Who is closed. Among those that may have grown it is one that sends nothing before one that does; else, and among
/// equals, the least important.
fn choose(holders: &[Holder], has_grown: bool, now: Instant) -> Option<&Holder> {
    let open = || holders.iter().filter(|holder| !holder.closed);
    let rank = |holder: &&Holder| (holder.priority, holder.occupied, std::cmp::Reverse(holder.number));
    let suspects = open().filter(|holder| has_grown && holder.is_suspect(now));
    let suspect = suspects.min_by_key(|holder| (!holder.is_silent, rank(holder)));
    suspect.or_else(|| open().filter(|holder| !holder.is_file).min_by_key(rank))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera(number: usize, priority: i32, occupied: bool, closed: bool) -> Holder {
        Holder { number, priority, occupied, is_file: false, closed, is_silent: false, changed: None }
    }

    /// What is closed when memory has grown from half of the limit to nearly all of it within a second.
    fn closed(holders: &[Holder], now: Instant) -> Decision {
        let mut guard = MemoryGuard::default();
        assert_eq!(guard.decide(50, 100, holders, now.checked_sub(SETTLE).unwrap()), Decision::Keep);
        guard.decide(95, 100, holders, now)
    }

    #[test]
    fn the_source_that_grew_is_closed_whatever_its_priority() {
        let now = Instant::now() + RECENT * 10;
        let (old, new) = (Some(now.checked_sub(RECENT).unwrap()), Some(now.checked_sub(RECENT / 2).unwrap()));
        let low = Holder { changed: old, ..camera(0, 0, false, false) };
        let important = Holder { changed: old, ..camera(1, 9, true, false) };
        let opening = Holder { is_silent: true, ..important };
        assert_eq!(closed(&[low, important], now), Decision::Close(0), "nobody is suspect");
        assert_eq!(closed(&[low, opening], now), Decision::Close(1));
        assert_eq!(closed(&[low, Holder { changed: new, ..important }], now), Decision::Close(1));
        let fresh = Holder { changed: new, ..low };
        assert_eq!(closed(&[fresh, opening], now), Decision::Close(1), "one that sends nothing comes first");
        let others = Holder { is_silent: true, ..low };
        assert_eq!(closed(&[others, opening], now), Decision::Close(0), "and of those the least important");
    }

    #[test]
    fn a_file_is_closed_when_it_grew_and_never_for_others() {
        let now = Instant::now() + RECENT * 10;
        let file = Holder { is_file: true, ..camera(0, 0, false, false) };
        let growing = Holder { changed: Some(now), ..file };
        assert_eq!(closed(&[file], now), Decision::Keep);
        assert_eq!(closed(&[file, camera(1, 9, true, false)], now), Decision::Close(1));
        assert_eq!(closed(&[growing, camera(1, -9, false, false)], now), Decision::Close(0));
    }

    #[test]
    fn memory_that_has_not_grown_lately_is_nobodys_in_particular() {
        let now = Instant::now() + RECENT * 10;
        let opening = Holder { is_silent: true, ..camera(1, 9, true, false) };
        let mut guard = MemoryGuard::default();
        let both = [camera(0, 0, false, false), opening];
        assert_eq!(guard.decide(89, 100, &both, now.checked_sub(SETTLE).unwrap()), Decision::Keep);
        assert_eq!(guard.decide(91, 100, &both, now), Decision::Close(0));
    }

    #[test]
    fn the_least_important_camera_is_closed_first_and_the_emptier_of_two() {
        let (mut guard, now) = (MemoryGuard::default(), Instant::now());
        let mut cameras = [camera(0, 5, false, false), camera(1, 0, true, false), camera(2, 0, false, false)];
        assert_eq!(guard.decide(89, 100, &cameras, now), Decision::Keep);
        assert_eq!(guard.decide(95, 100, &cameras, now), Decision::Close(2));
        cameras[2].closed = true;
        assert_eq!(guard.decide(95, 100, &cameras, now + SETTLE / 2), Decision::Keep, "not yet settled");
        assert_eq!(guard.decide(95, 100, &cameras, now + SETTLE), Decision::Close(1));
        cameras[1].closed = true;
        assert_eq!(guard.decide(95, 100, &cameras, now + SETTLE * 2), Decision::Close(0));
        cameras[0].closed = true;
        assert_eq!(guard.decide(95, 100, &cameras, now + SETTLE * 3), Decision::Keep, "nothing is left");
    }

    #[test]
    fn memory_that_grows_fast_closes_a_camera_sooner() {
        let (mut guard, now, cameras) =
            (MemoryGuard::default(), Instant::now(), [camera(0, 0, false, false)]);
        assert_eq!(guard.decide(70, 100, &cameras, now), Decision::Keep);
        assert_eq!(guard.decide(79, 100, &cameras, now), Decision::Keep);
        assert_eq!(guard.decide(85, 100, &cameras, now), Decision::Close(0));
    }

    #[test]
    fn a_camera_opens_again_when_its_cost_fits_and_waits_longer_every_time() {
        let (mut guard, mut now) = (MemoryGuard::default(), Instant::now());
        let (open, closed) = ([camera(0, 0, false, false)], [camera(0, 0, false, true)]);
        assert_eq!(guard.decide(95, 100, &open, now), Decision::Close(0));
        now += FIRST_WAIT;
        assert_eq!(guard.decide(60, 100, &closed, now), Decision::Keep, "60 and the 35 it cost are too many");
        assert_eq!(guard.decide(45, 100, &closed, now), Decision::Open(0));
        now += SETTLE;
        assert_eq!(guard.decide(95, 100, &open, now), Decision::Close(0));
        now += FIRST_WAIT;
        assert_eq!(guard.decide(10, 100, &closed, now), Decision::Keep, "twice as long the second time");
        now += FIRST_WAIT;
        assert_eq!(guard.decide(10, 100, &closed, now), Decision::Keep, "85 is what it cost");
        assert_eq!(guard.decide(0, 200, &closed, now), Decision::Open(0));
    }
}
