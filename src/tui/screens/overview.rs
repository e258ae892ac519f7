//! All sources at a glance.

mod areas;
mod detail;
mod draw;
mod events;
mod header;
pub mod layout;
pub mod state;
mod table;
mod update;
mod workers;
