//! Which frames of a source are handed to the workers, by the source's own clock, so that the choice is the
//! same on every run.

use parking_lot::{Condvar, Mutex};

use crate::config::Cadence;

/// Share of a frame interval by which a frame may come early and still be taken, so that a rate which
/// divides the stream's is met exactly in spite of rounded time stamps.
const EARLY: f64 = 1e-3;

/// Seconds between frames wanted before the first answer of a worker.
pub const FIRST_INTERVAL: f64 = 1.0 / 15.0;

/// What a worker wants of the frames to come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrameRequest {
    /// Seconds between the last frame and the next.
    pub interval: f64,
    /// Times the usual width and height that frames should have, where the stream's are large enough.
    pub enlarged: f32,
    /// What goes on in the last frame.
    pub activity: Activity,
}

/// What goes on in front of a camera, as far as it decides whether the camera may sleep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Activity {
    /// Nobody watches for it: a rate is set.
    #[default]
    Unwatched,
    /// Somebody is there.
    People,
    /// Something moves, or did a moment ago.
    Motion,
    /// Nobody is there and nothing has moved for a while.
    Nothing,
}

impl FrameRequest {
    /// Before the first answer.
    pub const FIRST: Self = Self { interval: FIRST_INTERVAL, enlarged: 1.0, activity: Activity::Motion };
}

/// `usual` (width, height) times `enlarged`, but no larger than the stream's frame `full` of the same aspect.
#[must_use]
pub fn enlarged_to(usual: (u32, u32), full: (u32, u32), enlarged: f32) -> (u32, u32) {
    let [width, height] = [usual.0, usual.1].map(|side| (side as f32 * enlarged).round() as u32);
    if width < full.0 && height < full.1 { (width, height) } else { full }
}

/// Shares (0..=1) of its rates that a live source gets; below 1 under overload.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateShares {
    /// Of the detections.
    pub detections: f64,
    /// Of the frames handed to the workers.
    pub frames: f64,
}

impl RateShares {
    /// Everything.
    pub const WHOLE: Self = Self { detections: 1.0, frames: 1.0 };
}

/// Longest that overload makes a source wait between two frames which it would have given without, in seconds:
/// nobody walks through a frame unseen.
const LONGEST: f64 = 0.5;

/// Chooses frames by time.
#[derive(Debug)]
pub struct Pacer {
    cadence: Cadence,
    /// Frames passed over since the last one taken.
    skipped: u32,
    /// When the last frame was due that was taken.
    last: f64,
}

impl Pacer {
    /// Takes the first frame it is asked about.
    #[must_use]
    pub fn new(cadence: Cadence) -> Self {
        Self { cadence, skipped: 0, last: f64::NEG_INFINITY }
    }

    /// Whether the last frame of a file is wanted in any case: where somebody went who walks at the end is decided by
    /// where they are seen last. A rate that was set is kept to.
    #[must_use]
    pub fn wants_last(&self) -> bool {
        self.cadence == Cadence::Auto
    }

    /// Whether the frame at `time` (seconds) is wanted. `interval` tells how many seconds are to lie between frames, which is
    /// heeded where the cadence is automatic; it is asked in any case, for with it goes how large they are to be. `shares` make
    /// every rate rarer under overload.
    pub fn wants(&mut self, time: f64, shares: RateShares, interval: impl FnOnce() -> f64) -> bool {
        let share = shares.detections * shares.frames;
        let needed = interval();
        let interval = match self.cadence {
            Cadence::SkipFrames(skip) => {
                // At half the share every frame taken stands for twice as many.
                let every = ((f64::from(skip) + 1.0) / share.clamp(0.01, 1.0)).round();
                let late = self.skipped >= skip && time - self.last >= LONGEST;
                let wanted = self.last.is_infinite() || f64::from(self.skipped) + 1.0 >= every || late;
                (self.skipped, self.last) = if wanted { (0, time) } else { (self.skipped + 1, self.last) };
                return wanted;
            }
            // The workers heed the share of detections themselves: they know where it does harm.
            Cadence::Auto => longest(needed, shares.frames),
            Cadence::DetectFps(rate) => longest(1.0 / rate, share),
        };
        if time < self.last + interval * (1.0 - EARLY) {
            return false;
        }
        // From the plan, not from this frame: the rate is met on average whatever the stream's own rate is.
        self.last = if time - self.last > 2.0 * interval { time } else { self.last + interval };
        true
    }
}

/// `interval` at this share, but no longer than [`LONGEST`] because of it.
fn longest(interval: f64, share: f64) -> f64 {
    (interval / share.clamp(0.01, 1.0)).min(interval.max(LONGEST))
}

/// What the capture thread is to heed: how soon the next frame is wanted, and how large, which the worker says after each
/// frame; what overload leaves of its rates, and whether somebody watches.
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
    latest: FrameRequest,
    before: FrameRequest,
    shares: RateShares,
    is_watched: bool,
    closed: bool,
}

impl Default for Answers {
    fn default() -> Self {
        Self {
            count: 0,
            latest: FrameRequest::FIRST,
            before: FrameRequest::FIRST,
            shares: RateShares::WHOLE,
            is_watched: false,
            closed: false,
        }
    }
}

impl Demand {
    /// The worker is done with a frame and wants this of the next.
    pub fn answer(&self, request: FrameRequest) {
        let mut answers = self.answers.lock();
        answers.count += 1;
        answers.before = std::mem::replace(&mut answers.latest, request);
        drop(answers);
        self.changed.notify_all();
    }

    /// The latest answer.
    #[must_use]
    pub fn latest(&self) -> FrameRequest {
        self.answers.lock().latest
    }

    /// From now on a live source gets these shares of its rates.
    pub fn set_shares(&self, shares: RateShares) {
        self.answers.lock().shares = shares;
    }

    /// The shares in force, and the latest answer.
    #[must_use]
    pub fn shares(&self) -> (RateShares, FrameRequest) {
        let answers = self.answers.lock();
        (answers.shares, answers.latest)
    }

    /// Whether somebody watches the preview from now on.
    pub fn set_watched(&self, watched: bool) {
        self.answers.lock().is_watched = watched;
    }

    /// The latest answer, and whether somebody watches the preview.
    #[must_use]
    pub fn attention(&self) -> (FrameRequest, bool) {
        let answers = self.answers.lock();
        (answers.latest, answers.is_watched)
    }

    /// The answer to the frame before the last one, where `delivered` frames were handed over so
    /// far and no more than two of them are unanswered. Waits for it unless closed.
    #[must_use]
    pub fn settled(&self, delivered: u64) -> FrameRequest {
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

    fn request(interval: f64) -> FrameRequest {
        FrameRequest { interval, ..FrameRequest::FIRST }
    }

    fn looks(cadence: Cadence, fps: f64, seconds: f64) -> usize {
        let mut pacer = Pacer::new(cadence);
        (0..(fps * seconds) as usize)
            .filter(|i| pacer.wants(*i as f64 / fps, RateShares::WHOLE, || 0.25))
            .count()
    }

    #[test]
    fn the_rate_is_met_whatever_the_frame_rate() {
        for fps in [15.0, 24.0, 25.0, 29.97, 30.0, 50.0, 60.0] {
            let count = looks(Cadence::DetectFps(10.0), fps, 60.0);
            assert!((595..=605).contains(&count), "{count} looks in a minute at {fps} fps");
            let count = looks(Cadence::Auto, fps, 60.0);
            assert!((238..=241).contains(&count), "{count} looks in a minute at {fps} fps");
        }
        assert_eq!(looks(Cadence::DetectFps(10.0), 7.0, 60.0), 420, "a slow stream gets all frames");
        assert_eq!(looks(Cadence::DetectFps(15.0), 30.0, 10.0), 150);
        assert_eq!(looks(Cadence::SkipFrames(0), 25.0, 4.0), 100);
        assert_eq!(looks(Cadence::SkipFrames(4), 25.0, 4.0), 20);
    }

    #[test]
    fn a_throttled_source_that_skips_frames_skips_more() {
        let taken = |cadence, looks, frames| {
            let (mut pacer, shares) = (Pacer::new(cadence), RateShares { detections: looks, frames });
            (0..1000).filter(|i| pacer.wants(f64::from(*i) / 25.0, shares, || 0.2)).count()
        };
        assert_eq!(taken(Cadence::SkipFrames(1), 0.5, 1.0), 250);
        assert_eq!(taken(Cadence::SkipFrames(1), 0.5, 0.5), 125);
        assert_eq!(taken(Cadence::DetectFps(10.0), 0.5, 0.5), 100);
        assert_eq!(taken(Cadence::Auto, 0.2, 1.0), 200, "the workers heed it");
        assert_eq!(taken(Cadence::Auto, 0.2, 0.5), 100);
        // Twice a second in any case, unless that is more than was asked for.
        for (cadence, least) in [
            (Cadence::SkipFrames(1), 75..=80),
            (Cadence::DetectFps(10.0), 75..=80),
            (Cadence::Auto, 75..=80),
            (Cadence::SkipFrames(49), 20..=20),
            (Cadence::DetectFps(0.5), 20..=20),
        ] {
            let count = taken(cadence, 0.05, 0.05);
            assert!(least.contains(&count), "{cadence:?}: {count} in 40 s");
        }
    }

    #[test]
    fn pictures_are_enlarged_as_far_as_the_stream_has_pixels() {
        const USUAL: (u32, u32) = (416, 234);
        assert_eq!(enlarged_to(USUAL, (1920, 1080), 1.5), (624, 351));
        assert_eq!(enlarged_to(USUAL, (480, 270), 1.25), (480, 270));
        assert_eq!(enlarged_to(USUAL, USUAL, 1.0), USUAL);
    }

    #[test]
    fn a_file_heeds_the_frame_before_the_last_whether_the_worker_is_fast_or_slow() {
        let (fast, slow) = (Demand::default(), Demand::default());
        for demand in [&fast, &slow] {
            demand.answer(request(0.1));
            demand.answer(request(0.2));
        }
        fast.answer(request(0.3));
        assert_eq!(fast.settled(3), request(0.2));
        assert_eq!(slow.settled(3), request(0.2));
        assert_eq!(fast.latest(), request(0.3));
    }

    #[test]
    fn nothing_is_waited_for_before_the_first_answer_or_after_the_end() {
        let demand = Demand::default();
        assert_eq!(demand.settled(0), FrameRequest::FIRST);
        assert_eq!(demand.settled(1), FrameRequest::FIRST);
        demand.close();
        assert_eq!(demand.settled(9), FrameRequest::FIRST);
    }

    #[test]
    fn a_file_waits_for_the_answer() {
        let demand = Demand::default();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| demand.settled(2));
            demand.answer(request(0.4));
            assert_eq!(waiting.join().unwrap(), request(0.4));
        });
    }
}
