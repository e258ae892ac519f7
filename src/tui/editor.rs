//! Counting lines being drawn: where they are and what may be wrong with them. Pure.

use super::text_input::TextInput;
use crate::{config::LineConfig, count::Anchor, source::SourceId, store::Preview};

/// One press of an arrow, as a share of the picture.
pub const STEP: f32 = 0.01;

/// One press of an arrow with Shift.
pub const STRIDE: f32 = 0.05;

/// One turn, in degrees.
pub const TURN: f32 = 15.0;

/// Shortest line that can be crossed sensibly, as a share of the picture's height.
const SHORTEST: f32 = 0.05;

/// A line nearer to an edge than this sees people only when they are half out of the picture.
const EDGE: f32 = 0.06;

/// People lower than this share of the picture are often missed by detectors.
const SMALL: f32 = 0.08;

/// The part of a line that the arrows move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grip {
    /// Its start.
    A,
    /// Its end.
    B,
    /// All of it.
    Whole,
}

/// The lines of one source while they are edited.
#[derive(Debug, Clone)]
pub struct Editor {
    /// Whose lines.
    pub source: SourceId,
    lines: Vec<LineConfig>,
    original: Vec<LineConfig>,
    chosen: usize,
    grip: Grip,
    /// A new name being typed.
    pub naming: Option<TextInput>,
    /// Whether leaving has been asked for once with changes pending.
    pub leaving: bool,
}

impl Editor {
    /// Edits `lines` of `source`.
    #[must_use]
    pub fn new(source: SourceId, lines: Vec<LineConfig>) -> Self {
        Self {
            source,
            original: lines.clone(),
            lines,
            chosen: 0,
            grip: Grip::Whole,
            naming: None,
            leaving: false,
        }
    }

    /// The lines as they are now.
    #[must_use]
    pub fn lines(&self) -> &[LineConfig] {
        &self.lines
    }

    /// Index of the line that is edited.
    #[must_use]
    pub fn chosen(&self) -> usize {
        self.chosen
    }

    /// What the arrows move.
    #[must_use]
    pub fn grip(&self) -> Grip {
        self.grip
    }

    /// The line that is edited.
    #[must_use]
    pub fn line(&self) -> Option<&LineConfig> {
        self.lines.get(self.chosen)
    }

    /// Whether anything differs from what runs.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.lines != self.original
    }

    /// The lines now run as they are.
    pub fn applied(&mut self) {
        self.original = self.lines.clone();
    }

    /// The next grip: whole, start, end, then the next line.
    pub fn next_grip(&mut self, back: bool) {
        let grips = [Grip::Whole, Grip::A, Grip::B];
        let count = grips.len() * self.lines.len().max(1);
        let place = grips.iter().position(|grip| *grip == self.grip).unwrap_or(0);
        let now = self.chosen * grips.len() + place;
        let next = (now + if back { count - 1 } else { 1 }) % count;
        self.chosen = next / grips.len();
        self.grip = grips[next % grips.len()];
    }

    /// Moves the grip by shares of the picture, never out of it; `false` when the edge lets it go no further.
    pub fn shift(&mut self, dx: f32, dy: f32) -> bool {
        let grip = self.grip;
        let Some(line) = self.lines.get_mut(self.chosen) else { return false };
        let before = (line.a, line.b);
        let by = |point: &mut [f32; 2], dx: f32, dy: f32| {
            *point = [tidy((point[0] + dx).clamp(0.0, 1.0)), tidy((point[1] + dy).clamp(0.0, 1.0))];
        };
        match grip {
            Grip::A => by(&mut line.a, dx, dy),
            Grip::B => by(&mut line.b, dx, dy),
            Grip::Whole => {
                // As far as the first end that touches an edge, so that the line keeps its shape.
                let room = |axis: usize, wanted: f32| {
                    let (low, high) = (line.a[axis].min(line.b[axis]), line.a[axis].max(line.b[axis]));
                    wanted.clamp(-low, 1.0 - high)
                };
                let (dx, dy) = (room(0, dx), room(1, dy));
                by(&mut line.a, dx, dy);
                by(&mut line.b, dx, dy);
            }
        }
        (line.a, line.b) != before
    }

    /// Swaps the ends: what counted as in counts as out.
    pub fn flip(&mut self) {
        if let Some(line) = self.lines.get_mut(self.chosen) {
            std::mem::swap(&mut line.a, &mut line.b);
        }
    }

    /// Turns the line about its middle, clockwise, in a picture of this width over height.
    pub fn turn(&mut self, degrees: f32, aspect: f32) {
        let Some(line) = self.lines.get_mut(self.chosen) else { return };
        let (sin, cos) = degrees.to_radians().sin_cos();
        let middle = [(line.a[0] + line.b[0]) / 2.0, (line.a[1] + line.b[1]) / 2.0];
        for point in [&mut line.a, &mut line.b] {
            let (x, y) = ((point[0] - middle[0]) * aspect, point[1] - middle[1]);
            let (x, y) = (x * cos - y * sin, x * sin + y * cos);
            *point = [tidy((middle[0] + x / aspect).clamp(0.0, 1.0)), tidy((middle[1] + y).clamp(0.0, 1.0))];
        }
    }

    /// The next point of the body that must cross.
    pub fn next_anchor(&mut self) -> Option<Anchor> {
        let line = self.lines.get_mut(self.chosen)?;
        line.anchor = match line.anchor {
            Anchor::Foot => Anchor::Center,
            Anchor::Center => Anchor::Head,
            Anchor::Head => Anchor::Foot,
        };
        Some(line.anchor)
    }

    /// A new line across the middle, chosen.
    pub fn add(&mut self) {
        let name = (1..)
            .map(|number| format!("line_{number}"))
            .find(|name| self.lines.iter().all(|line| line.name != *name))
            .unwrap_or_default();
        self.lines.push(LineConfig { name, a: [0.2, 0.5], b: [0.8, 0.5], anchor: Anchor::Foot });
        self.chosen = self.lines.len() - 1;
        self.grip = Grip::Whole;
    }

    /// Takes the chosen line away.
    ///
    /// # Errors
    /// A source without lines would count nothing.
    pub fn remove(&mut self) -> Result<(), &'static str> {
        if self.lines.len() < 2 {
            return Err("a source needs at least one line; 'a' adds another first");
        }
        self.lines.remove(self.chosen);
        self.chosen = self.chosen.min(self.lines.len() - 1);
        Ok(())
    }

    /// Gives the chosen line a name.
    ///
    /// # Errors
    /// When it is empty or taken.
    pub fn rename(&mut self, name: &str) -> Result<(), &'static str> {
        let name = name.trim();
        if name.is_empty() {
            return Err("a line needs a name");
        }
        if self.lines.iter().enumerate().any(|(index, line)| index != self.chosen && line.name == name) {
            return Err("another line has this name");
        }
        if let Some(line) = self.lines.get_mut(self.chosen) {
            line.name = name.to_string();
        }
        Ok(())
    }

    /// What may make the chosen line count badly, judged by the picture and the people in it.
    #[must_use]
    pub fn warnings(&self, preview: Option<&Preview>) -> Vec<String> {
        let Some(line) = self.line() else { return Vec::new() };
        let mut warnings = Vec::new();
        let aspect = preview.map_or(16.0 / 9.0, |p| p.size.0.max(1) as f32 / p.size.1.max(1) as f32);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn editor() -> Editor {
        let line = LineConfig { name: "door".into(), a: [0.2, 0.5], b: [0.8, 0.5], anchor: Anchor::Foot };
        Editor::new("camera_01".into(), vec![line])
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
        assert_eq!(editor.grip(), Grip::A);
        editor.shift(-1.0, 0.1);
        assert_eq!((editor.lines()[0].a, editor.lines()[0].b), ([0.0, 0.6], [0.8, 0.5]));
        editor.add();
        editor.next_grip(true);
        assert_eq!((editor.chosen(), editor.grip()), (0, Grip::B));
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
        editor.flip();
        assert!(editor.is_changed());
        editor.flip();
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
}
