//! One source inside the engine: an actor with one inbox.
//!
//! Capture thread, coordinator and front ends leave frames, notices and commands in the inbox; the actor, which owns
//! everything that changes, handles them one at a time, on the thread of a worker or of the coordinator. For a detection run
//! a worker has the pipeline for the time of a frame, while the actor handles what does not need it. Where the source stands is one value, its lifecycle.

mod actor;
mod around;
mod command;
pub mod commands;
mod counts;
mod handle;
mod host;
mod hours;
mod inbox;
mod job;
mod lifecycle;
mod measure;
pub mod preview;
mod publish;
mod rates;
mod rhythm;
mod run;
mod shared;
mod stretch;
mod transitions;
mod vitals;
mod witness;

pub use self::{actor::Command, handle::Source};

#[cfg(test)]
mod tests;
