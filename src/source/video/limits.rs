//! How large pictures may be, and how long calls into FFmpeg may take.

use std::time::{Duration, Instant};

use crate::{clock, native::videoio::MOST_PIXELS};

/// Share of the time allowed from which a wait counts as the whole of it: FFmpeg's timer and ours do not start at
/// the same moment.
pub const WHOLE_WAIT: f64 = 0.9;
/// Refuses, in one sentence, pictures so large that decoding them would take the machine's memory.
pub fn check_size(name: &str, (width, height): (u32, u32)) -> Result<(), String> {
    if u64::from(width) * u64::from(height) <= MOST_PIXELS {
        return Ok(());
    }
    Err(format!(
        "'{name}' declares pictures of {width}x{height} pixels, more than {} megapixels; it may be damaged",
        MOST_PIXELS / 1_000_000
    ))
}

/// Measures a call into FFmpeg, whose timer goes on while the program stands still.
#[derive(Clone, Copy)]
pub struct Stopwatch {
    passing: Instant,
    running: Instant,
}

impl Stopwatch {
    pub fn start() -> Self {
        Self { passing: Instant::now(), running: clock::now() }
    }

    /// Time in which the program ran.
    pub fn ran(&self) -> Duration {
        clock::now().saturating_duration_since(self.running)
    }

    /// Whether FFmpeg's timer reached `timeout` though the program ran for less.
    pub fn was_interrupted(&self, timeout: Duration) -> bool {
        let whole = timeout.mul_f64(WHOLE_WAIT);
        self.passing.elapsed() >= whole && self.ran() < whole
    }
}
