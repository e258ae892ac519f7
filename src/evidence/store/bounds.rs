//! How long strips are kept and in how much room, and which are to go.

use std::{collections::BTreeMap, time::Duration};

use crate::model::SourceId;

/// How long strips are kept and in how much room.
#[derive(Debug, Clone, Default)]
pub struct Bounds {
    /// Most bytes of all files; `None` sets no bound.
    pub size: Option<u64>,
    /// How long strips of sources that are not named below are kept; `None`: as long as was said when they were written.
    pub keep: Option<Duration>,
    /// How long those of these are kept, and most bytes of their pictures, where they have a bound of their own.
    pub sources: BTreeMap<SourceId, (Duration, Option<u64>)>,
}

/// A stretch of time, in milliseconds since the Unix epoch: from `since` up to but without `until`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// First moment.
    pub since: i64,
    /// First moment after it.
    pub until: i64,
    /// Only strips of this source.
    pub source: Option<SourceId>,
}

/// What was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Deleted {
    /// Strips.
    pub strips: u64,
    /// Bytes of their pictures.
    pub bytes: u64,
    /// Damaged files of those days, which were deleted whole.
    pub damaged: u64,
}

/// Strips that go because of their age: with `wall` up to here.
pub struct Due {
    /// Milliseconds since the Unix epoch.
    pub now: i64,
    /// Of sources that are not named below.
    pub before: Option<i64>,
    /// Of these.
    pub sources: Vec<(SourceId, i64)>,
}
