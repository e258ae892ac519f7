//! What a front end can ask of the engine.

use serde::{Deserialize, Serialize};

use super::{AlertKind, SourceId};

/// What a front end can ask of the engine, where `A` describes a source that is added and `C` is a command of one source.
/// None of it blocks: what concerns the counts of a source takes effect after the detection run that is on, in the order
/// in which it was asked. Exhaustive: a stand-in for an engine must answer each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Control<A, C> {
    /// Something for one source.
    Source(SourceId, C),
    /// Pause or resume every source.
    PauseAll(bool),
    /// Stop and forget.
    Remove(SourceId),
    /// Add a source, enabled at once.
    Add(Box<A>),
    /// An alert of a source is acknowledged.
    Acknowledge {
        /// Which source.
        source: SourceId,
        /// What is wrong with it.
        kind: AlertKind,
        /// Name of the user.
        who: String,
    },
    /// So many people are inside an area.
    SetArea {
        /// Its name.
        area: String,
        /// How many.
        inside: u64,
        /// Name of the user.
        who: String,
    },
    /// Workers that may run at once, clamped to `1..=max_workers`.
    SetWorkers(usize),
}
