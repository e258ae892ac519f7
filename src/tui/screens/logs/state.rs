//! Which log a screen shows.

use crate::model::SourceId;

/// Which log a screen shows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum LogTarget {
    /// The whole program's.
    Central,
    /// One source's.
    Source(SourceId),
    /// One worker's, from 1.
    Worker(usize),
}
