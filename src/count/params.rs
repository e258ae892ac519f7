//! The constants of the counting rule. `docs/notes/counting-journal.md` has the measurements behind each value.

use crate::constants::constants;

constants! {
    /// Constants of the counting rule: seconds, body heights and ratios only.
    pub struct CountParams {
        /// Half-width of the dead band around a line.
        band: f32 = 0.15, 0.0..=10.0, "body heights";
        /// Distance from the line at which a person's first side is settled.
        first_band: f32 = 0.05, 0.0..=10.0, "body heights";
        /// A side is settled after a person was on it, beyond the band, for this long and in `settle_detections` detection runs.
        settle: f64 = 0.2, 0.0..=60.0, "s";
        /// Detection runs that settle a side, however long lies between them: a single box may be wrong, and optical flow carries
        /// it on as wrong as it is.
        settle_detections: u32 = 2, 1..=1000, "detections";
        /// A side is settled at once when the person is this many bands deep.
        deep: f32 = 3.0, 0.0..=1000.0, "bands";
        /// How far beyond the ends of the line a crossing still counts: the line ends where it ends.
        reach: f32 = 0.0, 0.0..=100.0, "body widths";
        /// Time in which a person's usual height follows the boxes by 63 %.
        height_memory: f64 = 1.0, 0.001..=600.0, "s";
        /// A new track may take over from one lost at most this long ago.
        handoff_time: f64 = 0.7, 0.0..=60.0, "s";
        /// A new track may take over from one that should be at most this far away now.
        handoff_distance: f32 = 0.45, 0.0..=100.0, "body heights";
        /// A new track may take over from one if the smaller of the two is at least this share of the other's height.
        handoff_size: f32 = 0.5, 0.0..=1.0, "share";
        /// A track that ends beyond the line counts when its path over the line was this many bands long.
        exit_travel: f32 = 1.5, 0.0..=1000.0, "bands";
        /// A track that ends beyond the line does not count when another one overlaps its end by more than this: then one person
        /// had two tracks.
        exit_overlap: f32 = 0.5, 0.0..=1.0, "IoU";
        /// A line is crossed unseen on the way over an edge of the frame if the person was detected at most this far from it.
        edge_reach: f32 = 0.5, 0.0..=100.0, "body heights";
        /// A line is crossed unseen if the person should have left the frame, or came in, within this time of being detected near
        /// it. A person who is there when a source begins did not come in.
        edge_time: f64 = 1.0, 0.0..=60.0, "s";
        /// A person who is first detected at most this far from an edge and then moves as far away from it came in over it.
        edge_step: f32 = 0.1, 0.0..=100.0, "body heights";
        /// A box below this share of the person's usual height has its feet occluded.
        hidden: f32 = 0.8, 0.0..=1.0, "share";
        /// Feet are occluded for at most this long; after that the box is the person's new height.
        hidden_time: f64 = 1.0, 0.0..=600.0, "s";
        /// A stay in a zone ends after this long outside.
        zone_exit: f64 = 0.5, 0.0..=3600.0, "s";
    }
}
