//! The constants of the calibration. `docs/counting.md` tells where they come from.

use crate::constants::constants;

constants! {
    /// Constants that decide what a score is worth.
    pub struct CalibrationParams {
        /// Scores from which a box is somebody beyond doubt, so that heights are learnt from it.
        height_sure: f32 = 0.55, 0.0..=1.0, "score";
        /// How far they must have walked: a mannequin tells nothing.
        height_way: f32 = 0.25, 0.0..=100.0, "body heights";
        /// Sightings before heights are known.
        height_sightings: f32 = 30.0, 1.0..=1e6, "sightings";
        /// Sightings after which an older one has lost 63 % of its weight.
        height_window: f32 = 3000.0, 1.0..=1e9, "sightings";
        /// Largest spread of the heights that are explained by the place, of their height. Where it is larger, heights tell nothing.
        height_vague: f32 = 0.25, 0.0..=10.0, "share";
        /// How far from where people were seen heights are still known, in spreads of these places.
        height_far: f32 = 3.0, 0.0..=1000.0, "spreads";
        /// Difference from the usual height, of its logarithm, that people have among themselves.
        height_spread: f32 = 0.1, 0.0..=10.0, "logarithm";
        /// What a box as tall as people are there adds to the logarithm of the odds that it is one.
        height_fits: f32 = 0.7, -10.0..=10.0, "logarithm of odds";
        /// What one shorter than that loses, by the logarithm of the difference.
        height_short: f32 = 1.7, 0.0..=100.0, "logarithm of odds";
        /// What one taller than that loses, by the logarithm of the difference.
        height_tall: f32 = 3.5, 0.0..=100.0, "logarithm of odds";
        /// Largest such difference that counts.
        height_most: f32 = 1.5, 0.0..=10.0, "logarithm";
        /// Sightings of people who walk before counts are doubted.
        doubt_sightings: f32 = 60.0, 1.0..=1e6, "sightings";
        /// People who have walked through the picture before counts are doubted.
        doubt_walkers: f32 = 8.0, 1.0..=1e6, "people";
        /// Counts are doubted where detection runs do not find this share of those who walk and are tracked.
        doubt_not_found: f32 = 0.65, 0.0..=1.0, "share";
        /// They are doubted, too, where others cover this share of those who are found, if many vanish.
        doubt_covered: f32 = 0.4, 0.0..=1.0, "share";
        /// Many vanish where this share of the tracks ends away from the edges of the picture.
        doubt_vanished: f32 = 0.5, 0.0..=1.0, "share";
        /// They are doubted, too, where half of the people are shorter than this in the detector's input.
        doubt_small: f32 = 20.0, 0.0..=2000.0, "pixels";
    }
}
