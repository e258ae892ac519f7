//! Identity: the best one-to-one pairing of true and found tracks over the whole sequence.

use super::sequence::{FramePair, Sequence};

/// Intersection over union from which a box is found.
const THRESHOLD: f32 = 0.5 - 1e-6;

/// Numbers of boxes.
#[derive(Debug, Clone, Default)]
pub struct Sums {
    matched: f64,
    truth: f64,
    found: f64,
}

impl Sums {
    pub fn of(sequence: &Sequence) -> Self {
        let mut joint = vec![0.0_f32; sequence.true_ids * sequence.found_ids];
        for pair in &sequence.frames {
            let width = pair.found.len();
            for (index, _) in pair.similarity.iter().enumerate().filter(|(_, s)| **s >= THRESHOLD) {
                joint[pair.truth[index / width] * sequence.found_ids + pair.found[index % width]] += 1.0;
            }
        }
        let tracks = FramePair {
            truth: (0..sequence.true_ids).collect(),
            found: (0..sequence.found_ids).collect(),
            similarity: Vec::new(),
        };
        let matched = tracks
            .best(&joint)
            .map(|(row, column)| f64::from(joint[row * sequence.found_ids + column]))
            .sum();
        let (truth, found) = sequence.box_counts();
        Self { matched, truth: truth.iter().sum(), found: found.iter().sum() }
    }

    pub fn add(&mut self, other: &Self) {
        self.matched += other.matched;
        self.truth += other.truth;
        self.found += other.found;
    }

    pub fn idf1(&self) -> f64 {
        2.0 * self.matched / (self.truth + self.found).max(1.0)
    }
}
