//! HOTA: the geometric mean of detection and association accuracy, averaged over thresholds.

use std::collections::HashMap;

use super::sequence::Sequence;

/// Thresholds of similarity: 0.05, 0.10, ... 0.95.
const THRESHOLDS: usize = 19;
/// Room for rounding where a similarity meets its threshold.
const EPSILON: f32 = 1e-6;

#[derive(Debug, Clone, Default)]
struct Sum {
    matched: f64,
    missed: f64,
    invented: f64,
    /// Sum of A(c) over all matched boxes c.
    association: f64,
}

/// Sums for each threshold.
#[derive(Debug, Clone)]
pub struct Sums([Sum; THRESHOLDS]);

impl Default for Sums {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Sum::default()))
    }
}

impl Sums {
    pub fn of(sequence: &Sequence) -> Self {
        let (true_boxes, found_boxes) = sequence.box_counts();
        let alignment = alignment(sequence, &true_boxes, &found_boxes);
        let mut sums = Self::default();
        let mut joint: Vec<HashMap<(usize, usize), f64>> = vec![HashMap::new(); THRESHOLDS];
        for pair in &sequence.frames {
            let width = pair.found.len();
            let score: Vec<f32> = pair
                .similarity
                .iter()
                .enumerate()
                .map(|(index, &similarity)| {
                    let key = (pair.truth[index / width], pair.found[index % width]);
                    (alignment.get(&key).copied().unwrap_or(0.0) * f64::from(similarity)) as f32
                })
                .collect();
            let matches: Vec<(usize, usize)> = pair.best(&score).collect();
            for (step, sum) in sums.0.iter_mut().enumerate() {
                let threshold = 0.05 * (step + 1) as f32 - EPSILON;
                let mut count = 0.0;
                for &(row, column) in &matches {
                    if pair.similarity[row * width + column] >= threshold {
                        *joint[step].entry((pair.truth[row], pair.found[column])).or_default() += 1.0;
                        count += 1.0;
                    }
                }
                sum.matched += count;
                sum.missed += pair.truth.len() as f64 - count;
                sum.invented += width as f64 - count;
            }
        }
        for (sum, joint) in sums.0.iter_mut().zip(joint) {
            for ((truth, found), count) in joint {
                sum.association += count * count / (true_boxes[truth] + found_boxes[found] - count);
            }
        }
        sums
    }

    pub fn add(&mut self, other: &Self) {
        for (sum, other) in self.0.iter_mut().zip(&other.0) {
            sum.matched += other.matched;
            sum.missed += other.missed;
            sum.invented += other.invented;
            sum.association += other.association;
        }
    }

    /// HOTA, DetA, AssA.
    pub fn figures(&self) -> (f64, f64, f64) {
        let mut means = (0.0, 0.0, 0.0);
        for sum in &self.0 {
            let detection = sum.matched / (sum.matched + sum.missed + sum.invented).max(1.0);
            let association = sum.association / sum.matched.max(1.0);
            means.0 += (detection * association).sqrt();
            means.1 += detection;
            means.2 += association;
        }
        let n = THRESHOLDS as f64;
        (means.0 / n, means.1 / n, means.2 / n)
    }
}

/// How far each true and each found identity belong together over the whole sequence: overlap that is
/// nobody else's, as intersection over union of the tracks.
fn alignment(sequence: &Sequence, true_boxes: &[f64], found_boxes: &[f64]) -> HashMap<(usize, usize), f64> {
    let mut shared: HashMap<(usize, usize), f64> = HashMap::new();
    for pair in &sequence.frames {
        let width = pair.found.len();
        let row_sum = |row: usize| pair.similarity[row * width..(row + 1) * width].iter().sum::<f32>();
        let rows: Vec<f32> = (0..pair.truth.len()).map(row_sum).collect();
        let columns: Vec<f32> = (0..width)
            .map(|column| (0..rows.len()).map(|row| pair.similarity[row * width + column]).sum())
            .collect();
        for (index, &similarity) in pair.similarity.iter().enumerate() {
            let (row, column) = (index / width, index % width);
            let total = rows[row] + columns[column] - similarity;
            if total > EPSILON && similarity > 0.0 {
                *shared.entry((pair.truth[row], pair.found[column])).or_default() +=
                    f64::from(similarity / total);
            }
        }
    }
    for (&(truth, found), value) in &mut shared {
        *value /= true_boxes[truth] + found_boxes[found] - *value;
    }
    shared
}
