//! What of a stream was lost, as its decoder says.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{clock::Clock, native::ffmpeg::Error};

/// Damage to a live stream is told at most this often.
const TELL_AGAIN: Duration = Duration::from_mins(1);

/// Frames that were not counted on because parts of them were lost.
pub struct Damage {
    clock: Arc<dyn Clock>,
    frames: u64,
    /// Seconds of the stream at which the first and the last of them was.
    between: Option<(f64, f64)>,
    told: u64,
    told_at: Option<Instant>,
    broke_off: Option<Error>,
}

impl Damage {
    /// None so far.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, frames: 0, between: None, told: 0, told_at: None, broke_off: None }
    }

    /// The frame at `time`, in seconds of the stream, is damaged or could not be decoded at all.
    pub fn lost(&mut self, time: f64) {
        self.frames += 1;
        let first = self.between.map_or(time, |(first, _)| first);
        self.between = Some((first, time));
    }

    /// Reading ended before the end.
    pub fn broke_off(&mut self, error: Error) {
        self.broke_off = Some(error);
    }

    /// What is to be said now of the live stream `name`.
    pub fn due(&mut self, name: &str) -> Option<String> {
        let now = self.clock.now();
        let is_due = self.told_at.is_none_or(|told| now.saturating_duration_since(told) >= TELL_AGAIN);
        let text = (self.frames > self.told && is_due).then(|| self.text(name, self.frames - self.told))?;
        (self.told, self.told_at) = (self.frames, Some(now));
        Some(text)
    }

    /// What is to be said of the recording `name` at its end.
    pub fn at_end(&mut self, name: &str) -> Option<String> {
        let text = (self.frames > self.told).then(|| self.text(name, self.frames))?;
        self.told = self.frames;
        Some(text)
    }

    /// Why reading ended before the end, if it did.
    pub fn why_it_broke_off(&self) -> Option<String> {
        self.broke_off.as_ref().map(ToString::to_string)
    }

    fn text(&self, name: &str, frames: u64) -> String {
        let (first, last) = self.between.unwrap_or_default();
        let when = if first == last {
            format!("at {last:.1} s")
        } else {
            format!("from {first:.1} s to {last:.1} s")
        };
        let damaged = if frames == 1 { "damaged frame was" } else { "damaged frames were" };
        format!("'{name}': {frames} {damaged} not counted on, {when}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn damage_is_told_with_number_and_time_and_not_all_the_time() {
        let mut damage = Damage::new(Arc::new(ManualClock::default()));
        assert_eq!(damage.due("cam"), None);
        damage.lost(3.25);
        assert_eq!(damage.due("cam").unwrap(), "'cam': 1 damaged frame was not counted on, at 3.2 s");
        damage.lost(4.0);
        damage.lost(5.0);
        assert_eq!(damage.due("cam"), None, "a minute has not passed");
        assert_eq!(
            damage.at_end("cam").unwrap(),
            "'cam': 3 damaged frames were not counted on, from 3.2 s to 5.0 s"
        );
        assert_eq!(damage.at_end("cam"), None);
    }
}
