//! When to run detectors that need frames at a steady rate, as background subtraction does: on all of them
//! while somebody is there or something moves, and for a while after; else now and then.

use super::CadenceParams;

/// Decides in which frames of one source to detect.
#[derive(Debug)]
pub struct Steady {
    /// Seconds for which motion keeps the detector running.
    hold: f64,
    /// Seconds between detection runs on a still, empty frame.
    heartbeat: f64,
    open_until: f64,
    last_detection: f64,
}

impl Steady {
    /// Before the first frame.
    #[must_use]
    pub fn new(params: &CadenceParams) -> Self {
        let (hold, heartbeat) = (params.steady_hold, params.steady_heartbeat);
        Self { hold, heartbeat, open_until: f64::NEG_INFINITY, last_detection: f64::NEG_INFINITY }
    }

    /// Whether to detect in the frame at `time`, in which somebody is or something moves (`busy`).
    pub fn is_due(&mut self, time: f64, busy: bool) -> bool {
        if busy {
            self.open_until = time + self.hold;
        }
        let due = time <= self.open_until || time >= self.last_detection + self.heartbeat;
        if due {
            self.last_detection = time;
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_frame_is_detected_from_motion_until_a_second_after_it() {
        let mut steady = Steady::new(&CadenceParams::DEFAULT);
        let looks = |steady: &mut Steady, from: u32, to: u32, busy: bool| {
            (from..to).filter(|frame| steady.is_due(f64::from(*frame) / 10.0, busy)).count()
        };
        assert_eq!(looks(&mut steady, 0, 50, false), 5, "five seconds of nothing");
        assert_eq!(looks(&mut steady, 50, 70, true), 20);
        assert_eq!(looks(&mut steady, 70, 80, false), 10, "somebody may come back");
        assert_eq!(looks(&mut steady, 80, 100, false), 2);
    }
}
