//! What drawing tells the screen that was drawn.

use ratatui::layout::{Position, Rect};

/// What drawing found out: where things went, for the mouse and for keys that move by what is in sight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Geometry {
    /// Where the caret stands, while text is typed.
    pub caret: Option<Position>,
    /// Rows of the list on screen, for page keys; 0 where there is none.
    pub page: usize,
    /// Where the rows of that list are, for clicks.
    pub rows: Rect,
    /// The first row in sight, or lines scrolled, no further than the list goes.
    pub first: usize,
    /// Where the picture is whose lines are edited.
    pub picture: Rect,
}
