//! A wall of live previews.

mod draw;
mod grid;
pub mod state;
mod update;
