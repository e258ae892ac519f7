//! What keys do in the help.

use ratatui::layout::Rect;

use super::{draw, state::State};
use crate::{
    model::SourceId,
    tui::{
        action::Action,
        canvas::Canvas,
        context::Context,
        drawn::Geometry,
        effect::Effect,
        screen::{Hint, Screen},
    },
};

impl Screen for State {
    fn hints(&self) -> &'static [Hint] {
        &[
            (Action::Help, "close"),
            (Action::Quit, "back"),
            (Action::Down, ""),
            (Action::Up, ""),
            (Action::Filter, "search"),
            (Action::Palette, ""),
        ]
    }

    fn subject(&self, _context: &Context) -> Result<SourceId, String> {
        Err("this key acts on a source; 'q' goes back to them".into())
    }

    fn update(&mut self, action: Action, context: &mut Context) -> Option<Vec<Effect>> {
        let page = context.geometry.page.max(1) as isize;
        let by = match action {
            Action::Up => -1,
            Action::Down => 1,
            Action::Top => isize::MIN,
            Action::Bottom => isize::MAX,
            Action::PageUp => -page,
            Action::PageDown => page,
            _ => return None,
        };
        self.scroll = self.scroll.saturating_add_signed(by);
        Some(Vec::new())
    }

    fn filter<'a>(&'a self, _context: &'a Context) -> Option<&'a str> {
        Some(&self.filter)
    }

    fn set_filter(&mut self, filter: String, _context: &mut Context) {
        self.filter = filter;
        self.scroll = 0;
    }

    fn back(&mut self, _context: &mut Context) -> bool {
        let had_filter = !self.filter.is_empty();
        self.filter.clear();
        had_filter
    }

    fn draw(&self, context: &Context, area: Rect, canvas: &mut Canvas) -> Geometry {
        draw::draw(self, context, area, canvas)
    }

    fn settle(&mut self, geometry: &Geometry) {
        self.scroll = geometry.first;
    }
}
