//! One source in full, in panes.

mod config;
pub mod counts;
mod draw;
pub mod panes;
pub mod state;
mod times;
mod update;
