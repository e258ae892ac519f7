//! The shared state store: one small immutable snapshot per source, replaced whole, read without waiting.

pub mod cell;
pub mod history;
