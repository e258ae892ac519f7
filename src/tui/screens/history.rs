//! What was counted at other times.

mod draw;
pub mod state;
mod update;
