//! What the help knows.

/// The help.
#[derive(Debug, Default)]
pub struct State {
    /// Lines scrolled.
    pub scroll: usize,
    /// Words that the shown lines have.
    pub filter: String,
}
