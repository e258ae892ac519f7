//! What keys do in a log.

use ratatui::layout::Rect;

use super::{
    draw,
    state::{LogTarget, State},
};
use crate::{
    logging::Level,
    model::SourceId,
    tui::{
        action::Action,
        canvas::Canvas,
        context::{Context, Tone},
        drawn::Geometry,
        effect::{Effect, Go, TerminalWork},
        screen::{Hint, LogNeed, Needs, Screen},
    },
};

/// Columns that a log moves sideways at a time.
const ACROSS: isize = 20;

const LEVELS: [Level; 4] = [Level::Error, Level::Warn, Level::Info, Level::Debug];

impl Screen for State {
    fn hints(&self) -> &'static [Hint] {
        &[
            (Action::Help, ""),
            (Action::Quit, "back"),
            (Action::Up, ""),
            (Action::Bottom, "follow"),
            (Action::Filter, "search"),
            (Action::MoreLevels, ""),
            (Action::FewerLevels, ""),
            (Action::NextPanel, "next log"),
            (Action::Right, "rest of lines"),
            (Action::Copy, ""),
            (Action::AllLogs, ""),
        ]
    }

    fn subject(&self, _context: &Context) -> Result<SourceId, String> {
        match self.target() {
            LogTarget::Source(id) => Ok(id.clone()),
            _ => Err("this log is of no single source; Tab shows the next one".into()),
        }
    }

    fn update(&mut self, action: Action, context: &mut Context) -> Option<Vec<Effect>> {
        let page = context.geometry.page.max(1) as isize;
        let lines = context.fetched.log.len();
        match action {
            // Logs are read from their end: scrolling counts lines from there.
            Action::Up => self.step(1, lines),
            Action::Down => self.step(-1, lines),
            Action::Top => self.step(isize::MAX, lines),
            Action::Bottom => self.step(isize::MIN, lines),
            Action::PageUp => self.step(page, lines),
            Action::PageDown => self.step(-page, lines),
            Action::Left => return Some(self.sideways(-1, context)),
            Action::Right => return Some(self.sideways(1, context)),
            Action::NextPanel => self.next_log(1, context),
            Action::PreviousPanel => self.next_log(-1, context),
            Action::MoreLevels => self.change_level(1, context),
            Action::FewerLevels => self.change_level(-1, context),
            Action::Copy => return Some(self.copy(context)),
            // The key that opens a log closes it again.
            Action::AllLogs if *self.target() == LogTarget::Central => return Some(self.leave()),
            Action::Logs if matches!(self.target(), LogTarget::Source(_)) => return Some(self.leave()),
            Action::Quit => return Some(self.leave()),
            _ => return None,
        }
        Some(Vec::new())
    }

    fn filter<'a>(&'a self, _context: &'a Context) -> Option<&'a str> {
        Some(&self.filter)
    }

    fn set_filter(&mut self, filter: String, _context: &mut Context) {
        self.filter = filter;
    }

    fn back(&mut self, _context: &mut Context) -> bool {
        self.show_previous()
    }

    fn close(&mut self) {
        self.forget();
    }

    fn needs(&self, _context: &Context) -> Needs {
        let (target, level, filter) = (self.target().clone(), self.level, self.filter.to_lowercase());
        Needs { log: Some(LogNeed { target, level, filter }), ..Needs::default() }
    }

    fn draw(&self, context: &Context, area: Rect, canvas: &mut Canvas) -> Geometry {
        draw::draw(self, context, area, canvas)
    }

    fn settle(&mut self, geometry: &Geometry) {
        self.scroll = geometry.first;
    }

    fn log_grew(&mut self, by: usize) {
        if self.scroll > 0 {
            self.scroll += by;
        }
    }
}

impl State {
    fn leave(&mut self) -> Vec<Effect> {
        if self.show_previous() { Vec::new() } else { vec![Go::Back.into()] }
    }

    fn step(&mut self, by: isize, lines: usize) {
        self.scroll = self.scroll.saturating_add_signed(by).min(lines);
    }

    fn sideways(&mut self, by: isize, context: &mut Context) -> Vec<Effect> {
        let widest = context.fetched.log.iter().map(|line| line.message.chars().count()).max();
        let across = self.across.saturating_add_signed(ACROSS * by);
        if across == self.across || across >= widest.unwrap_or(0) {
            return context.refuse("there is nothing more this way");
        }
        self.across = across;
        Vec::new()
    }

    /// The log of the next source or worker, after the one of the whole program.
    fn next_log(&mut self, steps: isize, context: &Context) {
        let shown = context.shown();
        let mut targets = vec![LogTarget::Central];
        targets.extend(shown.sources.iter().map(|source| LogTarget::Source(source.id.clone())));
        targets.extend(shown.workers.iter().map(|worker| LogTarget::Worker(worker.number)));
        let now = targets.iter().position(|target| target == self.target()).unwrap_or(0) as isize;
        let next = (now + steps).rem_euclid(targets.len() as isize) as usize;
        self.replace(targets.swap_remove(next));
    }

    fn change_level(&mut self, by: isize, context: &mut Context) {
        let now = LEVELS.iter().position(|level| *level == self.level).unwrap_or(LEVELS.len() - 1);
        match now.checked_add_signed(by).and_then(|next| LEVELS.get(next)) {
            Some(level) => {
                self.level = *level;
                self.scroll = 0;
                context.say(format!("showing {} and above", level.word()), Tone::Done);
            }
            None if by > 0 => context.say("everything is shown", Tone::Refused),
            None => context.say("only errors are shown", Tone::Refused),
        }
    }

    /// The lines on the screen, as they stand in the file.
    fn copy(&self, context: &mut Context) -> Vec<Effect> {
        let log = &context.fetched.log;
        let end = log.len().saturating_sub(self.scroll);
        let shown = &log[end.saturating_sub(context.geometry.page.max(1))..end];
        if shown.is_empty() {
            return context.refuse("there are no lines to copy");
        }
        let text: String = shown.iter().map(|line| format!("{}\n", line.text)).collect();
        vec![TerminalWork::Copy(text).into()]
    }
}
