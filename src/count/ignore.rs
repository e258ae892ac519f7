//! What is ignored of a frame: regions in which nobody is seen, and boxes that are too low or too tall for a person.

use super::person::anchor_inside;
use crate::{
    config::SourceConfig,
    geometry::{Anchor, BBox, Point},
};

/// A person who is cut off by an edge of the frame stands on it; this much inside, in frame heights, a region that reaches to
/// the edge holds them.
const EDGE: f32 = 1e-4;

/// What is ignored of the frames of one source.
#[derive(Debug, Clone)]
pub struct Ignored {
    aspect: f32,
    /// Corners of each region, in frame heights.
    regions: Vec<Vec<Point>>,
    /// Points of a person that its lines go by.
    anchors: Vec<Anchor>,
    /// Least and greatest height, in frame heights.
    least: f32,
    most: f32,
}

impl Ignored {
    /// What `source` ignores of frames of this `aspect` (width over height).
    #[must_use]
    pub fn of(source: &SourceConfig, aspect: f32) -> Self {
        let corners =
            |region: &Vec<[f32; 2]>| region.iter().map(|[x, y]| Point::new(x * aspect, *y)).collect();
        let mut anchors: Vec<Anchor> = Vec::new();
        for line in &source.lines {
            if !anchors.contains(&line.anchor) {
                anchors.push(line.anchor);
            }
        }
        if anchors.is_empty() {
            anchors.push(Anchor::default());
        }
        Self {
            aspect,
            regions: source.ignore.iter().map(corners).collect(),
            anchors,
            least: source.min_height.unwrap_or(0.0),
            most: source.max_height.unwrap_or(f32::INFINITY),
        }
    }

    /// Whether nobody is seen in `bbox`. Where lines go by several points of a person, all of these must lie in a region: who
    /// may still be counted at one of them is seen.
    #[must_use]
    pub fn holds(&self, bbox: &BBox) -> bool {
        let is_in_one = |anchor: &Anchor| {
            let at = anchor_inside(bbox, *anchor, self.aspect);
            let at = Point::new(at.x.min(self.aspect - EDGE), at.y.min(1.0 - EDGE));
            self.regions.iter().any(|corners| at.is_in(corners))
        };
        !(self.least..=self.most).contains(&bbox.h.min(1.0)) || self.anchors.iter().all(is_in_one)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::SourceSpec,
        model::{LineConfig, SourceKind},
    };

    /// A source with lines at these anchors that ignores the right half of its frames.
    fn source(anchors: &[Anchor]) -> SourceConfig {
        let mut source = SourceConfig::new("a", SourceKind::Camera, SourceSpec::device(0));
        let line = |anchor: &Anchor| LineConfig { anchor: *anchor, ..LineConfig::default() };
        source.lines = anchors.iter().map(line).collect();
        source.ignore = vec![vec![[0.5, 0.0], [1.0, 0.0], [1.0, 1.0], [0.5, 1.0]]];
        source
    }

    /// A person with feet at `foot`, of this height, in a frame twice as wide as high.
    fn person(foot: (f32, f32), height: f32) -> BBox {
        BBox::new(foot.0 - height / 6.0, foot.1 - height, height / 3.0, height)
    }

    #[test]
    fn a_person_is_ignored_by_the_point_that_the_lines_go_by() {
        let mut source = source(&[Anchor::Foot]);
        // The lower half: feet are in it long before heads.
        source.ignore = vec![vec![[0.0, 0.5], [1.0, 0.5], [1.0, 1.0], [0.0, 1.0]]];
        let bbox = person((1.0, 0.6), 0.4);
        let ignored = |anchors: &[Anchor]| {
            let lines = self::source(anchors).lines;
            Ignored::of(&SourceConfig { lines, ..source.clone() }, 2.0).holds(&bbox)
        };
        assert!(ignored(&[Anchor::Foot]));
        assert!(!ignored(&[Anchor::Center]) && !ignored(&[Anchor::Head]));
        assert!(!ignored(&[Anchor::Foot, Anchor::Head]), "one of the lines sees them");
        assert!(!ignored(&[]), "without lines it is the center");
    }

    #[test]
    fn regions_are_shares_of_the_frame_and_end_where_they_end() {
        let ignored = Ignored::of(&source(&[Anchor::Foot]), 2.0);
        assert!(!ignored.holds(&person((0.9, 0.8), 0.3)));
        assert!(ignored.holds(&person((1.1, 0.8), 0.3)));
        assert!(!Ignored::of(&source(&[Anchor::Foot]), 4.0).holds(&person((1.1, 0.8), 0.3)));
    }

    #[test]
    fn who_is_cut_off_by_an_edge_is_in_a_region_that_reaches_to_it() {
        let ignored = Ignored::of(&source(&[Anchor::Foot]), 2.0);
        assert!(ignored.holds(&person((1.5, 1.0), 0.3)), "on it");
        assert!(ignored.holds(&person((1.5, 1.2), 0.6)), "beyond it");
        assert!(ignored.holds(&person((2.1, 1.2), 0.6)), "beyond the corner");
        assert!(!ignored.holds(&person((0.5, 1.2), 0.6)));
    }

    #[test]
    fn heights_are_those_of_the_whole_box() {
        let source = |min_height, max_height| {
            let ignore = Vec::new();
            Ignored::of(&SourceConfig { ignore, min_height, max_height, ..source(&[Anchor::Foot]) }, 2.0)
        };
        let holds =
            |ignored: &Ignored| [0.1, 0.3, 0.7].map(|height| ignored.holds(&person((1.0, 0.9), height)));
        assert_eq!(holds(&source(None, None)), [false; 3]);
        assert_eq!(holds(&source(Some(0.2), None)), [true, false, false]);
        assert_eq!(holds(&source(None, Some(0.5))), [false, false, true]);
        assert_eq!(holds(&source(Some(0.3), Some(0.3))), [true, false, true]);
    }
}
