//! Where the CPU goes: seconds by stage, always counted, for the whole process.

use std::sync::atomic::{AtomicU64, Ordering};

/// A part of the way of a frame. Stages do not overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Reading and decoding a picture.
    Decode,
    /// Conversion to BGR and reduction to the working size.
    Convert,
    /// Finding out whether anything moves.
    Gate,
    /// Everything that finds people in a picture: preprocessing, inference, decoding of its output.
    Detect,
    /// Association with tracks.
    Track,
    /// Lines and zones.
    Count,
    /// Snapshots, events, results.
    Publish,
}

/// All stages, in the order of a frame.
pub const STAGES: [Stage; 7] =
    [Stage::Decode, Stage::Convert, Stage::Gate, Stage::Detect, Stage::Track, Stage::Count, Stage::Publish];

impl Stage {
    /// The word shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Decode => "decode",
            Self::Convert => "convert",
            Self::Gate => "gate",
            Self::Detect => "detect",
            Self::Track => "track",
            Self::Count => "count",
            Self::Publish => "publish",
        }
    }
}

static NANOSECONDS: [AtomicU64; STAGES.len()] = [const { AtomicU64::new(0) }; STAGES.len()];
static CALLS: [AtomicU64; STAGES.len()] = [const { AtomicU64::new(0) }; STAGES.len()];

/// Runs `work` and books the CPU time of this thread on `stage`. Costs two reads of a clock, under 1 us.
pub fn timed<T>(stage: Stage, work: impl FnOnce() -> T) -> T {
    let before = thread_nanoseconds();
    let result = work();
    let spent = thread_nanoseconds().saturating_sub(before);
    NANOSECONDS[stage as usize].fetch_add(spent, Ordering::Relaxed);
    CALLS[stage as usize].fetch_add(1, Ordering::Relaxed);
    result
}

/// CPU seconds and calls of `stage` since the process began.
#[must_use]
pub fn spent(stage: Stage) -> (f64, u64) {
    let index = stage as usize;
    (NANOSECONDS[index].load(Ordering::Relaxed) as f64 * 1e-9, CALLS[index].load(Ordering::Relaxed))
}

fn thread_nanoseconds() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
