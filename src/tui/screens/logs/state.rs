//! What the screen of logs knows.

use crate::{logging::Level, model::SourceId};

/// Whose log.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum LogTarget {
    /// The whole program's.
    Central,
    /// One source's.
    Source(SourceId),
    /// One worker's, from 1.
    Worker(usize),
}

/// The screen of logs.
#[derive(Debug)]
pub struct State {
    /// Logs opened one over the other, the one shown last.
    open: Vec<LogTarget>,
    /// Lines scrolled from the end.
    pub scroll: usize,
    /// Columns scrolled sideways.
    pub across: usize,
    /// Least severe level shown.
    pub level: Level,
    /// Words that shown lines have.
    pub filter: String,
}

impl Default for State {
    fn default() -> Self {
        Self { open: Vec::new(), scroll: 0, across: 0, level: Level::Debug, filter: String::new() }
    }
}

impl State {
    /// The log shown.
    #[must_use]
    pub fn target(&self) -> &LogTarget {
        self.open.last().unwrap_or(&LogTarget::Central)
    }

    /// Shows a log over the one shown.
    pub fn show(&mut self, target: LogTarget) {
        self.open.retain(|other| *other != target);
        self.open.push(target);
        self.rewind();
        self.filter.clear();
    }

    /// Shows another log in the place of the one shown.
    pub fn replace(&mut self, target: LogTarget) {
        self.open.pop();
        self.open.retain(|other| *other != target);
        self.open.push(target);
        self.rewind();
    }

    /// Shows the log below again; `false` where there is none.
    pub fn show_previous(&mut self) -> bool {
        self.open.pop();
        self.rewind();
        !self.open.is_empty()
    }

    /// Forgets which logs are open.
    pub fn forget(&mut self) {
        self.open.clear();
        self.rewind();
    }

    fn rewind(&mut self) {
        (self.scroll, self.across) = (0, 0);
    }
}
