//! Which frames of a source are handed to the workers, by the source's own clock, so that the choice is the
//! same on every run.

use parking_lot::{Condvar, Mutex};

use crate::config::Cadence;

/// Share of a frame interval by which a frame may come early and still be taken, so that a rate which
/// divides the stream's is met exactly in spite of rounded time stamps.
const EARLY: f64 = 1e-3;

/// Seconds between frames wanted before the first answer of a worker.
pub const FIRST_INTERVAL: f64 = 1.0 / 15.0;

/// Chooses frames by time.
#[derive(Debug)]
pub struct Pacer {
    cadence: Cadence,
    skip: u32,
    /// When the last frame was due that was taken.
    last: f64,
}

impl Pacer {
    /// Takes the first frame it is asked about.
    #[must_use]
    pub fn new(cadence: Cadence) -> Self {
        Self { cadence, skip: 0, last: f64::NEG_INFINITY }
    }

    /// Whether the frame at `time` (seconds) is wanted. `interval` tells, where the cadence is automatic, how
    /// many seconds are to lie between frames; `share` (0..=1) makes every rate rarer under overload.
    pub fn wants(&mut self, time: f64, share: f64, interval: impl FnOnce() -> f64) -> bool {
        let interval = match self.cadence {
            Cadence::SkipFrames(skip) => {
                let wanted = self.skip == 0;
                // At half the share every frame taken stands for twice as many.
                let every = (f64::from(skip) + 1.0) / share.clamp(0.01, 1.0);
                self.skip = if wanted { every.round() as u32 - 1 } else { self.skip - 1 };
                return wanted;
            }
            // The workers heed the share themselves: they know where it does harm.
            Cadence::Auto => interval(),
            Cadence::DetectFps(rate) => 1.0 / (rate * share),
        };
        if time < self.last + interval * (1.0 - EARLY) {
            return false;
        }
        // From the plan, not from this frame: the rate is met on average whatever the stream's own rate is.
        self.last = if time - self.last > 2.0 * interval { time } else { self.last + interval };
        true
    }
}

/// How soon the next frame is wanted: said by the worker after each frame, heeded by the capture thread.
///
/// A live source heeds the latest answer. A file heeds the answer to the frame before the last one, and waits
/// for it: so reading and detecting overlap and the choice of frames is still the same on every run.
#[derive(Debug, Default)]
pub struct Demand {
    answers: Mutex<Answers>,
    changed: Condvar,
}

#[derive(Debug)]
struct Answers {
    count: u64,
    latest: f64,
    before: f64,
    closed: bool,
}

impl Default for Answers {
    fn default() -> Self {
        Self { count: 0, latest: FIRST_INTERVAL, before: FIRST_INTERVAL, closed: false }
    }
}

impl Demand {
    /// The worker is done with a frame and wants the next one `interval` seconds after it.
    pub fn answer(&self, interval: f64) {
        let mut answers = self.answers.lock();
        answers.count += 1;
        answers.before = std::mem::replace(&mut answers.latest, interval);
        drop(answers);
        self.changed.notify_all();
    }

    /// The latest answer, in seconds.
    #[must_use]
    pub fn latest(&self) -> f64 {
        self.answers.lock().latest
    }

    /// The answer to the frame before the last one, in seconds, where `delivered` frames were handed over so
    /// far and no more than two of them are unanswered. Waits for it unless closed.
    #[must_use]
    pub fn settled(&self, delivered: u64) -> f64 {
        let mut answers = self.answers.lock();
        while answers.count + 1 < delivered && !answers.closed {
            self.changed.wait(&mut answers);
        }
        if answers.count >= delivered { answers.before } else { answers.latest }
    }

    /// Lets nobody wait any more: the source is stopped.
    pub fn close(&self) {
        self.answers.lock().closed = true;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks(cadence: Cadence, fps: f64, seconds: f64) -> usize {
        let mut pacer = Pacer::new(cadence);
        (0..(fps * seconds) as usize).filter(|i| pacer.wants(*i as f64 / fps, 1.0, || 0.25)).count()
    }

    #[test]
    fn the_rate_is_met_whatever_the_frame_rate() {
        for fps in [15.0, 24.0, 25.0, 29.97, 30.0, 50.0, 60.0] {
            let count = looks(Cadence::DetectFps(10.0), fps, 60.0);
            assert!((595..=605).contains(&count), "{count} looks in a minute at {fps} fps");
            let count = looks(Cadence::Auto, fps, 60.0);
            assert!((238..=241).contains(&count), "{count} looks in a minute at {fps} fps");
        }
        assert_eq!(looks(Cadence::DetectFps(10.0), 7.0, 60.0), 420, "a slow stream is looked at whole");
        assert_eq!(looks(Cadence::DetectFps(15.0), 30.0, 10.0), 150);
        assert_eq!(looks(Cadence::SkipFrames(0), 25.0, 4.0), 100);
        assert_eq!(looks(Cadence::SkipFrames(4), 25.0, 4.0), 20);
    }

    #[test]
    fn a_throttled_source_that_skips_frames_skips_more() {
        let mut pacer = Pacer::new(Cadence::SkipFrames(1));
        let taken = (0..1000).filter(|i| pacer.wants(f64::from(*i) / 25.0, 0.5, || 1.0)).count();
        assert_eq!(taken, 250);
    }

    #[test]
    fn a_file_heeds_the_frame_before_the_last_whether_the_worker_is_fast_or_slow() {
        let (fast, slow) = (Demand::default(), Demand::default());
        for demand in [&fast, &slow] {
            demand.answer(0.1);
            demand.answer(0.2);
        }
        fast.answer(0.3);
        assert_eq!(fast.settled(3), 0.2);
        assert_eq!(slow.settled(3), 0.2);
        assert_eq!(fast.latest(), 0.3);
    }

    #[test]
    fn nothing_is_waited_for_before_the_first_answer_or_after_the_end() {
        let demand = Demand::default();
        assert_eq!(demand.settled(0), FIRST_INTERVAL);
        assert_eq!(demand.settled(1), FIRST_INTERVAL);
        demand.close();
        assert_eq!(demand.settled(9), FIRST_INTERVAL);
    }

    #[test]
    fn a_file_waits_for_the_answer() {
        let demand = Demand::default();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| demand.settled(2));
            demand.answer(0.4);
            assert_eq!(waiting.join().unwrap(), 0.4);
        });
    }
}
