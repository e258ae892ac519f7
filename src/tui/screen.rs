//! What a screen is: a state of its own, what keys do to it, what it has to be given, and how it is drawn.

use crossterm::event::MouseEvent;
use ratatui::layout::Rect;

use super::{
    action::Action, canvas::Canvas, context::Context, drawn::Geometry, effect::Effect, keymap::Key,
    screens::logs::state::LogTarget,
};
use crate::{
    ledger::chart::Width,
    logging::Level,
    model::{SourceId, SourceSnapshot},
};

/// What a screen has to be given beside the snapshot.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Needs {
    /// Live previews of these sources.
    pub previews: Vec<SourceId>,
    /// Previews also while the view is frozen.
    pub previews_while_frozen: bool,
    /// Lines of this log.
    pub log: Option<LogNeed>,
    /// Chart, events and CPU times of this source, the chart in columns of this width.
    pub detail: Option<(SourceId, Width)>,
    /// Earlier counts.
    pub history: bool,
    /// The strip of the crossing on the screen.
    pub crossing: bool,
    /// The tracks behind the line editor.
    pub paths: bool,
}

/// Which lines of which log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogNeed {
    /// Whose.
    pub target: LogTarget,
    /// The least severe level.
    pub level: Level,
    /// Words that lines have.
    pub filter: String,
}

/// An action worth a word in the footer, and the word where another one than that of its command says more.
pub type Hint = (Action, &'static str);

/// One screen.
///
/// `draw` is pure: it reads, puts cells on the canvas and says where things went. Everything else changes this screen's own
/// state or the context, and never another screen's.
pub trait Screen {
    /// What the footer says of the keys, the most useful first: help and the way back lead.
    fn hints(&self) -> &'static [Hint];

    /// The source that keys act on.
    ///
    /// # Errors
    /// Why there is none, in a sentence.
    fn subject(&self, context: &Context) -> Result<SourceId, String>;

    /// Does what an action means here; `None` where it means what it means everywhere.
    fn update(&mut self, action: Action, context: &mut Context) -> Option<Vec<Effect>>;

    /// Takes a key before it means an action: text being typed, or keys that have to wait.
    fn typed(&mut self, key: Key, action: Option<Action>, context: &mut Context) -> Option<Vec<Effect>> {
        let _ = (key, action, context);
        None
    }

    /// Ends what is being typed; `false` where nothing is.
    fn end_typing(&mut self) -> bool {
        false
    }

    /// Takes pasted text; `false` where nothing is being typed.
    fn paste(&mut self, text: &str) -> bool {
        let _ = text;
        false
    }

    /// Takes what the mouse did; `None` where it does what it does everywhere.
    fn mouse(&mut self, event: MouseEvent, context: &mut Context) -> Option<Vec<Effect>> {
        let _ = (event, context);
        None
    }

    /// The filter, where the screen has one.
    fn filter<'a>(&'a self, context: &'a Context) -> Option<&'a str> {
        let _ = context;
        None
    }

    /// Takes another filter.
    fn set_filter(&mut self, filter: String, context: &mut Context) {
        let _ = (filter, context);
    }

    /// Goes back by one step without leaving the screen; `false` where there is none.
    fn back(&mut self, context: &mut Context) -> bool {
        let _ = context;
        false
    }

    /// The screen is left.
    fn close(&mut self) {}

    /// What it has to be given.
    fn needs(&self, context: &Context) -> Needs {
        let _ = context;
        Needs::default()
    }

    /// Whether it shows alerts itself, without the bar above it.
    fn shows_alerts(&self) -> bool {
        false
    }

    /// The source whose alerts it shows anyway.
    fn is_about<'a>(&self, context: &'a Context) -> Option<&'a SourceSnapshot> {
        let _ = context;
        None
    }

    /// Draws it.
    fn draw(&self, context: &Context, area: Rect, canvas: &mut Canvas) -> Geometry;

    /// The log on screen has so many new lines.
    fn log_grew(&mut self, by: usize) {
        let _ = by;
    }

    /// Takes what its drawing found out: how far a list can be scrolled.
    fn settle(&mut self, geometry: &Geometry) {
        let _ = geometry;
    }
}
