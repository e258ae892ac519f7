//! What a detector finds.

use serde::{Deserialize, Serialize};

use crate::geometry::BBox;

/// One person found in one frame.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Detection {
    /// Where, in frame heights.
    pub bbox: BBox,
    /// Confidence, 0..=1.
    pub score: f32,
}
