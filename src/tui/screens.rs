//! Whole screens. [`draw`] picks the one to show and puts the open dialog over it.

use ratatui::{
    Frame,
    buffer::Buffer,
    layout::{Position, Rect},
};

use super::{
    app::{Screen, UiState},
    dialogs::Dialog,
    layout::{Class, class, take_bottom, take_top},
    widgets::{Look, alert_bar, footer},
};

pub mod crossing;
pub mod detail;
pub mod editor;
pub mod help;
pub mod logs;
pub mod overview;
pub mod report;
pub mod too_small;
pub mod workers;

/// Draws one frame.
pub fn draw(frame: &mut Frame, ui: &mut UiState, look: &Look) {
    let area = frame.area();
    if let Some(caret) = draw_in(ui, area, frame.buffer_mut(), look) {
        frame.set_cursor_position(caret);
    }
}

/// Draws everything into `area`; gives the place of the caret while text is typed.
pub fn draw_in(ui: &mut UiState, area: Rect, buffer: &mut Buffer, look: &Look) -> Option<Position> {
    if class(area) == Class::TooSmall {
        too_small::draw(ui, area, buffer, look);
        return None;
    }
    let caret = match ui.screen() {
        Screen::Overview => overview::draw(ui, area, buffer, look),
        screen => {
            let screen = screen.clone();
            let mut rest = area;
            let foot = take_bottom(&mut rest, 1);
            if alert_bar::is_news_here(ui) {
                alert_bar::draw(ui, take_top(&mut rest, 1), buffer, look);
            }
            let mut caret = None;
            match screen {
                Screen::Detail => detail::draw(ui, rest, buffer, look),
                Screen::Editor => caret = editor::draw(ui, rest, buffer, look),
                Screen::Help => help::draw(ui, rest, buffer, look),
                Screen::Crossings => crossing::draw(ui, rest, buffer, look),
                Screen::Report => report::draw(ui, rest, buffer, look),
                Screen::Workers => workers::draw(ui, rest, buffer, look),
                Screen::Logs(target) => logs::draw(ui, &target, rest, buffer, look),
                Screen::Overview => {}
            }
            footer::draw(ui, foot, buffer, look).or(caret)
        }
    };
    match &ui.dialog {
        Some(Dialog::Confirm(dialog)) => {
            dialog.draw(area, buffer, look);
            None
        }
        Some(Dialog::AddSource(dialog)) => dialog.draw(area, buffer, look),
        Some(Dialog::Palette(dialog)) => Some(dialog.draw(area, buffer, look, &ui.keymap)),
        None => caret,
    }
}
