//! What a key does to a dialog.

use crate::tui::{action::Action, effect::Effect};

/// What a key did to a dialog.
#[derive(Debug)]
pub enum Outcome {
    /// It stays open.
    Stay,
    /// It closes and nothing happens.
    Close,
    /// It closes, this is said and this happens.
    Done(String, Vec<Effect>),
    /// It stays open until this has been answered.
    Ask(Effect),
    /// It closes and this is done.
    Act(Action),
}
