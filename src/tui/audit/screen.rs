//! The place of the picture on the screen: pixels where the terminal takes them, half blocks elsewhere.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    audit::watch::Watching,
    model::{LineConfig, Preview},
    tui::{
        graphics::Graphics,
        widgets::{Look, picture},
    },
};

/// What draws pictures, and the one that it has drawn.
pub struct Screen {
    /// Makes pictures; `None` where they are half blocks.
    pub graphics: Option<Graphics>,
    /// Its time, and the picture.
    pub shown: Option<(f64, Preview)>,
}

impl Screen {
    /// Draws the picture of `time` with the lines, the one of index `chosen` as that which is meant.
    pub fn draw(
        &mut self,
        watching: &Watching,
        time: f64,
        (lines, chosen): (&[LineConfig], Option<usize>),
        area: Rect,
        (buffer, look): (&mut Buffer, &Look),
    ) {
        if self.shown.as_ref().is_none_or(|(shown, _)| *shown != time)
            && let Some(picture) = watching.reel().exactly(time)
        {
            self.shown = Some((time, picture));
        }
        let Some((_, picture)) = &self.shown else { return };
        let overlay = picture::Overlay { lines, chosen, ..picture::Overlay::default() };
        if !self.graphics.as_mut().is_some_and(|graphics| graphics.draw(picture, overlay, area, buffer)) {
            picture::draw(picture, overlay, area, buffer, look);
        }
    }

    /// Width over height of the picture that was drawn last.
    pub fn aspect(&self) -> f32 {
        self.shown
            .as_ref()
            .map_or(16.0 / 9.0, |(_, picture)| picture.size.0.max(1) as f32 / picture.size.1.max(1) as f32)
    }
}
