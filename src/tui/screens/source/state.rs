//! What the screen of one source knows.

use std::sync::Arc;

use super::panes::Pane;
use crate::{
    ledger::chart::{Column, Width},
    metrics::stages::StageTime,
    model::{Event, SourceId},
};

/// Columns of the chart of one source, by width of column.
pub type ChartColumns = (SourceId, Width, Arc<Vec<Column>>);

/// The screen of one source.
#[derive(Debug)]
pub struct State {
    /// Pane that keys move in.
    pub pane: Pane,
    /// Lines that it is scrolled from where reading begins.
    pub scroll: usize,
    /// Whether the chosen pane has all the room.
    pub maximized: bool,
    /// Whether the preview is on.
    pub preview: bool,
    /// How much time a column of the chart stands for.
    pub chart_width: Width,
    /// Columns of the chart, once they are read.
    pub chart: Option<ChartColumns>,
    /// Why the chart holds this run only.
    pub chart_problem: Option<String>,
    /// The latest events of the source, oldest first, and whose they are.
    pub events: Option<(SourceId, Vec<Arc<Event>>)>,
    /// CPU time of the source by stage.
    pub times: Vec<StageTime>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            pane: Pane::default(),
            scroll: 0,
            maximized: false,
            preview: true,
            chart_width: Width::default(),
            chart: None,
            chart_problem: None,
            events: None,
            times: Vec::new(),
        }
    }
}

impl State {
    /// Chooses a pane.
    pub fn show(&mut self, pane: Pane) {
        self.pane = pane;
        self.scroll = 0;
        if pane == Pane::Preview {
            self.preview = true;
        }
    }

    /// Chooses the pane `steps` on.
    pub fn step_pane(&mut self, steps: isize) {
        let count = Pane::ALL.len() as isize;
        let place = |from: usize| (from as isize + steps).rem_euclid(count) as usize;
        let mut next = place(self.pane.place());
        // A preview that was switched off stays off: 'v' or its number bring it back.
        if Pane::ALL[next] == Pane::Preview && !self.preview {
            next = place(next);
        }
        self.show(Pane::ALL[next]);
    }

    /// Events of this source, where they are known.
    #[must_use]
    pub fn events_of(&self, source: &SourceId) -> &[Arc<Event>] {
        self.events.as_ref().filter(|(of, _)| of == source).map_or(&[], |(_, events)| events)
    }
}
