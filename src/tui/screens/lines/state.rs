//! What the line editor's screen knows.

use super::editor::Editor;

/// The line editor.
#[derive(Debug, Default)]
pub struct State {
    /// Lines and zones being edited; `None` while the screen is closed.
    pub editor: Option<Editor>,
}
