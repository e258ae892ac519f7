//! How a source is read.

/// How a source is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadMode {
    /// A recording: waits, ends, and has its own time.
    Recording,
    /// Goes on by itself.
    Live,
    /// A camera that gives one frame at a time and is asked for the next.
    Stills,
}
