//! What the actor of a source knows of its opening hours.

use crate::config::Stretch;

/// What an actor knows of its opening hours.
pub struct OpeningHours {
    /// Whether it is open, and until when: worked out again when the clock is elsewhere.
    pub stretch: Option<Stretch>,
    /// The capture thread was told to end, and what it brought before is being counted.
    pub is_closing: bool,
}

impl OpeningHours {
    /// Nothing is known yet.
    pub const NEW: Self = Self { stretch: None, is_closing: false };
}
