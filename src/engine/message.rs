//! What sources tell the coordinator.

use crate::model::LineCounts;

/// What a source tells the coordinator; sources go by their numbers.
pub enum Message {
    /// Commands wait for the actor of this source, and no worker is at it.
    Turn(usize),
    /// This file wants an open slot.
    SlotWanted(usize),
    /// This file wants none any more.
    SlotUnwanted(usize),
    /// An open slot is given back.
    SlotFree,
    /// This source was removed and is through with everything; these are its counts.
    Left(usize, Vec<LineCounts>),
}
