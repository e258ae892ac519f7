//! Less work under overload: which camera gets how many detection runs. Pure; called about twice a second.
//!
//! Overload is when live frames are replaced before a worker came to them. Then detections become rarer,
//! step by step: first where nobody is, then by priority from the lowest, and never below what counting
//! needs while somebody is in the frame. When no camera can give more detections, those without anybody in the
//! frame give frames as well, which saves their conversion and the search for motion in them. When nothing was
//! lost for a while the steps are taken back one by one, frames before detections and the most important cameras
//! first. Equal cameras are treated alike.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use crate::{model::Overload, source::pacer::RateShares};

/// Shares of the configured detection rate and of the frames handed to the workers at each level. With the last
/// one a new person in an empty frame is noticed half a second later than usual.
const LEVELS: [(f64, f64); 7] =
    [(1.0, 1.0), (0.7, 1.0), (0.5, 1.0), (0.35, 1.0), (0.2, 1.0), (0.2, 0.6), (0.2, 0.4)];

/// First level that costs frames.
const FRAMES: usize = 5;

/// Deepest level while somebody is in the frame: a third of 15 detections a second, the lowest rate at
/// which the tracker is proven to follow walkers.
const OCCUPIED: usize = 3;

/// A frame counts as occupied for this long after somebody was last seen in it: who is hidden for a moment, or
/// the next of a group, does not find it throttled like an empty one.
const OCCUPIED_FOR: Duration = Duration::from_secs(10);

/// Share of frames lost, over one look, from which the program is overloaded.
const LOST: f64 = 0.1;

/// Measurements in a row with losses before anything is done: a hiccup is no overload.
const PATIENCE: u32 = 4;

/// Time without losses before one step is taken back; doubled each time a step taken back was too many, up to
/// the second.
const RECOVERY: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(160));

/// What the throttle knows of one live source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// Number of the source.
    pub number: usize,
    /// Higher is throttled later.
    pub priority: i32,
    /// Whether somebody is in the frame.
    pub occupied: bool,
    /// Frames given to workers since the last look.
    pub detected: u64,
    /// Frames replaced before a worker came, since the last look.
    pub lost: u64,
}

/// Levels of all live sources.
#[derive(Debug)]
pub struct Throttle {
    /// By the number of the source; those not seen at an update start again.
    known: BTreeMap<usize, usize>,
    levels: Vec<usize>,
    /// When somebody was last in the frame, by the number of the source, for [`OCCUPIED_FOR`].
    occupied: BTreeMap<usize, Instant>,
    cause: Option<Overload>,
    overloaded: u32,
    recovered_since: Option<Instant>,
    /// See [`RECOVERY`].
    recovery: Duration,
    /// When a step was taken back last.
    relaxed: Option<Instant>,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            known: BTreeMap::new(),
            levels: Vec::new(),
            occupied: BTreeMap::new(),
            cause: None,
            overloaded: 0,
            recovered_since: None,
            recovery: RECOVERY.0,
            relaxed: None,
        }
    }
}

impl Throttle {
    /// The shares of its rates that each of `loads` gets from now on. `memory_short` counts as overload.
    pub fn shares(&mut self, loads: &[Load], memory_short: bool, now: Instant) -> Vec<RateShares> {
        let loads = &self.remembering(loads, now)[..];
        self.levels = loads
            .iter()
            .map(|load| self.known.get(&load.number).copied().unwrap_or(0).min(deepest(load)))
            .collect();
        let (detected, lost) =
            loads.iter().fold((0, 0), |(detected, lost), l| (detected + l.detected, lost + l.lost));
        let overloaded = memory_short || (lost > 0 && lost as f64 >= LOST * (detected + lost) as f64);
        if overloaded {
            self.recovered_since = None;
            self.overloaded += 1;
            if self.overloaded >= PATIENCE {
                self.overloaded = 0;
                self.cause = Some(if memory_short { Overload::Memory } else { Overload::FramesLost });
                let relaxed = self.relaxed.take();
                if relaxed.is_some_and(|at| now.saturating_duration_since(at) < self.recovery) {
                    self.recovery = (self.recovery * 2).min(RECOVERY.1);
                }
                self.deepen(loads);
            }
        } else {
            self.overloaded = 0;
            let since = *self.recovered_since.get_or_insert(now);
            if now.saturating_duration_since(since) >= self.recovery {
                self.recovered_since = Some(now);
                if self.relax(loads) {
                    self.relaxed = Some(now);
                } else {
                    self.recovery = RECOVERY.0;
                }
            }
        }
        self.known = loads.iter().map(|load| load.number).zip(self.levels.iter().copied()).collect();
        if self.levels.iter().all(|level| *level == 0) {
            self.cause = None;
        }
        let shares = |&level: &usize| RateShares { detections: LEVELS[level].0, frames: LEVELS[level].1 };
        self.levels.iter().map(shares).collect()
    }

    /// `loads` in which a frame stays occupied for a while.
    fn remembering(&mut self, loads: &[Load], now: Instant) -> Vec<Load> {
        self.occupied.extend(loads.iter().filter(|load| load.occupied).map(|load| (load.number, now)));
        self.occupied.retain(|_, at| now.saturating_duration_since(*at) < OCCUPIED_FOR);
        loads
            .iter()
            .map(|load| Load { occupied: self.occupied.contains_key(&load.number), ..*load })
            .collect()
    }

    /// Why anybody is throttled, while somebody is.
    pub fn cause(&self) -> Option<Overload> {
        self.cause
    }

    /// One level deeper for the least important half of those that can go deeper, and for their equals.
    fn deepen(&mut self, loads: &[Load]) {
        // Frames are touched when nobody has detections to give.
        let detections = |load: &Load| deepest(load).min(FRAMES - 1);
        let more = loads.iter().zip(&self.levels).any(|(load, level)| *level < detections(load));
        let limit = |load: &Load| if more { detections(load) } else { deepest(load) };
        let rank = |levels: &[usize], i: usize| (loads[i].occupied, loads[i].priority, levels[i]);
        let mut ranks: Vec<_> = (0..loads.len())
            .filter(|i| self.levels[*i] < limit(&loads[*i]))
            .map(|i| rank(&self.levels, i))
            .collect();
        ranks.sort_unstable();
        let Some(last) = ranks.get(ranks.len().div_ceil(2).saturating_sub(1)).copied() else { return };
        for (i, load) in loads.iter().enumerate() {
            if rank(&self.levels, i) <= last && self.levels[i] < limit(load) {
                self.levels[i] += 1;
            }
        }
    }

    /// One level up for the most important of those that were throttled, and for its equals; `false` when nobody
    /// was. Frames come back before detections.
    fn relax(&mut self, loads: &[Load]) -> bool {
        let rank = |levels: &[usize], i: usize| {
            (levels[i] >= FRAMES, loads[i].priority, loads[i].occupied, levels[i])
        };
        let throttled = (0..loads.len()).filter(|i| self.levels[*i] > 0);
        let Some(first) = throttled.map(|i| rank(&self.levels, i)).max() else { return false };
        for i in 0..loads.len() {
            if rank(&self.levels, i) == first {
                self.levels[i] -= 1;
            }
        }
        true
    }
}

fn deepest(load: &Load) -> usize {
    if load.occupied { OCCUPIED } else { LEVELS.len() - 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_millis(500);

    fn load(priority: i32, occupied: bool, lost: u64) -> Load {
        Load { number: 0, priority, occupied, detected: 5, lost }
    }

    fn numbered<const N: usize>(mut loads: [Load; N]) -> [Load; N] {
        for (number, load) in loads.iter_mut().enumerate() {
            load.number = number;
        }
        loads
    }

    /// The shares of detections, or of frames.
    fn looks(shares: &[RateShares]) -> Vec<f64> {
        shares.iter().map(|shares| shares.detections).collect()
    }
    fn frames(shares: &[RateShares]) -> Vec<f64> {
        shares.iter().map(|shares| shares.frames).collect()
    }

    #[test]
    fn a_hiccup_changes_nothing() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        for lost in [5, 5, 5, 0, 5, 5, 5, 0] {
            assert_eq!(throttle.shares(&[load(0, false, lost)], false, now), [RateShares::WHOLE]);
        }
    }

    #[test]
    fn empty_scenes_and_low_priorities_give_first_and_the_occupied_never_below_their_floor() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        let loads = numbered([load(9, true, 5), load(0, true, 5), load(5, false, 5), load(0, false, 5)]);
        let mut shares = Vec::new();
        for _ in 0..PATIENCE {
            shares = throttle.shares(&loads, false, now);
        }
        assert_eq!(looks(&shares), [1.0, 1.0, 0.7, 0.7]);
        for _ in 0..200 {
            let before = std::mem::replace(&mut shares, throttle.shares(&loads, false, now));
            if frames(&shares) != frames(&before) {
                assert_eq!(looks(&before), [0.35, 0.35, 0.2, 0.2], "frames before all detections were given");
            }
        }
        assert_eq!(looks(&shares), [0.35, 0.35, 0.2, 0.2]);
        assert_eq!(frames(&shares), [1.0, 1.0, 0.4, 0.4], "who is in the picture keeps its frames");
    }

    #[test]
    fn recovery_is_slow_one_step_at_a_time_and_the_important_come_first() {
        let (mut throttle, mut now) = (Throttle::default(), Instant::now());
        for _ in 0..100 {
            throttle.shares(&numbered([load(1, false, 5), load(0, false, 5)]), false, now);
        }
        let calm = numbered([load(1, false, 0), load(0, false, 0)]);
        let mut seen = Vec::new();
        for _ in 0..400 {
            now += TICK;
            let shares = throttle.shares(&calm, false, now);
            if seen.last() != Some(&shares) {
                seen.push(shares);
            }
        }
        assert_eq!((looks(&seen[0]), frames(&seen[0])), (vec![0.2, 0.2], vec![0.4, 0.4]));
        assert_eq!(frames(&seen[1]), [0.6, 0.4]);
        assert_eq!((looks(&seen[4]), frames(&seen[4])), (vec![0.2, 0.2], vec![1.0, 1.0]), "frames first");
        assert_eq!(looks(&seen[5]), [0.35, 0.2]);
        assert_eq!(seen.last().unwrap(), &[RateShares::WHOLE; 2]);
        assert_eq!(seen.len(), 13, "one step at a time");
    }

    #[test]
    fn a_person_who_walks_into_a_throttled_frame_is_detected_more_often_at_once() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        for _ in 0..100 {
            throttle.shares(&[load(0, false, 5)], false, now);
        }
        assert_eq!(
            throttle.shares(&[load(0, true, 5)], false, now),
            [RateShares { detections: 0.35, frames: 1.0 }]
        );
    }

    #[test]
    fn a_frame_that_somebody_has_just_left_is_not_empty_yet() {
        let (mut throttle, begun) = (Throttle::default(), Instant::now());
        throttle.shares(&[load(0, true, 5)], false, begun);
        let mut overloaded =
            |now| (0..100).map(|_| throttle.shares(&[load(0, false, 5)], false, now)[0]).last().unwrap();
        assert_eq!(
            overloaded(begun + OCCUPIED_FOR.saturating_sub(TICK)),
            RateShares { detections: 0.35, frames: 1.0 }
        );
        assert_eq!(overloaded(begun + OCCUPIED_FOR), RateShares { detections: 0.2, frames: 0.4 });
    }

    #[test]
    fn equals_are_throttled_and_released_alike() {
        let (mut throttle, mut now) = (Throttle::default(), Instant::now());
        let overloaded = numbered([load(0, true, 5), load(0, true, 5), load(0, true, 5)]);
        let calm = numbered([load(0, true, 0), load(0, true, 0), load(0, true, 0)]);
        for loads in [overloaded, calm] {
            for _ in 0..100 {
                now += TICK;
                let shares = throttle.shares(&loads, false, now);
                assert!(shares.iter().all(|share| *share == shares[0]), "{shares:?}");
            }
        }
    }

    #[test]
    fn short_memory_counts_as_overload() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        for _ in 0..PATIENCE {
            throttle.shares(&[load(0, false, 0)], true, now);
        }
        assert_eq!(looks(&throttle.shares(&[load(0, false, 0)], false, now)), [0.7]);
        assert_eq!(throttle.cause(), Some(Overload::Memory));
    }

    #[test]
    fn a_camera_that_comes_or_goes_changes_nothing_for_the_others() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        let both = numbered([load(0, false, 5), load(0, false, 5)]);
        for _ in 0..100 {
            throttle.shares(&both, false, now);
        }
        assert_eq!(frames(&throttle.shares(&both[1..], false, now)), [0.4]);
        assert_eq!(throttle.shares(&both, false, now)[1].frames, 0.4);
        assert_eq!(throttle.cause(), Some(Overload::FramesLost));
    }
}
