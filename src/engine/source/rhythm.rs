//! How long a live source is silent without anything being wrong.

use std::time::{Duration, Instant};

/// A source without a frame for this long beyond its rhythm is shown as stalled (it is reopened after its
/// `stall_timeout`).
const SHOWN_AS_STALLED: Duration = Duration::from_secs(2);

/// Frames this far apart belong to two pieces.
const PAUSE: Duration = Duration::from_millis(500);

/// Pieces come as unevenly as they are long: lists of them are asked for again after half a piece.
const UNEVEN: f64 = 1.5;

/// Longest silence, in seconds, that is a rhythm.
const LONGEST: f64 = 60.0;

/// The rhythm of one source, out of when its frames come and the times they have: evenly, slowly, or in pieces.
#[derive(Debug, Default)]
pub struct Rhythm {
    last: Option<FrameArrival>,
    /// The first frame of the piece that comes.
    first: Option<FrameArrival>,
    /// Seconds from the frame before the last one to that, on the source's clock.
    interval: f64,
    /// Since when it is silent.
    since: Option<Instant>,
    /// Whether it was opened and no frame has come.
    is_new: bool,
}

#[derive(Debug, Clone, Copy)]
struct FrameArrival {
    at: Instant,
    /// On the source's clock, in seconds.
    time: f64,
}

impl Rhythm {
    /// It was opened again at `at`: what its frames were like is forgotten when the first one comes.
    pub fn open(&mut self, at: Instant) {
        self.since = self.since.map(|_| at);
        self.is_new = true;
    }

    /// A frame with this time, in seconds on the source's clock, was handled at `at`.
    pub fn note(&mut self, at: Instant, time: f64) {
        let now = FrameArrival { at, time };
        self.since = Some(at);
        let last = self.last.replace(now).filter(|last| last.time <= time);
        let (Some(last), false) = (last, std::mem::take(&mut self.is_new)) else {
            (self.first, self.interval) = (Some(now), 0.0);
            return;
        };
        self.interval = time - last.time;
        if at.saturating_duration_since(last.at) >= PAUSE {
            self.first = Some(now);
        }
    }

    /// Whether the next frame is overdue: its piece should be there, or at least the next frame of one that comes evenly.
    pub fn is_overdue(&self, now: Instant) -> bool {
        let (Some(last), Some(first), Some(since)) = (self.last, self.first, self.since) else {
            return false;
        };
        // So much more of the stream came than time passed.
        let ahead = last.time - first.time - last.at.saturating_duration_since(first.at).as_secs_f64();
        let usual = UNEVEN * ahead.max(self.interval).clamp(0.0, LONGEST);
        now.saturating_duration_since(since) > SHOWN_AS_STALLED + Duration::from_secs_f64(usual)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The silence, in seconds, after which a source is overdue whose frames have these times and come then.
    fn overdue_after(frames: impl IntoIterator<Item = (f64, f64)>) -> f64 {
        let (start, mut rhythm, mut last) = (Instant::now(), Rhythm::default(), 0.0);
        for (time, arrival) in frames {
            let at = start + Duration::from_secs_f64(arrival);
            assert!(!rhythm.is_overdue(at), "before that at {arrival}");
            rhythm.note(at, time);
            last = arrival;
        }
        let silent = |tenths: &u32| {
            rhythm.is_overdue(start + Duration::from_secs_f64(last + f64::from(*tenths) / 10.0))
        };
        f64::from((0..1000).find(silent).unwrap()) / 10.0
    }

    /// Pieces of six seconds with ten frames a second, three of them at first.
    fn pieces(number: u32) -> impl Iterator<Item = (f64, f64)> {
        (0..number * 60).map(|n| {
            let arrival = f64::from((n / 60).saturating_sub(2)) * 6.0;
            (f64::from(n) / 10.0, arrival + f64::from(n % 60) / 500.0)
        })
    }

    #[test]
    fn a_piece_that_is_not_there_is_overdue_after_its_length_and_some() {
        let after = overdue_after(pieces(8));
        assert!((8.0..12.0).contains(&after), "{after}");
        let at_first = overdue_after(pieces(3));
        assert!((18.0..30.0).contains(&at_first), "three pieces were there at once: {at_first}");
    }

    #[test]
    fn a_source_that_comes_evenly_is_overdue_soon_however_it_was_before() {
        let even = |n: u32| (f64::from(n) / 25.0, f64::from(n) / 25.0);
        let after = overdue_after((0..200).map(even));
        assert!((2.0..2.3).contains(&after), "{after}");
        // It froze for fifteen seconds and went on.
        let frozen = (0..200)
            .map(even)
            .chain((200..400).map(|n| (f64::from(n) / 25.0 + 15.0, f64::from(n) / 25.0 + 1.9)));
        let after = overdue_after(frozen);
        assert!((2.0..2.3).contains(&after), "{after}");
    }

    #[test]
    fn a_slow_source_has_time_for_each_frame() {
        let after = overdue_after((0..20).map(|n| (f64::from(n) * 2.0, f64::from(n) * 2.0)));
        assert!((4.0..6.0).contains(&after), "{after}");
    }

    #[test]
    fn a_session_has_a_rhythm_of_its_own() {
        let after = overdue_after(
            pieces(8).chain((0..100).map(|n| (f64::from(n) / 25.0, 40.0 + f64::from(n) / 25.0))),
        );
        assert!((2.0..2.3).contains(&after), "{after}");
        assert!(!Rhythm::default().is_overdue(Instant::now()));
        let (start, mut rhythm) = (Instant::now(), Rhythm::default());
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        rhythm.note(at(0), 0.0);
        rhythm.open(at(60));
        assert!(!rhythm.is_overdue(at(61)) && rhythm.is_overdue(at(63)), "opened and silent");
    }
}
