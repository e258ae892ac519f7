//! The constants of the trackers. `docs/notes/counting-journal.md` has the measurements behind each value.

use std::ops::Range;

use crate::constants::constants;

constants! {
    /// Constants of the trackers: seconds, body heights and ratios only.
    pub struct TrackParams {
        /// Spread (standard deviation) of a person's velocity along each axis.
        speed: f32 = 0.5, 0.01..=20.0, "body heights/s";
        /// Most that a source whose people are faster raises `speed` to, as a multiple of it.
        speed_limit: f32 = 4.0, 1.0..=100.0, "ratio";
        /// How many times more spread the velocity of a person detected for the first time is.
        first_speed: f32 = 2.0, 0.0..=100.0, "ratio";
        /// How many seconds of tracking people weigh as much as `speed` does.
        speed_time: f32 = 10.0, 0.1..=3600.0, "s";
        /// Time in which speeds learned from a source lose 63 % of their weight, as a multiple of `speed_time`.
        speed_memory: f32 = 4.0, 0.1..=1000.0, "ratio";
        /// Time over which a person's velocity is forgotten.
        memory: f32 = 6.0, 0.01..=3600.0, "s";
        /// Spread of a detected center around the true one.
        noise: f32 = 0.06, 0.001..=5.0, "body heights";
        /// Spread of a detected width or height around the true one.
        size_noise: f32 = 0.15, 0.001..=5.0, "body heights";
        /// Wandering of width and height.
        growth: f32 = 0.3, 0.0..=10.0, "body heights/√s";
        /// Degrees of freedom of the measurement's heavy-tailed spread (Student's t).
        tail: f32 = 8.0, 0.1..=1000.0, "degrees of freedom";
        /// Least factor by which the score of a detection, against the detector's confidence, scales the variance of its box.
        noise_least: f32 = 0.5, 0.01..=100.0, "ratio";
        /// Largest factor by which the score of a detection scales the variance of its box.
        noise_most: f32 = 4.0, 0.01..=100.0, "ratio";
        /// Intersection over union with the predicted box from which a detection may always be associated with a track.
        overlap: f32 = 0.3, 0.0..=0.99, "IoU";
        /// What it costs to leave a track and a detection unassociated: twice a negative log-likelihood, plus the logarithm of the
        /// track's uncertainty.
        leave: f32 = 12.0, 0.0..=1000.0, "deviance";
        /// A confirmed track ends after this long without a detection.
        patience: f64 = 2.0, 0.0..=600.0, "s";
        /// A tentative track ends after this long without a detection.
        tentative_patience: f64 = 0.35, 0.0..=600.0, "s";
        /// A track is confirmed after this long, if it has `confirm_detections` by then.
        confirm: f64 = 0.2, 0.0..=60.0, "s";
        /// A track is confirmed after this many detections, if `confirm` has passed by then.
        confirm_detections: u32 = 2, 1..=1000, "detections";
        /// Low-confidence detections only prolong tracks that had a high-confidence one within this time.
        low_patience: f64 = 0.6, 0.0..=600.0, "s";
        /// Detections whose odds are below this share of those of the detector's confidence are ignored.
        low: f32 = 0.4, 0.0..=1.0, "ratio of odds";
        /// A track starts at a detection whose odds are this many times those of the detector's confidence.
        birth: f32 = 1.25, 0.0..=100.0, "ratio of odds";
        /// Where the detection run before was this long ago, a track starts at any high-confidence detection: many tries must not
        /// let a false box in, and few must not keep a person out.
        birth_gap: f64 = 0.18, 0.0..=60.0, "s";
        /// A low-confidence detection of which this share lies within a high-confidence one (or the other way round) is part of
        /// the same person.
        shadow: f32 = 0.6, 0.0..=1.0, "share";
        /// No track starts at a detection of which this share lies within a person already tracked (or the other way round).
        covered: f32 = 0.85, 0.0..=1.0, "share";
        /// Two tracks that overlap by at least this much, for `duplicate_time`, are one person.
        duplicate_iou: f32 = 0.75, 0.0..=1.0, "IoU";
        /// Two tracks that overlap by `duplicate_iou` for this long are one person.
        duplicate_time: f64 = 0.4, 0.0..=600.0, "s";
        /// Tracker `centroid`: farthest that a center moves between two updates. The original resizes to a width of 500 pixels
        /// and associates up to 50 pixels.
        centroid_distance: f32 = 0.1, 0.0..=10.0, "frame widths";
        /// Tracker `centroid`: updates without a match after which an object is forgotten (more than this many).
        centroid_patience: u32 = 40, 0..=100_000, "updates";
    }
}

impl TrackParams {
    /// Scores of low-confidence detections, of a detector whose high-confidence ones begin at a score of `confidence`.
    #[must_use]
    pub fn low_scores(&self, confidence: f32) -> Range<f32> {
        scale_odds(confidence, self.low)..confidence
    }
}

/// The probability whose odds are `factor` times those of `probability`.
pub(super) fn scale_odds(probability: f32, factor: f32) -> f32 {
    let probability = probability.clamp(0.001, 0.999);
    let odds = factor * probability / (1.0 - probability);
    odds / (1.0 + odds)
}
