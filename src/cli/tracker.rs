//! The trackers that `--tracker` offers.

use crate::config::TrackerChoice;

/// [`TrackerChoice`] as the command line writes it: the library knows no clap.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum Tracker {
    /// Motion model with two-stage association.
    Motion,
    /// The original program's tracker and counting rule.
    Centroid,
}

impl From<Tracker> for TrackerChoice {
    fn from(tracker: Tracker) -> Self {
        match tracker {
            Tracker::Motion => Self::Motion,
            Tracker::Centroid => Self::Centroid,
        }
    }
}
