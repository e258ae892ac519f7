//! A source that may sleep: the key frames that it gives meanwhile, and how it goes back to the first frame that was not
//! given.

use std::collections::VecDeque;

use super::{
    reader::Reader,
    sleep::{Next, Sleep},
    timing::{MOST_OWED, Mark},
};
use crate::native::ffmpeg::{self, Packet};

/// Seconds that a stream which woke may be late and still be said to have caught up.
const CAUGHT_UP: f64 = 0.1;

/// What becomes of a packet that was read.
#[derive(Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is decoded as ever.
    Decode,
    /// It is kept, or was decoded alone.
    KeyFrameBuffer,
    /// What was kept is decoded now.
    Rouse,
}

/// The sleep of one source.
pub struct Doze {
    pub sleep: Sleep,
    /// Whether somebody lets it sleep; then it does not decode ahead.
    pub may_sleep: bool,
    /// The clocks before the key frame grabbed last: where it is passed over they go on from there.
    rewind: Option<Mark>,
    /// When it woke, in seconds since it was opened, and the time of the frame that woke it, until it has caught up.
    woke: Option<(f64, f64)>,
    /// Frames that the decoder still held when it fell asleep: they come before the key frame.
    held: VecDeque<ffmpeg::DecodedFrame>,
    /// The key frame that was decoded alone, until it is taken.
    key: Option<ffmpeg::DecodedFrame>,
    /// Time stamp, in seconds, of the last frame that was given and does not come again, and of the key frame that was
    /// given and does if it shows something.
    given: f64,
    shown: Option<f64>,
}

impl Default for Doze {
    fn default() -> Self {
        Self {
            sleep: Sleep::default(),
            may_sleep: false,
            rewind: None,
            woke: None,
            held: VecDeque::new(),
            key: None,
            given: f64::NEG_INFINITY,
            shown: None,
        }
    }
}

impl Doze {
    /// Whether only key frames are decoded, and the frame taken last or next is one.
    pub fn is_asleep(&self) -> bool {
        self.sleep.is_asleep() && self.held.is_empty() && self.key.is_none()
    }

    /// The next frame that was decoded before it was wanted.
    pub fn held(&mut self) -> Option<ffmpeg::DecodedFrame> {
        self.held.pop_front().or_else(|| self.key.take())
    }

    /// The frame with this time stamp, in seconds, was given.
    pub fn gave(&mut self, stamp: f64) {
        if self.is_asleep() { self.shown = Some(stamp) } else { self.given = stamp }
    }

    /// Time stamp, in seconds, up to which every frame was given or is not needed.
    pub fn given(&self) -> f64 {
        self.given
    }

    /// Decides on the packet read last, or keeps it while the stream sleeps.
    pub fn read(&mut self, reader: &mut Reader) -> Fate {
        let is_own = reader.packet.stream() == reader.stream.index && reader.without_key_frame.is_none();
        if !self.may_sleep || !is_own {
            return Fate::Decode;
        }
        let was_asleep = self.sleep.is_asleep();
        let stamp = reader.packet_stamp();
        match self.sleep.read(&mut reader.packet, stamp) {
            Next::Decode => return Fate::Decode,
            // What was kept is decoded, and what follows is late meanwhile.
            Next::Wake => return Fate::Rouse,
            Next::Nothing => {}
            Next::Key => {
                if !was_asleep {
                    // What it still holds comes before.
                    reader.decoder.end();
                    while let Ok(Some(picture)) = reader.decoder.receive() {
                        self.held.push_back(picture);
                    }
                }
                if let Some(key) = self.sleep.key() {
                    match reader.decoder.glance(key) {
                        Ok(Some(picture)) if !picture.is_damaged() => self.key = Some(picture),
                        // Then it is not enough to see key frames.
                        _ => return Fate::Rouse,
                    }
                }
            }
        }
        Fate::KeyFrameBuffer
    }

    /// Takes note of how the clocks stand before the frame that comes next.
    pub fn before(&mut self, mark: impl FnOnce() -> Mark) {
        if self.is_asleep() {
            self.rewind = Some(mark());
        }
    }

    /// Every frame is decoded from now on, `passed` seconds after the opening, beginning with the first that was not given;
    /// the last one had this `time`. Gives the clocks before it, where it is to be passed over.
    pub fn wake(&mut self, passed: f64, time: f64) -> Option<Mark> {
        self.woke = Some((passed, time));
        (self.key, self.shown) = (None, None);
        self.sleep.wake(self.given);
        self.rewind.take()
    }

    /// The key frame grabbed last showed nothing. Gives the number of frames that were never decoded.
    pub fn stay(&mut self) -> u64 {
        self.rewind = None;
        self.given = self.shown.take().unwrap_or(self.given);
        self.sleep.stay()
    }

    /// The next of the packets that were kept.
    pub fn kept(&mut self) -> Option<Packet> {
        self.sleep.kept()
    }

    /// Whether a frame with this time that came `passed` seconds after the opening was held up because what had been kept
    /// was decoded.
    pub fn is_catching_up(&mut self, passed: f64, time: f64) -> bool {
        let Some((woke, then)) = self.woke else { return false };
        let since = passed - woke;
        let is_behind = since - (time - then) > CAUGHT_UP && since < MOST_OWED;
        if !is_behind && !self.sleep.is_waking() {
            self.woke = None;
        }
        self.woke.is_some()
    }
}
