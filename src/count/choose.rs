//! The counter that a source asks for.

use super::{CentroidCounter, CountParams, Counter, LineCounter};
use crate::config::{SourceConfig, TrackerChoice};

/// The counter for the lines and zones of `source`, whose frame has this `aspect` (width over height).
///
/// With the tracker `centroid` it is the original's rule, which knows no zones.
#[must_use]
pub fn counter_for(source: &SourceConfig, aspect: f32, params: &CountParams) -> Box<dyn Counter> {
    match source.tracker {
        TrackerChoice::Motion => Box::new(LineCounter::new(&source.lines, &source.zones, aspect, *params)),
        TrackerChoice::Centroid => Box::new(CentroidCounter::new(&source.lines, aspect)),
    }
}
