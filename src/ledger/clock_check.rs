//! Whether the wall clock is reliable: it is compared with the time since the machine started, which nobody
//! sets. Pure.

use std::time::{Duration, SystemTime};

use crate::clock::Clock;

/// A difference between both clocks from which the wall clock was set, in milliseconds.
pub const JUMP: i64 = 60_000;

/// Retention waits until the wall clock ran like the other one for this long while the program ran, in milliseconds.
pub const STEADY: i64 = 24 * 3_600_000;

/// After this long without a trace, over a restart of the machine, the clock is checked again, in milliseconds.
const LONG_PAUSE: i64 = 3 * 24 * 3_600_000;

/// What such a check takes, in milliseconds.
const SECOND_LOOK: i64 = 6 * 3_600_000;

/// Clocks drift by less than this part of the time.
const DRIFT: i64 = 1000;

/// A longer time between two checks was not spent running, in milliseconds.
const LOOKS: i64 = 60_000;

/// Both clocks at one moment, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockReading {
    /// Since the Unix epoch, as the wall clock says.
    pub wall: i64,
    /// Since the machine started, sleep included.
    pub uptime: i64,
}

impl ClockReading {
    /// Now.
    pub fn now(clock: &dyn Clock) -> Self {
        Self::of(clock.wall(), clock.uptime())
    }

    /// The moment at which the clocks showed this.
    pub fn of(wall: SystemTime, uptime: Duration) -> Self {
        let uptime = i64::try_from(uptime.as_millis()).unwrap_or(i64::MAX);
        Self { wall: millis(wall), uptime }
    }

    fn offset(self) -> i64 {
        self.wall - self.uptime
    }
}

/// Milliseconds since the Unix epoch, the ledger's wall time.
pub fn millis(wall: SystemTime) -> i64 {
    jiff::Timestamp::try_from(wall).map_or(0, jiff::Timestamp::as_millisecond)
}

/// The wall clock was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jump {
    /// What it would have shown.
    pub before: i64,
    /// What it showed.
    pub after: i64,
    /// When, by the other clock.
    pub uptime: i64,
}

/// What the ledger remembers of the clocks from run to run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Memory {
    /// Which start of the machine; empty where the system does not tell.
    pub boot: String,
    /// Wall clock less time since that start.
    pub offset: i64,
    /// How long the program ran since the wall clock was last set.
    pub ran: i64,
    /// [`Self::ran`] when retention last began to delete.
    pub cleaned: Option<i64>,
    /// The wall clock when this was written.
    pub seen: i64,
}

/// Follows both clocks.
#[derive(Debug)]
pub struct Steadiness {
    boot: String,
    last: ClockReading,
    /// Wall clock less the other one, as it should be.
    offset: i64,
    ran: i64,
    cleaned: Option<i64>,
}

impl Steadiness {
    /// Of a clock that nothing is known of yet.
    pub fn new(boot: String, now: ClockReading) -> Self {
        Self { boot, last: now, offset: now.offset(), ran: 0, cleaned: None }
    }

    /// Goes on from an earlier run; tells if the clock was set between the two.
    pub fn resume(&mut self, before: &Memory, now: ClockReading) -> Option<Jump> {
        let jump = |expected: i64| Jump { before: expected, after: now.wall, uptime: now.uptime };
        if !before.boot.is_empty() && before.boot == self.boot {
            let expected = now.uptime + before.offset;
            let slack = JUMP + (now.wall - before.seen).abs().min((expected - before.seen).abs()) / DRIFT;
            if (now.wall - expected).abs() > slack {
                return Some(jump(expected));
            }
        } else if now.wall < before.seen - JUMP {
            return Some(jump(before.seen));
        }
        let mut ran = before.ran;
        if before.boot != self.boot && now.wall - before.seen > LONG_PAUSE {
            ran = ran.min(STEADY - SECOND_LOOK);
        }
        self.ran = self.ran.saturating_add(ran);
        self.cleaned = before.cleaned.filter(|cleaned| *cleaned <= self.ran);
        None
    }

    /// Compares both clocks; tells if the wall clock was set since the last time.
    pub fn observe(&mut self, now: ClockReading) -> Option<Jump> {
        let passed = now.uptime - self.last.uptime;
        if passed < 0 {
            // Moments of several threads may come in another order.
            return None;
        }
        self.last = now;
        let off = now.offset() - self.offset;
        if off.abs() > JUMP {
            let jump = Jump { before: now.uptime + self.offset, after: now.wall, uptime: now.uptime };
            self.offset = now.offset();
            (self.ran, self.cleaned) = (0, None);
            return Some(jump);
        }
        // Follows what drifts, so that only what is set adds up.
        let slack = passed / DRIFT + 1;
        self.offset += off.clamp(-slack, slack);
        if passed <= LOOKS {
            self.ran += passed;
        }
        None
    }

    /// Whether it ran steadily for long enough to delete by it.
    pub fn is_steady(&self) -> bool {
        self.ran >= STEADY
    }

    /// How long the program has run since the last jump, in milliseconds.
    pub fn ran(&self) -> i64 {
        self.ran
    }

    /// [`Self::ran`] when [`Self::clean`] was last called, unless the clock was set since.
    pub fn cleaned(&self) -> Option<i64> {
        self.cleaned
    }

    /// Notes that retention begins to delete.
    pub fn clean(&mut self) {
        self.cleaned = Some(self.ran);
    }

    /// What the next run needs to know.
    pub fn memory(&self) -> Memory {
        Memory {
            boot: self.boot.clone(),
            offset: self.offset,
            ran: self.ran,
            cleaned: self.cleaned,
            seen: self.last.wall,
        }
    }
}

/// Names this start of the machine; empty where the system does not tell.
pub fn boot() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;
    const DAY: i64 = 24 * HOUR;
    const NOW: i64 = 1_790_000_000_000;

    fn steadiness() -> Steadiness {
        Steadiness::new("one".into(), ClockReading { wall: NOW, uptime: 0 })
    }

    /// Runs for `time`, looking every second, while the wall clock is `off`.
    fn run(clock: &mut Steadiness, time: i64, off: i64) -> Vec<Jump> {
        let begun = clock.last.uptime;
        let look = |at: i64| ClockReading { wall: NOW + at + off, uptime: at };
        (begun / 1000 + 1..=(begun + time) / 1000).filter_map(|s| clock.observe(look(s * 1000))).collect()
    }

    #[test]
    fn a_clock_is_steady_after_a_day_and_not_after_it_was_set() {
        let mut clock = steadiness();
        assert_eq!(run(&mut clock, DAY - 1000, 0), []);
        assert!(!clock.is_steady());
        assert_eq!(run(&mut clock, 1000, 0), []);
        assert!(clock.is_steady());
        let jumps = run(&mut clock, 4000, 400 * DAY);
        assert_eq!(jumps.len(), 1);
        assert_eq!(jumps[0].after - jumps[0].before, 400 * DAY);
        assert!(!clock.is_steady());
        assert_eq!(run(&mut clock, DAY - 1000, 0).len(), 1);
        assert!(!clock.is_steady());
    }

    #[test]
    fn drift_and_leap_seconds_are_no_jumps_and_small_steps_add_up_to_one() {
        let mut clock = steadiness();
        for hour in 0..48 {
            // Half a second an hour, and a second in the middle.
            assert_eq!(run(&mut clock, HOUR, hour * 500 + i64::from(hour > 24) * 1000), []);
        }
        assert!(clock.is_steady());
        let mut clock = steadiness();
        let jumps: usize = (1..=4).map(|step| run(&mut clock, 2000, step * 20_000).len()).sum();
        assert_eq!(jumps, 1, "four steps of 20 s within 8 s");
    }

    #[test]
    fn time_asleep_is_no_jump_and_not_spent_running() {
        let mut clock = steadiness();
        run(&mut clock, HOUR, 0);
        let woken = clock.last.uptime + 10 * HOUR;
        assert_eq!(clock.observe(ClockReading { wall: NOW + woken, uptime: woken }), None);
        assert_eq!(clock.memory().ran, HOUR);
    }

    fn after(before: &Memory, boot: &str, now: ClockReading) -> (Option<Jump>, Steadiness) {
        let mut clock = Steadiness::new(boot.into(), now);
        (clock.resume(before, now), clock)
    }

    #[test]
    fn a_program_that_is_restarted_every_night_gets_there_too() {
        let mut memory = Memory::default();
        for night in 0..3 {
            let now = ClockReading { wall: NOW + night * DAY, uptime: 0 };
            let boot = format!("boot {night}");
            let mut clock = Steadiness::new(boot, now);
            assert_eq!(if night > 0 { clock.resume(&memory, now) } else { None }, None);
            for second in 1..=8 * 3600 {
                clock.observe(ClockReading { wall: now.wall + second * 1000, uptime: second * 1000 });
            }
            assert_eq!(clock.is_steady(), night == 2);
            memory = clock.memory();
        }
    }

    #[test]
    fn a_clock_set_between_two_runs_is_seen() {
        let memory =
            Memory { boot: "one".into(), offset: NOW, ran: 2 * DAY, cleaned: None, seen: NOW + HOUR };
        let at = |wall: i64, uptime: i64| ClockReading { wall: NOW + wall, uptime };
        let steady = |boot, now| after(&memory, boot, now).1.is_steady();
        let jump = |boot, now| after(&memory, boot, now).0.map(|jump| jump.after - jump.before);
        assert_eq!(jump("one", at(9 * DAY, 9 * DAY)), None, "nine days in which it did not run");
        assert!(steady("one", at(9 * DAY, 9 * DAY)));
        assert_eq!(jump("one", at(400 * DAY, 2 * HOUR)), Some(400 * DAY - 2 * HOUR));
        assert!(!steady("one", at(400 * DAY, 2 * HOUR)));
        assert_eq!(jump("two", at(-10 * DAY, 0)), Some(-10 * DAY - HOUR), "a start ten days back");
        assert!(steady("two", at(DAY, 0)), "a night without power");
        let (jump, mut clock) = after(&memory, "two", at(30 * DAY, 1000));
        assert!(jump.is_none() && !clock.is_steady(), "a month without power, or a wrong clock");
        for second in 1..=SECOND_LOOK / 1000 {
            clock.observe(at(30 * DAY + second * 1000, 1000 + second * 1000));
        }
        assert!(clock.is_steady());
    }
}
