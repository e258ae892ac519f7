//! The constants of the default tracker. `docs/counting.md` tells why each has its value.

use std::ops::Range;

/// Constants of the default tracker: seconds, body heights and ratios only.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrackParams {
    /// Spread (standard deviation) of a person's velocity along each axis, in body heights per second.
    pub speed: f32,
    /// How many times more spread the velocity of a person seen for the first time is.
    pub first_speed: f32,
    /// How many seconds of following people weigh as much as `speed` does.
    pub speed_time: f32,
    /// Time over which a person's velocity is forgotten, in seconds.
    pub memory: f32,
    /// Spread of a detected centre around the true one, in body heights.
    pub noise: f32,
    /// Spread of a detected width or height around the true one, in body heights.
    pub size_noise: f32,
    /// Wandering of width and height, in body heights per square root of a second.
    pub growth: f32,
    /// Degrees of freedom of the measurement's heavy-tailed spread (Student's t).
    pub tail: f32,
    /// Intersection over union with the predicted box from which a detection may always be joined.
    pub overlap: f32,
    /// What it costs to leave a track and a detection unjoined, in the same unit plus the logarithm of the
    /// track's uncertainty.
    pub leave: f32,
    /// A confirmed track is given up after this many seconds unseen.
    pub patience: f64,
    /// An unconfirmed track is given up after this many seconds unseen.
    pub tentative_patience: f64,
    /// A track is confirmed after being followed for this many seconds (and seen at least twice).
    pub confirm: f64,
    /// Low-score detections may only prolong tracks seen within this many seconds.
    pub low_patience: f64,
    /// Detections whose odds are below this share of those of the trusted confidence are ignored.
    pub low: f32,
    /// A track starts at a detection whose odds are this many times those of the trusted confidence ...
    pub birth: f32,
    /// ... or, where the look before was this many seconds ago or more, at any trusted one: many tries must not let a false
    /// box in, and few must not keep a newcomer out.
    pub birth_gap: f64,
    /// A doubtful detection of which this share lies within a trusted one (or the other way round) is
    /// taken for its shadow.
    pub shadow: f32,
    /// No track starts at a detection of which this share lies within a person already followed (or the
    /// other way round).
    pub covered: f32,
    /// Two tracks that overlap by at least this intersection over union ...
    pub duplicate_iou: f32,
    /// ... for this many seconds are one person.
    pub duplicate_time: f64,
}

impl TrackParams {
    /// The values in use.
    pub const DEFAULT: Self = Self {
        speed: 0.5,
        first_speed: 2.0,
        speed_time: 10.0,
        memory: 6.0,
        noise: 0.06,
        size_noise: 0.15,
        growth: 0.3,
        tail: 8.0,
        overlap: 0.3,
        leave: 12.0,
        patience: 2.0,
        tentative_patience: 0.35,
        confirm: 0.2,
        low_patience: 0.6,
        low: 0.4,
        birth: 1.25,
        birth_gap: 0.18,
        shadow: 0.6,
        covered: 0.85,
        duplicate_iou: 0.75,
        duplicate_time: 0.4,
    };

    /// Scores of boxes that may be somebody, of a detector whose boxes are trusted from a score of `confidence` on.
    #[must_use]
    pub fn doubtful(&self, confidence: f32) -> Range<f32> {
        scale_odds(confidence, self.low)..confidence
    }
}

/// The probability whose odds are `factor` times those of `probability`.
pub(super) fn scale_odds(probability: f32, factor: f32) -> f32 {
    let probability = probability.clamp(0.001, 0.999);
    let odds = factor * probability / (1.0 - probability);
    odds / (1.0 + odds)
}

impl Default for TrackParams {
    fn default() -> Self {
        Self::DEFAULT
    }
}
