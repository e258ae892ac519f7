//! The nodes of a fleet: how each does, what it has and what it has room for.

mod draw;
pub mod state;
mod update;
