//! Notices that the program stood still.
//!
//! A thread ticks a few times a second. A gap between two ticks is time in which nothing ran: on the monotonic clock
//! where the process was stopped or frozen, on the clock that counts suspension as well where the machine slept. A
//! gap that has just ended may be seen by any thread before the one that ticks, so every caller that asks for the time looks for
//! it as well.

use std::{
    sync::Once,
    thread,
    time::{Duration, Instant, SystemTime},
};

use parking_lot::Mutex;

/// Time between two ticks.
const TICK: Duration = Duration::from_millis(250);

/// Ticks may be so far apart on a machine that is busy; what is more is a standstill.
const LONGEST: Duration = Duration::from_secs(1);

/// Standstills from this length on are worth a line in the log.
const WORTH_SAYING: Duration = Duration::from_secs(2);

/// A wall clock that leaps forward by more while the other clocks do not: it was set, or a virtual machine goes on from
/// a snapshot, and its connections are gone.
const LEAP: Duration = Duration::from_secs(5);

static WATCH: Mutex<Watch> = Mutex::new(Watch { last: None, stood: Duration::ZERO, awoke: None });

/// Monotonic time in which the program ran: that of [`Instant::now`] without what it stood still.
#[must_use]
pub fn now() -> Instant {
    let watch = WATCH.lock();
    watch.running(Instant::now())
}

/// When, on the scale of [`now`], the program last went on after it had stood still.
#[must_use]
pub fn awoke() -> Option<Instant> {
    let watch = WATCH.lock();
    watch.awoke(Instant::now(), passed())
}

/// Time that has passed since the machine was started, suspended or not.
#[must_use]
pub fn passed() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Notices from now on when the program stands still, and says so in the log. Where the system refuses the thread for
/// it, every moment counts.
pub fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let begun = thread::Builder::new().name("clock".into()).spawn(|| {
            loop {
                let stood = WATCH.lock().tick(Instant::now(), passed(), SystemTime::now());
                if stood >= WORTH_SAYING {
                    tracing::warn!(
                        "The program did not run for {} s (stopped, frozen or suspended); nothing was \
                         counted meanwhile",
                        stood.as_secs()
                    );
                }
                thread::sleep(TICK);
            }
        });
        if let Err(error) = begun {
            tracing::warn!("Suspension of the machine or of the program cannot be noticed: {error}");
        }
    });
}

/// What the ticks have shown.
struct Watch {
    last: Option<Tick>,
    /// Time on the monotonic clock in which the program stood still.
    stood: Duration,
    awoke: Option<Instant>,
}

#[derive(Clone, Copy)]
struct Tick {
    at: Instant,
    passed: Duration,
    wall: SystemTime,
}

impl Watch {
    fn running(&self, now: Instant) -> Instant {
        // Beyond the longest gap time does not go on until there is a tick, so that it never runs backwards.
        let gap = self.last.map_or(Duration::ZERO, |last| now.saturating_duration_since(last.at));
        now.checked_sub(self.stood + gap.saturating_sub(LONGEST)).unwrap_or(now)
    }

    fn awoke(&self, now: Instant, passed: Duration) -> Option<Instant> {
        let stands = self.last.is_some_and(|last| passed.saturating_sub(last.passed) > LONGEST);
        if stands { Some(self.running(now)) } else { self.awoke }
    }

    /// Takes note of a tick and gives how long the program stood still before it.
    fn tick(&mut self, now: Instant, passed: Duration, wall: SystemTime) -> Duration {
        let Some(last) = self.last.replace(Tick { at: now, passed, wall }) else { return Duration::ZERO };
        self.stood += now.saturating_duration_since(last.at).saturating_sub(LONGEST);
        let gap = passed.saturating_sub(last.passed);
        let leap = wall.duration_since(last.wall).unwrap_or_default().saturating_sub(gap);
        if gap > LONGEST || leap > LEAP {
            self.awoke = Some(self.running(now));
        }
        if gap > LONGEST { gap } else { Duration::ZERO }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Clocks that go on together, but for what a test takes from one of them.
    struct Clocks {
        begun: Instant,
        monotonic: Duration,
        passed: Duration,
        wall: Duration,
        watch: Watch,
    }

    impl Clocks {
        fn new() -> Self {
            let watch = Watch { last: None, stood: Duration::ZERO, awoke: None };
            let (monotonic, passed, wall) = Default::default();
            // Far from the earliest moment that there is.
            Self { begun: Instant::now() + Duration::from_secs(1_000_000), monotonic, passed, wall, watch }
        }
        fn pass(&mut self, [monotonic, passed, wall]: [f64; 3]) {
            self.monotonic += Duration::from_secs_f64(monotonic);
            self.passed += Duration::from_secs_f64(passed);
            self.wall += Duration::from_secs_f64(wall);
        }
        fn tick(&mut self) -> f64 {
            let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 30) + self.wall;
            self.watch.tick(self.begun + self.monotonic, self.passed, wall).as_secs_f64()
        }
        /// Ticks for so many seconds in which everything is as usual.
        fn run(&mut self, seconds: u32) {
            for _ in 0..seconds * 4 {
                assert_eq!(self.tick(), 0.0);
                self.pass([0.25; 3]);
            }
        }
        fn now(&self) -> f64 {
            (self.watch.running(self.begun + self.monotonic) - self.begun).as_secs_f64()
        }
        fn awake_for(&self) -> Option<f64> {
            let awoke = self.watch.awoke(self.begun + self.monotonic, self.passed)?;
            Some(self.now() - (awoke - self.begun).as_secs_f64())
        }
    }

    #[test]
    fn time_in_which_the_program_was_stopped_does_not_count() {
        let mut clocks = Clocks::new();
        clocks.run(10);
        assert_eq!((clocks.now(), clocks.awake_for()), (10.0, None));
        clocks.pass([45.0; 3]);
        let before = clocks.now();
        assert!((10.0..=11.0).contains(&before), "also for a thread that wakes before the tick: {before}");
        assert_eq!(clocks.awake_for(), Some(0.0));
        assert!((45.0..46.0).contains(&clocks.tick()));
        assert!(clocks.now() >= before, "time runs backwards");
        clocks.run(5);
        assert!((15.0..=16.0).contains(&clocks.now()), "{}", clocks.now());
        assert_eq!(clocks.awake_for(), Some(5.0));
    }

    #[test]
    fn a_suspended_machine_is_noticed_though_the_monotonic_clock_stopped_with_it() {
        let mut clocks = Clocks::new();
        clocks.run(10);
        clocks.pass([0.25, 3600.0, 3600.0]);
        assert_eq!(clocks.awake_for(), Some(0.0));
        assert!(clocks.tick() >= 3600.0);
        assert!(clocks.now() < 11.0);
    }

    #[test]
    fn time_never_runs_backwards_however_late_the_ticks_are() {
        let mut clocks = Clocks::new();
        let mut last = 0.0;
        for step in 0..2000_u32 {
            if step % 7 == 0 || step % 131 > 90 {
                clocks.tick();
            }
            clocks.pass([f64::from(step % 13) * 0.05; 3]);
            assert!(clocks.now() >= last, "step {step}");
            last = clocks.now();
        }
    }

    #[test]
    fn a_machine_that_is_only_busy_does_not_stand_still_and_without_ticks_every_moment_counts() {
        let mut clocks = Clocks::new();
        clocks.run(3);
        clocks.pass([0.5; 3]);
        assert_eq!(clocks.tick(), 0.0);
        assert_eq!((clocks.now(), clocks.awake_for()), (3.5, None));
        let mut clocks = Clocks::new();
        clocks.pass([500.0; 3]);
        assert_eq!((clocks.now(), clocks.awake_for()), (500.0, None));
    }

    #[test]
    fn a_wall_clock_that_leaps_forward_may_be_a_restored_snapshot_and_one_that_is_set_back_is_not() {
        let mut clocks = Clocks::new();
        clocks.run(3);
        clocks.pass([0.25, 0.25, 600.0]);
        assert_eq!(clocks.tick(), 0.0, "it did not stand still for all that is known");
        assert_eq!(clocks.awake_for(), Some(0.0));
        let mut clocks = Clocks::new();
        clocks.run(3);
        clocks.watch.last.as_mut().unwrap().wall += Duration::from_mins(10);
        clocks.pass([0.25; 3]);
        clocks.tick();
        assert_eq!(clocks.awake_for(), None);
    }
}
