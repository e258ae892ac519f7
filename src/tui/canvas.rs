//! Where a screen draws: cells, their looks, and pixels where the terminal has them.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{graphics::Graphics, widgets::Look};
use crate::{
    model::Preview,
    tui::widgets::picture::{self, Overlay},
};

/// What a screen draws on.
pub struct Canvas<'a> {
    /// The cells.
    pub buffer: &'a mut Buffer,
    /// Styles and glyphs.
    pub look: &'a Look,
    /// Pixels; `None` where pictures are half blocks, and under a dialog, over which a picture would be painted.
    pub graphics: Option<&'a mut Graphics>,
}

impl Canvas<'_> {
    /// Draws a picture with its overlay into the middle of `area`.
    pub fn picture(&mut self, preview: &Preview, overlay: Overlay, area: Rect) {
        let is_drawn =
            self.graphics.as_mut().is_some_and(|graphics| graphics.draw(preview, overlay, area, self.buffer));
        if !is_drawn {
            picture::draw(preview, overlay, area, self.buffer, self.look);
        }
    }
}
