//! Plays a recorded or drawn source at its own speed, as if it were a camera.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Frame, FrameSource, Interrupt, SourceError, StreamInfo};
use crate::clock::Clock;

/// Furthest that the playback may be behind, and ahead, before it starts afresh from now. A source that sleeps gives its
/// next frame two seconds ahead.
const MAX_LAG: Duration = Duration::from_secs(1);
const MAX_AHEAD: Duration = Duration::from_secs(3);

/// Gives each frame of `S` out when it is due, and calls itself live: frames not taken are lost.
pub struct Paced<S> {
    inner: S,
    /// When media time 0 was or would have been.
    start: Option<Instant>,
    released: Instant,
    /// Media time of the frame before the last one, in seconds.
    before: f64,
    interrupt: Interrupt,
    clock: Arc<dyn Clock>,
    /// Whether it is behind because the source gave what it had kept.
    is_late: bool,
}

impl<S: FrameSource> Paced<S> {
    /// Plays `inner` by `clock`, from its first frame on, until `interrupt` is set.
    #[must_use]
    pub fn new(inner: S, interrupt: Interrupt, clock: Arc<dyn Clock>) -> Self {
        Self { inner, start: None, released: clock.now(), before: 0.0, interrupt, clock, is_late: false }
    }
}

/// When `media` seconds are due after `start`.
fn due(start: Instant, media: f64) -> Option<Instant> {
    Some(start + Duration::try_from_secs_f64(media).ok()?)
}

/// How long to wait until `media` seconds are due after `start`; `None` when the playback is so far off
/// that it should start afresh.
fn wait(start: Instant, media: f64, now: Instant) -> Option<Duration> {
    let due = due(start, media)?;
    let ahead = due.saturating_duration_since(now);
    let behind = now.saturating_duration_since(due);
    (ahead <= MAX_AHEAD && behind <= MAX_LAG).then_some(ahead)
}

impl<S: FrameSource> FrameSource for Paced<S> {
    fn info(&self) -> StreamInfo {
        StreamInfo { live: true, frames: None, ..self.inner.info() }
    }

    fn codec(&self) -> Option<String> {
        self.inner.codec()
    }

    fn remark(&mut self) -> Option<String> {
        self.inner.remark()
    }

    fn grab(&mut self) -> Result<bool, SourceError> {
        self.before = self.inner.time();
        if !self.inner.grab()? {
            return Ok(false);
        }
        let media = self.inner.time();
        let now = self.clock.now();
        // What was kept while it slept is late, and comes as fast as it is taken, as does what follows.
        let is_behind = self.start.is_some_and(|start| due(start, media).is_some_and(|due| due < now));
        self.is_late = is_behind && (self.is_late || self.inner.is_owed());
        if self.is_late {
            self.released = now;
            return Ok(true);
        }
        match self.start.and_then(|start| wait(start, media, now)) {
            Some(ahead) => self.interrupt.rest_until(self.clock.as_ref(), now + ahead)?,
            None => self.start = now.checked_sub(Duration::try_from_secs_f64(media).unwrap_or_default()),
        }
        self.released = self.clock.now();
        Ok(true)
    }

    fn is_owed(&self) -> bool {
        self.inner.is_owed()
    }

    fn can_sleep(&self) -> bool {
        self.inner.can_sleep()
    }

    fn sleep(&mut self, allowed: bool) {
        self.inner.sleep(allowed);
    }

    fn is_asleep(&self) -> bool {
        self.inner.is_asleep()
    }

    fn wake(&mut self) {
        self.inner.wake();
    }

    fn stay_asleep(&mut self) -> u64 {
        self.inner.stay_asleep()
    }

    fn is_regular(&self) -> bool {
        self.inner.is_regular()
    }

    fn due(&self) -> Option<Instant> {
        let media = self.inner.time();
        let next = media + (media - self.before).max(0.0);
        Some(self.start? + Duration::try_from_secs_f64(next).ok()?)
    }

    fn time(&self) -> f64 {
        self.inner.time()
    }

    fn retrieve(&mut self, working_size: &dyn Fn(u32, u32) -> (u32, u32)) -> Result<Frame, SourceError> {
        let mut frame = self.inner.retrieve(working_size)?;
        frame.captured = self.released;
        Ok(frame)
    }
}

#[cfg(test)]
mod tests {
    use std::{thread, time::SystemTime};

    use crossbeam_channel::{Sender, bounded};

    use super::*;
    use crate::clock::{ManualClock, SystemClock};

    #[test]
    fn frames_wait_until_they_are_due_and_late_ones_do_not() {
        let start = Instant::now();
        let at = |seconds: f64| start + Duration::from_secs_f64(seconds);
        assert_eq!(wait(start, 0.5, at(0.25)), Some(Duration::from_millis(250)));
        assert_eq!(wait(start, 0.5, at(0.75)), Some(Duration::ZERO));
    }

    /// Frames with these media times, in seconds.
    struct Times(Vec<f64>, usize);

    impl FrameSource for Times {
        fn info(&self) -> StreamInfo {
            StreamInfo { size: (64, 48), fps: None, live: false, frames: None }
        }
        fn grab(&mut self) -> Result<bool, SourceError> {
            self.1 += 1;
            Ok(self.1 <= self.0.len())
        }
        fn time(&self) -> f64 {
            self.1.checked_sub(1).map_or(0.0, |last| self.0[last])
        }
        fn retrieve(&mut self, _: &dyn Fn(u32, u32) -> (u32, u32)) -> Result<Frame, SourceError> {
            Err(SourceError::Broken("not wanted".into()))
        }
    }

    #[test]
    fn the_next_frame_is_due_as_long_after_the_last_as_that_was_after_the_one_before() {
        let mut paced =
            Paced::new(Times(vec![0.0, 0.01, 0.03], 0), Interrupt::default(), Arc::new(SystemClock));
        assert_eq!(paced.due(), None);
        let mut due = Vec::new();
        while due.len() < 3 && paced.grab().unwrap() {
            due.push(paced.due().unwrap().saturating_duration_since(paced.start.unwrap()));
        }
        assert_eq!(due.iter().map(Duration::as_millis).collect::<Vec<_>>(), [0, 20, 50]);
    }

    /// An hour at 25 frames a second.
    #[test]
    fn an_hour_is_paced_without_waiting_for_it() {
        let clock = Arc::new(ManualClock::default());
        let times: Vec<f64> = (0..3600 * 25).map(|frame| f64::from(frame) / 25.0).collect();
        let begun = clock.now();
        let mut paced = Paced::new(Times(times, 0), Interrupt::default(), Arc::clone(&clock) as _);
        while paced.grab().unwrap() {
            let lag = (paced.released - begun).as_secs_f64() - paced.time();
            assert!(lag.abs() < 1e-6, "the frame at {} s came {lag} s late", paced.time());
        }
        assert_eq!(clock.elapsed().as_secs(), 3599);
    }

    /// It stands still, and a wait on it lasts until something else ends it.
    struct StoppedClock(Instant, Sender<()>);

    impl Clock for StoppedClock {
        fn now(&self) -> Instant {
            self.0
        }
        fn wall(&self) -> SystemTime {
            SystemTime::UNIX_EPOCH
        }
        fn uptime(&self) -> Duration {
            Duration::ZERO
        }
        fn wait(&self, _: Duration, wait: &mut dyn FnMut(Duration)) {
            self.1.send(()).unwrap();
            wait(Duration::from_hours(1));
        }
    }

    #[test]
    fn a_stop_wakes_a_source_that_waits_for_its_next_frame() {
        let (begins, waits) = bounded(1);
        let interrupt = Interrupt::default();
        let clock = Arc::new(StoppedClock(Instant::now(), begins));
        let mut paced = Paced::new(Times(vec![0.0, 2.0], 0), interrupt.clone(), clock);
        assert!(paced.grab().unwrap());
        let waiting = thread::spawn(move || paced.grab());
        waits.recv().unwrap();
        interrupt.set(true);
        assert_eq!(waiting.join().unwrap(), Err(SourceError::Interrupted));
    }

    #[test]
    fn a_playback_too_far_off_starts_afresh() {
        let start = Instant::now();
        assert_eq!(wait(start, 0.5, start + Duration::from_secs(5)), None);
        assert_eq!(wait(start, 60.0, start), None);
        assert_eq!(wait(start, f64::NAN, start), None);
    }
}
