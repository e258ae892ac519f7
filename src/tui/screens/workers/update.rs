//! What keys do on the screen of workers.

use ratatui::layout::Rect;

use super::{draw, state::State};
use crate::{
    logging::Level,
    model::SourceId,
    tui::{
        action::Action,
        canvas::Canvas,
        context::Context,
        drawn::Geometry,
        effect::{Effect, Go},
        screen::{Hint, LogNeed, Needs, Screen},
        screens::logs::state::LogTarget,
    },
};

impl Screen for State {
    fn hints(&self) -> &'static [Hint] {
        &[
            (Action::Help, ""),
            (Action::Quit, "back"),
            (Action::MoreWorkers, "one more"),
            (Action::FewerWorkers, "one fewer"),
            (Action::Enter, "its log"),
            (Action::Down, ""),
            (Action::Up, ""),
            (Action::AllLogs, ""),
        ]
    }

    fn subject(&self, _context: &Context) -> Result<SourceId, String> {
        Err("this key acts on a source, and these are workers; 'q' goes back".into())
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
            Action::Enter | Action::Logs => {
                return Some(match context.shown().workers.get(self.chosen).map(|worker| worker.number) {
                    Some(number) => vec![Go::Logs(LogTarget::Worker(number)).into()],
                    None => context.refuse("there are no workers"),
                });
            }
            _ => return None,
        }
        Some(Vec::new())
    }

    fn needs(&self, context: &Context) -> Needs {
        let number = context.shown().workers.get(self.chosen).map_or(1, |worker| worker.number);
        Needs {
            log: Some(LogNeed {
                target: LogTarget::Worker(number),
                level: Level::Debug,
                filter: String::new(),
            }),
            ..Needs::default()
        }
    }

    fn draw(&self, context: &Context, area: Rect, canvas: &mut Canvas) -> Geometry {
        draw::draw(self, context, area, canvas)
    }
}

impl State {
    fn step(&mut self, by: isize, context: &Context) {
        let last = context.shown().workers.len().saturating_sub(1);
        self.chosen = self.chosen.min(last).saturating_add_signed(by).min(last);
    }
}
