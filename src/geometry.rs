//! Points, boxes and segments in frame heights (see the crate documentation for the unit).

use serde::{Deserialize, Serialize};

/// A point in frame heights: `x` in 0..aspect, `y` in 0..1 inside the picture.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Point {
    /// Rightwards.
    pub x: f32,
    /// Downwards.
    pub y: f32,
}

impl Point {
    /// The point at `x`, `y`.
    #[must_use]
    pub const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    /// Euclidean distance to `other`.
    #[must_use]
    pub fn distance(self, other: Self) -> f32 {
        (self.x - other.x).hypot(self.y - other.y)
    }

    /// Whether it lies in the polygon of these corners, by the even-odd rule, so that one with crossing sides does something
    /// sensible.
    #[must_use]
    pub fn is_in(self, corners: &[Self]) -> bool {
        let ends = corners.iter().cycle().skip(1);
        let crossed = corners.iter().zip(ends).filter(|(a, b)| {
            (a.y > self.y) != (b.y > self.y) && self.x < (b.x - a.x) * (self.y - a.y) / (b.y - a.y) + a.x
        });
        crossed.count() % 2 == 1
    }
}

/// An axis-parallel box in frame heights. May reach beyond the picture.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct BBox {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Width, at least 0.
    pub w: f32,
    /// Height, at least 0.
    pub h: f32,
}

impl BBox {
    /// The box with its left top corner at `x`, `y`.
    #[must_use]
    pub const fn new(x: f32, y: f32, w: f32, h: f32) -> Self {
        Self { x, y, w, h }
    }

    /// The box between two corners.
    #[must_use]
    pub fn from_corners(x1: f32, y1: f32, x2: f32, y2: f32) -> Self {
        Self::new(x1, y1, (x2 - x1).max(0.0), (y2 - y1).max(0.0))
    }

    /// Right edge.
    #[must_use]
    pub fn right(&self) -> f32 {
        self.x + self.w
    }

    /// Bottom edge.
    #[must_use]
    pub fn bottom(&self) -> f32 {
        self.y + self.h
    }

    /// Middle of the box.
    #[must_use]
    pub fn center(&self) -> Point {
        Point::new(self.x + self.w / 2.0, self.y + self.h / 2.0)
    }

    /// Middle of the bottom edge: where the feet are.
    #[must_use]
    pub fn foot(&self) -> Point {
        Point::new(self.x + self.w / 2.0, self.bottom())
    }

    /// Middle of the top edge.
    #[must_use]
    pub fn head(&self) -> Point {
        Point::new(self.x + self.w / 2.0, self.y)
    }

    /// Whether its middle lies outside a picture of this `aspect` (width over height).
    #[must_use]
    pub fn is_outside(&self, aspect: f32) -> bool {
        let middle = self.center();
        !(0.0..=aspect).contains(&middle.x) || !(0.0..=1.0).contains(&middle.y)
    }

    /// Area, in square frame heights.
    #[must_use]
    pub fn area(&self) -> f32 {
        self.w * self.h
    }

    /// The smallest box that holds both.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let (left, top) = (self.x.min(other.x), self.y.min(other.y));
        Self::from_corners(left, top, self.right().max(other.right()), self.bottom().max(other.bottom()))
    }

    /// The box with this much more on each side.
    #[must_use]
    pub fn grown(&self, margin: f32) -> Self {
        Self::new(self.x - margin, self.y - margin, self.w + 2.0 * margin, self.h + 2.0 * margin)
    }

    /// Area common to both boxes.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> f32 {
        let w = self.right().min(other.right()) - self.x.max(other.x);
        let h = self.bottom().min(other.bottom()) - self.y.max(other.y);
        if w <= 0.0 || h <= 0.0 { 0.0 } else { w * h }
    }

    /// Intersection over union, 0..=1; 0 when both are empty.
    #[must_use]
    pub fn iou(&self, other: &Self) -> f32 {
        let common = self.intersection(other);
        let union = self.area() + other.area() - common;
        if union <= 0.0 { 0.0 } else { common / union }
    }
}

/// Which point of a person must cross.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Anchor {
    /// Middle of the bottom edge of the box.
    Foot,
    /// Middle of the box.
    #[default]
    Center,
    /// Middle of the top edge of the box.
    Head,
}

impl Anchor {
    /// This point of `bbox`.
    #[must_use]
    pub fn of(self, bbox: &BBox) -> Point {
        match self {
            Self::Foot => bbox.foot(),
            Self::Center => bbox.center(),
            Self::Head => bbox.head(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iou_of_half_overlapping_squares_is_a_third() {
        let a = BBox::new(0.0, 0.0, 2.0, 2.0);
        let b = BBox::new(1.0, 0.0, 2.0, 2.0);
        assert!((a.iou(&b) - 1.0 / 3.0).abs() < 1e-6);
        assert_eq!(a.iou(&BBox::new(5.0, 5.0, 1.0, 1.0)), 0.0);
        assert_eq!(BBox::default().iou(&BBox::default()), 0.0);
    }
}
