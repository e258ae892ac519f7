//! What the wall knows.

use super::grid::Grid;
use crate::{model::SourceId, tui::context::Context};

/// The wall of previews. It shows the sources of the overview in their order, a page of them at a time: the one with the
/// selected source.
#[derive(Debug, Default)]
pub struct State {}

impl State {
    /// The grid on a screen of this size, and the sources on its page.
    #[must_use]
    pub fn page(context: &Context) -> (Grid, Vec<SourceId>) {
        let ids: Vec<&SourceId> = context.listing.visible(context.shown()).map(|source| &source.id).collect();
        let (width, height) = context.size;
        let grid = Grid::of(ids.len(), width, height.saturating_sub(2));
        let chosen = context.listing.selected().and_then(|id| ids.iter().position(|other| *other == id));
        let first = chosen.unwrap_or(0) / grid.page() * grid.page();
        (grid, ids.into_iter().skip(first).take(grid.page()).cloned().collect())
    }
}
