//! Why there is less of everything.

use serde::{Deserialize, Serialize};

/// Why sources are throttled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Overload {
    /// Live frames were replaced before a worker came to them.
    FramesLost,
    /// The process holds more memory than `memory_limit`.
    Memory,
}

impl Overload {
    /// As shown.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::FramesLost => "more frames than the workers can process",
            Self::Memory => "memory limit reached",
        }
    }
}
