//! The sources of an engine, for everybody to read.

use std::sync::Arc;

use super::source::Source;

/// All sources, those that leave included.
#[derive(Default, Clone)]
pub struct Roster {
    /// In the order they were added.
    pub sources: Vec<Arc<Source>>,
    /// Removed, and not through with what they were asked.
    pub leaving: Vec<Arc<Source>>,
}

impl Roster {
    /// The source with this id.
    pub fn find(&self, id: &str) -> Option<&Arc<Source>> {
        self.sources.iter().find(|source| &*source.id == id)
    }

    /// The source of this number, those that are being removed included.
    pub fn numbered(&self, number: usize) -> Option<&Arc<Source>> {
        self.all().find(|source| source.number == number)
    }

    /// All sources, those that are being removed included.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Source>> {
        self.leaving.iter().chain(&self.sources)
    }
}
