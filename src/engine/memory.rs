//! Keeps the process below its `memory_limit`: which camera is closed, and which may open again. Pure; called
//! about twice a second.
//!
//! Rarer detections save little memory; decoders and their pictures are what a source costs. So the least
//! important camera is closed when the limit is near, and opened again when there is room for what it was
//! seen to cost. A file is never closed half-way: it would be counted anew.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// Share of the limit from which a camera is closed, what may come until the next look included: as much again as
/// came since the last one.
const CLOSE_AT: f64 = 0.9;

/// Share of the limit below which a camera may open again, its own cost included.
const OPEN_BELOW: f64 = 0.8;

/// Time between two decisions: a closed decoder gives its memory back only when its thread has ended.
const SETTLE: Duration = Duration::from_secs(1);

/// Shortest time a camera stays closed; doubled every time it had to be closed again.
const FIRST_WAIT: Duration = Duration::from_secs(10);

/// Longest time a camera stays closed when there is room.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// One camera, open or closed for want of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Camera {
    /// Number of the source.
    pub number: usize,
    /// Higher is closed later.
    pub priority: i32,
    /// Whether somebody is in the picture.
    pub occupied: bool,
    /// Whether it was closed by [`Decision::Close`].
    pub closed: bool,
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
    /// Bytes held at the last look.
    held: Option<u64>,
    last_closed: Option<usize>,
    past: BTreeMap<usize, Past>,
}

impl MemoryGuard {
    /// Decides, with `resident` bytes held and `limit` allowed.
    pub fn decide(&mut self, resident: u64, limit: u64, cameras: &[Camera], now: Instant) -> Decision {
        let grown = resident.saturating_sub(self.held.replace(resident).unwrap_or(resident));
        if self.decided.is_some_and(|at| now.saturating_duration_since(at) < SETTLE) {
            return Decision::Keep;
        }
        if let Some(past) = self.last_closed.take().and_then(|number| self.past.get_mut(&number)) {
            past.cost = past.before.saturating_sub(resident);
        }
        let share = (resident + grown) as f64 / limit.max(1) as f64;
        if share >= CLOSE_AT {
            let open = cameras.iter().filter(|camera| !camera.closed);
            let least = open
                .min_by_key(|camera| (camera.priority, camera.occupied, std::cmp::Reverse(camera.number)));
            let Some(camera) = least else { return Decision::Keep };
            self.decided = Some(now);
            self.last_closed = Some(camera.number);
            let times = self.past.get(&camera.number).map_or(0, |past| past.times);
            let past = Past { closed_at: now, times: times + 1, before: resident, cost: 0 };
            self.past.insert(camera.number, past);
            return Decision::Close(camera.number);
        }
        let fits = |camera: &&Camera| {
            self.past.get(&camera.number).is_none_or(|past| {
                let wait = FIRST_WAIT.saturating_mul(1 << (past.times - 1).min(6)).min(LONGEST_WAIT);
                now.saturating_duration_since(past.closed_at) >= wait
                    && (resident + past.cost) as f64 <= OPEN_BELOW * limit as f64
            })
        };
        let closed = cameras.iter().filter(|camera| camera.closed).filter(fits);
        match closed.max_by_key(|camera| (camera.priority, std::cmp::Reverse(camera.number))) {
            Some(camera) => {
                self.decided = Some(now);
                Decision::Open(camera.number)
            }
            None => Decision::Keep,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera(number: usize, priority: i32, occupied: bool, closed: bool) -> Camera {
        Camera { number, priority, occupied, closed }
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
