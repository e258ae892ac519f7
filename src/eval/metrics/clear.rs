//! CLEAR: misses, false alarms and identity switches, frame by frame.

use super::sequence::Sequence;

/// Intersection over union from which a box is found.
const THRESHOLD: f32 = 0.5 - 1e-6;
/// What a match of the frame before is worth beside its similarity (which is at most 1).
const CONTINUITY: f32 = 1000.0;

/// Numbers of boxes and switches.
#[derive(Debug, Clone, Default)]
pub struct Sums {
    pub matched: f64,
    pub false_negatives: f64,
    pub false_positives: f64,
    pub switches: f64,
}

impl Sums {
    pub fn of(sequence: &Sequence) -> Self {
        let mut sums = Self::default();
        // Partner in the frame before, and last partner ever, of each true identity.
        let mut before: Vec<Option<usize>> = vec![None; sequence.true_ids];
        let mut ever = before.clone();
        for pair in &sequence.frames {
            let width = pair.found.len();
            let score: Vec<f32> = pair
                .similarity
                .iter()
                .enumerate()
                .map(|(index, &similarity)| {
                    if similarity < THRESHOLD {
                        return 0.0;
                    }
                    let kept = before[pair.truth[index / width]] == Some(pair.found[index % width]);
                    similarity + if kept { CONTINUITY } else { 0.0 }
                })
                .collect();
            before.fill(None);
            let mut count = 0.0;
            for (row, column) in pair.best(&score) {
                let (truth, found) = (pair.truth[row], pair.found[column]);
                if ever[truth].is_some_and(|last| last != found) {
                    sums.switches += 1.0;
                }
                ever[truth] = Some(found);
                before[truth] = Some(found);
                count += 1.0;
            }
            sums.matched += count;
            sums.false_negatives += pair.truth.len() as f64 - count;
            sums.false_positives += width as f64 - count;
        }
        sums
    }

    pub fn add(&mut self, other: &Self) {
        self.matched += other.matched;
        self.false_negatives += other.false_negatives;
        self.false_positives += other.false_positives;
        self.switches += other.switches;
    }

    pub fn mota(&self) -> f64 {
        (self.matched - self.false_positives - self.switches) / (self.matched + self.false_negatives).max(1.0)
    }
}
