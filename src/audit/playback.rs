//! The playback position of the person who audits: played at a speed, held, stepped back.

use std::time::Instant;

/// Highest speed.
pub const FASTEST: u32 = 16;

/// Moves over a source that is read meanwhile.
#[derive(Debug, Clone)]
pub struct Playback {
    /// Seconds on the source's clock; `None` before the first picture.
    position: Option<f64>,
    /// Times the source's own speed, 1..=[`FASTEST`].
    speed: u32,
    paused: bool,
    /// Where it begins, when not with the first picture.
    from: Option<f64>,
    /// When it was moved last.
    moved: Option<Instant>,
}

impl Playback {
    /// Begins with the first picture, or at `from` seconds once that is read, at `speed`, which is limited to
    /// 1..=[`FASTEST`].
    #[must_use]
    pub fn new(speed: u32, from: Option<f64>) -> Self {
        Self { position: None, speed: speed.clamp(1, FASTEST), paused: false, from, moved: None }
    }

    /// It is `now`, and there are pictures of `span` seconds.
    pub fn advance(&mut self, now: Instant, span: Option<(f64, f64)>) {
        let passed = self.moved.map_or(0.0, |moved| now.saturating_duration_since(moved).as_secs_f64());
        self.moved = Some(now);
        let Some((oldest, read)) = span else { return };
        if let Some(from) = self.from {
            if read < from {
                // Until it is read that far, everything is passed over.
                self.position = Some(read);
                return;
            }
            (self.from, self.position) = (None, Some(from.max(oldest)));
            return;
        }
        let Some(position) = self.position else {
            self.position = Some(oldest);
            return;
        };
        let step = if self.paused { 0.0 } else { passed * f64::from(self.speed) };
        self.position = Some((position + step).min(read).max(oldest));
    }

    /// Seconds on the source's clock of what is shown.
    #[must_use]
    pub fn position(&self) -> Option<f64> {
        self.position
    }

    /// Whether it has yet to come to where it begins.
    #[must_use]
    pub fn is_seeking(&self) -> bool {
        self.from.is_some() || self.position.is_none()
    }

    /// Times the source's own speed.
    #[must_use]
    pub fn speed(&self) -> u32 {
        self.speed
    }

    /// Whether it is held.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// Holds it, or goes on.
    pub fn toggle(&mut self) {
        self.paused = !self.paused;
    }

    /// Twice as fast, or half as fast.
    pub fn change_speed(&mut self, faster: bool) {
        let speed = if faster { self.speed * 2 } else { self.speed / 2 };
        self.speed = speed.clamp(1, FASTEST);
    }

    /// Back by `seconds`, but not before `oldest`; gives how far it went.
    pub fn back(&mut self, seconds: f64, oldest: f64) -> f64 {
        let Some(position) = self.position else { return 0.0 };
        let to = (position - seconds).max(oldest.min(position));
        self.position = Some(to);
        position - to
    }

    /// Holds it at `time` seconds.
    pub fn hold_at(&mut self, time: f64) {
        (self.position, self.paused) = (Some(time), true);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn it_moves_with_the_clock_and_never_past_what_is_read() {
        let begun = Instant::now();
        let at = |seconds: f64| begun + Duration::from_secs_f64(seconds);
        let mut playback = Playback::new(4, None);
        playback.advance(at(0.0), None);
        assert!(playback.is_seeking());
        playback.advance(at(1.0), Some((5.0, 6.0)));
        assert_eq!(playback.position(), Some(5.0), "it begins with the first picture, whenever that comes");
        playback.advance(at(1.5), Some((5.0, 30.0)));
        assert_eq!(playback.position(), Some(7.0));
        playback.advance(at(9.0), Some((5.0, 10.0)));
        assert_eq!(playback.position(), Some(10.0));
        playback.toggle();
        playback.advance(at(20.0), Some((5.0, 60.0)));
        assert_eq!(playback.position(), Some(10.0));
        playback.toggle();
        playback.advance(at(20.5), Some((5.0, 60.0)));
        assert_eq!(playback.position(), Some(12.0), "the pause is not made up for");
        playback.advance(at(20.5), Some((20.0, 60.0)));
        assert_eq!(playback.position(), Some(20.0), "what is gone cannot be shown");
    }

    #[test]
    fn back_goes_as_far_as_there_are_pictures() {
        let mut playback = Playback::new(99, None);
        playback.advance(Instant::now(), Some((3.0, 20.0)));
        playback.hold_at(15.0);
        assert_eq!((playback.back(10.0, 3.0), playback.position()), (10.0, Some(5.0)));
        assert_eq!((playback.back(10.0, 3.0), playback.position()), (2.0, Some(3.0)));
        assert_eq!((playback.speed(), playback.is_paused()), (FASTEST, true));
        playback.change_speed(false);
        assert_eq!(playback.speed(), 8);
    }

    #[test]
    fn what_was_watched_before_is_passed_over() {
        let now = Instant::now();
        let mut playback = Playback::new(1, Some(30.0));
        playback.advance(now, Some((0.0, 6.0)));
        assert_eq!((playback.position(), playback.is_seeking()), (Some(6.0), true));
        playback.advance(now, Some((0.0, 31.0)));
        assert_eq!((playback.position(), playback.is_seeking()), (Some(30.0), false));
    }
}
