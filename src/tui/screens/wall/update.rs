//! What keys do on the wall.

use ratatui::layout::Rect;

use super::{draw, state::State};
use crate::{
    model::SourceId,
    tui::{
        action::Action,
        canvas::Canvas,
        context::Context,
        drawn::Geometry,
        effect::{Effect, Go},
        screen::{Hint, Needs, Screen},
    },
};

impl Screen for State {
    fn hints(&self) -> &'static [Hint] {
        &[
            (Action::Help, ""),
            (Action::Quit, "back"),
            (Action::Enter, "details"),
            (Action::Right, "next"),
            (Action::PageDown, "next page"),
            (Action::Filter, ""),
            (Action::Pause, ""),
            (Action::Restart, ""),
            (Action::EditLines, ""),
            (Action::Freeze, ""),
        ]
    }

    fn subject(&self, context: &Context) -> Result<SourceId, String> {
        context.listing.selected().cloned().ok_or_else(|| context.why_empty())
    }

    fn update(&mut self, action: Action, context: &mut Context) -> Option<Vec<Effect>> {
        let (grid, _) = Self::page(context);
        let (columns, page) = (grid.columns() as isize, grid.page() as isize);
        let by = match action {
            Action::Left => -1,
            Action::Right => 1,
            Action::Up => -columns,
            Action::Down => columns,
            Action::PageUp => -page,
            Action::PageDown => page,
            Action::Top => isize::MIN,
            Action::Bottom => isize::MAX,
            Action::Enter => {
                return Some(match self.subject(context) {
                    Ok(_) => vec![Go::Source.into()],
                    Err(reason) => context.refuse(reason),
                });
            }
            _ => return None,
        };
        Some(context.step_selection(by))
    }

    fn filter<'a>(&'a self, context: &'a Context) -> Option<&'a str> {
        Some(&context.arrangement().filter)
    }

    fn set_filter(&mut self, filter: String, context: &mut Context) {
        context.listing.set_filter(filter);
        context.rearrange();
    }

    fn needs(&self, context: &Context) -> Needs {
        Needs { previews: Self::page(context).1, ..Needs::default() }
    }

    fn draw(&self, context: &Context, area: Rect, canvas: &mut Canvas) -> Geometry {
        draw::draw(context, area, canvas)
    }
}
