//! What the system offers in C alone. The one place of the program with `unsafe`, each use with its reason.

pub mod crash;
pub mod disk;
#[cfg(not(pcount_docs))]
pub mod ffmpeg;
// In its place where the documentation is built and FFmpeg is missing: rustdoc reads no bodies of functions, so names are enough.
#[cfg(pcount_docs)]
#[path = "native/ffmpeg_names.rs"]
pub mod ffmpeg;
pub mod leave;
pub mod locks;
pub mod process;
pub mod signals;
pub mod stdio;
pub mod time;
