//! All keys, and what glyphs and columns say.

mod draw;
pub mod state;
mod update;
