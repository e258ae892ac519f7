//! Counting lines, zones and ignored regions being drawn: where they are, what may be wrong with them, what they would have
//! counted. Pure. What changes them is in `change`.

use std::sync::Arc;

use crate::{
    count::replay::Replay,
    geometry::Anchor,
    host::Drawn,
    model::{LineConfig, Polygon, SourceId, ZoneConfig},
    tui::text_input::TextInput,
};

mod change;
mod shape;
pub mod warn;

pub use shape::Shape;

/// One press of an arrow, as a share of the picture.
pub const STEP: f32 = 0.01;

/// One press of an arrow with Shift.
pub const STRIDE: f32 = 0.05;

/// One turn, in degrees.
pub const TURN: f32 = 15.0;

/// Steps back that can be taken.
const MOST_UNDO: usize = 100;

/// The part of a shape that the arrows move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grip {
    /// All of it.
    Whole,
    /// One end of a line (0 is a, 1 is b) or one corner of a zone or region.
    Point(usize),
}

/// What would have been counted of the last minutes.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    /// What it is about.
    pub drawn: Drawn,
    /// By them.
    pub with: Replay,
    /// By those that run.
    pub as_it_runs: Replay,
    /// Where people were seen, in 0..1 of width and height.
    pub walked: Arc<Vec<(f32, f32)>>,
    /// Height of the people at each shape (see [`warn::heights`]).
    pub heights: Vec<Option<f32>>,
}

/// What becomes of lines that somebody else has changed while they are edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Elsewhere {
    /// Nothing was changed.
    No,
    /// They are edited from now on.
    Taken,
    /// What is drawn here stays, and is something else.
    Against,
}

/// What is drawn on the frame of one source while it is edited.
#[derive(Debug, Clone)]
pub struct Editor {
    /// Whose.
    pub source: SourceId,
    drawn: Drawn,
    original: Drawn,
    /// Index over the lines, the zones and then the regions.
    chosen: usize,
    grip: Grip,
    before: Vec<(Drawn, usize, Grip)>,
    /// Whether the last change was a move, which further moves join.
    moving: bool,
    /// A new name being typed.
    pub naming: Option<TextInput>,
    /// Whether the source was added just now, so that Enter also says yes to the line it came with.
    pub is_new: bool,
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
    /// Edits what is `drawn` on the frame of `source`.
    #[must_use]
    pub fn new(source: SourceId, drawn: Drawn) -> Self {
        Self {
            source,
            original: drawn.clone(),
            drawn,
            chosen: 0,
            grip: Grip::Whole,
            before: Vec::new(),
            moving: false,
            naming: None,
            is_new: false,
            leaving: false,
            replayed: None,
            walked_hidden: false,
            dragging: false,
        }
    }

    /// All of it as it is now.
    #[must_use]
    pub fn drawn(&self) -> &Drawn {
        &self.drawn
    }

    /// All of it as it runs.
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

    /// The ignored regions as they are now.
    #[must_use]
    pub fn ignored(&self) -> &[Polygon] {
        &self.drawn.ignore
    }

    /// What is edited.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.drawn.shape(self.chosen)
    }

    /// Index of what is edited, over the lines, the zones and then the regions.
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
        match self.shape() {
            Shape::Zone(index) => self.drawn.zones.get(index),
            _ => None,
        }
    }

    /// Name of what is edited; a region has none.
    #[must_use]
    pub fn name(&self) -> &str {
        self.line().map(|line| &line.name).or(self.zone().map(|zone| &zone.name)).map_or("", String::as_str)
    }

    /// Point of the body that what is edited goes by; a region goes by that of the lines.
    #[must_use]
    pub fn anchor(&self) -> Anchor {
        let line = self.line().or(self.drawn.lines.first());
        self.zone().map(|zone| zone.anchor).or(line.map(|line| line.anchor)).unwrap_or_default()
    }

    /// Ends or corners of shape `index`, over the lines, the zones and then the regions.
    #[must_use]
    pub fn points(&self, index: usize) -> Vec<[f32; 2]> {
        self.drawn.points(index)
    }

    /// Lines, zones and regions together.
    #[must_use]
    pub fn count(&self) -> usize {
        self.drawn.count()
    }

    /// Whether anything differs from what runs.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.drawn != self.original
    }

    /// What runs by now is this, and not what this editor knows of.
    pub fn changed_elsewhere(&mut self, runs: Drawn) -> Elsewhere {
        if runs == self.original {
            return Elsewhere::No;
        }
        if runs == self.drawn {
            self.original = runs;
            return Elsewhere::No;
        }
        if self.is_changed() || self.is_new || self.naming.is_some() {
            self.original = runs;
            return Elsewhere::Against;
        }
        *self = Self { walked_hidden: self.walked_hidden, ..Self::new(self.source.clone(), runs) };
        Elsewhere::Taken
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
}

#[cfg(test)]
mod tests;
