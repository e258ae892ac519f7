//! Where results and crossings go: files for other programs, and the JSON lines of the headless mode.

pub mod csv;
pub mod lines;
pub mod status;
