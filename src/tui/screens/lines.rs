//! The counting lines and zones of a source, drawn on its live preview.

mod draw;
pub mod editor;
pub mod state;
mod update;
