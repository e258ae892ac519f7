//! What a key acts on: the source that the screen on top shows as chosen, never a row that another screen hides.

use std::sync::Arc;

use super::{Effect, Screen, Tone, UiState};
use crate::{
    model::{SourceId, SourceSnapshot},
    tui::{action::Action, log_target::LogTarget, view_model::Row},
};

impl UiState {
    /// The source chosen on the screen on top; else why there is none, in a sentence.
    pub(super) fn subject(&self) -> Result<SourceId, String> {
        match self.screen() {
            Screen::Overview | Screen::Detail | Screen::Editor => match &self.selected {
                Some(id) => Ok(id.clone()),
                None => Err(self.why_empty()),
            },
            Screen::Report => self
                .chosen_source()
                .ok_or_else(|| "choose one source in the list first; Tab goes there".into()),
            Screen::Crossings => match self.crossings.chosen() {
                Some(facts) => Ok(facts.source.clone()),
                None => Err("there is no crossing here; 'q' goes back".into()),
            },
            Screen::Logs(LogTarget::Source(id)) => Ok(id.clone()),
            Screen::Logs(_) => Err("this log is of no single source; Tab shows the next one".into()),
            Screen::Workers => Err("this key acts on a source, and these are workers; 'q' goes back".into()),
            Screen::Help => Err("this key acts on a source; 'q' goes back to them".into()),
        }
    }

    /// The sources that a key acts on: those marked and in sight on the overview, else the chosen one. Never those
    /// of a frozen view that have gone since. Says why there are none.
    pub(super) fn targets_or_reason(&mut self) -> Option<Vec<Arc<SourceSnapshot>>> {
        let live = &self.snapshot.sources;
        let marked: Vec<_> = match self.screen() {
            Screen::Overview => {
                let marked = self.visible().filter(|id| self.marked.contains(*id));
                marked.filter_map(|id| live.iter().find(|source| source.id == *id)).cloned().collect()
            }
            _ => Vec::new(),
        };
        if !marked.is_empty() {
            return Some(marked);
        }
        let chosen = self.subject().and_then(|id| {
            let found = live.iter().find(|source| source.id == id).cloned();
            found.ok_or_else(|| match self.screen() {
                Screen::Report | Screen::Crossings => format!("'{id}' has counts and is not in this run"),
                _ => format!("'{id}' is gone; 'f' shows what is there now"),
            })
        });
        match chosen {
            Ok(source) => Some(vec![source]),
            Err(reason) => {
                self.say(reason, Tone::Refused);
                None
            }
        }
    }

    /// The sources in the rows of the overview, in their order.
    fn visible(&self) -> impl Iterator<Item = &SourceId> {
        let sources = &self.shown().sources;
        self.rows.iter().filter_map(|row| match row {
            Row::Source(index) => sources.get(*index).map(|source| &source.id),
            Row::Group(_) => None,
        })
    }

    /// Refuses what makes no sense on the screen on top, with a word on where it does.
    pub(super) fn refused_here(&mut self, action: Action) -> Option<Vec<Effect>> {
        let place = match action {
            Action::PauseAll => "all sources are paused and resumed from the overview",
            Action::SortNext | Action::SortReverse | Action::Group => "this key arranges the overview",
            Action::SortBy(_) if *self.screen() != Screen::Detail => "this key arranges the overview",
            Action::EditLines => "lines are drawn from the overview or from one source",
            Action::Freeze => "the view is frozen on the overview or on one source",
            _ => return None,
        };
        let sees_sources = match self.screen() {
            Screen::Overview => true,
            Screen::Detail => !matches!(action, Action::SortNext | Action::SortReverse | Action::Group),
            _ => false,
        };
        (!sees_sources).then(|| self.refuse(format!("{place}; 'q' goes back")))
    }
}
