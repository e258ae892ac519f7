//! What keys do on the screen of nodes.

use std::sync::Arc;

use ratatui::layout::Rect;

use super::{draw, state::State};
use crate::{
    model::SourceId,
    tui::{
        action::Action,
        canvas::Canvas,
        context::{Context, Tone},
        drawn::Geometry,
        effect::{Effect, Go},
        listing::name_as_word,
        screen::{Hint, Screen},
    },
};

impl Screen for State {
    fn hints(&self) -> &'static [Hint] {
        &[
            (Action::Help, ""),
            (Action::Quit, "back"),
            (Action::Enter, "its sources"),
            (Action::Down, ""),
            (Action::Up, ""),
            (Action::Alerts, ""),
            (Action::AllLogs, ""),
        ]
    }

    fn subject(&self, _context: &Context) -> Result<SourceId, String> {
        Err("this key acts on a source, and these are nodes; Enter shows the sources of one".into())
    }

    fn update(&mut self, action: Action, context: &mut Context) -> Option<Vec<Effect>> {
        let page = context.geometry.page.max(1) as isize;
        match action {
            Action::Up => self.step(-1, context),
            Action::Down => self.step(1, context),
            Action::Top => self.step(isize::MIN, context),
            Action::Bottom => self.step(isize::MAX, context),
            Action::PageUp => self.step(-page, context),
            Action::PageDown => self.step(page, context),
            Action::Enter => return Some(self.enter(context)),
            _ => return None,
        }
        Some(Vec::new())
    }

    fn draw(&self, context: &Context, area: Rect, canvas: &mut Canvas) -> Geometry {
        draw::draw(self, context, area, canvas)
    }
}

impl State {
    fn step(&mut self, by: isize, context: &Context) {
        let nodes = &context.shown().nodes;
        let last = nodes.len().saturating_sub(1);
        let row = self.row(context.shown()).saturating_add_signed(by).min(last);
        self.chosen = nodes.get(row).map(|node| Arc::clone(&node.name));
    }

    /// The overview with the sources of the chosen node alone.
    fn enter(&mut self, context: &mut Context) -> Vec<Effect> {
        let Some(node) = context.shown().nodes.get(self.row(context.shown())).cloned() else {
            return context.refuse("there are no nodes");
        };
        if node.sources == 0 {
            return context.refuse(format!("node '{}' has no sources", node.name));
        }
        context.listing.set_filter(format!("node:{}", name_as_word(&node.name)));
        context.rearrange();
        context.say(format!("the sources of node '{}'; Esc shows all", node.name), Tone::Done);
        vec![Go::Overview.into()]
    }
}
