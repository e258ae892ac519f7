//! Evidence: a strip of five small snapshots of each crossing, counted or not, so that a person can inspect any count and
//! see why.
//!
//! A strip is kept without strokes; what is to be drawn over it ([`Marks`]) lies beside it.
//!
//! Off unless the configuration asks for it. A worker keeps a few small copies of frames that it has anyway
//! ([`Recorder`], one a source); when a crossing is decided, those around it are handed to one thread ([`Evidence`]),
//! which blurs heads, draws, encodes and writes. Nothing of that holds up counting: what the thread's queue cannot take
//! is dropped and counted, and so is what a full disk refuses.
//!
//! On disk ([`store`]) strips lie in one SQLite file for each day, mode 0600, in the folder `evidence` of the output
//! folder, mode 0700. They are bounded by age and by size, and a stretch of time can be deleted for good ([`delete`]),
//! while the program runs or not. Front ends read with [`Reader`].

mod blur;
mod draw;
mod error;
mod image;
mod marks;
mod read;
mod recorder;
mod ring;
mod small;
pub mod store;
mod strip;
mod writer;

/// Name of the folder of strips inside the output folder.
pub const FOLDER: &str = "evidence";

#[cfg(any(test, feature = "internals"))]
pub use self::marks::{Marked, PathPoint};
pub use self::{
    error::EvidenceError,
    image::{Pixels, StripImage},
    marks::Marks,
    read::{Query, Reader, StoredStrip},
    recorder::Recorder,
    store::{Bounds, Store, Stretch, delete},
    strip::{Facts, Key},
    writer::{Evidence, EvidenceOptions, millis},
};
