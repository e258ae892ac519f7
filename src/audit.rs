//! An audit: how right the program counts on one's own camera or clip, by a person who taps a key for every crossing.
//!
//! [`watch`] runs the program on the source and keeps the pictures that it reads, in a [`reel`], so that a person sees the
//! same frames on the same clock. What they tap ([`tap`]) is then [`matching`] one-to-one in time with what was counted;
//! [`findings`] holds what was right, missed and false, with the intervals of [`wilson`], and [`render`] writes it. A
//! [`truth`] file keeps the taps, so that `eval` counts the same clip again; what was found is [`saved`] for reports.
//!
//! [`sample`] is the other way round: crossings that the program has decided, drawn at random for a person to judge.
//!
//! Times are seconds on the source's clock: media time of a clip, monotonic time of a camera.

pub mod export;
pub mod findings;
pub mod listing;
pub mod matching;
pub mod playback;
pub mod reel;
pub mod render;
pub mod sample;
pub mod saved;
pub mod tap;
pub mod truth;
pub mod watch;
pub mod wilson;

/// Furthest in seconds that a tap and a count may lie apart, unless told otherwise, to be taken for the same crossing:
/// a person reacts within half a second, and the program decides where a track has crossed to within a stride.
pub const TOLERANCE: f64 = 2.0;
