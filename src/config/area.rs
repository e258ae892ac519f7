//! Settings of an area.

use crate::model::AreaLine;

/// What several lines lead into, where people are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AreaConfig {
    /// Its name, unique.
    pub name: String,
    /// The lines that lead into it, each once.
    pub lines: Vec<AreaLine>,
    /// People inside from whom on there is an alert.
    pub threshold: Option<i64>,
    /// Local time of the day at which nobody is inside.
    pub reset: Option<jiff::civil::Time>,
    /// People who may be inside at most.
    pub capacity: Option<u64>,
}
