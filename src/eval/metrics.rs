//! How well tracks agree with true tracks: HOTA, CLEAR (MOTA) and identity (IDF1).
//!
//! Definitions: HOTA, Luiten et al., IJCV 2021; MOTA, Bernardin and Stiefelhagen 2008 with the continuity
//! of matches of the MOT challenge; IDF1, Ristani et al. 2016. Where the papers leave a choice, the one of
//! the MOT challenge's published evaluation is taken (19 thresholds of HOTA from 0.05 to 0.95, intersection
//! over union of at least 0.5 for the others), so that figures can be compared with published ones.

mod clear;
mod hota;
mod identity;
mod sequence;

pub use sequence::{Sequence, Tracks};

/// Sums from which the figures of one or several sequences follow.
#[derive(Debug, Clone, Default)]
pub struct Score {
    hota: hota::Sums,
    clear: clear::Sums,
    identity: identity::Sums,
}

/// All figures, as shares (1 is perfect; MOTA may be negative).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Figures {
    /// Higher-order tracking accuracy, mean over the thresholds.
    pub hota: f64,
    /// Its part for detection.
    pub deta: f64,
    /// Its part for association.
    pub assa: f64,
    /// Multiple object tracking accuracy.
    pub mota: f64,
    /// F1 of identities.
    pub idf1: f64,
    /// Identity switches.
    pub switches: u64,
    /// Found boxes that are nobody.
    pub false_positives: u64,
    /// True boxes that were not found.
    pub false_negatives: u64,
}

impl Score {
    /// Scores one sequence.
    #[must_use]
    pub fn of(sequence: &Sequence) -> Self {
        Self {
            hota: hota::Sums::of(sequence),
            clear: clear::Sums::of(sequence),
            identity: identity::Sums::of(sequence),
        }
    }

    /// Joins another sequence to this score.
    pub fn add(&mut self, other: &Self) {
        self.hota.add(&other.hota);
        self.clear.add(&other.clear);
        self.identity.add(&other.identity);
    }

    /// The figures.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let (hota, deta, assa) = self.hota.figures();
        Figures {
            hota,
            deta,
            assa,
            mota: self.clear.mota(),
            idf1: self.identity.idf1(),
            switches: self.clear.switches as u64,
            false_positives: self.clear.false_positives as u64,
            false_negatives: self.clear.false_negatives as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::BBox;

    fn at(x: f32) -> BBox {
        BBox::new(x, 0.0, 1.0, 1.0)
    }

    fn figures(truth: &[(u32, i64, BBox)], found: &[(u32, i64, BBox)]) -> Figures {
        let tracks = |rows: &[(u32, i64, BBox)]| {
            let mut tracks = Tracks::new();
            rows.iter().for_each(|&(frame, id, bbox)| tracks.entry(frame).or_default().push((id, bbox)));
            tracks
        };
        Score::of(&Sequence::new(&tracks(truth), &tracks(found))).figures()
    }

    #[test]
    fn perfect_tracks_score_one_whatever_their_ids() {
        let truth: Vec<_> = (1..=4).flat_map(|f| [(f, 1, at(0.0)), (f, 2, at(5.0))]).collect();
        let found: Vec<_> = (1..=4).flat_map(|f| [(f, 9, at(0.0)), (f, 3, at(5.0))]).collect();
        let f = figures(&truth, &found);
        assert_eq!((f.hota, f.mota, f.idf1, f.switches), (1.0, 1.0, 1.0, 0));
    }

    /// One person, four frames, the id changes half way. DetA = 1. Each half: TPA = 2, FNA = 2, FPA = 0,
    /// so A(c) = 1/2 and HOTA = sqrt(1/2). IDTP = 2 of 4 boxes on either side: IDF1 = 1/2. One switch in
    /// four boxes: MOTA = 3/4.
    #[test]
    fn an_id_switch_half_way() {
        let truth: Vec<_> = (1..=4).map(|f| (f, 1, at(0.0))).collect();
        let found: Vec<_> = (1..=4).map(|f| (f, if f <= 2 { 1 } else { 2 }, at(0.0))).collect();
        let f = figures(&truth, &found);
        assert!((f.assa - 0.5).abs() < 1e-9 && (f.deta - 1.0).abs() < 1e-9);
        assert!((f.hota - 0.5_f64.sqrt()).abs() < 1e-9);
        assert_eq!((f.idf1, f.mota, f.switches), (0.5, 0.75, 1));
    }

    /// Two of four true boxes found, and one found box that is nobody: TP 2, FN 2, FP 1.
    /// DetA = 2/5; A = 2/4 with the wrong box on its own track; MOTA = (2 - 1)/4; IDF1 = 2*2/(4 + 3).
    #[test]
    fn misses_and_false_alarms() {
        let truth: Vec<_> = (1..=4).map(|f| (f, 1, at(0.0))).collect();
        let found = [(1, 1, at(0.0)), (2, 1, at(0.0)), (3, 2, at(9.0))];
        let f = figures(&truth, &found);
        assert!((f.deta - 0.4).abs() < 1e-9 && (f.assa - 0.5).abs() < 1e-9);
        assert!((f.hota - 0.2_f64.sqrt()).abs() < 1e-9);
        assert!((f.mota - 0.25).abs() < 1e-9 && (f.idf1 - 4.0 / 7.0).abs() < 1e-9);
    }

    /// Boxes off by a fifth of their width overlap by 0.8/1.2 = 2/3: right at the 13 thresholds up to 0.65.
    #[test]
    fn inexact_boxes_count_at_the_thresholds_they_reach() {
        let truth: Vec<_> = (1..=3).map(|f| (f, 1, at(0.0))).collect();
        let found: Vec<_> = (1..=3).map(|f| (f, 1, at(0.2))).collect();
        let f = figures(&truth, &found);
        assert!((f.hota - 13.0 / 19.0).abs() < 1e-9, "{}", f.hota);
        assert_eq!((f.mota, f.idf1), (1.0, 1.0));
    }

    /// A match of the frame before is kept although another box has come to lie better.
    #[test]
    fn mota_prefers_continuity() {
        let truth = [(1, 1, at(0.0)), (2, 1, at(0.0))];
        let found = [(1, 1, at(0.1)), (2, 1, at(0.2)), (2, 2, at(0.0))];
        let f = figures(&truth, &found);
        assert_eq!((f.switches, f.false_positives), (0, 1));
        assert_eq!(f.mota, 0.5);
    }

    #[test]
    fn sequences_are_joined_by_their_sums() {
        let track = |frames: u32, found: u32| {
            let tracks = |n| (1..=n).map(|f| (f, vec![(1, at(0.0))])).collect::<Tracks>();
            Score::of(&Sequence::new(&tracks(frames), &tracks(found)))
        };
        let mut both = track(4, 4);
        both.add(&track(6, 0));
        let f = both.figures();
        assert!((f.mota - 0.4).abs() < 1e-9 && (f.deta - 0.4).abs() < 1e-9 && (f.assa - 1.0).abs() < 1e-9);
        assert!((f.idf1 - 8.0 / 14.0).abs() < 1e-9);
    }

    #[test]
    fn nothing_against_nothing_is_no_division_by_zero() {
        let f = figures(&[], &[]);
        assert!(f.hota.is_finite() && f.mota.is_finite() && f.idf1.is_finite());
    }
}
