//! What the system offers in C alone. The one place of the program with `unsafe`, each use with its reason.

pub mod crash;
pub mod disk;
pub mod leave;
pub mod signals;
pub mod stdio;
pub mod videoio;
