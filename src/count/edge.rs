//! Ways over the edges of the frame: a detector finds people who come in late and loses them before they are out, so
//! a line within a step of an edge is crossed where nobody is seen.

use crate::geometry::{BBox, Point};

/// Somebody who was first seen at an edge of the frame and may just have come in over it.
#[derive(Debug, Clone, Copy)]
pub struct EdgeEntry {
    /// The first box.
    pub first: BBox,
    /// The same box before it came in: it touches the edge from outside.
    pub outside: BBox,
}

impl EdgeEntry {
    /// The way in over the nearest edge of a frame of this `aspect`, for a box at most `gap` (frame heights) away from it.
    pub fn at_edge(first: BBox, aspect: f32, gap: f32) -> Option<Self> {
        let ways = [
            (first.x, BBox { x: -first.w, ..first }),
            (first.y, BBox { y: -first.h, ..first }),
            (aspect - first.right(), BBox { x: aspect, ..first }),
            (1.0 - first.bottom(), BBox { y: 1.0, ..first }),
        ];
        let (distance, outside) = ways.into_iter().min_by(|a, b| a.0.total_cmp(&b.0))?;
        (distance <= gap).then_some(Self { first, outside })
    }

    /// How far `now` lies further in than the first box, in frame heights.
    pub fn way_in(&self, now: &BBox) -> f32 {
        let (from, first, to) = (self.outside.center(), self.first.center(), now.center());
        let inward = Point::new(first.x - from.x, first.y - from.y);
        let way = Point::new(to.x - first.x, to.y - first.y);
        (way.x * inward.x + way.y * inward.y) / inward.x.hypot(inward.y).max(f32::EPSILON)
    }
}

/// `seen`, moved straight over the edge of a frame of this `aspect` behind which the middle of `expected` lies; `None`
/// where it lies behind none. A guess of the path along the edge decides nothing.
pub fn way_out(seen: BBox, expected: &BBox, aspect: f32) -> Option<BBox> {
    let beside = !(0.0..=aspect).contains(&expected.center().x);
    let outside = if beside { BBox { x: expected.x, ..seen } } else { BBox { y: expected.y, ..seen } };
    expected.is_outside(aspect).then_some(outside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_in_leads_away_from_the_nearest_edge() {
        let at = |x: f32, y: f32| BBox::new(x, y, 0.1, 0.3);
        for (first, further_in) in [
            (at(0.01, 0.4), at(0.06, 0.5)),
            (at(0.5, 0.02), at(0.4, 0.07)),
            (at(1.4, 0.4), at(1.35, 0.4)),
            (at(0.5, 0.7), at(0.5, 0.65)),
        ] {
            let entry = EdgeEntry::at_edge(first, 1.5, 0.03).unwrap();
            assert!(entry.outside.is_outside(1.5) && !first.is_outside(1.5), "{entry:?}");
            assert!((entry.way_in(&further_in) - 0.05).abs() < 1e-5, "{entry:?}");
            assert_eq!(entry.way_in(&first), 0.0);
        }
        assert!(EdgeEntry::at_edge(at(0.5, 0.4), 1.5, 0.03).is_none(), "in the middle");
    }

    #[test]
    fn the_way_out_leads_straight_over_the_edge_behind_which_somebody_should_be() {
        let seen = BBox::new(1.3, 0.4, 0.1, 0.3);
        let expected_at = |x: f32, y: f32| way_out(seen, &BBox::new(x, y, 0.1, 0.3), 1.5);
        assert_eq!(expected_at(1.46, 0.2), Some(BBox { x: 1.46, ..seen }));
        assert_eq!(expected_at(-0.06, 0.2), Some(BBox { x: -0.06, ..seen }));
        assert_eq!(expected_at(1.2, 0.86), Some(BBox { y: 0.86, ..seen }));
        assert_eq!(expected_at(1.2, -0.16), Some(BBox { y: -0.16, ..seen }));
        assert_eq!(expected_at(1.44, 0.2), None, "still inside");
    }
}
