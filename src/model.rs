//! The words that every room uses. Knows nobody.

use std::sync::Arc;

/// Id of a source, unique in one engine: the configuration's `camera_id` or `video_id`.
pub type SourceId = Arc<str>;
