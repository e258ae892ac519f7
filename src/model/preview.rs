//! What a person sees of a frame.

use serde::{Deserialize, Serialize};

use super::Moment;
use crate::geometry::BBox;

/// Identity of one track, unique within its source for the life of the process, from 1.
pub type TrackId = u64;

/// One track as shown.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ShownTrack {
    /// Identity.
    pub id: TrackId,
    /// Where the person is, in frame heights: filtered when seen, predicted when not.
    pub bbox: BBox,
    /// Whether it counts; a tentative track does not.
    pub confirmed: bool,
    /// Whether a detection was matched in this very frame.
    pub seen: bool,
}

/// A frame for a person to see, made only while a front end asks for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Preview {
    /// Width and height in pixels.
    pub size: (u32, u32),
    /// Red, green, blue, a byte each, row by row.
    pub rgb: Vec<u8>,
    /// Tracks of the same frame.
    pub tracks: Vec<ShownTrack>,
    /// When the frame left the decoder; the start where no engine runs the source.
    pub taken: Moment,
}
