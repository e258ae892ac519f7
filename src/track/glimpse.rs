//! Boxes that start no track yet. A new person often has low confidence for a second, in which they may cross a line:
//! the boxes of that second then tell from where they came.

use super::TrackParams;
use crate::geometry::BBox;

/// Boxes of several detection runs, each on the one before.
#[derive(Debug, Clone, Copy)]
struct Glimpse {
    /// When and where the first one was.
    first: (f64, BBox),
    /// And the last one.
    last: (f64, BBox),
}

/// All that may still prove to be somebody.
#[derive(Debug, Default)]
pub struct Glimpses(Vec<Glimpse>);

impl Glimpses {
    /// Takes a box that the detection run at `time` (seconds) leaves over.
    pub fn add(&mut self, time: f64, bbox: BBox, params: &TrackParams) {
        let overlap = |glimpse: &Glimpse| glimpse.last.1.iou(&bbox);
        let before = self.0.iter_mut().filter(|glimpse| glimpse.last.0 < time);
        let best = before
            .filter(|glimpse| overlap(glimpse) >= params.overlap)
            .max_by(|a, b| overlap(a).total_cmp(&overlap(b)));
        match best {
            Some(glimpse) => glimpse.last = (time, bbox),
            None => self.0.push(Glimpse { first: (time, bbox), last: (time, bbox) }),
        }
    }

    /// Forgets what was not seen again in time.
    pub fn forget(&mut self, time: f64, params: &TrackParams) {
        self.0.retain(|glimpse| time - glimpse.last.0 <= params.tentative_patience);
    }

    /// When and where the person now at `bbox` was first found with low confidence.
    pub fn origin(&self, bbox: &BBox, params: &TrackParams) -> Option<(f64, BBox)> {
        let his = self.0.iter().filter(|glimpse| glimpse.last.1.iou(bbox) >= params.overlap);
        his.map(|glimpse| glimpse.first).min_by(|a, b| a.0.total_cmp(&b.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAMS: TrackParams = TrackParams::DEFAULT;

    fn at(x: f32) -> BBox {
        BBox::new(x, 0.4, 0.1, 0.3)
    }

    /// Somebody who walks, glimpsed at these times.
    fn walking(times: &[f64]) -> Glimpses {
        let mut glimpses = Glimpses::default();
        for time in times {
            glimpses.forget(*time, &PARAMS);
            glimpses.add(*time, at(0.2 * *time as f32), &PARAMS);
        }
        glimpses
    }

    #[test]
    fn boxes_on_each_other_lead_back_to_the_first() {
        let glimpses = walking(&[0.0, 0.2, 0.4, 0.6, 0.8]);
        assert_eq!(glimpses.origin(&at(0.2), &PARAMS), Some((0.0, at(0.0))));
        assert_eq!(glimpses.origin(&at(0.4), &PARAMS), None, "somebody else");
        assert_eq!(walking(&[0.0, 0.2, 0.6, 0.8]).origin(&at(0.2), &PARAMS).map(|first| first.0), Some(0.6));
    }

    #[test]
    fn two_boxes_of_one_run_are_two_glimpses() {
        let mut glimpses = walking(&[0.0]);
        glimpses.add(0.0, at(0.02), &PARAMS);
        glimpses.add(0.2, at(0.04), &PARAMS);
        assert_eq!(glimpses.0.len(), 2);
        assert_eq!(glimpses.0[1].last, (0.2, at(0.04)), "the nearer one goes on");
    }
}
