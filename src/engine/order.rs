//! What is wanted of the coordinator by those who hold the engine.

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
