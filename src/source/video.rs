//! Frames of a video or a camera, read through FFmpeg's libraries: which stream, in which order, at what time, how sound.

mod choose;
mod damage;
mod open;
mod patience;
mod sleep;
mod time;

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

pub(super) use self::open::{How, Opened, Origin};
use self::{
    damage::Damage,
    sleep::{Next, Sleep},
    time::{Arrivals, LiveClock, MediaClock, sane_fps},
};
use super::{
    Frame, FrameSource, SourceError, StreamInfo,
    picture::{self, Decoded, Picture},
};
use crate::{
    clock,
    native::ffmpeg::{self, Converter, Decoder, Error, MOST_PIXELS, Orientation, Packet, VideoStream},
};

/// Packets of a stream that may come before one that needs no other; then they are decoded as they are: some formats do not
/// say which those are.
const KEY_FRAME_WITHIN: u64 = 500;

/// Bytes of the largest packet that is decoded: an uncompressed picture of 4K takes 24 MiB.
const LARGEST_PACKET: usize = 64 << 20;

/// Time after which a live stream is decoded without such a packet.
const KEY_FRAME_AFTER: Duration = Duration::from_secs(12);

/// A camera that sends single pictures is asked for one this often.
const POLL: Duration = Duration::from_millis(500);

/// A camera that sent nothing for this long, or for three frames, and then sends what belongs to that time, was held up
/// on the way: none of it is passed over.
const HELD_UP: Duration = Duration::from_millis(300);

/// Longest time that is made up for so, in seconds of the stream.
const MOST_OWED: f64 = 20.0;

/// Seconds that a stream which woke may be late and still be said to have caught up.
const CAUGHT_UP: f64 = 0.1;

/// HLS begins some segments back.
const OWED_AT_FIRST: f64 = 60.0;

/// Packets of another stream, without one of our own, after which the source goes on with that.
const SILENT_FOR: u32 = 100;

/// How a source is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// A recording: waits, ends, and has its own time.
    Recording,
    /// Goes on by itself.
    Live,
    /// A camera that gives one picture at a time and is asked for the next.
    Stills,
}

/// A [`FrameSource`] over FFmpeg's libraries.
pub struct VideoSource {
    opened: Opened,
    way: Way,
    stream: VideoStream,
    decoder: Decoder,
    packet: Packet,
    converter: Arc<Mutex<Converter>>,
    info: StreamInfo,
    media: MediaClock,
    live: LiveClock,
    arrivals: Arrivals,
    /// When it was opened, in the time that passes whether the program runs or not: people who were there before it
    /// stood still are others afterwards.
    since: Duration,
    /// No packet comes any more.
    is_at_end: bool,
    /// Packets passed over because none had come that needs no other; `None` once one has.
    without_key_frame: Option<u64>,
    /// Pictures of a recording are decoded one ahead, so that the last is known to be it; `None` where it may sleep.
    ahead: Option<Result<Option<Taken>, SourceError>>,
    /// The picture grabbed last, until it is retrieved.
    current: Option<ffmpeg::Picture>,
    time: f64,
    captured: Instant,
    owed: bool,
    /// Whether its end was told.
    is_over: bool,
    /// When the frame decoded last arrived, in seconds since it was opened.
    arrived: f64,
    /// Frames taken so far, and those before the first key frame.
    taken: u64,
    passed_over: u64,
    /// Up to this time of the stream, frames came late through no fault of this machine.
    owed_until: f64,
    /// Packets of another video stream since the last one of this.
    others: u32,
    damage: Damage,
    sleep: Sleep,
    /// Whether somebody lets it sleep; then it does not decode ahead.
    may_sleep: bool,
    /// The clocks before the key frame grabbed last: where it is passed over they go on from there.
    rewind: Option<(MediaClock, LiveClock)>,
    /// When it woke, in seconds since it was opened, and the time of the frame that woke it, until it has caught up.
    woke: Option<(f64, f64)>,
    /// Pictures that the decoder still held when it fell asleep.
    held: VecDeque<ffmpeg::Picture>,
    remarks: VecDeque<String>,
    asked: Instant,
}

/// A picture with its moment.
struct Taken {
    picture: ffmpeg::Picture,
    /// On the source's clock, in seconds.
    time: f64,
    captured: Instant,
    /// Whether it came late through no fault of this machine.
    owed: bool,
}

impl VideoSource {
    /// Frames of what is open; `live` says that it does not end by itself.
    ///
    /// # Errors
    /// When there is no video in it, or none that can be decoded.
    pub fn new(opened: Opened, live: bool) -> Result<Self, SourceError> {
        let mut opened = opened;
        let choice = choose::video(&opened.input, opened.wanted).map_err(|why| opened.unusable(&why))?;
        let stream = choice.stream;
        check_size(stream.size).map_err(|why| opened.unusable(&why))?;
        let is_hls = opened.input.format().starts_with("hls");
        // Such a list has a length; opened again and again it would be counted again and again.
        if live && is_hls && stream.seconds.is_some() {
            return Err(SourceError::Broken(format!(
                "'{}' says that nothing more comes; to count it once, name it among the videos",
                opened.name
            )));
        }
        opened.input.select(stream.index);
        let decoder =
            opened.input.decoder(stream.index).map_err(|error| opened.undecodable(&stream, error))?;
        let fps = sane_fps(stream.fps);
        let way = match live {
            false => Way::Recording,
            true if opened.gives_stills() => Way::Stills,
            true => Way::Live,
        };
        // Where the container tells no number, the rate does.
        let guessed = || Some((stream.seconds? * fps? + 0.5).floor() as u64);
        let frames = stream.frames.or_else(guessed).filter(|frames| (1..1_000_000_000_000).contains(frames));
        let info = StreamInfo { size: shown_size(&stream), fps, live, frames: frames.filter(|_| !live) };
        Ok(Self {
            way,
            decoder,
            packet: Packet::empty(),
            converter: Arc::default(),
            media: MediaClock::new(info.fps),
            live: LiveClock::default(),
            arrivals: Arrivals::default(),
            info,
            stream,
            since: clock::passed(),
            is_at_end: false,
            without_key_frame: Some(0),
            ahead: None,
            current: None,
            time: 0.0,
            captured: clock::now(),
            owed: false,
            is_over: false,
            arrived: 0.0,
            taken: 0,
            passed_over: 0,
            owed_until: if is_hls { OWED_AT_FIRST } else { 0.0 },
            others: 0,
            damage: Damage::default(),
            sleep: Sleep::default(),
            may_sleep: false,
            rewind: None,
            woke: None,
            held: VecDeque::new(),
            remarks: choice
                .remark
                .map(|text| format!("'{}' {text}", opened.name))
                .into_iter()
                .chain(opened.remark.take())
                .collect(),
            asked: clock::now(),
            opened,
        })
    }

    /// The next picture; `None` at the end.
    fn next(&mut self) -> Result<Option<Taken>, SourceError> {
        self.opened.patience.allow(self.opened.stall_timeout);
        let mut waited = Duration::ZERO;
        loop {
            let received = match self.held.pop_front() {
                Some(picture) => Ok(Some(picture)),
                None => self.decoder.receive(),
            };
            match received {
                Ok(Some(picture)) if self.sleep.was_given(self.stamp(&picture)) => continue,
                Ok(Some(picture)) if picture.is_damaged() => {
                    self.damage.lost(self.now(&picture));
                    continue;
                }
                Ok(Some(picture)) => return Ok(Some(self.taken(picture, waited))),
                Ok(None) if self.is_at_end => return Ok(None),
                Ok(None) => {}
                Err(_) => self.damage.lost(self.time),
            }
            if let Some(kept) = self.sleep.kept() {
                self.packet = kept;
                self.decode()?;
                continue;
            }
            let asked = Instant::now();
            match self.opened.input.read(&mut self.packet) {
                Ok(()) => {
                    waited += asked.elapsed();
                    self.handle()?;
                }
                // Some devices and protocols say so where they should wait.
                Err(Error::Other { errno: ffmpeg::EAGAIN }) if !self.opened.patience.is_over() => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(error) => self.ended(error)?,
            }
        }
    }

    /// Decodes the packet read last, or keeps it while the stream sleeps.
    fn handle(&mut self) -> Result<(), SourceError> {
        let is_own = self.packet.stream() == self.stream.index && self.without_key_frame.is_none();
        if !self.may_sleep || !is_own {
            return self.decode();
        }
        let was_asleep = self.sleep.is_asleep();
        let stamp = self.packet.pts().map_or(f64::NAN, |stamp| stamp as f64 * self.stream.time_base);
        match self.sleep.read(&mut self.packet, stamp) {
            Next::Decode => self.decode()?,
            // What was kept is decoded, and what follows is late meanwhile.
            Next::Nothing if self.sleep.is_waking() => self.rouse(),
            Next::Nothing => {}
            Next::Key => {
                if !was_asleep {
                    // What it still holds comes before.
                    self.decoder.end();
                    while let Ok(Some(picture)) = self.decoder.receive() {
                        self.held.push_back(picture);
                    }
                    self.decoder.restart();
                }
                if let Some(key) = self.sleep.key() {
                    let sent = self.decoder.send(key);
                    self.decoder.end();
                    match (sent, self.decoder.receive()) {
                        (Ok(()), Ok(Some(picture))) => self.held.push_back(picture),
                        // Then it is not enough to see key frames.
                        _ => self.rouse(),
                    }
                    self.decoder.restart();
                }
            }
        }
        Ok(())
    }

    /// Gives the packet read last to the decoder.
    fn decode(&mut self) -> Result<(), SourceError> {
        if self.packet.stream() != self.stream.index {
            return self.other_stream();
        }
        self.others = 0;
        if self.packet.size() > LARGEST_PACKET {
            return Err(self.opened.unusable(&format!(
                "sends a picture of more than {} MiB, or one without an end",
                LARGEST_PACKET >> 20
            )));
        }
        if let Some(passed) = self.without_key_frame {
            let is_late =
                clock::passed().saturating_sub(self.since) > KEY_FRAME_AFTER && self.way == Way::Live;
            if !self.packet.is_key() && passed < KEY_FRAME_WITHIN && !is_late {
                self.without_key_frame = Some(passed + 1);
                self.passed_over += 1;
                return Ok(());
            }
            if passed > 0 {
                self.remarks.push_back(format!(
                    "'{}': {passed} frames before the first key frame were passed over",
                    self.opened.name
                ));
            }
            self.without_key_frame = None;
        }
        if self.packet.is_corrupt() {
            self.damage.lost(self.time);
        }
        match self.decoder.send(&self.packet) {
            Ok(()) | Err(Error::Eof | Error::Other { errno: ffmpeg::EAGAIN }) => {}
            Err(Error::Other { errno: ffmpeg::ENOMEM }) => {
                return Err(self.opened.unusable("needs more memory for its pictures than may be had"));
            }
            Err(_) => self.damage.lost(self.time),
        }
        Ok(())
    }

    /// A packet of a stream that was not there when this one was chosen: a broadcast that goes on with another one.
    fn other_stream(&mut self) -> Result<(), SourceError> {
        let index = self.packet.stream();
        let Some(other) = self.opened.input.videos().into_iter().find(|video| video.index == index) else {
            return Ok(());
        };
        self.others += 1;
        if self.others < SILENT_FOR || !self.packet.is_key() {
            return Ok(());
        }
        self.opened.input.select(index);
        self.decoder =
            self.opened.input.decoder(index).map_err(|error| self.opened.undecodable(&other, error))?;
        self.remarks
            .push_back(format!("'{}' goes on with video stream {index} ({})", self.opened.name, other.codec));
        self.stream = other;
        self.decode()
    }

    fn stamp(&self, picture: &ffmpeg::Picture) -> f64 {
        picture.stamp().map_or(f64::NAN, |stamp| stamp as f64 * self.stream.time_base)
    }

    fn passed(&self) -> f64 {
        clock::passed().saturating_sub(self.since).as_secs_f64()
    }

    /// About the moment of a picture that is not taken.
    fn now(&self, picture: &ffmpeg::Picture) -> f64 {
        match self.way {
            Way::Recording => self.media.peek(self.stamp(picture)),
            _ => self.passed(),
        }
    }

    fn taken(&mut self, picture: ffmpeg::Picture, waited: Duration) -> Taken {
        let stamp = self.stamp(&picture);
        if self.sleep.is_asleep() && self.held.is_empty() {
            self.rewind = Some((self.media.clone(), self.live.clone()));
        }
        let before = self.live.time();
        let time = match self.way {
            Way::Recording => self.media.next(stamp),
            Way::Live => self.live.next(stamp, self.passed(), waited),
            Way::Stills => self.passed(),
        };
        if self.way == Way::Live {
            self.arrived = self.passed();
            self.arrivals.note(stamp, self.arrived, waited.as_secs_f64());
            let frame = (time - before).max(0.0);
            if waited >= HELD_UP && waited.as_secs_f64() > 3.0 * frame {
                self.owed_until = before + waited.as_secs_f64().min(MOST_OWED);
            }
        }
        let owed = self.is_catching_up(time) || self.way == Way::Live && time <= self.owed_until;
        Taken { picture, time, captured: clock::now(), owed }
    }

    /// Whether the frame of this time was held up because what had been kept was decoded.
    fn is_catching_up(&mut self, time: f64) -> bool {
        let Some((woke, then)) = self.woke else { return false };
        let since = self.passed() - woke;
        let is_behind = since - (time - then) > CAUGHT_UP && since < MOST_OWED;
        if !is_behind && !self.sleep.is_waking() {
            self.woke = None;
        }
        self.woke.is_some()
    }

    /// Goes back to the first frame that was not given.
    fn rouse(&mut self) {
        self.woke = Some((self.passed(), self.time));
        if let Some((media, live)) = self.rewind.take() {
            (self.media, self.live) = (media, live);
            self.taken -= 1;
        }
        self.sleep.wake();
        self.decoder.restart();
    }

    /// What it means that there is no next packet.
    fn ended(&mut self, error: Error) -> Result<(), SourceError> {
        if self.opened.patience.was_interrupted() {
            return Err(SourceError::Interrupted);
        }
        // What was kept is not lost with the connection; then the end is found again.
        if self.sleep.is_asleep() {
            self.rouse();
            return Ok(());
        }
        if self.opened.patience.is_over() {
            return Err(SourceError::Stalled(self.opened.stall_timeout));
        }
        match self.way {
            Way::Recording => {
                if error != Error::Eof {
                    self.damage.broke_off(error);
                }
                self.is_at_end = true;
                self.decoder.end();
                Ok(())
            }
            Way::Stills if error == Error::Eof => self.again(),
            _ => Err(self.opened.broken(error)),
        }
    }

    /// Asks a camera that gives single pictures for the next one.
    fn again(&mut self) -> Result<(), SourceError> {
        self.opened.patience.rest(POLL.saturating_sub(clock::now().saturating_duration_since(self.asked)))?;
        self.asked = clock::now();
        self.opened.patience.allow(self.opened.stall_timeout);
        self.opened.again()?;
        self.opened.input.select(self.stream.index);
        self.decoder.restart();
        Ok(())
    }

    fn orientation(&self, picture: &ffmpeg::Picture) -> Orientation {
        picture
            .matrix()
            .or(self.stream.matrix)
            .map_or_else(Orientation::default, |matrix| Orientation::of(&matrix))
    }

    /// What is to be said at the end of a recording.
    fn say_end(&mut self) {
        self.remarks.extend(self.damage.at_end(&self.opened.name));
        let broke_off = self.damage.why_it_broke_off();
        self.remarks.extend(self.opened.early_end(
            &self.info,
            self.taken + self.passed_over,
            self.time,
            &self.stream,
            broke_off,
        ));
    }
}

/// Width and height in pixels at which a player shows `stream`, as far as its container tells.
fn shown_size(stream: &VideoStream) -> (u32, u32) {
    let orientation = stream.matrix.map_or_else(Orientation::default, |matrix| Orientation::of(&matrix));
    picture::shown_size(stream.size, stream.pixel_aspect, orientation)
}

/// Refuses, in words, pictures so large that decoding them would take the machine's memory.
fn check_size((width, height): (u32, u32)) -> Result<(), String> {
    if u64::from(width) * u64::from(height) <= MOST_PIXELS {
        return Ok(());
    }
    Err(format!(
        "declares pictures of {width}x{height} pixels, more than {} megapixels; it may be damaged",
        MOST_PIXELS / 1_000_000
    ))
}

impl FrameSource for VideoSource {
    fn info(&self) -> StreamInfo {
        self.info.clone()
    }

    fn codec(&self) -> Option<String> {
        Some(self.stream.codec.clone())
    }

    fn remark(&mut self) -> Option<String> {
        self.remarks.pop_front().or_else(|| self.damage.due(&self.opened.name))
    }

    fn grab(&mut self) -> Result<bool, SourceError> {
        let next = match (self.way, self.ahead.take()) {
            (Way::Recording, Some(ahead)) => ahead,
            _ => self.next(),
        }?;
        let Some(next) = next else {
            if self.taken == 0 {
                return Err(self
                    .opened
                    .unusable("holds no frame that can be decoded; it may be damaged or cut short"));
            }
            if !std::mem::replace(&mut self.is_over, true) {
                self.say_end();
            }
            return Ok(false);
        };
        (self.time, self.captured, self.owed) = (next.time, next.captured, next.owed);
        self.current = Some(next.picture);
        self.taken += 1;
        if self.way == Way::Recording && !self.may_sleep {
            self.ahead = Some(self.next());
        }
        Ok(true)
    }

    fn due(&self) -> Option<Instant> {
        let ahead = self.arrivals.next()? - self.arrived;
        let distance = Duration::try_from_secs_f64(ahead.abs()).ok()?;
        if ahead < 0.0 { self.captured.checked_sub(distance) } else { self.captured.checked_add(distance) }
    }

    fn is_owed(&self) -> bool {
        self.owed
    }

    fn can_sleep(&self) -> bool {
        self.way != Way::Stills
    }

    fn sleep(&mut self, allowed: bool) {
        self.may_sleep = true;
        self.sleep.allowed = allowed;
        if !allowed && self.sleep.is_asleep() {
            self.rouse();
        }
    }

    fn is_asleep(&self) -> bool {
        self.sleep.is_asleep() && self.held.is_empty()
    }

    fn wake(&mut self) {
        self.rouse();
    }

    fn stay_asleep(&mut self) -> u64 {
        self.rewind = None;
        let unseen = self.sleep.stay();
        self.taken += unseen;
        unseen
    }

    fn is_regular(&self) -> bool {
        self.sleep.is_regular()
    }

    fn time(&self) -> f64 {
        self.time
    }

    fn is_last(&self) -> bool {
        matches!(self.ahead, Some(Ok(None)))
    }

    fn retrieve(&mut self, working_size: &dyn Fn(u32, u32) -> (u32, u32)) -> Result<Frame, SourceError> {
        let last = self.is_last();
        let Some(picture) = self.current.take() else {
            return Err(SourceError::Broken(format!("'{}': there is no frame to take", self.opened.name)));
        };
        check_size(picture.size()).map_err(|why| self.opened.unusable(&why))?;
        let orientation = self.orientation(&picture);
        let decoded = Decoded { picture, orientation, converter: Arc::clone(&self.converter) };
        let stream_size = decoded.shown_size();
        let size = working_size(stream_size.0, stream_size.1);
        Ok(Frame {
            picture: Picture::decoded(decoded, size),
            index: self.taken.saturating_sub(1),
            time: self.time,
            captured: self.captured,
            stream_size,
            last,
        })
    }
}
