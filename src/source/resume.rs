//! What was seen before an interruption and comes again after it: a list of pieces that goes on is read from some pieces
//! back.
//!
//! Frames are the same where their stamps are, as long as the stream counts from the same moment. It does where its newest
//! stamps are as far ahead of the time that passes as before; a server that restarts is not, whatever it counts from.

/// Steps of the stamps beyond this, in seconds, are the beginning of another count, as are steps back: frames out of
/// order are closer together.
const STEP: std::ops::RangeInclusive<f64> = -1.0..=10.0;

/// A wait of this long, in seconds, is one for the next piece.
const PAUSE: f64 = 0.5;

/// Longest piece, in seconds, that is plausible.
const LONGEST_PIECE: f64 = 30.0;

/// Seconds by which what is ahead may be uncertain, beside the length of a piece: fetching it takes time.
const UNCERTAIN: f64 = 0.5;

/// Share by which the clock of a camera may be wrong.
const WRONG: f64 = 0.02;

/// A stream that has not come closer to its newest frames for this long, in seconds, has reached them.
const REACHED: f64 = 1.0;

/// Where a session with a live stream stood.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StreamPosition {
    /// Stamp, in seconds, of the last frame that was given.
    until: f64,
    /// How far the newest stamps were ahead of the time that passes, in seconds.
    ahead: f64,
    /// Length, in seconds of the stream, of the pieces in which it came.
    piece: f64,
}

/// Follows where a live stream stands.
#[derive(Debug, Clone, Default)]
pub struct Stand {
    /// Stamp and arrival of the packet before.
    last: Option<(f64, f64)>,
    /// How far the newest stamps are ahead of the arrivals.
    ahead: Option<f64>,
    /// Stamps at which the pieces began.
    piece_began: f64,
    piece: Option<f64>,
}

impl Stand {
    /// A packet with this stamp arrived then, in seconds that pass (NaN: it has none).
    pub fn note(&mut self, stamp: f64, arrival: f64) {
        if stamp.is_nan() {
            return;
        }
        let Some((before, then)) = self.last.replace((stamp, arrival)) else {
            (self.ahead, self.piece_began) = (Some(stamp - arrival), stamp);
            return;
        };
        if !STEP.contains(&(stamp - before)) {
            *self = Self::default();
            return self.note(stamp, arrival);
        }
        let since = arrival - then;
        if since >= PAUSE {
            self.piece = Some((stamp - self.piece_began).clamp(0.0, LONGEST_PIECE));
            self.piece_began = stamp;
        }
        let was = self.ahead.unwrap_or(f64::NEG_INFINITY);
        self.ahead = Some((was - WRONG * since).max(stamp - arrival));
    }

    /// What is to be remembered when the last frame that was given has this stamp, if it is of the present count.
    #[must_use]
    pub fn seen(&self, until: f64) -> Option<StreamPosition> {
        let ((last, _), ahead) = (self.last?, self.ahead?);
        // The decoder is some frames behind.
        (STEP.contains(&(last - until))).then(|| StreamPosition {
            until,
            ahead,
            piece: self.piece.unwrap_or(0.0),
        })
    }
}

/// Whether a new session goes on with what was [`StreamPosition`].
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    seen: StreamPosition,
    first: Option<f64>,
    /// Latest stamp.
    last: f64,
    /// How far stamps are ahead of the arrivals at most, and when they last got further.
    ahead: f64,
    rose: f64,
}

/// What a [`Comparison`] has found out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// Nothing yet: the packet is to be kept.
    Open,
    /// It goes on: frames up to this stamp were given before.
    Again(f64),
    /// Nothing in it was given before.
    New,
}

impl Comparison {
    /// Nothing is known yet but what was seen.
    #[must_use]
    pub fn new(seen: StreamPosition) -> Self {
        Self { seen, first: None, last: f64::NAN, ahead: f64::NEG_INFINITY, rose: 0.0 }
    }

    /// Takes note of the next packet of the new session, as [`Stand::note`].
    pub fn judge(&mut self, stamp: f64, arrival: f64) -> Verdict {
        let is_first = self.first.is_none();
        if stamp.is_nan() || is_first && stamp > self.seen.until {
            return Verdict::New;
        }
        let first = *self.first.get_or_insert(stamp);
        self.last = stamp;
        if is_first || stamp - arrival > self.ahead {
            (self.ahead, self.rose) = (stamp - arrival, arrival);
        }
        // Three pieces are read at first.
        let piece = self.seen.piece.max((stamp - first) / 3.0);
        let off = self.ahead - self.seen.ahead;
        if off.abs() <= piece + UNCERTAIN {
            Verdict::Again(self.seen.until)
        } else if off > 0.0 || arrival - self.rose >= REACHED {
            Verdict::New
        } else {
            Verdict::Open
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list of pieces of this length, in seconds, with ten frames a second, that counts from 0 at `began`.
    #[derive(Clone, Copy)]
    struct List {
        began: f64,
        piece: f64,
    }

    impl List {
        /// Stamps and arrivals of what is read from `opened` to `closed`: three pieces back at first, then each piece when
        /// it is there.
        fn read(self, opened: f64, closed: f64) -> Vec<(f64, f64)> {
            let there = |at: f64| ((at - self.began) / self.piece).floor();
            let first = (there(opened) - 3.0).max(0.0);
            let mut read = Vec::new();
            let mut number = first;
            loop {
                let arrival = opened.max(self.began + (number + 1.0) * self.piece) + 0.1;
                if arrival >= closed {
                    return read;
                }
                let frames = (self.piece * 10.0) as u32;
                read.extend((0..frames).map(|n| {
                    let n = f64::from(n);
                    (1.4 + number * self.piece + n / 10.0, arrival + n / 1000.0)
                }));
                number += 1.0;
            }
        }
    }

    /// Where a session that read this stood at its end.
    fn seen(read: &[(f64, f64)]) -> StreamPosition {
        let mut stand = Stand::default();
        read.iter().for_each(|(stamp, arrival)| stand.note(*stamp, *arrival));
        stand.seen(read.last().unwrap().0).unwrap()
    }

    /// What is found out of a session that reads this, and after how many packets.
    fn judged(seen: StreamPosition, read: &[(f64, f64)]) -> (Verdict, usize) {
        let mut comparison = Comparison::new(seen);
        for (number, (stamp, arrival)) in read.iter().enumerate() {
            match comparison.judge(*stamp, *arrival) {
                Verdict::Open => {}
                verdict => return (verdict, number),
            }
        }
        (Verdict::Open, read.len())
    }

    #[test]
    fn a_list_that_goes_on_is_known_whenever_it_is_opened_again() {
        for piece in [1.0, 2.0, 6.0, 10.0] {
            let list = List { began: 1000.0, piece };
            for lasted in [0.5, 3.0, 20.0, 3600.0] {
                for pause in [0.2, 2.0, 5.0] {
                    let opened = 1000.0 + 3.3 * piece;
                    let before = list.read(opened, opened + lasted);
                    let after = list.read(opened + lasted + pause, opened + lasted + pause + 30.0);
                    let (seen, again) = (seen(&before), after[0].0 <= before.last().unwrap().0);
                    let expected = if again { Verdict::Again(seen.until) } else { Verdict::New };
                    assert_eq!(judged(seen, &after).0, expected, "{piece} s, {lasted} s, {pause} s");
                }
            }
        }
    }

    #[test]
    fn of_a_restarted_server_nothing_was_seen() {
        for piece in [1.0, 2.0, 6.0] {
            // It lived for so many pieces, and was away for so long.
            for lived in [2.0, 3.0, 5.0, 100.0] {
                for away in [0.5, 3.0, 20.0] {
                    let end = lived * piece + 0.5;
                    let before = List { began: 0.0, piece }.read(piece, end);
                    let after = List { began: end + away, piece }.read(end + away + piece, end + 200.0);
                    let (verdict, after) = judged(seen(&before), &after);
                    assert_eq!(verdict, Verdict::New, "{piece} s, {lived} pieces, {away} s");
                    assert!(after as f64 <= piece * 20.0, "it is not kept waiting: {after} packets");
                }
            }
        }
        // One that counts from another moment, before or after.
        let list = List { began: 0.0, piece: 2.0 };
        let seen = seen(&list.read(500.0, 600.0));
        for other in [-100.0, -20.0, 20.0, 400.0] {
            let after: Vec<_> =
                list.read(603.0, 620.0).iter().map(|(stamp, at)| (stamp + other, *at)).collect();
            assert_eq!(judged(seen, &after).0, Verdict::New, "{other}");
        }
    }

    #[test]
    fn a_stream_that_repeats_the_frames_since_its_last_key_frame_is_known() {
        let frames = |from: u32, to: u32, first: f64| -> Vec<(f64, f64)> {
            (from..to).map(|n| f64::from(n) / 25.0).map(|stamp| (stamp, first.max(stamp + 7.0))).collect()
        };
        let before = seen(&frames(0, 1000, 0.0));
        // Opened at 40 s of the stream, which gives the frames since 38 s at once.
        assert_eq!(judged(before, &frames(950, 1100, 47.5)).0, Verdict::Again(999.0 / 25.0));
        let anew: Vec<_> = frames(0, 100, 0.0).iter().map(|(stamp, at)| (*stamp, at + 41.0)).collect();
        assert_eq!(judged(before, &anew).0, Verdict::New);
    }

    #[test]
    fn stamps_that_restart_within_a_session_are_remembered_alone() {
        let mut stand = Stand::default();
        (0..50).for_each(|n| stand.note(500.0 + f64::from(n), f64::from(n)));
        assert!(stand.seen(549.0).is_some());
        stand.note(0.0, 50.0);
        assert_eq!(stand.seen(549.0), None, "what was given last belongs to the count before");
        (1..50).for_each(|n| stand.note(f64::from(n), 50.0 + f64::from(n)));
        assert!((stand.seen(49.0).unwrap().ahead + 50.0).abs() < 1e-9);
        stand.note(f64::NAN, 100.0);
        assert!(stand.seen(49.0).is_some() && stand.seen(f64::NAN).is_none());
    }
}
