//! Requests of engine handles to the coordinator.

use super::{api::Control, reply::Answer};

/// What is wanted of the coordinator.
pub enum Order {
    /// Something is asked of the engine.
    Ask(Control, Answer),
    /// Sources that are enabled begin.
    Start(Answer),
    /// Nothing begins any more.
    End(Answer),
    /// The thread ends.
    Stop,
}
