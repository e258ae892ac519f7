//! The moment of each frame on the source's clock, and whether it came late through no fault of this machine.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    read_mode::ReadMode,
    time::{Arrivals, LiveClock, MediaClock},
};
use crate::clock::Clock;

/// A camera that sent nothing for this long, or for three frames, and then sends what belongs to that time, was held up
/// on the way: none of it is passed over.
const HELD_UP: Duration = Duration::from_millis(300);

/// Longest time that is made up for so, in seconds of the stream.
pub const MOST_OWED: f64 = 20.0;

/// HLS begins some segments back.
const OWED_AT_FIRST: f64 = 60.0;

/// The clocks of one source.
pub struct Timing {
    clock: Arc<dyn Clock>,
    mode: ReadMode,
    media: MediaClock,
    live: LiveClock,
    arrivals: Arrivals,
    /// When it was opened, in the time that passes whether the program runs or not: people who were there before it
    /// stood still are others afterwards.
    since: Duration,
    /// When the frame decoded last arrived, in seconds since it was opened.
    arrived: f64,
    /// Up to this time of the stream, frames came late through no fault of this machine.
    owed_until: f64,
}

/// How the clocks stood at a frame.
pub struct Mark(MediaClock, LiveClock);

impl Timing {
    /// Clocks of a source that is opened now and has this rate.
    pub fn new(mode: ReadMode, fps: Option<f64>, is_hls: bool, clock: Arc<dyn Clock>) -> Self {
        Self {
            since: clock.uptime(),
            clock,
            mode,
            media: MediaClock::new(fps),
            live: LiveClock::default(),
            arrivals: Arrivals::default(),
            arrived: 0.0,
            owed_until: if is_hls { OWED_AT_FIRST } else { 0.0 },
        }
    }

    /// Seconds since it was opened.
    pub fn passed(&self) -> f64 {
        self.clock.uptime().saturating_sub(self.since).as_secs_f64()
    }

    /// About the moment of a frame with this stamp, in seconds, that is not taken.
    pub fn peek(&self, stamp: f64) -> f64 {
        match self.mode {
            ReadMode::Recording => self.media.peek(stamp),
            _ => self.passed(),
        }
    }

    /// Time, in seconds, of the next frame, which has this stamp and was waited for so long, and whether it was held up
    /// on the way.
    pub fn next(&mut self, stamp: f64, waited: Duration) -> (f64, bool) {
        let before = self.live.time();
        let time = match self.mode {
            ReadMode::Recording => self.media.next(stamp),
            ReadMode::Live => self.live.next(stamp, self.passed(), waited),
            ReadMode::Stills => self.passed(),
        };
        if self.mode == ReadMode::Live {
            self.arrived = self.passed();
            self.arrivals.note(stamp, self.arrived, waited.as_secs_f64());
            let frame = (time - before).max(0.0);
            if waited >= HELD_UP && waited.as_secs_f64() > 3.0 * frame {
                self.owed_until = before + waited.as_secs_f64().min(MOST_OWED);
            }
        }
        (time, self.mode == ReadMode::Live && time <= self.owed_until)
    }

    /// When the next frame comes after one that was `captured` then, where that is known.
    pub fn due(&self, captured: Instant) -> Option<Instant> {
        let ahead = self.arrivals.next()? - self.arrived;
        let distance = Duration::try_from_secs_f64(ahead.abs()).ok()?;
        if ahead < 0.0 { captured.checked_sub(distance) } else { captured.checked_add(distance) }
    }

    /// How the clocks stand.
    pub fn mark(&self) -> Mark {
        Mark(self.media.clone(), self.live.clone())
    }

    /// Sets the clocks back to where they stood.
    pub fn rewind(&mut self, mark: Mark) {
        Mark(self.media, self.live) = mark;
    }
}
