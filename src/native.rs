//! What the system offers in C alone. The one place of the program with `unsafe`, each use with its reason.

pub mod crash;
pub mod disk;
pub mod ffmpeg;
pub mod leave;
pub mod locks;
pub mod process;
pub mod signals;
pub mod stdio;
