//! What the commands of `ctl` have in common.

use std::time::Duration;

use serde::Serialize;

use crate::app::{failure::Failure, say::print};

/// An answer comes within this time; an order may wait for a detection run, and a question for a disk.
pub const PATIENCE: Duration = Duration::from_secs(35);

/// Prints `value` as one line of JSON.
pub fn json(value: &impl Serialize) -> Result<u8, Failure> {
    print(|out| {
        serde_json::to_writer(&mut *out, value)?;
        writeln!(out)
    })
}
