//! Times and rates out of what streams say of themselves, which need not be true.

use std::time::Duration;

/// Frame rates above this are lies of the container.
const MAX_FPS: f64 = 1000.0;
/// Taken for a file that does not say its frame rate.
const FALLBACK_FPS: f64 = 25.0;
/// A step of the media time beyond this is a jump of the time stamps, not time that passed.
const MAX_STEP: f64 = 10.0;
/// A frame that was waited for this long was not there before.
const HAD_TO_WAIT: Duration = Duration::from_millis(3);

/// A frame rate that can be; `None` for 0, NaN and the like.
pub fn sane_fps(fps: f64) -> Option<f64> {
    (fps.is_finite() && fps > 0.0 && fps <= MAX_FPS).then_some(fps)
}

/// Media time out of a file's time stamps, which may be missing, repeat, run backwards or jump.
#[derive(Debug, Clone)]
pub struct MediaClock {
    /// Length of a frame by the declared rate, in seconds.
    frame: f64,
    /// Time stamp of the frame before.
    stamp: f64,
    /// Time given for the frame before; negative before the first.
    time: f64,
}

impl MediaClock {
    /// `fps` is the declared rate.
    pub fn new(fps: Option<f64>) -> Self {
        Self { frame: 1.0 / fps.unwrap_or(FALLBACK_FPS), stamp: f64::NAN, time: -1.0 }
    }

    /// What [`Self::next`] would say.
    pub fn peek(&self, stamp: f64) -> f64 {
        let step = stamp - self.stamp;
        if self.time < 0.0 {
            0.0
        } else if step > 0.0 && step <= MAX_STEP {
            self.time + step
        } else {
            self.time + self.frame
        }
    }

    /// Time of the next frame, whose stamp in seconds is `stamp`. The first is at 0; none is earlier than
    /// the one before. A stamp that does not advance, or advances beyond reason, counts as one frame.
    pub fn next(&mut self, stamp: f64) -> f64 {
        self.time = self.peek(stamp);
        self.stamp = stamp;
        self.time
    }
}

/// Media time of a live stream, out of its stamps and the moments at which its frames arrive.
///
/// Stamps tell when the camera took the frames, whatever held them up on the way, so steps of the stamps are steps of the
/// time. Where there are none, or they say what cannot be, the arrivals are taken, smoothed.
#[derive(Debug, Clone, Default)]
pub struct LiveClock {
    last: Option<FrameTimes>,
    /// Seconds between frames, smoothed.
    interval: f64,
    /// How far the stream's time was ahead of the arrivals when a frame had to be waited for.
    ahead: Option<f64>,
    /// Longest time that a frame was waited for, in seconds: a stream that comes in pieces comes as unevenly as they are long.
    longest: f64,
    /// Moments, on the arrivals' clock, at which the two had parted.
    parted: Vec<f64>,
}

#[derive(Debug, Clone, Copy)]
struct FrameTimes {
    stamp: f64,
    arrival: f64,
    time: f64,
}

/// Seconds by which stamps and arrivals may part, beyond slow clocks and uneven arrivals, before the stamps have jumped.
const APART: f64 = 2.0;

/// Share by which the clock of a camera may be wrong.
const WRONG: f64 = 0.02;

/// Jumps within a minute from which stamps are no longer used: they run at another rate than the time does.
const JUMPS: usize = 3;

/// Weight of a new interval in the mean of those before, and of an arrival in the time that is made of them.
const SMOOTH: f64 = 0.1;

impl LiveClock {
    /// Time of the frame taken last, in seconds; 0 before the first.
    pub fn time(&self) -> f64 {
        self.last.map_or(0.0, |last| last.time)
    }

    /// Time, in seconds, of the next frame, which has this `stamp` (NaN: none) and came at `arrival` after it was waited
    /// for so long. Never earlier than the one before.
    pub fn next(&mut self, stamp: f64, arrival: f64, waited: Duration) -> f64 {
        let Some(last) = self.last else {
            self.last = Some(FrameTimes { stamp, arrival, time: arrival });
            return arrival;
        };
        let (step, since) = (stamp - last.stamp, (arrival - last.arrival).max(0.0));
        let is_sane = step > 0.0 && step <= MAX_STEP && self.parted.len() < JUMPS;
        let mut time = if is_sane { last.time + step } else { self.by_arrival(&last, arrival) };
        if is_sane && waited >= HAD_TO_WAIT {
            let ahead = time - arrival;
            // A clock that is a little wrong drifts; one that jumps does not.
            let drift = WRONG * since;
            let usual = self.ahead.map_or(ahead, |usual| usual + (ahead - usual).clamp(-drift, drift));
            self.ahead = Some(usual);
            self.longest = self.longest.max(waited.as_secs_f64());
            if (ahead - usual).abs() > APART + self.longest {
                time = time.max(arrival + usual).max(last.time);
                self.ahead = Some(time - arrival);
                self.parted.retain(|moment| arrival - moment < 60.0);
                self.parted.push(arrival);
            }
        }
        self.interval += SMOOTH * (since.min(MAX_STEP) - self.interval);
        self.last = Some(FrameTimes { stamp, arrival, time });
        time
    }

    fn by_arrival(&self, last: &FrameTimes, arrival: f64) -> f64 {
        let expected = last.time + self.interval;
        let off = arrival - expected;
        if off.abs() > 1.0 { arrival.max(last.time) } else { (expected + SMOOTH * off).max(last.time) }
    }
}

/// Tells when the next frame of a live stream comes, by the stamps of those before.
#[derive(Debug, Default)]
pub struct Arrivals {
    last: Option<Arrival>,
    /// Seconds from a frame's stamp to its arrival and from one stamp to the next, where both are known.
    rhythm: Option<(f64, f64)>,
}

#[derive(Debug, Clone, Copy)]
struct Arrival {
    stamp: f64,
    time: f64,
}

impl Arrivals {
    /// A frame with this stamp was read at `time` after the reader had waited for it so long (seconds; stamps and
    /// times on clocks of their own).
    pub fn note(&mut self, stamp: f64, time: f64, waited: f64) {
        let before = self.last.replace(Arrival { stamp, time });
        let step = before.map_or(f64::NAN, |before| stamp - before.stamp);
        self.rhythm = (step > 0.0 && step <= MAX_STEP).then(|| match self.rhythm {
            // It had been there before it was read: it says no more than that the next one comes no later.
            Some((delay, interval)) if waited < interval / 2.0 => {
                ((time - stamp).min(delay), step.min(interval))
            }
            _ => (time - stamp, step),
        });
    }

    /// When the next frame comes or came, on the clock of the arrivals. `None` where stamps do not tell.
    pub fn next(&self) -> Option<f64> {
        let (Arrival { stamp, time }, (delay, interval)) = (self.last?, self.rhythm?);
        Some((stamp + delay).min(time) + interval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(fps: Option<f64>, stamps: &[f64]) -> Vec<f64> {
        let mut clock = MediaClock::new(fps);
        stamps.iter().map(|&stamp| (clock.next(stamp) * 1000.0).round() / 1000.0).collect()
    }

    #[test]
    fn media_time_follows_sane_stamps_from_zero() {
        assert_eq!(times(Some(25.0), &[5.0, 5.04, 5.08, 5.2]), [0.0, 0.04, 0.08, 0.2]);
    }

    #[test]
    fn stamps_that_are_missing_repeated_or_backwards_count_as_one_frame() {
        assert_eq!(times(Some(10.0), &[0.0, 0.0, 0.0]), [0.0, 0.1, 0.2]);
        assert_eq!(times(Some(10.0), &[f64::NAN, f64::NAN, f64::NAN]), [0.0, 0.1, 0.2]);
        assert_eq!(times(Some(10.0), &[1.0, 0.5, 0.6]), [0.0, 0.1, 0.2]);
        assert_eq!(times(None, &[0.0, 0.0]), [0.0, 0.04]);
    }

    #[test]
    fn a_jump_of_the_stamps_is_not_time_that_passed() {
        assert_eq!(times(Some(10.0), &[0.0, 0.1, 90_000.0, 90_000.1]), [0.0, 0.1, 0.2, 0.3]);
    }

    /// Times of frames with these stamps and arrivals, each waited for so long (all in seconds).
    fn live(frames: &[(f64, f64, f64)]) -> Vec<f64> {
        let mut clock = LiveClock::default();
        let mut time = |(stamp, arrival, waited): &(f64, f64, f64)| {
            clock.next(*stamp, *arrival, Duration::from_secs_f64(*waited))
        };
        frames.iter().map(|frame| (time(frame) * 1000.0).round() / 1000.0).collect()
    }

    #[test]
    fn frames_that_come_in_pieces_have_the_times_at_which_they_were_taken() {
        // Pieces of six seconds with ten frames a second; the third is noticed three seconds late.
        let frames: Vec<_> = (0..300)
            .map(|n| {
                let piece = n / 60;
                let arrival = f64::from(piece) * 6.0 + if piece == 3 { 3.0 } else { 0.0 };
                (f64::from(n) / 10.0, arrival, if n % 60 == 0 && n > 0 { 5.9 } else { 0.0 })
            })
            .collect();
        let times = live(&frames);
        assert!(times.windows(2).all(|pair| (pair[1] - pair[0] - 0.1).abs() < 1e-6), "{times:?}");
    }

    #[test]
    fn stamps_that_are_missing_or_jump_give_way_to_the_arrivals() {
        let missing: Vec<_> = (0..50).map(|n| (f64::NAN, f64::from(n) * 0.2, 0.19)).collect();
        let times = live(&missing);
        assert!((times[49] - 9.8).abs() < 0.3 && times.is_sorted(), "{times:?}");
        // A camera that says 25 frames a second and sends five.
        let wrong: Vec<_> = (0..500).map(|n| (f64::from(n) * 0.04, f64::from(n) * 0.2, 0.19)).collect();
        let times = live(&wrong);
        assert!((times[499] - 99.8).abs() < 3.0 && times.is_sorted(), "{}", times[499]);
        // One that was switched off for a minute and goes on with its stamps.
        let mut frames: Vec<_> = (0..100).map(|n| (f64::from(n) * 0.1, f64::from(n) * 0.1, 0.09)).collect();
        frames.extend((0..100).map(|n| (10.0 + f64::from(n) * 0.1, 70.0 + f64::from(n) * 0.1, 0.09)));
        assert!(live(&frames).is_sorted());
    }

    #[test]
    fn a_reader_that_is_behind_finds_the_next_frame_waiting() {
        let mut arrivals = Arrivals::default();
        for i in 0..50 {
            let stamp = f64::from(i) * 0.04;
            assert_eq!(arrivals.next().is_some(), i >= 2);
            arrivals.note(stamp, stamp + 3.0, 0.035);
            if let Some(next) = arrivals.next() {
                assert!((next - (stamp + 3.04)).abs() < 1e-9, "waited for: {next}");
            }
        }
        // Read at half of the rate, one frame after another, without waiting; then every other frame is lost.
        for i in 0..50 {
            let (stamp, time) = (2.0 + f64::from(i) * 0.04, 5.0 + f64::from(i) * 0.08);
            arrivals.note(stamp, time, 0.002);
            let next = arrivals.next().unwrap();
            assert!((next - (stamp + 3.04)).abs() < 1e-9, "late: {next}");
        }
        arrivals.note(4.2, 9.1, 0.002);
        assert!(arrivals.next().unwrap() < 7.3);
        arrivals.note(4.24, 9.2, 0.035);
        assert!((arrivals.next().unwrap() - 9.24).abs() < 1e-9, "what had to be waited for is not late");
    }

    #[test]
    fn stamps_that_say_nothing_foretell_nothing() {
        let mut arrivals = Arrivals::default();
        for stamp in [f64::NAN, 0.0, 0.0, 5.0, 4.0, 90_000.0] {
            arrivals.note(stamp, 1.0, 0.0);
        }
        assert_eq!(arrivals.next(), None);
    }

    #[test]
    fn frame_rates_that_cannot_be_are_unknown() {
        for lie in [0.0, -1.0, f64::NAN, f64::INFINITY, 90_000.0] {
            assert_eq!(sane_fps(lie), None, "{lie}");
        }
        assert_eq!(sane_fps(29.97), Some(29.97));
    }
}
