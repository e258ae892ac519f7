//! What the screen of workers knows.

/// The workers.
#[derive(Debug, Default)]
pub struct State {
    /// Row of the chosen worker.
    pub chosen: usize,
}
