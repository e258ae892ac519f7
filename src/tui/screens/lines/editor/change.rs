//! What keys and mouse do to what is drawn.

use super::{Editor, Grip, Shape};
use crate::{
    config::{LABEL_LENGTH, label},
    geometry::Anchor,
    model::{LineConfig, ZoneConfig},
};

/// Most corners of a zone or region.
const MOST_CORNERS: usize = 24;

impl Editor {
    /// The next grip: whole, then each end or corner, then the next line, zone or region.
    pub fn next_grip(&mut self, back: bool) {
        self.moving = false;
        let points = self.points(self.chosen).len();
        let count = self.count().max(1);
        match (self.grip, back) {
            (Grip::Whole, false) => self.grip = Grip::Point(0),
            (Grip::Point(at), false) if at + 1 < points => self.grip = Grip::Point(at + 1),
            (Grip::Point(_), false) => {
                self.chosen = (self.chosen + 1) % count;
                self.grip = Grip::Whole;
            }
            (Grip::Point(0), true) => self.grip = Grip::Whole,
            (Grip::Point(at), true) => self.grip = Grip::Point(at - 1),
            (Grip::Whole, true) => {
                self.chosen = (self.chosen + count - 1) % count;
                self.grip = Grip::Point(self.points(self.chosen).len().saturating_sub(1));
            }
        }
    }

    /// Moves the grip by shares of the picture, never out of it; `false` when the edge lets it go no further.
    pub fn shift(&mut self, dx: f32, dy: f32) -> bool {
        let before = self.points(self.chosen);
        if before.is_empty() {
            return false;
        }
        let (dx, dy) = match self.grip {
            Grip::Point(_) => (dx, dy),
            // As far as the first point that touches an edge, so that the shape stays what it is.
            Grip::Whole => {
                let room = |axis: usize, wanted: f32| {
                    let low = before.iter().map(|point| point[axis]).fold(1.0, f32::min);
                    let high = before.iter().map(|point| point[axis]).fold(0.0, f32::max);
                    wanted.clamp(-low, 1.0 - high)
                };
                (room(0, dx), room(1, dy))
            }
        };
        let grip = self.grip;
        let after: Vec<[f32; 2]> = before
            .iter()
            .enumerate()
            .map(|(index, point)| match grip {
                Grip::Point(at) if at != index => *point,
                _ => inside([point[0] + dx, point[1] + dy]),
            })
            .collect();
        if after == before {
            return false;
        }
        self.remember(true);
        self.drawn.set_points(self.chosen, &after);
        true
    }

    /// Takes hold of the end, corner or side nearest to `at` (0..1) that is within `reach` of it, both in
    /// shares of the picture; `false` when there is none.
    pub fn grab(&mut self, at: (f32, f32), reach: (f32, f32)) -> bool {
        let distance = |point: (f32, f32)| ((point.0 - at.0) / reach.0).hypot((point.1 - at.1) / reach.1);
        let mut best: Option<(f32, usize, Grip)> = None;
        for shape in 0..self.count() {
            let points = self.points(shape);
            for (index, point) in points.iter().enumerate() {
                let near = (distance((point[0], point[1])), shape, Grip::Point(index));
                if near.0 <= 1.5 && best.is_none_or(|best| near.0 < best.0) {
                    best = Some(near);
                }
            }
        }
        // The ends come first: a side is taken only where no end is near.
        if best.is_none() {
            for shape in 0..self.count() {
                let points = self.points(shape);
                for (from, to) in points.iter().zip(points.iter().cycle().skip(1)) {
                    for step in 0..=64 {
                        let t = step as f32 / 64.0;
                        let point = (from[0] + (to[0] - from[0]) * t, from[1] + (to[1] - from[1]) * t);
                        let near = (distance(point), shape, Grip::Whole);
                        if near.0 <= 1.5 && best.is_none_or(|best| near.0 < best.0) {
                            best = Some(near);
                        }
                    }
                }
            }
        }
        let Some((_, shape, grip)) = best else { return false };
        (self.chosen, self.grip, self.dragging, self.moving) = (shape, grip, true, false);
        true
    }

    /// Brings the end or corner that is held to `at` (0..1); of a whole shape, its middle.
    pub fn drag(&mut self, at: (f32, f32)) {
        let points = self.points(self.chosen);
        let from = match self.grip {
            Grip::Point(index) => points.get(index).copied(),
            Grip::Whole => middle(&points),
        };
        if let Some(from) = from {
            self.shift(at.0 - from[0], at.1 - from[1]);
        }
    }

    /// Swaps the ends of a line: what counted as in counts as out.
    ///
    /// # Errors
    /// A zone has no in side, nor has a region.
    pub fn flip(&mut self) -> Result<(), &'static str> {
        match self.shape() {
            Shape::Line(_) => {}
            Shape::Zone(_) => return Err("a zone has no in side; only lines are flipped"),
            Shape::Ignored(_) => return Err("an ignored region has no in side; only lines are flipped"),
        }
        self.remember(false);
        if let Some(line) = self.drawn.lines.get_mut(self.chosen) {
            std::mem::swap(&mut line.a, &mut line.b);
        }
        Ok(())
    }

    /// Turns what is edited about its middle, clockwise, in a picture of this width over height.
    pub fn turn(&mut self, degrees: f32, aspect: f32) {
        let points = self.points(self.chosen);
        let Some(middle) = middle(&points) else { return };
        self.remember(false);
        let (sin, cos) = degrees.to_radians().sin_cos();
        let turned: Vec<[f32; 2]> = points
            .iter()
            .map(|point| {
                let (x, y) = ((point[0] - middle[0]) * aspect, point[1] - middle[1]);
                let (x, y) = (x * cos - y * sin, x * sin + y * cos);
                inside([middle[0] + x / aspect, middle[1] + y])
            })
            .collect();
        self.drawn.set_points(self.chosen, &turned);
    }

    /// The next point of the body that must cross, or be inside.
    ///
    /// # Errors
    /// A region goes by that of the lines.
    pub fn next_anchor(&mut self) -> Result<Anchor, &'static str> {
        if matches!(self.shape(), Shape::Ignored(_)) {
            return Err("an ignored region goes by the point of the lines; choose a line to change it");
        }
        self.remember(false);
        let next = match self.anchor() {
            Anchor::Foot => Anchor::Center,
            Anchor::Center => Anchor::Head,
            Anchor::Head => Anchor::Foot,
        };
        match self.shape() {
            Shape::Line(index) => self.drawn.lines[index].anchor = next,
            Shape::Zone(index) => self.drawn.zones[index].anchor = next,
            Shape::Ignored(_) => {}
        }
        Ok(next)
    }

    fn free_name(&self, word: &str) -> String {
        let taken = |name: &String| {
            self.drawn.lines.iter().any(|line| line.name == *name)
                || self.drawn.zones.iter().any(|zone| zone.name == *name)
        };
        (1..).map(|number| format!("{word}_{number}")).find(|name| !taken(name)).unwrap_or_default()
    }

    /// A new line across the middle, chosen.
    pub fn add(&mut self) {
        self.remember(false);
        let name = self.free_name("line");
        self.drawn.lines.push(LineConfig { name, a: [0.2, 0.5], b: [0.8, 0.5], anchor: Anchor::Foot });
        self.chosen = self.drawn.lines.len() - 1;
        self.grip = Grip::Whole;
    }

    /// A new zone in the middle, chosen.
    pub fn add_zone(&mut self) {
        self.remember(false);
        let name = self.free_name("zone");
        let points = vec![[0.3, 0.4], [0.7, 0.4], [0.7, 0.8], [0.3, 0.8]];
        self.drawn.zones.push(ZoneConfig { name, points, anchor: Anchor::Foot, threshold: None });
        self.chosen = self.drawn.lines.len() + self.drawn.zones.len() - 1;
        self.grip = Grip::Whole;
    }

    /// A new region in which nobody is seen, in the upper middle, chosen.
    pub fn add_ignored(&mut self) {
        self.remember(false);
        self.drawn.ignore.push(vec![[0.4, 0.1], [0.6, 0.1], [0.6, 0.4], [0.4, 0.4]]);
        self.chosen = self.count() - 1;
        self.grip = Grip::Whole;
    }

    /// Corners of the zone or region that is edited.
    fn corners(&self) -> Result<Vec<[f32; 2]>, &'static str> {
        match self.shape() {
            Shape::Line(_) => {
                Err("a line has two ends; corners are for zones ('z') and ignored regions ('I')")
            }
            Shape::Zone(_) | Shape::Ignored(_) => Ok(self.points(self.chosen)),
        }
    }

    /// A new corner behind the one that is held, or behind the last, and takes hold of it.
    ///
    /// # Errors
    /// Lines have two ends, zones and regions at most 24 corners.
    pub fn add_corner(&mut self) -> Result<(), &'static str> {
        let mut points = self.corners()?;
        if points.len() >= MOST_CORNERS {
            return Err("24 corners are enough");
        }
        let at = match self.grip {
            Grip::Point(at) => at.min(points.len() - 1),
            Grip::Whole => points.len() - 1,
        };
        let next = points[(at + 1) % points.len()];
        let between = [f32::midpoint(points[at][0], next[0]), f32::midpoint(points[at][1], next[1])];
        self.remember(false);
        points.insert(at + 1, inside(between));
        self.drawn.set_points(self.chosen, &points);
        self.grip = Grip::Point(at + 1);
        Ok(())
    }

    /// Takes the corner that is held away.
    ///
    /// # Errors
    /// Lines have two ends, zones and regions at least three corners, and one must be held.
    pub fn remove_corner(&mut self) -> Result<(), &'static str> {
        let mut points = self.corners()?;
        let Grip::Point(at) = self.grip else { return Err("Tab takes the corner to remove") };
        if points.len() <= 3 {
            return Err("an area needs at least three corners; 'd' removes all of it");
        }
        self.remember(false);
        points.remove(at.min(points.len() - 1));
        self.grip = Grip::Point(at.min(points.len() - 1));
        self.drawn.set_points(self.chosen, &points);
        Ok(())
    }

    /// Takes what is chosen away.
    ///
    /// # Errors
    /// A source without lines would count nothing.
    pub fn remove(&mut self) -> Result<(), &'static str> {
        if self.line().is_some() && self.drawn.lines.len() < 2 {
            return Err("a source needs at least one line; 'a' adds another first");
        }
        self.remember(false);
        self.drawn.remove(self.chosen);
        self.chosen = self.chosen.min(self.count().saturating_sub(1));
        self.grip = Grip::Whole;
        Ok(())
    }

    /// Whether what is edited can have a name.
    ///
    /// # Errors
    /// A region has none.
    pub fn can_be_named(&self) -> Result<(), &'static str> {
        match self.shape() {
            Shape::Line(_) | Shape::Zone(_) => Ok(()),
            Shape::Ignored(_) => Err("an ignored region has no name; only lines and zones have one"),
        }
    }

    /// Gives what is edited a name.
    ///
    /// # Errors
    /// When it is empty, taken, or not what the configuration takes, and of a region always.
    pub fn rename(&mut self, name: &str) -> Result<(), String> {
        self.can_be_named()?;
        let name = name.trim();
        if name.is_empty() {
            return Err("it needs a name".into());
        }
        let name = label(name, LABEL_LENGTH).map_err(|problem| format!("the name {problem}"))?;
        let chosen = self.chosen;
        let names = self.drawn.lines.iter().map(|line| &line.name);
        let mut names = names.chain(self.drawn.zones.iter().map(|zone| &zone.name)).enumerate();
        if names.any(|(index, other)| index != chosen && *other == name) {
            return Err("another line or zone has this name".into());
        }
        self.remember(false);
        match self.shape() {
            Shape::Line(index) => self.drawn.lines[index].name = name,
            Shape::Zone(index) => self.drawn.zones[index].name = name,
            Shape::Ignored(_) => {}
        }
        Ok(())
    }
}

fn middle(points: &[[f32; 2]]) -> Option<[f32; 2]> {
    let count = points.len() as f32;
    let sum = points.iter().fold([0.0, 0.0], |sum, point| [sum[0] + point[0], sum[1] + point[1]]);
    (count > 0.0).then(|| [sum[0] / count, sum[1] / count])
}

/// In the picture, to a thousandth, as it is saved.
fn inside(point: [f32; 2]) -> [f32; 2] {
    point.map(|value| tidy(value.clamp(0.0, 1.0)))
}

/// To a thousandth of the picture, as it is saved.
fn tidy(value: f32) -> f32 {
    (value * 1000.0).round() / 1000.0
}
