//! How many sources a machine has room for.
//!
//! A simple rule that errs on the safe side: what a source costs is what those of this machine cost on average, once one runs, and
//! an estimate before. Four fifths of the cores may be used. While the engine throttles a source, there is no room at all.

use std::time::Duration;

use crate::model::{EngineSnapshot, Overload, SourceState};

/// What a source costs as long as nothing was measured, in cores.
const ESTIMATE: f32 = 0.25;

/// Least that a source is taken to cost, in cores: nobody is in front of most cameras at night.
const LEAST: f32 = 0.05;

/// Share of the cores that may be used.
const USABLE: f32 = 0.8;

/// Most sources of a fleet on one node.
const MOST: usize = 1_000;

/// For so long after it has handed a source over a node has no room.
pub const NO_ROOM: Duration = Duration::from_mins(5);

/// Why this machine has too much to do, while it has.
#[must_use]
pub fn overload(snapshot: &EngineSnapshot) -> Option<&'static str> {
    let throttled = snapshot.sources.iter().find_map(|source| source.throttled_by);
    let waits = || snapshot.sources.iter().any(|source| matches!(source.state, SourceState::Queued));
    throttled.map(Overload::words).or_else(|| waits().then_some("a source waits for memory or an open slot"))
}

/// What is known of a machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// Cores that the program may use.
    pub cores: usize,
    /// Cores that it uses.
    pub used: f32,
    /// Sources that run.
    pub running: usize,
    /// Sources that were taken and do not run yet: what they cost is not in `used`.
    pub starting: usize,
    /// Whether a source gets less than it wants.
    pub is_throttled: bool,
}

impl Load {
    /// That of the engine of this machine.
    #[must_use]
    pub fn of(snapshot: &EngineSnapshot, cores: usize) -> Self {
        let count =
            |is: fn(&SourceState) -> bool| snapshot.sources.iter().filter(|source| is(&source.state)).count();
        Self {
            cores,
            used: snapshot.cpu,
            running: count(|state| matches!(state, SourceState::Running)),
            starting: count(|state| matches!(state, SourceState::Connecting | SourceState::Queued)),
            is_throttled: snapshot.sources.iter().any(|source| source.throttled_by.is_some()),
        }
    }

    /// How many more sources it has room for.
    #[must_use]
    pub fn room(&self) -> usize {
        if self.is_throttled {
            return 0;
        }
        let cost = if self.running == 0 {
            ESTIMATE
        } else {
            // While models are loaded the first sources seem to cost much more than they will.
            (self.used / self.running as f32).clamp(LEAST, ESTIMATE * 4.0)
        };
        let free = self.cores as f32 * USABLE - self.used - self.starting as f32 * cost;
        let room = (free / cost).floor().clamp(0.0, MOST as f32) as usize;
        // A machine of one core counts as well.
        if self.running + self.starting == 0 { room.max(1) } else { room }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Load = Load { cores: 4, used: 0.0, running: 0, starting: 0, is_throttled: false };

    #[test]
    fn room_is_estimated_at_first_and_then_follows_what_sources_cost() {
        assert_eq!(IDLE.room(), 12);
        assert_eq!(Load { starting: 12, ..IDLE }.room(), 0);
        assert_eq!(Load { running: 4, used: 0.4, ..IDLE }.room(), 28);
        assert_eq!(Load { running: 4, used: 3.0, ..IDLE }.room(), 0);
        assert_eq!(Load { running: 2, used: 2.0, ..IDLE }.room(), 1);
    }

    #[test]
    fn a_machine_that_is_throttled_has_no_room_and_the_smallest_has_some() {
        assert_eq!(Load { is_throttled: true, ..IDLE }.room(), 0);
        assert_eq!(Load { cores: 1, used: 0.9, ..IDLE }.room(), 1);
        assert_eq!(Load { cores: 1, used: 0.9, running: 1, ..IDLE }.room(), 0);
    }
}
