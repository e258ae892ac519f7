//! Which count belongs to which tap: one-to-one, in time.

use std::cmp::Ordering;

/// Best pairs so far: how many, and how many seconds they lie apart in sum.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Worth {
    pairs: usize,
    apart: f64,
}

impl Worth {
    const NOTHING: Self = Self { pairs: 0, apart: 0.0 };

    /// Better means more pairs; among as many, those that lie closer.
    fn is_better(self, other: Self) -> bool {
        match self.pairs.cmp(&other.pairs) {
            Ordering::Equal => self.apart < other.apart,
            order => order == Ordering::Greater,
        }
    }
}

/// Pairs each time of `one` with at most one of `other` that lies at most `tolerance` seconds away: as many pairs as are
/// possible, and among those the ones that lie closest in sum. Gives the indices of each pair, by time. Times need not be
/// sorted; those that are no numbers are left alone. The order in which they are given does not matter.
///
/// On a line, crossed pairs can be uncrossed without losing one or lying further apart, so the best pairs keep the order of
/// time, and dynamic programming over both sorted lists finds them.
#[must_use]
pub fn pairs(one: &[f64], other: &[f64], tolerance: f64) -> Vec<(usize, usize)> {
    let (one_by_time, other_by_time) = (by_time(one), by_time(other));
    let (mut found, mut start) = (Vec::new(), 0);
    let mut left = &one_by_time[..];
    // Stretches between which more than the tolerance passes have nothing to do with each other: a long audit is many
    // small problems.
    while !left.is_empty() {
        let mut reach = one[left[0]] + tolerance;
        while start < other_by_time.len() && other[other_by_time[start]] < one[left[0]] - tolerance {
            start += 1;
        }
        let (mut ones, mut others) = (1, start);
        loop {
            let before = (ones, others);
            while others < other_by_time.len() && other[other_by_time[others]] <= reach {
                reach = reach.max(other[other_by_time[others]] + tolerance);
                others += 1;
            }
            while ones < left.len() && one[left[ones]] <= reach {
                reach = reach.max(one[left[ones]] + tolerance);
                ones += 1;
            }
            if (ones, others) == before {
                break;
            }
        }
        best((&left[..ones], one), (&other_by_time[start..others], other), tolerance, &mut found);
        (left, start) = (&left[ones..], others);
    }
    found
}

/// Indices of `times`, earliest first.
fn by_time(times: &[f64]) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..times.len()).filter(|&index| times[index].is_finite()).collect();
    indices.sort_by(|&a, &b| times[a].total_cmp(&times[b]));
    indices
}

/// The best pairs of two lists of indices, each by time.
fn best(
    (ones, one): (&[usize], &[f64]),
    (others, other): (&[usize], &[f64]),
    tolerance: f64,
    found: &mut Vec<(usize, usize)>,
) {
    let apart = |i: usize, j: usize| (one[ones[i]] - other[others[j]]).abs();
    let width = others.len() + 1;
    // At [i][j]: the best of what begins with the i-th and the j-th.
    let mut worth = vec![Worth::NOTHING; (ones.len() + 1) * width];
    let at = |i: usize, j: usize| i * width + j;
    for i in (0..ones.len()).rev() {
        for j in (0..others.len()).rev() {
            let mut chosen = worth[at(i + 1, j)];
            if worth[at(i, j + 1)].is_better(chosen) {
                chosen = worth[at(i, j + 1)];
            }
            if apart(i, j) <= tolerance {
                let rest = worth[at(i + 1, j + 1)];
                let paired = Worth { pairs: rest.pairs + 1, apart: rest.apart + apart(i, j) };
                if paired.is_better(chosen) {
                    chosen = paired;
                }
            }
            worth[at(i, j)] = chosen;
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < ones.len() && j < others.len() {
        let here = worth[at(i, j)];
        if here == worth[at(i + 1, j)] {
            i += 1;
        } else if here == worth[at(i, j + 1)] {
            j += 1;
        } else {
            found.push((ones[i], others[j]));
            (i, j) = (i + 1, j + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_belongs_to_one_at_most() {
        assert_eq!(pairs(&[10.0], &[9.0, 10.5, 11.0], 2.0), [(0, 1)]);
        assert_eq!(pairs(&[10.0, 10.1], &[10.0], 2.0), [(0, 0)]);
        assert_eq!(pairs(&[], &[1.0], 2.0), []);
    }

    /// The nearest first would pair 3.0 with 2.5, and leave 1.0 and 4.6 alone.
    #[test]
    fn as_many_as_possible_come_before_the_nearest() {
        assert_eq!(pairs(&[1.0, 3.0], &[2.5, 4.6], 2.0), [(0, 0), (1, 1)]);
        assert_eq!(pairs(&[3.0, 1.0], &[4.6, 2.5], 2.0), [(1, 1), (0, 0)], "in whatever order they come");
    }

    #[test]
    fn the_tolerance_itself_is_within_it() {
        assert_eq!(pairs(&[5.0], &[7.0], 2.0), [(0, 0)]);
        assert_eq!(pairs(&[5.0], &[7.001], 2.0), []);
        assert_eq!(pairs(&[f64::NAN, 5.0], &[5.0], 0.0), [(1, 0)]);
    }

    /// By trying everything.
    fn tried(one: &[f64], other: &[f64], tolerance: f64) -> Worth {
        let Some((first, rest)) = one.split_first() else { return Worth::NOTHING };
        let mut best = tried(rest, other, tolerance);
        for (index, time) in other.iter().enumerate().filter(|(_, time)| (*time - first).abs() <= tolerance) {
            let others: Vec<f64> = [&other[..index], &other[index + 1..]].concat();
            let with = tried(rest, &others, tolerance);
            let with = Worth { pairs: with.pairs + 1, apart: with.apart + (time - first).abs() };
            if with.is_better(best) {
                best = with;
            }
        }
        best
    }

    proptest! {
        #[test]
        fn nothing_is_better_than_what_is_found(
            one in prop::collection::vec(0.0..12.0f64, 0..6),
            other in prop::collection::vec(0.0..12.0f64, 0..6),
        ) {
            let found = pairs(&one, &other, 2.0);
            let apart: f64 = found.iter().map(|&(i, j)| (one[i] - other[j]).abs()).sum();
            let best = tried(&one, &other, 2.0);
            prop_assert_eq!(found.len(), best.pairs);
            prop_assert!((apart - best.apart).abs() < 1e-9, "{} for {}", apart, best.apart);
            for index in 0..one.len() {
                prop_assert!(found.iter().filter(|pair| pair.0 == index).count() <= 1);
            }
            for index in 0..other.len() {
                prop_assert!(found.iter().filter(|pair| pair.1 == index).count() <= 1);
            }
        }
    }
}
