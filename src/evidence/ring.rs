//! The last pictures of a source: close together near the present, further apart before, and which five of them show a
//! crossing.

use std::{collections::VecDeque, sync::Arc};

use super::small::Small;
use crate::{geometry::BBox, model::TrackId};

/// Pictures kept of a source.
pub const KEPT: usize = 7;

/// Age from which a picture goes first, in seconds: crossings are decided before.
const OLD: f64 = 4.5;

/// Least time between two of them, in seconds.
pub const SPACING: f64 = 0.2;

/// Pictures of a strip.
pub const PICTURES: usize = 5;

/// When the pictures of a strip should have been taken, in seconds from the crossing. A person walks about their own
/// height in the whole of it.
const OFFSETS: [f64; PICTURES] = [-0.9, -0.45, 0.0, 0.45, 0.9];

/// Where those before a crossing are searched, and one on either side of it.
pub const BEFORE: [f64; 4] = [OFFSETS[0], OFFSETS[1], -SPACING, 0.0];

/// The last of them.
pub const AFTER: f64 = OFFSETS[PICTURES - 1];

/// A picture and who was seen in it.
#[derive(Debug, Clone)]
pub struct RingFrame {
    /// Seconds on the source's clock.
    pub time: f64,
    /// What it shows.
    pub picture: Small,
    /// Everybody who was tracked, with boxes in frame heights.
    pub people: Vec<(TrackId, BBox)>,
}

/// The last pictures of a source, the oldest first.
#[derive(Debug, Default)]
pub struct Ring(VecDeque<Arc<RingFrame>>);

impl Ring {
    /// When the newest picture was taken.
    pub fn newest(&self) -> Option<f64> {
        self.0.back().map(|shot| shot.time)
    }

    /// Makes room for a picture that is taken at `now`. Gives the memory of the one that goes, where no strip needs it.
    pub fn make_room(&mut self, now: f64) -> Option<Small> {
        if self.0.len() < KEPT {
            return None;
        }
        let times: Vec<f64> = self.0.iter().map(|shot| shot.time).collect();
        let gone = self.0.remove(least_missed(&times, now));
        gone.and_then(Arc::into_inner).map(|shot| shot.picture)
    }

    /// Takes a picture that is newer than all others, for which there is room.
    pub fn push(&mut self, shot: Arc<RingFrame>) {
        self.0.push_back(shot);
    }

    /// Forgets all pictures.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// All pictures, the oldest first.
    pub fn shots(&self) -> impl Iterator<Item = &Arc<RingFrame>> + Clone {
        self.0.iter()
    }
}

/// The picture that is missed least when one more comes at `now`: the gap that it leaves is small for its age, so that a
/// crossing that is decided late still has pictures around it.
fn least_missed(times: &[f64], now: f64) -> usize {
    if times.first().is_some_and(|oldest| now - oldest > OLD) {
        return 0;
    }
    let gap = |at: usize| {
        let before = if at == 0 { None } else { times.get(at - 1) };
        let after = times.get(at + 1).copied().unwrap_or(now);
        // Before the oldest there is nothing to be near to.
        let before = before.copied().unwrap_or(times[at] - (now - times[at]) / 2.0);
        (after - before) / (now - times[at] + SPACING)
    };
    let order = |a: &usize, b: &usize| gap(*a).total_cmp(&gap(*b));
    (0..times.len()).min_by(order).unwrap_or(0)
}

/// Which five of the pictures taken at `times`, in order, show best what happened at `time`: before, on and after. All
/// are different where there are five; none where there is none.
pub fn choose(times: &[f64], time: f64) -> Option<[usize; PICTURES]> {
    let step = usize::from(times.len() >= PICTURES);
    // The one on the line matters most.
    let cost = |picture: usize, at: usize| {
        let weight = if picture == PICTURES / 2 { 3.0 } else { 1.0 };
        weight * (times[at] - time - OFFSETS[picture]).abs()
    };
    // The least cost of the pictures so far whose last is this one, and those before it.
    let mut best: Vec<(f64, [usize; PICTURES])> =
        (0..times.len()).map(|at| (cost(0, at), [at; PICTURES])).collect();
    for picture in 1..PICTURES {
        let so_far = best;
        best = (0..times.len())
            .map(|at| {
                let before = so_far.iter().take((at + 1).saturating_sub(step));
                let least = before.min_by(|a, b| a.0.total_cmp(&b.0));
                let (sum, mut chosen) = least.copied().unwrap_or((f64::INFINITY, [at; PICTURES]));
                chosen[picture] = at;
                (sum + cost(picture, at), chosen)
            })
            .collect();
    }
    best.into_iter().min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, chosen)| chosen)
}

#[cfg(test)]
mod tests {
    use opencv::core::{CV_8UC3, Mat, Scalar};

    use super::*;

    #[test]
    fn the_ring_reaches_back_further_than_its_pictures_are_dense() {
        let frame = Mat::new_rows_cols_with_default(4, 4, CV_8UC3, Scalar::all(9.0)).unwrap();
        let picture = Small::of(&frame, None).unwrap();
        let mut ring = Ring::default();
        let mut reach = Vec::new();
        for number in 0..200 {
            let time = number as f64 * SPACING;
            let freed = ring.make_room(time);
            assert_eq!(freed.is_some(), number >= KEPT, "its memory is used again");
            ring.push(Arc::new(RingFrame { time, picture: picture.clone(), people: Vec::new() }));
            let ages: Vec<f64> = ring.shots().map(|shot| time - shot.time).collect();
            assert!(ages.len() <= KEPT && ages.windows(2).all(|pair| pair[0] > pair[1]), "{ages:?}");
            let within = |age: f64| ages.iter().filter(|other| **other <= age + 0.01).count();
            assert!(number < 10 || within(1.0) >= 3 && within(2.0) >= 4, "{ages:?}");
            reach.push(ages[0]);
        }
        reach.drain(..100);
        reach.sort_by(f64::total_cmp);
        assert!(reach[0] > 1.9 && reach[50] > 2.4, "pictures of a crossing that is decided late: {reach:?}");
        ring.clear();
        assert_eq!(ring.newest(), None);
    }

    #[test]
    fn five_pictures_lie_around_the_crossing() {
        let even: Vec<f64> = (0..20).map(|number| f64::from(number) * 0.2).collect();
        let chosen = choose(&even, 2.0).unwrap().map(|at| even[at]);
        for (found, offset) in chosen.into_iter().zip(OFFSETS) {
            assert!((found - 2.0 - offset).abs() < 0.11, "{chosen:?}");
        }
        // Nothing was seen before: the others are those that there are.
        assert_eq!(choose(&[2.0, 2.2, 2.4, 2.6, 2.8, 3.0], 2.0).map(|chosen| chosen[0]), Some(0));
        let chosen = choose(&[2.0, 2.2, 2.4, 2.6, 2.8], 2.0).unwrap();
        assert_eq!(chosen, [0, 1, 2, 3, 4], "all different where there are five");
        assert_eq!(choose(&[1.0, 2.0, 3.0], 2.0).unwrap(), [0, 1, 1, 1, 2]);
        assert_eq!(choose(&[7.0], 2.0).unwrap(), [0; PICTURES]);
        assert_eq!(choose(&[], 2.0), None);
    }
}
