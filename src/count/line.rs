//! Geometry of a counting line.

use crate::{geometry::Point, model::LineConfig};

/// A directed segment in frame heights. The right-hand side, walking from `a` to `b`, is *in*.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    a: Point,
    /// Unit vector from `a` to `b`.
    along: Point,
    length: f32,
}

impl Line {
    /// The line of `config` (0..1 of width and height) in a frame of this `aspect` (width over height).
    #[must_use]
    pub fn new(config: &LineConfig, aspect: f32) -> Self {
        let a = Point::new(config.a[0] * aspect, config.a[1]);
        let b = Point::new(config.b[0] * aspect, config.b[1]);
        let length = a.distance(b);
        // A line of no length has no sides; validation refuses it, and here it merely never counts.
        let along = if length > 0.0 {
            Point::new((b.x - a.x) / length, (b.y - a.y) / length)
        } else {
            Point::default()
        };
        Self { a, along, length }
    }

    /// Distance of `point` from the infinite line: positive on the right-hand side (`y` points down).
    #[must_use]
    pub fn depth(&self, point: Point) -> f32 {
        self.along.x * (point.y - self.a.y) - self.along.y * (point.x - self.a.x)
    }

    /// How far beyond the nearer end of the segment `point` lies, measured along the line; 0 beside it.
    #[must_use]
    pub fn beyond(&self, point: Point) -> f32 {
        let along = self.along.x * (point.x - self.a.x) + self.along.y * (point.y - self.a.y);
        (-along).max(along - self.length).max(0.0)
    }

    /// Distance of `point` from the segment.
    #[must_use]
    pub fn distance(&self, point: Point) -> f32 {
        self.depth(point).hypot(self.beyond(point))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Anchor;

    fn line(a: [f32; 2], b: [f32; 2]) -> Line {
        Line::new(&LineConfig { name: "L".into(), a, b, anchor: Anchor::Center }, 2.0)
    }

    #[test]
    fn the_default_line_has_in_below_it() {
        let line = line([0.0, 0.5], [1.0, 0.5]);
        assert!((line.depth(Point::new(1.0, 0.75)) - 0.25).abs() < 1e-6);
        assert!((line.depth(Point::new(1.0, 0.25)) + 0.25).abs() < 1e-6);
    }

    #[test]
    fn upward_lines_have_in_to_the_right() {
        let line = line([0.5, 1.0], [0.5, 0.0]);
        assert!((line.depth(Point::new(1.5, 0.5)) - 0.5).abs() < 1e-6);
        assert!((line.beyond(Point::new(1.5, 1.25)) - 0.25).abs() < 1e-6);
        assert_eq!(line.beyond(Point::new(0.0, 0.5)), 0.0);
    }
}
