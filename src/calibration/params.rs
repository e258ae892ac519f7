//! The constants of the calibration. `docs/notes/counting-journal.md` has the measurements behind each value.

use crate::constants::constants;

constants! {
    /// Constants that decide what a score means.
    pub struct CalibrationParams {
        /// Scores from which a box is somebody beyond doubt, so that heights are learned from it.
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
        /// How much less than that of the detector's confidence the logarithm of the odds of a box may be that movement speaks for.
        moving_doubt: f32 = 1.33, 0.0..=10.0, "logarithm of odds";
        /// Share of a low-confidence box that must show movement for it to be somebody sooner.
        moving_share: f32 = 0.35, 0.0..=1.0, "share";
        /// What that adds to the logarithm of its odds.
        moving_odds: f32 = 0.6, -10.0..=10.0, "logarithm of odds";
        /// A high-confidence person explains the movement in a low-confidence box of which this share lies within theirs, or the other way
        /// round.
        moving_apart: f32 = 0.5, 0.0..=1.0, "share";
        /// By how much more of a box must move than of one around it that is taken for the same person, drawn too tall.
        moving_fuller: f32 = 0.2, 0.0..=1.0, "share";
        /// Share of the movement in the larger box that the smaller one must hold.
        moving_kept: f32 = 0.8, 0.0..=1.0, "share";
        /// Sightings of people who walk before counts are doubted.
        doubt_sightings: f32 = 60.0, 1.0..=1e6, "sightings";
        /// People who have walked through the frame before counts are doubted.
        doubt_walkers: f32 = 8.0, 1.0..=1e6, "people";
        /// Counts are doubted where detection runs do not find this share of the tracked people who walk.
        doubt_not_found: f32 = 0.65, 0.0..=1.0, "share";
        /// They are doubted, too, where boxes that look a little like somebody, and move, are so many for each sighting of people who
        /// walk.
        doubt_strange: f32 = 4.0, 0.0..=1000.0, "ratio";
        /// So many of them there must be: in the first second a larger input may be tried, which recognizes them.
        doubt_boxes: f32 = 150.0, 1.0..=1e6, "boxes";
        /// Width over height, on average, from which people are seen from straight above.
        doubt_steep: f32 = 0.75, 0.0..=10.0, "ratio";
        /// Width over height, on average, from which what moves is hardly people.
        doubt_flat: f32 = 1.3, 0.0..=100.0, "ratio";
        /// Mean brightness below which it is dark.
        doubt_dark: f32 = 45.0, 0.0..=255.0, "gray levels";
        /// Counts are doubted, too, where others occlude this share of the people found, if many vanish.
        doubt_covered: f32 = 0.4, 0.0..=1.0, "share";
        /// Many vanish where this share of the tracks ends away from the edges of the frame.
        doubt_vanished: f32 = 0.5, 0.0..=1.0, "share";
        /// What is doubted is doubted until the measure that speaks against it is below this share of what began it: near that, a
        /// doubt would come and go.
        doubt_stays: f32 = 0.5, 0.01..=1.0, "share";
        /// They are doubted, too, where half of the people are shorter than this in the detector's input.
        doubt_small: f32 = 20.0, 0.0..=2000.0, "pixels";
    }
}
