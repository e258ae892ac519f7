//! The end of a log, followed, or an earlier part of it.

mod draw;
pub mod state;
mod update;
