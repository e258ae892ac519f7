//! The four scenes: where people walk in them and how tall they look there.

use crate::{config::DemoScene, geometry::Point};

/// A way through the frame, as a path of the feet in frame heights. Both ends lie outside the frame.
#[derive(Debug, Clone, Copy)]
pub struct Lane {
    /// One end; the upper one where there is an upper one.
    pub from: Point,
    /// The other end.
    pub to: Point,
}

impl Lane {
    /// The point at `s` of the way, 0..=1.
    pub fn at(&self, s: f64) -> Point {
        let along = |a: f32, b: f32| a + (b - a) * s as f32;
        Point::new(along(self.from.x, self.to.x), along(self.from.y, self.to.y))
    }

    /// Length in frame heights.
    pub fn length(&self) -> f64 {
        f64::from(self.from.distance(self.to))
    }
}

/// Geometry of a scene, seen by a raised camera that looks down on the floor.
#[derive(Debug, Clone)]
pub struct Scene {
    /// Ways that people take.
    pub lanes: Vec<Lane>,
    /// Height of a body whose feet are at the upper edge of the frame, in frame heights.
    pub far: f32,
    /// The same at the lower edge.
    pub near: f32,
}

/// Feet this far above the frame belong to a body that is out of sight.
const ABOVE: f32 = -0.03;
/// Feet this far below the upper edge belong to a body of the nearest height that is out of sight.
const BELOW: f32 = 1.36;

impl Scene {
    /// The scene for frames of this width over height.
    pub fn new(scene: DemoScene, aspect: f32) -> Self {
        match scene {
            DemoScene::Lobby => Self { lanes: fan(0.10, 0.90, 9, 0.92, aspect), far: 0.18, near: 0.27 },
            DemoScene::Corridor => Self { lanes: fan(0.28, 0.72, 5, 0.62, aspect), far: 0.16, near: 0.30 },
            DemoScene::Street => {
                let mut lanes = fan(0.22, 0.78, 6, 0.95, aspect);
                // The two pavements, along which people pass without crossing the street.
                for foot in [0.30, 0.98] {
                    lanes.push(Lane { from: Point::new(-0.1, foot), to: Point::new(aspect + 0.1, foot) });
                }
                Self { lanes, far: 0.17, near: 0.25 }
            }
            DemoScene::Plaza => {
                let mut lanes = fan(0.15, 0.85, 4, 0.95, aspect);
                for (top, bottom) in [(0.15, 0.55), (0.40, 0.85), (0.60, 0.15), (0.85, 0.45)] {
                    lanes.push(vertical(top * aspect, bottom * aspect));
                }
                Self { lanes, far: 0.17, near: 0.24 }
            }
        }
    }

    /// Height of a body whose feet are at `foot` (frame heights).
    pub fn body_height(&self, foot: f32) -> f32 {
        self.far + (self.near - self.far) * foot.clamp(0.0, 1.0)
    }
}

/// `count` ways downwards, from `left` to `right` (0..1 of the width) at the lower edge, drawn together
/// towards the middle by `narrowing` at the upper edge, as perspective does.
fn fan(left: f32, right: f32, count: usize, narrowing: f32, aspect: f32) -> Vec<Lane> {
    (0..count)
        .map(|index| {
            let at = left + (right - left) * index as f32 / (count - 1).max(1) as f32;
            let top = 0.5 + (at - 0.5) * narrowing;
            vertical(top * aspect, at * aspect)
        })
        .collect()
}

/// The way that passes `top` at the upper edge and `bottom` at the lower one.
fn vertical(top: f32, bottom: f32) -> Lane {
    let at = |y: f32| Point::new(top + (bottom - top) * y, y);
    Lane { from: at(ABOVE), to: at(BELOW) }
}
