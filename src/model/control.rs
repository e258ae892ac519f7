//! What a front end can ask of the engine.

use serde::{Deserialize, Serialize};

use super::{LineConfig, SourceId, ZoneConfig};

/// What a front end can ask of the engine. None of it blocks: what concerns the counts of a source takes effect after
/// the detection run that is on, in the order in which it was asked. Exhaustive:
/// what stands in for an engine must answer each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Control<A> {
    /// Stop reading a source; its counts stay.
    Pause(SourceId),
    /// Go on reading.
    Resume(SourceId),
    /// Pause or resume every source.
    PauseAll(bool),
    /// Reconnect now: ends a countdown, re-reads a file from its start with its counts at zero.
    Restart(SourceId),
    /// Reset the counts of the source.
    ResetCounts(SourceId),
    /// Stop and forget.
    Remove(SourceId),
    /// Add a source, enabled at once.
    Add(Box<A>),
    /// Workers that may run at once, clamped to 1..=max_workers.
    SetWorkers(usize),
    /// Ask for (or stop) previews of a source.
    Preview(SourceId, bool),
    /// Replace the counting lines and zones of a source; counts of lines that keep their name are kept.
    SetLines(SourceId, Vec<LineConfig>, Vec<ZoneConfig>),
}
