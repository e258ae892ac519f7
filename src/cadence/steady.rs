//! When to look for detectors that need pictures at a steady rate, as background subtraction does: at all of them
//! while somebody is there or something moves, and for a while after; else now and then.

/// Decides when one source is looked at.
#[derive(Debug)]
pub struct Steady {
    open_until: f64,
    last_look: f64,
}

impl Default for Steady {
    fn default() -> Self {
        Self { open_until: f64::NEG_INFINITY, last_look: f64::NEG_INFINITY }
    }
}

impl Steady {
    /// Seconds for which movement keeps it looking.
    const HOLD: f64 = 1.0;
    /// Seconds between looks at a still, empty picture.
    const HEARTBEAT: f64 = 1.0;

    /// Whether the picture at `time`, in which somebody is or something moves (`busy`), must be looked at.
    pub fn is_due(&mut self, time: f64, busy: bool) -> bool {
        if busy {
            self.open_until = time + Self::HOLD;
        }
        let due = time <= self.open_until || time >= self.last_look + Self::HEARTBEAT;
        if due {
            self.last_look = time;
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_pictures_are_looked_at_from_movement_until_a_second_after_it() {
        let mut steady = Steady::default();
        let looks = |steady: &mut Steady, from: u32, to: u32, busy: bool| {
            (from..to).filter(|frame| steady.is_due(f64::from(*frame) / 10.0, busy)).count()
        };
        assert_eq!(looks(&mut steady, 0, 50, false), 5, "five seconds of nothing");
        assert_eq!(looks(&mut steady, 50, 70, true), 20);
        assert_eq!(looks(&mut steady, 70, 80, false), 10, "somebody may come back");
        assert_eq!(looks(&mut steady, 80, 100, false), 2);
    }
}
