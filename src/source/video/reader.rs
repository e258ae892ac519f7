//! Packets of the stream that is read: what becomes of each in the decoder, and what it means that there is none.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{choose::Choice, damage::Damage, open::Opened, read_mode::ReadMode, repeats::Repeats};
use crate::{
    native::ffmpeg::{self, Decoder, Error, Packet, VideoStream},
    source::{SourceError, resume::StreamPosition},
};

/// Packets of a stream that may come before one that needs no other; then they are decoded as they are: some formats do not
/// say which those are.
const KEY_FRAME_WITHIN: u64 = 500;

/// Bytes of the largest packet that is decoded: an uncompressed frame of 4K takes 24 MiB.
const LARGEST_PACKET: usize = 64 << 20;

/// Time after which a live stream is decoded without such a packet.
const KEY_FRAME_AFTER: Duration = Duration::from_secs(12);

/// A camera that sends single frames is asked for one this often.
const POLL: Duration = Duration::from_millis(500);

/// Packets of another stream, without one of our own, after which the source goes on with that.
const SILENT_FOR: u32 = 100;

/// An open input, the stream of it that is read, and its decoder.
pub struct Reader {
    pub opened: Opened,
    pub stream: VideoStream,
    pub decoder: Decoder,
    /// The packet read last.
    pub packet: Packet,
    pub damage: Damage,
    pub remarks: VecDeque<String>,
    /// No packet comes any more.
    pub is_at_end: bool,
    /// Packets passed over because none had come that needs no other; `None` once one has.
    pub without_key_frame: Option<u64>,
    /// All frames before the first key frame.
    pub passed_over: u64,
    repeats: Repeats,
    mode: ReadMode,
    since: Duration,
    /// Packets of another video stream since the last one of this.
    others: u32,
    asked: Instant,
}

impl Reader {
    /// Reads what was chosen of `opened`.
    ///
    /// # Errors
    /// When it cannot be decoded.
    pub fn new(mut opened: Opened, choice: Choice, mode: ReadMode) -> Result<Self, SourceError> {
        let stream = choice.stream;
        opened.input.select(stream.index);
        let decoder = opened.decoder(&stream)?;
        Ok(Self {
            stream,
            decoder,
            packet: Packet::empty(),
            damage: Damage::new(Arc::clone(&opened.clock)),
            remarks: choice
                .remark
                .map(|text| format!("'{}' {text}", opened.name))
                .into_iter()
                .chain(opened.remark.take())
                .collect(),
            is_at_end: false,
            without_key_frame: Some(0),
            passed_over: 0,
            repeats: Repeats::new(mode, &opened),
            mode,
            since: opened.clock.uptime(),
            others: 0,
            asked: opened.clock.now(),
            opened,
        })
    }

    /// Reads the next packet.
    ///
    /// # Errors
    /// FFmpeg's own.
    pub fn read(&mut self) -> Result<(), Error> {
        loop {
            if let Some(packet) = self.repeats.released() {
                self.packet = packet;
                return Ok(());
            }
            if let Err(error) = self.opened.input.read(&mut self.packet) {
                // What is held back is not lost with the connection; then the end is found again.
                let is_over = error != (Error::Other { errno: ffmpeg::EAGAIN });
                if is_over && !self.opened.patience.was_interrupted() && self.repeats.release() {
                    continue;
                }
                return Err(error);
            }
            if self.packet.stream() != self.stream.index {
                return Ok(());
            }
            let stamp = self.packet_stamp();
            if !self.repeats.holds(&mut self.packet, stamp, self.opened.clock.uptime()) {
                return Ok(());
            }
        }
    }

    /// Passes over the frames that were given in an earlier session, if they come again.
    pub fn resume(&mut self, seen: StreamPosition) {
        self.repeats.resume(seen);
    }

    /// Whether the next frame was given in an earlier session.
    pub fn comes_again(&mut self, picture: &ffmpeg::DecodedFrame) -> bool {
        let stamp = self.stamp(picture);
        self.repeats.comes_again(stamp)
    }

    /// Where the stream stands when all frames up to this stamp, in seconds, were given.
    pub fn seen(&self, until: f64) -> Option<StreamPosition> {
        self.repeats.seen(until)
    }

    /// The next thing that is to be said of the stream.
    pub fn remark(&mut self) -> Option<String> {
        let (name, hwaccel) = (&self.opened.name, self.opened.hwaccel.word());
        let without = |why| format!("'{name}' is decoded without '{hwaccel}': {why}");
        let refused = || self.decoder.refused().map(without);
        self.remarks.pop_front().or_else(refused).or_else(|| self.damage.due(name))
    }

    /// Gives the packet read last to the decoder; `time` is that of the frame before.
    ///
    /// # Errors
    /// When no other packet would do better.
    pub fn decode(&mut self, time: f64) -> Result<(), SourceError> {
        if self.packet.stream() != self.stream.index {
            return self.other_stream(time);
        }
        self.others = 0;
        if self.packet.size() > LARGEST_PACKET {
            return Err(self.opened.unusable(&format!(
                "sends a frame of more than {} MiB, or one without an end",
                LARGEST_PACKET >> 20
            )));
        }
        if let Some(passed) = self.without_key_frame {
            let is_late = self.opened.clock.uptime().saturating_sub(self.since) > KEY_FRAME_AFTER
                && self.mode == ReadMode::Live;
            if !self.packet.is_key() && passed < KEY_FRAME_WITHIN && !is_late {
                self.without_key_frame = Some(passed + 1);
                self.passed_over += 1;
                return Ok(());
            }
            if passed > 0 {
                let frames = if passed == 1 { "frame was" } else { "frames were" };
                self.remarks.push_back(format!(
                    "'{}': {passed} {frames} skipped before the first key frame",
                    self.opened.name
                ));
            }
            self.without_key_frame = None;
        }
        match self.decoder.send(&self.packet) {
            Ok(()) | Err(Error::Eof | Error::Other { errno: ffmpeg::EAGAIN }) => {}
            Err(Error::Other { errno: ffmpeg::ENOMEM }) => {
                return Err(self.opened.unusable("needs more memory for its frames than it may use"));
            }
            Err(_) => self.damage.lost(time),
        }
        Ok(())
    }

    /// A packet of a stream that was not there when this one was chosen: a broadcast that goes on with another one.
    fn other_stream(&mut self, time: f64) -> Result<(), SourceError> {
        let index = self.packet.stream();
        let Some(other) = self.opened.input.videos().into_iter().find(|video| video.index == index) else {
            return Ok(());
        };
        self.others += 1;
        if self.others < SILENT_FOR || !self.packet.is_key() {
            return Ok(());
        }
        self.opened.input.select(index);
        self.decoder = self.opened.decoder(&other)?;
        self.remarks
            .push_back(format!("'{}' goes on with video stream {index} ({})", self.opened.name, other.codec));
        self.stream = other;
        self.decode(time)
    }

    /// Stamp of a frame in seconds; NaN where it has none.
    pub fn stamp(&self, picture: &ffmpeg::DecodedFrame) -> f64 {
        picture.stamp().map_or(f64::NAN, |stamp| stamp as f64 * self.stream.time_base)
    }

    /// Stamp of the packet read last in seconds; NaN where it has none.
    pub fn packet_stamp(&self) -> f64 {
        self.packet.pts().map_or(f64::NAN, |stamp| stamp as f64 * self.stream.time_base)
    }

    /// What it means that there is no next packet.
    ///
    /// # Errors
    /// When there never is one again.
    pub fn ended(&mut self, error: Error) -> Result<(), SourceError> {
        if self.opened.patience.is_over() {
            return Err(SourceError::Stalled(self.opened.stall_timeout));
        }
        match self.mode {
            ReadMode::Recording => {
                if error != Error::Eof {
                    self.damage.broke_off(error);
                }
                self.is_at_end = true;
                self.decoder.end();
                Ok(())
            }
            ReadMode::Stills if error == Error::Eof => self.again(),
            _ => Err(self.opened.broken(error)),
        }
    }

    /// Asks a camera that gives single frames for the next one.
    fn again(&mut self) -> Result<(), SourceError> {
        let passed = self.opened.clock.now().saturating_duration_since(self.asked);
        self.opened.patience.rest(POLL.saturating_sub(passed))?;
        self.asked = self.opened.clock.now();
        self.opened.patience.allow(self.opened.stall_timeout);
        self.opened.again()?;
        self.opened.input.select(self.stream.index);
        self.decoder.restart();
        Ok(())
    }
}
