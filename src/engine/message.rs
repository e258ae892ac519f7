//! What comes to the coordinator.

use super::{api::Control, reply::Answer};
use crate::model::LineCounts;

/// What comes to the coordinator.
pub enum Message {
    /// Something is asked of the engine.
    Ask(Control, Answer),
    /// Sources that are enabled begin.
    Start(Answer),
    /// Commands wait for the actor of the source of this number, and no worker is at it.
    Turn(usize),
    /// The file of this number wants an open slot.
    SlotWanted(usize),
    /// The file of this number wants none any more.
    SlotUnwanted(usize),
    /// An open slot is given back.
    SlotFree,
    /// The source of this number was removed and is through with everything; these are its counts.
    Left(usize, Vec<LineCounts>),
    /// Nothing begins any more.
    End(Answer),
    /// The thread ends.
    Stop,
}
