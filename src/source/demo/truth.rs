//! What is true of a scene, for tests: who is where, and who crosses a line.

use std::collections::HashMap;

use super::Demo;
use crate::{
    geometry::{BBox, Point},
    model::LineConfig,
};

impl Demo {
    /// True crossings (in, out) of each line in the frames 0..=`last`.
    #[must_use]
    pub fn truth(&self, lines: &[LineConfig], last: u64) -> Vec<(u64, u64)> {
        let mut walkers = self.walkers();
        let mut counts = vec![(0, 0); lines.len()];
        let mut before: HashMap<u64, BBox> = HashMap::new();
        for frame in 0..=last.min(self.frames().unwrap_or(u64::MAX).saturating_sub(1)) {
            let now: HashMap<_, _> =
                walkers.at(self.time(frame)).into_iter().map(|figure| (figure.id, figure.bbox)).collect();
            for (id, to) in &now {
                let Some(from) = before.get(id) else { continue };
                for (line, (ins, outs)) in lines.iter().zip(&mut counts) {
                    let point = |bbox| line.anchor.of(bbox);
                    match crossing(line, self.aspect(), point(from), point(to)) {
                        1 => *ins += 1,
                        -1 => *outs += 1,
                        _ => {}
                    }
                }
            }
            before = now;
        }
        counts
    }

    /// True boxes of everybody, frame by frame from 0, in frame heights, with the number of the person. Boxes
    /// may reach beyond the frame.
    pub fn boxes(&self) -> impl Iterator<Item = Vec<(u64, BBox)>> + use<> {
        let mut walkers = self.walkers();
        let demo = self.clone();
        (0..self.frames().unwrap_or(u64::MAX)).map(move |frame| {
            walkers.at(demo.time(frame)).into_iter().map(|figure| (figure.id, figure.bbox)).collect()
        })
    }
}

/// Which way the step from `from` to `to` crosses `line`: 1 in, -1 out, 0 not at all.
///
/// In is from the left-hand to the right-hand side when walking from a to b, y downwards: the sign of the
/// cross product. A point on the line belongs to the left-hand side.
pub(super) fn crossing(line: &LineConfig, aspect: f32, from: Point, to: Point) -> i32 {
    let scaled = |point: [f32; 2]| Point::new(point[0] * aspect, point[1]);
    let (a, b) = (scaled(line.a), scaled(line.b));
    let side = |o: Point, d: Point, p: Point| {
        f64::from(d.x - o.x) * f64::from(p.y - o.y) - f64::from(d.y - o.y) * f64::from(p.x - o.x) > 0.0
    };
    let (before, after) = (side(a, b, from), side(a, b, to));
    if before == after || side(from, to, a) == side(from, to, b) {
        return 0;
    }
    if after { 1 } else { -1 }
}
