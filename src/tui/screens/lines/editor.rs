//! Counting lines and zones being drawn: where they are, what may be wrong with them, what they would have
//! counted. Pure. What changes them is in `change`.

use std::sync::Arc;

use crate::{
    count::replay::Replay,
    geometry::Anchor,
    host::Drawn,
    model::{LineConfig, SourceId, ZoneConfig},
    tui::text_input::TextInput,
};

mod change;
pub mod warn;

/// One press of an arrow, as a share of the picture.
pub const STEP: f32 = 0.01;

/// One press of an arrow with Shift.
pub const STRIDE: f32 = 0.05;

/// One turn, in degrees.
pub const TURN: f32 = 15.0;

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
    /// Height of the people at each line and zone, over the lines and then the zones (see [`warn::heights`]).
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
            is_new: false,
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
        *self = Self {
            walked_hidden: self.walked_hidden,
            ..Self::new(self.source.clone(), runs.lines, runs.zones)
        };
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

#[cfg(test)]
mod tests;
