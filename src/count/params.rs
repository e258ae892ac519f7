//! The constants of the counting rule. `docs/counting.md` tells why each has its value.

/// Constants of the counting rule: seconds, body heights and ratios only.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CountParams {
    /// Half-width of the dead band round a line, in body heights.
    pub band: f32,
    /// Distance from the line, in body heights, at which a person's first side is believed.
    pub first_band: f32,
    /// A side is settled after being on it, beyond the band, for this many seconds ...
    pub settle: f64,
    /// ... or at once when this many bands deep.
    pub deep: f32,
    /// How far beyond the ends of the line a crossing still counts, in body widths.
    pub reach: f32,
    /// A new track may take over from one lost at most this many seconds ago ...
    pub handoff_time: f64,
    /// ... at most this many body heights from where that one should be now.
    pub handoff_distance: f32,
    /// A track that ends beyond the line counts when its path over the line was this many bands long.
    pub exit_travel: f32,
    /// A line is crossed unseen on the way over an edge of the picture if the person was seen at most this many body
    /// heights from it ...
    pub edge_reach: f32,
    /// ... and should have left the picture, or came in, within this many seconds of that. Who is there in a source's first
    /// seconds did not come in.
    pub edge_time: f64,
    /// Who is first seen at most this many body heights from an edge and then moves as far away from it came in over it.
    pub edge_step: f32,
    /// A box below this share of the person's usual height has its feet hidden ...
    pub hidden: f32,
    /// ... for at most this many seconds; after that it is his new height.
    pub hidden_time: f64,
    /// A stay in a zone ends after this many seconds outside.
    pub zone_exit: f64,
}

impl CountParams {
    /// The values in use.
    pub const DEFAULT: Self = Self {
        band: 0.15,
        first_band: 0.05,
        settle: 0.2,
        deep: 3.0,
        reach: 0.5,
        handoff_time: 0.7,
        handoff_distance: 0.45,
        exit_travel: 1.5,
        edge_reach: 0.5,
        edge_time: 1.0,
        edge_step: 0.1,
        hidden: 0.8,
        hidden_time: 1.0,
        zone_exit: 0.5,
    };
}

impl Default for CountParams {
    fn default() -> Self {
        Self::DEFAULT
    }
}
