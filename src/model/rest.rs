//! Whether a camera sleeps: whether nothing but its key frames is decoded.

use serde::{Deserialize, Serialize};

/// Whether a source sleeps, and why it does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rest {
    /// It never does: a video file, or a camera that is not to.
    #[default]
    Never,
    /// Only its key frames are decoded.
    Asleep,
    /// Every frame is decoded.
    Awake(Wakeful),
}

/// Why a source does not sleep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Wakeful {
    /// A rate of detections is set for it.
    RateIsSet,
    /// Somebody watches it.
    PreviewIsWanted,
    /// People are in the frame.
    SomebodyIsThere,
    /// Something moves, or did a moment ago.
    SomethingMoves,
    /// Its key frames are too far apart, or not known yet.
    KeyFramesAreRare,
}

impl Rest {
    /// In words; `None` where there is nothing to say.
    #[must_use]
    pub fn words(self) -> Option<&'static str> {
        Some(match self {
            Self::Never => return None,
            Self::Asleep => "asleep: nobody is there and nothing moves",
            Self::Awake(why) => match why {
                Wakeful::RateIsSet => "awake: a rate is set",
                Wakeful::PreviewIsWanted => "awake: its preview is open",
                Wakeful::SomebodyIsThere => "awake: somebody is there",
                Wakeful::SomethingMoves => "awake: something moves",
                Wakeful::KeyFramesAreRare => "awake: its key frames are not one or two seconds apart",
            },
        })
    }
}
