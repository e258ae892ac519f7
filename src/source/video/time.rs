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
    fn frame_rates_that_cannot_be_are_unknown() {
        for lie in [0.0, -1.0, f64::NAN, f64::INFINITY, 90_000.0] {
            assert_eq!(sane_fps(lie), None, "{lie}");
        }
        assert_eq!(sane_fps(29.97), Some(29.97));
    }
}
