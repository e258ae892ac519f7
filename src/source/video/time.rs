//! Times and rates out of what streams say of themselves, which need not be true.

/// Frame rates above this are lies of the container.
const MAX_FPS: f64 = 1000.0;
/// Taken for a file that does not say its frame rate.
const FALLBACK_FPS: f64 = 25.0;
/// A step of the media time beyond this is a jump of the time stamps, not time that passed.
const MAX_STEP: f64 = 10.0;

/// A frame rate that can be; `None` for 0, NaN and the like.
pub fn sane_fps(fps: f64) -> Option<f64> {
    (fps.is_finite() && fps > 0.0 && fps <= MAX_FPS).then_some(fps)
}

/// Media time out of a file's time stamps, which may be missing, repeat, run backwards or jump.
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

    /// Time of the next frame, whose stamp in seconds is `stamp`. The first is at 0; none is earlier than
    /// the one before. A stamp that does not advance, or advances beyond reason, counts as one frame.
    pub fn next(&mut self, stamp: f64) -> f64 {
        let step = stamp - self.stamp;
        self.stamp = stamp;
        self.time = if self.time < 0.0 {
            0.0
        } else if step > 0.0 && step <= MAX_STEP {
            self.time + step
        } else {
            self.time + self.frame
        };
        self.time
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
