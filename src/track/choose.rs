//! The tracker that a source asks for.

use super::{CentroidTracker, MotionTracker, TrackParams, Tracker};
use crate::config::{SourceConfig, TrackerChoice};

/// The tracker that `source` asks for.
///
/// `aspect` is width over height of its frame; `confidence` (0..=1) the score from which its detector's
/// boxes are high-confidence, 0..=1, as the detector's model says.
#[must_use]
pub fn tracker_for(
    source: &SourceConfig,
    aspect: f32,
    confidence: f32,
    params: &TrackParams,
) -> Box<dyn Tracker> {
    match source.tracker {
        TrackerChoice::Motion => Box::new(MotionTracker::new(confidence, *params)),
        TrackerChoice::Centroid => Box::new(CentroidTracker::new(aspect, confidence, params)),
    }
}
