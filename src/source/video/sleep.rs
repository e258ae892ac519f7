//! Sleep: while nobody is there and nothing moves only key frames are decoded, and the packets since are kept, so that
//! no frame is missing when a key frame shows that something has changed.

use std::{collections::VecDeque, mem};

use crate::native::ffmpeg::Packet;

/// Key frames may be this far apart, in seconds: so late may a movement be noticed.
const FAR: f64 = 2.1;

/// Packets between two key frames, at least: where every frame is one there is nothing to gain.
const BETWEEN: u32 = 4;

/// Key frames in a row that must have come in time.
const REGULAR: u32 = 3;

/// Bytes of packets that are kept at most; a stream that sends more is decoded.
const MOST: usize = 16 << 20;

/// What a stream that may sleep does.
#[derive(Default)]
pub struct Sleep {
    /// Whether nobody needs its frames.
    pub allowed: bool,
    state: State,
    /// Time stamp, in seconds, of the last key frame, and how many in a row were not far from the one before.
    last_key: f64,
    regular: u32,
    /// Packets since the last key frame.
    between: u32,
}

#[derive(Default)]
enum State {
    #[default]
    Awake,
    Asleep(KeyFrameBuffer),
    /// What was kept is decoded; frames up to this time stamp were given before.
    Waking(VecDeque<Packet>, f64),
}

/// Packets from a key frame on.
#[derive(Default)]
struct KeyFrameBuffer {
    /// From the key frame before the last, until the last one is known to be quiet.
    before: VecDeque<Packet>,
    /// From the last key frame on.
    since: VecDeque<Packet>,
    bytes: usize,
}

/// What is to be done with a packet that was read.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// Decode it as ever.
    Decode,
    /// It is kept.
    Nothing,
    /// It is kept, and the stream cannot sleep on.
    Wake,
    /// Decode it alone, see [`Sleep::key`].
    Key,
}

impl Sleep {
    /// Takes note of a packet with this time stamp in seconds (NaN: none); one that is kept is taken out of `packet`.
    pub fn read(&mut self, packet: &mut Packet, stamp: f64) -> Next {
        let is_key = packet.is_key();
        if is_key {
            let step = stamp - self.last_key;
            let in_time = step > 0.0 && step <= FAR && self.between >= BETWEEN;
            self.regular = if in_time { (self.regular + 1).min(REGULAR) } else { 0 };
            (self.last_key, self.between) = (stamp, 0);
        } else {
            self.between = self.between.saturating_add(1);
        }
        if let State::Awake = self.state
            && self.allowed
            && is_key
            && self.is_regular()
        {
            self.state = State::Asleep(KeyFrameBuffer::default());
        }
        let State::Asleep(kept) = &mut self.state else { return Next::Decode };
        if is_key {
            kept.before = mem::take(&mut kept.since);
            kept.bytes = kept.before.iter().map(Packet::size).sum();
        }
        kept.bytes += packet.size();
        kept.since.push_back(mem::replace(packet, Packet::empty()));
        let is_too_much = kept.bytes > MOST;
        if is_too_much || is_key && !self.is_regular() {
            self.regular = 0;
            return Next::Wake;
        }
        if is_key { Next::Key } else { Next::Nothing }
    }

    /// The key frame that is to be decoded alone.
    pub fn key(&self) -> Option<&Packet> {
        match &self.state {
            State::Asleep(kept) => kept.since.front(),
            _ => None,
        }
    }

    /// The last key frame showed nothing: what came before it is not needed any more. Gives the number of its frames
    /// that were never decoded.
    pub fn stay(&mut self) -> u64 {
        match &mut self.state {
            State::Asleep(kept) => mem::take(&mut kept.before).len().saturating_sub(1) as u64,
            _ => 0,
        }
    }

    /// From now on every frame is decoded, beginning with the first that was not given yet: those up to the time stamp
    /// `given`, in seconds, were.
    pub fn wake(&mut self, given: f64) {
        if !self.is_asleep() {
            return;
        }
        let State::Asleep(kept) = mem::take(&mut self.state) else { return };
        let packets = kept.before.into_iter().chain(kept.since).collect();
        self.state = State::Waking(packets, given);
    }

    /// The next of the packets that were kept; `None` when there is none left.
    pub fn kept(&mut self) -> Option<Packet> {
        let State::Waking(packets, _) = &mut self.state else { return None };
        let next = packets.pop_front();
        if next.is_none() {
            self.state = State::Awake;
        }
        next
    }

    /// Whether the next frame, with this time stamp in seconds, was given before. After one that was not, none was,
    /// whatever the stamps say.
    pub fn was_given(&mut self, stamp: f64) -> bool {
        let State::Waking(_, given) = &mut self.state else { return false };
        if stamp <= *given {
            return true;
        }
        *given = f64::NEG_INFINITY;
        false
    }

    /// Whether only key frames are decoded.
    pub fn is_asleep(&self) -> bool {
        matches!(self.state, State::Asleep(_))
    }

    /// Whether what was kept is being decoded.
    pub fn is_waking(&self) -> bool {
        matches!(self.state, State::Waking(..))
    }

    /// Whether key frames come often enough to sleep.
    pub fn is_regular(&self) -> bool {
        self.regular >= REGULAR
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(key: bool, bytes: usize) -> Packet {
        let mut packet = Packet::new(bytes);
        if key {
            packet.set_flags(ffmpeg_next::packet::Flags::KEY);
        }
        packet
    }

    /// A stream of ten frames a second with a key frame every second, from time 0 on.
    fn read(sleep: &mut Sleep, frames: std::ops::Range<u32>) -> Vec<Next> {
        frames.map(|n| sleep.read(&mut packet(n % 10 == 0, 100), f64::from(n) / 10.0)).collect()
    }

    #[test]
    fn a_stream_sleeps_from_a_key_frame_on_once_they_are_known_to_come_in_time() {
        let mut sleep = Sleep { allowed: true, ..Sleep::default() };
        assert!(read(&mut sleep, 0..30).iter().all(|next| *next == Next::Decode), "three are needed");
        let asleep = read(&mut sleep, 30..50);
        assert_eq!(asleep.iter().filter(|next| **next == Next::Key).count(), 2);
        assert_eq!(asleep[0], Next::Key);
        assert!(sleep.is_asleep() && sleep.key().is_some_and(Packet::is_key));
    }

    #[test]
    fn on_waking_everything_is_given_since_the_last_key_frame_that_was_given() {
        let mut sleep = Sleep { allowed: true, ..Sleep::default() };
        read(&mut sleep, 0..41);
        // The key frame at 4 s shows something: that at 3 s was the last one given.
        sleep.wake(3.0);
        assert!(sleep.was_given(3.0) && !sleep.was_given(3.1) && !sleep.was_given(2.0));
        let kept: Vec<Packet> = std::iter::from_fn(|| sleep.kept()).collect();
        assert_eq!(kept.len(), 11);
        assert!(kept[0].is_key() && kept[10].is_key());
        let mut sleep = Sleep { allowed: true, ..Sleep::default() };
        read(&mut sleep, 0..41);
        sleep.wake(3.0);
        sleep.wake(3.0);
        assert_eq!(std::iter::from_fn(|| sleep.kept()).count(), 11, "twice is once");
        assert!(!sleep.is_waking() && !sleep.is_asleep());

        let mut sleep = Sleep { allowed: true, ..Sleep::default() };
        read(&mut sleep, 0..41);
        assert_eq!(sleep.stay(), 9, "frames that nobody needed");
        read(&mut sleep, 41..44);
        // Somebody wants a preview: that at 4 s was given.
        sleep.wake(4.0);
        assert_eq!(std::iter::from_fn(|| sleep.kept()).count(), 4);
    }

    #[test]
    fn a_stream_whose_key_frames_are_far_apart_or_unknown_or_all_there_is_does_not_sleep() {
        let mut sleep = Sleep { allowed: true, ..Sleep::default() };
        for n in 0..200 {
            let next = sleep.read(&mut packet(n % 30 == 0, 100), f64::from(n) / 10.0);
            assert_eq!(next, Next::Decode);
        }
        for (every, first) in [(10, f64::NAN), (1, 0.0)] {
            let mut sleep = Sleep { allowed: true, ..Sleep::default() };
            for n in 0..200 {
                let stamp = first + f64::from(n) / 10.0;
                assert_eq!(sleep.read(&mut packet(n % every == 0, 100), stamp), Next::Decode, "{every}");
            }
        }
    }

    #[test]
    fn what_would_be_too_much_to_keep_is_decoded() {
        let mut sleep = Sleep { allowed: true, ..Sleep::default() };
        read(&mut sleep, 0..31);
        assert!(sleep.is_asleep());
        let woke =
            (31..39).any(|n| sleep.read(&mut packet(false, 3 << 20), f64::from(n) / 10.0) == Next::Wake);
        assert!(woke, "everything is kept");
    }
}
