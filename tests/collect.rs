//! What the nodes of a fleet count is in one ledger, each crossing once, whatever is killed, cut off or told twice.
//!
//! `PCOUNT_KILLS=100 cargo test --test collect -- --nocapture whatever` is the long one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "collect/again.rs"]
mod again;
#[path = "collect/books.rs"]
mod books;
#[path = "collect/chaos.rs"]
mod chaos;
#[path = "collect/clocks.rs"]
mod clocks;
#[path = "collect/collecting.rs"]
mod collecting;
#[path = "support/kills.rs"]
mod kills;
#[path = "collect/lines.rs"]
mod lines;
#[path = "fleet/machines.rs"]
mod machines;
#[path = "support/preload.rs"]
mod preload;
#[path = "webhooks/receiver.rs"]
mod receiver;
#[path = "support/require.rs"]
mod require;
#[path = "support/service.rs"]
mod service;
#[path = "fleet/wire.rs"]
mod wire;
