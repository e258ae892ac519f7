//! Counting lines and zones being drawn: where they are, what may be wrong with them, what they would have
//! counted. Pure.

use std::sync::Arc;

use super::text_input::TextInput;
use crate::{
    config::{LineConfig, ZoneConfig},
    count::{Anchor, replay::Replay},
    source::SourceId,
    store::Preview,
};

/// One press of an arrow, as a share of the picture.
pub const STEP: f32 = 0.01;

/// One press of an arrow with Shift.
pub const STRIDE: f32 = 0.05;

/// One turn, in degrees.
pub const TURN: f32 = 15.0;

/// Shortest line that can be crossed sensibly, as a share of the picture's height.
const SHORTEST: f32 = 0.05;

/// Smallest zone that somebody can stand in sensibly, as a share of the picture.
const SMALLEST: f32 = 0.01;

/// A line nearer to an edge than this sees people only when they are half out of the picture.
const EDGE: f32 = 0.06;

/// People lower than this share of the picture are often missed by detectors.
const SMALL: f32 = 0.08;

/// Most corners of a zone.
const MOST_CORNERS: usize = 24;

/// Steps back that can be taken.
const MOST_UNDO: usize = 100;

/// The part of a line or zone that the arrows move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grip {
    /// All of it.
    Whole,
    /// One end of a line (0 is a, 1 is b) or one corner of a zone.
    Point(usize),
}

/// What would have been counted of the last minutes.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    /// The lines and zones it is about.
    pub drawn: Drawn,
    /// By them.
    pub with: Replay,
    /// By those that run.
    pub as_it_runs: Replay,
    /// Where people were seen, in 0..1 of width and height.
    pub walked: Arc<Vec<(f32, f32)>>,
}

/// Lines and zones.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Drawn {
    /// Lines.
    pub lines: Vec<LineConfig>,
    /// Zones.
    pub zones: Vec<ZoneConfig>,
}

/// The lines and zones of one source while they are edited.
#[derive(Debug, Clone)]
pub struct Editor {
    /// Whose.
    pub source: SourceId,
    drawn: Drawn,
    original: Drawn,
    /// Index over the lines and then the zones.
    chosen: usize,
    grip: Grip,
    before: Vec<(Drawn, usize, Grip)>,
    /// Whether the last change was a move, which further moves join.
    moving: bool,
    /// A new name being typed.
    pub naming: Option<TextInput>,
    /// Whether leaving has been asked for once with changes pending.
    pub leaving: bool,
    /// What would have been counted, as far as it has been worked out.
    pub replayed: Option<Replayed>,
    /// Whether the places where people walked are hidden.
    pub walked_hidden: bool,
    /// Whether the mouse holds the grip.
    pub dragging: bool,
}

impl Editor {
    /// Edits `lines` and `zones` of `source`.
    #[must_use]
    pub fn new(source: SourceId, lines: Vec<LineConfig>, zones: Vec<ZoneConfig>) -> Self {
        let drawn = Drawn { lines, zones };
        Self {
            source,
            original: drawn.clone(),
            drawn,
            chosen: 0,
            grip: Grip::Whole,
            before: Vec::new(),
            moving: false,
            naming: None,
            leaving: false,
            replayed: None,
            walked_hidden: false,
            dragging: false,
        }
    }

    /// Lines and zones as they are now.
    #[must_use]
    pub fn drawn(&self) -> &Drawn {
        &self.drawn
    }

    /// Lines and zones as they run.
    #[must_use]
    pub fn as_it_runs(&self) -> &Drawn {
        &self.original
    }

    /// The lines as they are now.
    #[must_use]
    pub fn lines(&self) -> &[LineConfig] {
        &self.drawn.lines
    }

    /// The zones as they are now.
    #[must_use]
    pub fn zones(&self) -> &[ZoneConfig] {
        &self.drawn.zones
    }

    /// Index of what is edited, over the lines and then the zones.
    #[must_use]
    pub fn chosen(&self) -> usize {
        self.chosen
    }

    /// What the arrows move.
    #[must_use]
    pub fn grip(&self) -> Grip {
        self.grip
    }

    /// The line that is edited, when it is one.
    #[must_use]
    pub fn line(&self) -> Option<&LineConfig> {
        self.drawn.lines.get(self.chosen)
    }

    /// The zone that is edited, when it is one.
    #[must_use]
    pub fn zone(&self) -> Option<&ZoneConfig> {
        self.drawn.zones.get(self.chosen.checked_sub(self.drawn.lines.len())?)
    }

    /// Name of what is edited.
    #[must_use]
    pub fn name(&self) -> &str {
        self.line().map(|line| &line.name).or(self.zone().map(|zone| &zone.name)).map_or("", String::as_str)
    }

    /// Point of the body that what is edited goes by.
    #[must_use]
    pub fn anchor(&self) -> Anchor {
        self.line().map(|line| line.anchor).or(self.zone().map(|zone| zone.anchor)).unwrap_or_default()
    }

    /// Ends or corners of shape `index`, over the lines and then the zones.
    #[must_use]
    pub fn points(&self, index: usize) -> Vec<[f32; 2]> {
        self.drawn.points(index)
    }

    /// Lines and zones together.
    #[must_use]
    pub fn count(&self) -> usize {
        self.drawn.lines.len() + self.drawn.zones.len()
    }

    /// Whether anything differs from what runs.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.drawn != self.original
    }

    /// What is drawn now runs.
    pub fn applied(&mut self) {
        self.original = self.drawn.clone();
    }

    /// Remembers how things are, so that [`Self::undo`] comes back here. Moves one after the other are one
    /// step.
    fn remember(&mut self, moving: bool) {
        if !(moving && self.moving) {
            self.before.push((self.drawn.clone(), self.chosen, self.grip));
            if self.before.len() > MOST_UNDO {
                self.before.remove(0);
            }
        }
        self.moving = moving;
    }

    /// Takes the last change back; `false` when there is none.
    pub fn undo(&mut self) -> bool {
        self.moving = false;
        let Some((drawn, chosen, grip)) = self.before.pop() else { return false };
        (self.drawn, self.chosen, self.grip) = (drawn, chosen, grip);
        true
    }

    /// The next grip: whole, then each end or corner, then the next line or zone.
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
    /// A zone has no in side.
    pub fn flip(&mut self) -> Result<(), &'static str> {
        if self.line().is_none() {
            return Err("a zone has no in side; only lines are flipped");
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
    pub fn next_anchor(&mut self) -> Anchor {
        self.remember(false);
        let next = match self.anchor() {
            Anchor::Foot => Anchor::Center,
            Anchor::Center => Anchor::Head,
            Anchor::Head => Anchor::Foot,
        };
        let zone = self.chosen.checked_sub(self.drawn.lines.len());
        if let Some(line) = self.drawn.lines.get_mut(self.chosen) {
            line.anchor = next;
        } else if let Some(zone) = zone.and_then(|index| self.drawn.zones.get_mut(index)) {
            zone.anchor = next;
        }
        next
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
        self.chosen = self.count() - 1;
        self.grip = Grip::Whole;
    }

    /// A new corner behind the one that is held, or behind the last, and takes hold of it.
    ///
    /// # Errors
    /// Lines have two ends, and zones at most 24 corners.
    pub fn add_corner(&mut self) -> Result<(), &'static str> {
        let Some(zone) = self.zone() else { return Err("a line has two ends; corners are for zones ('z')") };
        let mut points = zone.points.clone();
        if points.len() >= MOST_CORNERS {
            return Err("24 corners are enough for any zone");
        }
        let at = match self.grip {
            Grip::Point(at) => at.min(points.len() - 1),
            Grip::Whole => points.len() - 1,
        };
        let next = points[(at + 1) % points.len()];
        let between = [(points[at][0] + next[0]) / 2.0, (points[at][1] + next[1]) / 2.0];
        self.remember(false);
        points.insert(at + 1, inside(between));
        self.drawn.set_points(self.chosen, &points);
        self.grip = Grip::Point(at + 1);
        Ok(())
    }

    /// Takes the corner that is held away.
    ///
    /// # Errors
    /// Lines have two ends, zones at least three corners, and one must be held.
    pub fn remove_corner(&mut self) -> Result<(), &'static str> {
        let Some(zone) = self.zone() else { return Err("a line has two ends; corners are for zones ('z')") };
        let mut points = zone.points.clone();
        let Grip::Point(at) = self.grip else { return Err("Tab takes the corner to remove") };
        if points.len() <= 3 {
            return Err("a zone needs at least three corners; 'd' removes the whole zone");
        }
        self.remember(false);
        points.remove(at.min(points.len() - 1));
        self.grip = Grip::Point(at.min(points.len() - 1));
        self.drawn.set_points(self.chosen, &points);
        Ok(())
    }

    /// Takes the chosen line or zone away.
    ///
    /// # Errors
    /// A source without lines would count nothing.
    pub fn remove(&mut self) -> Result<(), &'static str> {
        if self.line().is_some() && self.drawn.lines.len() < 2 {
            return Err("a source needs at least one line; 'a' adds another first");
        }
        self.remember(false);
        let lines = self.drawn.lines.len();
        if self.chosen < lines {
            self.drawn.lines.remove(self.chosen);
        } else if self.chosen - lines < self.drawn.zones.len() {
            self.drawn.zones.remove(self.chosen - lines);
        }
        self.chosen = self.chosen.min(self.count().saturating_sub(1));
        self.grip = Grip::Whole;
        Ok(())
    }

    /// Gives what is edited a name.
    ///
    /// # Errors
    /// When it is empty or taken.
    pub fn rename(&mut self, name: &str) -> Result<(), &'static str> {
        let name = name.trim();
        if name.is_empty() {
            return Err("it needs a name");
        }
        let chosen = self.chosen;
        let names = self.drawn.lines.iter().map(|line| &line.name);
        let mut names = names.chain(self.drawn.zones.iter().map(|zone| &zone.name)).enumerate();
        if names.any(|(index, other)| index != chosen && other == name) {
            return Err("another line or zone has this name");
        }
        self.remember(false);
        let zone = chosen.checked_sub(self.drawn.lines.len());
        if let Some(line) = self.drawn.lines.get_mut(chosen) {
            line.name = name.to_string();
        } else if let Some(zone) = zone.and_then(|index| self.drawn.zones.get_mut(index)) {
            zone.name = name.to_string();
        }
        Ok(())
    }

    /// What may make what is edited count badly, judged by the picture and the people in it.
    #[must_use]
    pub fn warnings(&self, preview: Option<&Preview>) -> Vec<String> {
        let aspect = preview.map_or(16.0 / 9.0, |p| p.size.0.max(1) as f32 / p.size.1.max(1) as f32);
        if let Some(zone) = self.zone() {
            return zone_warnings(zone);
        }
        let Some(line) = self.line() else { return Vec::new() };
        let mut warnings = Vec::new();
        let length = ((line.b[0] - line.a[0]) * aspect).hypot(line.b[1] - line.a[1]);
        if length < SHORTEST {
            warnings.push("the line is too short to be crossed".into());
        }
        let edges = [
            (line.a[0].max(line.b[0]) < EDGE, "left"),
            (line.a[0].min(line.b[0]) > 1.0 - EDGE, "right"),
            (line.a[1].max(line.b[1]) < EDGE, "upper"),
            (line.a[1].min(line.b[1]) > 1.0 - EDGE, "lower"),
        ];
        for (_, edge) in edges.into_iter().filter(|(near, _)| *near) {
            warnings
                .push(format!("too near the {edge} edge: people leave the picture before they have crossed"));
        }
        if let Some(preview) = preview {
            let mut heights: Vec<f32> = preview
                .tracks
                .iter()
                .filter(|track| track.confirmed && distance(line, &track.bbox, aspect) < track.bbox.h)
                .map(|track| track.bbox.h)
                .collect();
            heights.sort_by(f32::total_cmp);
            if let Some(height) = heights.get(heights.len() / 2).filter(|height| **height < SMALL) {
                let share = (height * 100.0).round();
                warnings.push(format!(
                    "people there are small ({share} % of the picture's height): some may be missed"
                ));
            }
        }
        warnings
    }
}

/// Distance from the foot of a box to a line, in frame heights.
fn distance(line: &LineConfig, bbox: &crate::geometry::BBox, aspect: f32) -> f32 {
    let foot = bbox.foot();
    let (ax, ay) = (line.a[0] * aspect, line.a[1]);
    let (dx, dy) = ((line.b[0] - line.a[0]) * aspect, line.b[1] - line.a[1]);
    let along = ((foot.x - ax) * dx + (foot.y - ay) * dy) / (dx * dx + dy * dy).max(1e-9);
    let along = along.clamp(0.0, 1.0);
    (foot.x - ax - dx * along).hypot(foot.y - ay - dy * along)
}

/// To a thousandth of the picture, as it is saved.
fn tidy(value: f32) -> f32 {
    (value * 1000.0).round() / 1000.0
}

/// What may be wrong with a zone.
fn zone_warnings(zone: &ZoneConfig) -> Vec<String> {
    let next = || zone.points.iter().cycle().skip(1);
    let area =
        zone.points.iter().zip(next()).map(|(p, q)| p[0] * q[1] - q[0] * p[1]).sum::<f32>().abs() / 2.0;
    let sides: Vec<([f32; 2], [f32; 2])> = zone.points.iter().copied().zip(next().copied()).collect();
    let side =
        |a: [f32; 2], b: [f32; 2], c: [f32; 2]| (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
    let crosses = sides.iter().enumerate().any(|(i, (a, b))| {
        sides.iter().skip(i + 1).any(|(c, d)| {
            side(*a, *b, *c) * side(*a, *b, *d) < 0.0 && side(*c, *d, *a) * side(*c, *d, *b) < 0.0
        })
    });
    let mut warnings = Vec::new();
    if area < SMALLEST {
        warnings.push("the zone is too small to stand in".into());
    }
    if crosses {
        warnings.push("its sides cross: only parts of it are inside; move a corner".into());
    }
    warnings
}

impl Drawn {
    /// Ends or corners of shape `index`, over the lines and then the zones.
    #[must_use]
    pub fn points(&self, index: usize) -> Vec<[f32; 2]> {
        if let Some(line) = self.lines.get(index) {
            return vec![line.a, line.b];
        }
        let zone = index.checked_sub(self.lines.len()).and_then(|index| self.zones.get(index));
        zone.map(|zone| zone.points.clone()).unwrap_or_default()
    }

    fn set_points(&mut self, index: usize, points: &[[f32; 2]]) {
        let zone = index.checked_sub(self.lines.len());
        if let (Some(line), [a, b, ..]) = (self.lines.get_mut(index), points) {
            (line.a, line.b) = (*a, *b);
        } else if let Some(zone) = zone.and_then(|index| self.zones.get_mut(index)) {
            zone.points = points.to_vec();
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn editor() -> Editor {
        let line = LineConfig { name: "door".into(), a: [0.2, 0.5], b: [0.8, 0.5], anchor: Anchor::Foot };
        Editor::new("camera_01".into(), vec![line], Vec::new())
    }

    #[test]
    fn a_line_keeps_its_shape_at_the_edge_and_never_leaves_the_picture() {
        let mut editor = editor();
        editor.shift(0.5, -0.9);
        assert_eq!((editor.lines()[0].a, editor.lines()[0].b), ([0.4, 0.0], [1.0, 0.0]));
    }

    #[test]
    fn ends_move_alone_and_tab_goes_round() {
        let mut editor = editor();
        editor.next_grip(false);
        assert_eq!(editor.grip(), Grip::Point(0));
        editor.shift(-1.0, 0.1);
        assert_eq!((editor.lines()[0].a, editor.lines()[0].b), ([0.0, 0.6], [0.8, 0.5]));
        editor.add();
        editor.next_grip(true);
        assert_eq!((editor.chosen(), editor.grip()), (0, Grip::Point(1)));
    }

    #[test]
    fn six_turns_of_fifteen_degrees_stand_the_line_up() {
        let mut editor = editor();
        for _ in 0..6 {
            editor.turn(TURN, 16.0 / 9.0);
        }
        let line = editor.line().unwrap();
        // A line of 0.6 widths is longer than the picture is high.
        assert!((line.a[0] - 0.5).abs() < 0.01 && (line.b[0] - 0.5).abs() < 0.01, "{line:?}");
        assert!(line.a[1] < 0.05 && line.b[1] > 0.95, "{line:?}");
    }

    #[test]
    fn flipping_twice_changes_nothing() {
        let mut editor = editor();
        editor.flip().unwrap();
        assert!(editor.is_changed());
        editor.flip().unwrap();
        assert!(!editor.is_changed());
    }

    #[test]
    fn names_are_unique_and_one_line_stays() {
        let mut editor = editor();
        assert!(editor.remove().is_err());
        editor.add();
        assert!(editor.rename("door").is_err());
        assert!(editor.rename(" ").is_err());
        editor.rename("gate").unwrap();
        assert_eq!(editor.line().unwrap().name, "gate");
        editor.remove().unwrap();
        assert_eq!(editor.lines().len(), 1);
    }

    #[test]
    fn lines_at_the_edge_and_small_people_are_warned_of() {
        let mut editor = editor();
        assert_eq!(editor.warnings(None), Vec::<String>::new());
        editor.shift(0.0, 0.48);
        assert!(editor.warnings(None)[0].contains("lower edge"));
        let small = crate::track::Track {
            id: 1,
            bbox: crate::geometry::BBox::new(0.8, 0.93, 0.02, 0.05),
            score: 0.9,
            confirmed: true,
            seen: true,
        };
        let preview = Preview {
            size: (160, 90),
            rgb: Vec::new(),
            tracks: vec![small],
            taken: std::time::Instant::now(),
        };
        assert!(editor.warnings(Some(&preview))[1].contains("5 % of the picture"));
    }

    #[test]
    fn zones_are_moved_by_their_corners_and_keep_three() {
        let mut editor = editor();
        editor.add_zone();
        assert_eq!((editor.chosen(), editor.name()), (1, "zone_1"));
        editor.shift(0.0, 0.5);
        assert_eq!(editor.zone().unwrap().points[2], [0.7, 1.0], "as far as the edge");
        editor.next_grip(false);
        editor.shift(-0.1, 0.0);
        assert_eq!(editor.zone().unwrap().points[..2], [[0.2, 0.6], [0.7, 0.6]]);
        editor.add_corner().unwrap();
        assert_eq!((editor.zone().unwrap().points.len(), editor.grip()), (5, Grip::Point(1)));
        editor.remove_corner().unwrap();
        editor.remove_corner().unwrap();
        assert!(editor.remove_corner().is_err() && editor.flip().is_err());
        assert_eq!(editor.next_anchor(), Anchor::Center);
        editor.rename("till").unwrap();
        assert!(editor.rename("door").is_err(), "the line has it");
        editor.remove().unwrap();
        assert!(editor.zones().is_empty());
    }

    #[test]
    fn changes_are_taken_back_one_by_one_and_moves_together() {
        let mut editor = editor();
        editor.shift(0.01, 0.0);
        editor.shift(0.01, 0.0);
        editor.add_zone();
        assert!(editor.undo() && editor.zones().is_empty());
        assert!(editor.undo() && !editor.is_changed());
        assert!(!editor.undo());
    }

    #[test]
    fn the_mouse_takes_ends_first_and_sides_else() {
        let mut editor = editor();
        let reach = (0.02, 0.04);
        assert!(!editor.grab((0.5, 0.9), reach));
        assert!(editor.grab((0.79, 0.52), reach));
        assert_eq!(editor.grip(), Grip::Point(1));
        editor.drag((0.9, 0.3));
        assert_eq!(editor.line().unwrap().b, [0.9, 0.3]);
        assert!(editor.grab((0.2 + 0.35, 0.4), reach));
        assert_eq!(editor.grip(), Grip::Whole);
    }

    #[test]
    fn zones_that_hold_nobody_are_warned_of() {
        let mut editor = editor();
        editor.add_zone();
        assert_eq!(editor.warnings(None), Vec::<String>::new());
        editor.next_grip(false);
        editor.shift(0.5, 0.1);
        assert!(editor.warnings(None)[0].contains("sides cross"), "{:?}", editor.warnings(None));
    }
}
