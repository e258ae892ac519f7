//! Areas: how many people are inside what several lines lead into.

use serde::{Deserialize, Serialize};

/// One area as shown. Its numbers count from the moment at which the number inside was last corrected.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AreaSnapshot {
    /// Its name, unique.
    pub name: String,
    /// People inside: the number of the last correction, and since then all who entered minus all who left. Below zero
    /// where entries were missed.
    pub inside: i64,
    /// People who entered by one of its lines since the last correction.
    pub total_in: u64,
    /// People who left by one of its lines since the last correction.
    pub total_out: u64,
    /// People who may be inside at most, where that is known.
    pub capacity: Option<u64>,
    /// People inside from whom on there is an alert.
    pub threshold: Option<i64>,
    /// When the number inside was last corrected, in milliseconds since the Unix epoch; `None` where it never was.
    pub corrected: Option<i64>,
}
