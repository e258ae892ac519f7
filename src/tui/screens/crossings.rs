//! The pictures of crossings, one crossing at a time, and what a person says of it.

mod draw;
pub mod opening;
pub mod state;
mod update;
