//! Counting: tracks and time in, crossings (with reasons for those not counted) out. Pure: no frames, no threads; it
//! waits for nothing. Points are in frame heights, times in seconds on the source's clock.

use crate::{
    geometry::Point,
    model::{Direction, Reason, TrackId},
};

mod centroid;
mod choose;
mod edge;
mod ignore;
mod line;
mod lines;
mod params;
mod person;
pub mod replay;
mod rule;
mod zone;

pub use centroid::CentroidCounter;
pub use choose::counter_for;
pub use ignore::Ignored;
pub use line::Line;
pub use lines::LineCounter;
pub use params::CountParams;

/// One person crossed one line.
#[derive(Debug, Clone, PartialEq)]
pub struct Crossing {
    /// Index of the line in the source's configuration.
    pub line: usize,
    /// Which way.
    pub direction: Direction,
    /// The person's track.
    pub track: TrackId,
    /// Seconds on the source's clock at which the anchor passed the line (interpolated).
    pub time: f64,
    /// Where the anchor passed it, in frame heights.
    pub at: Point,
    /// Score of the track at that moment, 0..=1.
    pub score: f32,
}

/// Something the counter noticed. Exhaustive: who sums up must decide on each.
#[derive(Debug, Clone, PartialEq)]
pub enum CountEvent {
    /// A counted crossing.
    Crossing(Crossing),
    /// A crossing that was seen and not counted.
    Suppressed(Crossing, Reason),
}

/// Occupancy and dwell of one zone.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ZoneStatus {
    /// Confirmed people inside now.
    pub occupancy: u64,
    /// Completed stays.
    pub stays: u64,
    /// Mean of the completed stays, in seconds.
    pub mean_dwell: f64,
}

/// Counts what one source's tracker says.
pub trait Counter: Send {
    /// What happened between the previous update and this one, at `time` seconds on the source's clock.
    fn update(&mut self, time: f64, update: &crate::track::TrackUpdate) -> Vec<CountEvent>;

    /// State of each zone, in the order of the configuration.
    fn zones(&self) -> Vec<ZoneStatus>;
}
