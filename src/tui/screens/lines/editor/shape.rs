//! What is drawn on a frame, by an index over the lines, the zones and then the ignored regions.

use crate::model::Drawn;

/// One of them, with its index among its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A counting line.
    Line(usize),
    /// A zone.
    Zone(usize),
    /// A region in which nobody is seen.
    Ignored(usize),
}

impl Shape {
    /// In a word: `line`, `zone` or `region`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Line(_) => "line",
            Self::Zone(_) => "zone",
            Self::Ignored(_) => "region",
        }
    }
}

impl Drawn {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lines.len() + self.zones.len() + self.ignore.len()
    }

    /// What stands at `index`.
    #[must_use]
    pub fn shape(&self, index: usize) -> Shape {
        let (lines, zones) = (self.lines.len(), self.zones.len());
        if index < lines {
            Shape::Line(index)
        } else if index < lines + zones {
            Shape::Zone(index - lines)
        } else {
            Shape::Ignored(index - lines - zones)
        }
    }

    /// Ends or corners of what stands at `index`.
    #[must_use]
    pub fn points(&self, index: usize) -> Vec<[f32; 2]> {
        let points = match self.shape(index) {
            Shape::Line(index) => self.lines.get(index).map(|line| vec![line.a, line.b]),
            Shape::Zone(index) => self.zones.get(index).map(|zone| zone.points.clone()),
            Shape::Ignored(index) => self.ignore.get(index).cloned(),
        };
        points.unwrap_or_default()
    }

    /// Gives what stands at `index` these ends or corners.
    pub(super) fn set_points(&mut self, index: usize, points: &[[f32; 2]]) {
        let corners = match self.shape(index) {
            Shape::Line(index) => {
                if let (Some(line), [a, b, ..]) = (self.lines.get_mut(index), points) {
                    (line.a, line.b) = (*a, *b);
                }
                return;
            }
            Shape::Zone(index) => self.zones.get_mut(index).map(|zone| &mut zone.points),
            Shape::Ignored(index) => self.ignore.get_mut(index),
        };
        if let Some(corners) = corners {
            *corners = points.to_vec();
        }
    }

    /// Takes what stands at `index` away.
    pub(super) fn remove(&mut self, index: usize) {
        match self.shape(index) {
            Shape::Line(index) => drop(self.lines.remove(index)),
            Shape::Zone(index) => drop(self.zones.remove(index)),
            Shape::Ignored(index) if index < self.ignore.len() => drop(self.ignore.remove(index)),
            Shape::Ignored(_) => {}
        }
    }
}
