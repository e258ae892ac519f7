//! The workers: what each of them does, what it has cost, and what waits for one.

mod draw;
pub mod state;
mod update;
