//! The words that every room uses. Knows nobody.

mod state;

use std::sync::Arc;

pub use self::state::SourceState;

/// Id of a source, unique in one engine: the configuration's `camera_id` or `video_id`.
pub type SourceId = Arc<str>;
