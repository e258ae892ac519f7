//! True and found boxes of one sequence, side by side.

use std::collections::BTreeMap;

use crate::{geometry::BBox, track::assignment};

/// One sequence: per frame the pairs of true and found boxes that overlap at all.
#[derive(Debug, Clone, Default)]
pub struct Sequence {
    pub(super) frames: Vec<FramePair>,
    pub(super) true_ids: usize,
    pub(super) found_ids: usize,
}

/// Boxes of one frame; ids are numbered from 0 within the sequence.
#[derive(Debug, Clone, Default)]
pub(super) struct FramePair {
    pub(super) truth: Vec<usize>,
    pub(super) found: Vec<usize>,
    /// Intersection over union, row-major: truth x found.
    pub(super) similarity: Vec<f32>,
}

impl FramePair {
    /// The pairs (row, column) of the assignment that maximises the sum of `score`, without worthless ones.
    pub(super) fn best(&self, score: &[f32]) -> impl Iterator<Item = (usize, usize)> {
        let cost: Vec<f32> =
            score.iter().map(|&s| if s > 0.0 { -s } else { assignment::FORBIDDEN }).collect();
        assignment::assign(&cost, self.truth.len(), self.found.len(), 0.0)
            .into_iter()
            .enumerate()
            .filter_map(|(row, column)| Some((row, column?)))
    }
}

/// Boxes with identities, by frame.
pub type Tracks = BTreeMap<u32, Vec<(i64, BBox)>>;

impl Sequence {
    /// Pairs true with found boxes, frame by frame; any one unit of length.
    #[must_use]
    pub fn new(truth: &Tracks, found: &Tracks) -> Self {
        let mut sequence = Self::default();
        let (mut true_ids, mut found_ids) = (BTreeMap::new(), BTreeMap::new());
        let number = |ids: &mut BTreeMap<i64, usize>, id: i64| {
            let next = ids.len();
            *ids.entry(id).or_insert(next)
        };
        let numbers: std::collections::BTreeSet<u32> = truth.keys().chain(found.keys()).copied().collect();
        for frame in numbers {
            let rows = truth.get(&frame).map_or(&[][..], Vec::as_slice);
            let columns = found.get(&frame).map_or(&[][..], Vec::as_slice);
            let mut pair = FramePair {
                truth: rows.iter().map(|(id, _)| number(&mut true_ids, *id)).collect(),
                found: columns.iter().map(|(id, _)| number(&mut found_ids, *id)).collect(),
                similarity: Vec::with_capacity(rows.len() * columns.len()),
            };
            for (_, a) in rows {
                pair.similarity.extend(columns.iter().map(|(_, b)| a.iou(b)));
            }
            sequence.frames.push(pair);
        }
        (sequence.true_ids, sequence.found_ids) = (true_ids.len(), found_ids.len());
        sequence
    }

    /// Boxes of each true and each found identity.
    pub(super) fn box_counts(&self) -> (Vec<f64>, Vec<f64>) {
        let (mut truth, mut found) = (vec![0.0; self.true_ids], vec![0.0; self.found_ids]);
        for pair in &self.frames {
            pair.truth.iter().for_each(|&id| truth[id] += 1.0);
            pair.found.iter().for_each(|&id| found[id] += 1.0);
        }
        (truth, found)
    }
}
