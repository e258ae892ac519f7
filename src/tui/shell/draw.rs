//! One frame: the screen on top with the bar of alerts above it and the footer below, the open dialog over both.

use ratatui::{
    Frame,
    buffer::Buffer,
    layout::{Position, Rect},
};

use super::Shell;
use crate::tui::{
    canvas::Canvas,
    dialogs::Dialog,
    layout::{Class, class, take_bottom, take_top},
    widgets::{Look, alert_bar, footer, too_small},
};

impl Shell {
    /// Draws one frame.
    pub fn draw(&mut self, frame: &mut Frame, look: &Look) {
        let area = frame.area();
        if let Some(caret) = self.draw_in(area, frame.buffer_mut(), look) {
            frame.set_cursor_position(caret);
        }
    }

    /// Draws everything into `area`; gives the place of the caret while text is typed.
    pub fn draw_in(&mut self, area: Rect, buffer: &mut Buffer, look: &Look) -> Option<Position> {
        self.context.size = (area.width, area.height);
        self.context.has_pixels = self.graphics.is_some();
        if class(area) == Class::TooSmall {
            let asked = match &self.dialog {
                Some(Dialog::Confirm(dialog)) if dialog.question.is_quit => {
                    Some("q again quits, Esc does not")
                }
                Some(_) => Some("a dialog is open, Esc closes it"),
                None => None,
            };
            too_small::draw(&self.context, asked, area, buffer, look);
            return None;
        }
        let mut rest = area;
        let foot = take_bottom(&mut rest, 1);
        let context = &self.context;
        let screen = self.screens.top();
        if !screen.shows_alerts() && alert_bar::is_news(context, screen.is_about(context)) {
            alert_bar::draw(context, take_top(&mut rest, 1), buffer, look);
        }
        // A dialog over pixels would be painted over with the next picture.
        let graphics = self.graphics.as_mut().filter(|_| self.dialog.is_none());
        let geometry = screen.draw(context, rest, &mut Canvas { buffer, look, graphics });
        let caret = footer::draw(context, screen.hints(), self.filter_input.as_ref(), foot, buffer, look);
        let caret = caret.or(geometry.caret);
        self.screens.top_mut().settle(&geometry);
        self.context.geometry = geometry;
        match &self.dialog {
            Some(Dialog::Confirm(dialog)) => {
                dialog.draw(area, buffer, look);
                None
            }
            Some(Dialog::AddSource(dialog)) => dialog.draw(area, buffer, look),
            Some(Dialog::EditSource(dialog)) => dialog.draw(area, buffer, look),
            Some(Dialog::SetArea(dialog)) => dialog.draw(area, buffer, look),
            Some(Dialog::Palette(dialog)) => Some(dialog.draw(area, buffer, look, &self.context.keymap)),
            None => caret,
        }
    }
}
