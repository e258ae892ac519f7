//! The engine: a cheap handle on the capture threads, the worker pool and the state store.

pub mod scheduler;

use crate::{
    config::{LineConfig, SourceConfig},
    source::SourceId,
};

/// What a front end can ask of the engine. None of it blocks.
#[derive(Debug, Clone)]
pub enum Control {
    /// Stop reading a source; its counts stay.
    Pause(SourceId),
    /// Go on reading.
    Resume(SourceId),
    /// Pause or resume every source.
    PauseAll(bool),
    /// Open again now: ends a countdown, re-reads a completed or failed source from its start.
    Restart(SourceId),
    /// Counts of the source back to zero.
    ResetCounts(SourceId),
    /// Stop and forget.
    Remove(SourceId),
    /// Add a source, enabled at once.
    Add(Box<SourceConfig>),
    /// Workers that may run at once, clamped to 1..=max_workers.
    SetWorkers(usize),
    /// Ask for (or stop) preview pictures of a source.
    Preview(SourceId, bool),
    /// Replace the counting lines of a source; counts of lines that keep their name are kept.
    SetLines(SourceId, Vec<LineConfig>),
}

/// What a front end needs of an engine; the real one and the fakes of the screen tests offer it.
pub trait EngineApi: Send + Sync {
    /// Everything that is shown, gathered without waiting.
    fn snapshot(&self) -> crate::store::EngineSnapshot;
    /// Asks for something; never blocks.
    fn send(&self, control: Control);
    /// The latest preview picture, if one was asked for with [`Control::Preview`] and has been made.
    fn preview(&self, source: &str) -> Option<std::sync::Arc<crate::store::Preview>>;
    /// Minutes of history, oldest first, without holes (gaps are minutes that were not watched).
    fn history(&self, source: &str) -> Vec<crate::store::Minute>;
    /// Configuration of a source as it runs now.
    fn source_config(&self, source: &str) -> Option<std::sync::Arc<SourceConfig>>;
}
