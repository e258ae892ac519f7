//! What the screen of nodes knows.

use std::sync::Arc;

use crate::model::EngineSnapshot;

/// The nodes.
#[derive(Debug, Default)]
pub struct State {
    /// Name of the chosen node; the first one while none was chosen.
    pub chosen: Option<Arc<str>>,
}

impl State {
    /// Row of the chosen node. Nodes come and go: it is kept by its name.
    #[must_use]
    pub fn row(&self, shown: &EngineSnapshot) -> usize {
        let chosen = self.chosen.as_deref();
        shown.nodes.iter().position(|node| Some(&*node.name) == chosen).unwrap_or(0)
    }
}
