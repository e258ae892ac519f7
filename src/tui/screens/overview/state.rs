//! What the overview knows.

use super::layout::Layout;
use crate::tui::context::Context;

/// Parts of the overview between which Tab moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Panel {
    /// The table of sources.
    #[default]
    Sources,
    /// The table of workers.
    Workers,
    /// What happened.
    Events,
}

/// The overview.
#[derive(Debug, Default)]
pub struct State {
    /// Part that keys move in.
    pub panel: Panel,
    /// How it is laid out.
    pub layout: Layout,
    /// Whether a live preview is wanted; `None` leaves it to the room: on where the selected source stands beside the table.
    pub preview: Option<bool>,
    /// First visible row of the table of sources.
    pub offset: usize,
    /// Workers scrolled.
    pub scroll: usize,
    /// Number of the event that the cursor is on; `None` follows the newest.
    pub event: Option<u64>,
}

impl State {
    /// Whether a live preview of the selected source shows.
    #[must_use]
    pub fn has_preview(&self, context: &Context) -> bool {
        self.preview.unwrap_or_else(|| self.layout.has_detail(context.size))
    }

    /// The event that the cursor is on; `None` where it follows the newest.
    #[must_use]
    pub fn chosen_event(&self, context: &Context) -> Option<usize> {
        let events = &context.shown().events;
        let last = events.len().checked_sub(1)?;
        let chosen = self.event?;
        Some(events.iter().rposition(|event| event.number <= chosen).unwrap_or(0).min(last))
    }

    /// Moves the cursor of the events; beyond the newest it follows what happens.
    pub fn step_event(&mut self, by: isize, context: &Context) {
        let events = &context.shown().events;
        let Some(last) = events.len().checked_sub(1) else { return };
        let to = self.chosen_event(context).unwrap_or(last).saturating_add_signed(by);
        self.event = events.get(to).filter(|_| to < last).map(|event| event.number);
    }
}
