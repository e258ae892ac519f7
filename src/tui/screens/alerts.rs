//! What is and was wrong.

mod draw;
pub mod state;
mod update;
