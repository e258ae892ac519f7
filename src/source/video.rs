//! Frames of a video or a camera, read through FFmpeg's libraries: which stream, in which order, at what time, how sound.

mod choose;
mod damage;
mod doze;
mod open;
mod patience;
mod read_mode;
mod reader;
mod repeats;
mod sleep;
mod time;
mod timing;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

pub(super) use self::open::{How, Opened, Origin};
use self::{
    doze::{Doze, Fate},
    read_mode::ReadMode,
    reader::Reader,
    time::sane_fps,
    timing::Timing,
};
use super::{
    Frame, FrameSource, SourceError, StreamInfo,
    image::{self, Decoded, FrameImage},
    resume::StreamPosition,
};
use crate::{
    clock::Clock,
    native::ffmpeg::{self, Converter, Error, MOST_PIXELS, Orientation, VideoStream},
};

/// How soon what has nothing yet is asked again.
const AGAIN: Duration = Duration::from_millis(5);

/// A [`FrameSource`] over FFmpeg's libraries.
pub struct VideoSource {
    clock: Arc<dyn Clock>,
    mode: ReadMode,
    info: StreamInfo,
    reader: Reader,
    timing: Timing,
    doze: Doze,
    converter: Arc<Mutex<Converter>>,
    /// Frames of a recording are decoded one ahead, so that the last is known to be it; `None` where it may sleep.
    ahead: Option<Result<Option<Taken>, SourceError>>,
    /// The frame grabbed last, until it is retrieved.
    current: Option<ffmpeg::DecodedFrame>,
    time: f64,
    captured: Instant,
    owed: bool,
    /// Whether its end was told.
    is_over: bool,
    /// Frames taken so far.
    taken: u64,
}

/// A frame with its moment.
struct Taken {
    picture: ffmpeg::DecodedFrame,
    /// Its stamp in seconds; NaN where it has none.
    stamp: f64,
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
        let choice = choose::video(&opened.input, opened.wanted).map_err(|why| opened.unusable(&why))?;
        let stream = &choice.stream;
        check_size(stream.size).map_err(|why| opened.unusable(&why))?;
        let is_hls = opened.input.format().starts_with("hls");
        // Such a list has a length; opened again and again it would be counted again and again.
        if live && is_hls && stream.seconds.is_some() {
            return Err(SourceError::Broken(format!(
                "the playlist of '{}' has an end; list it under 'videos' to count it once",
                opened.name
            )));
        }
        let fps = sane_fps(stream.fps);
        let mode = match live {
            false => ReadMode::Recording,
            true if opened.gives_stills() => ReadMode::Stills,
            true => ReadMode::Live,
        };
        // Where the container tells no number, the rate does.
        let guessed = || Some((stream.seconds? * fps? + 0.5).floor() as u64);
        let frames = stream.frames.or_else(guessed).filter(|frames| (1..1_000_000_000_000).contains(frames));
        let info = StreamInfo { size: shown_size(stream), fps, live, frames: frames.filter(|_| !live) };
        let clock = Arc::clone(&opened.clock);
        Ok(Self {
            mode,
            reader: Reader::new(opened, choice, mode)?,
            timing: Timing::new(mode, info.fps, is_hls, Arc::clone(&clock)),
            captured: clock.now(),
            clock,
            doze: Doze::default(),
            info,
            converter: Arc::default(),
            ahead: None,
            current: None,
            time: 0.0,
            owed: false,
            is_over: false,
            taken: 0,
        })
    }

    /// The next frame; `None` at the end.
    fn next(&mut self) -> Result<Option<Taken>, SourceError> {
        self.reader.opened.patience.allow(self.reader.opened.stall_timeout);
        let mut waited = Duration::ZERO;
        loop {
            let received = match self.doze.held() {
                Some(picture) => Ok(Some(picture)),
                None => self.reader.decoder.receive(),
            };
            match received {
                Ok(Some(picture)) if self.reader.comes_again(&picture) => continue,
                Ok(Some(picture)) if self.doze.sleep.was_given(self.reader.stamp(&picture)) => continue,
                Ok(Some(picture)) if picture.is_damaged() => {
                    let about = self.timing.peek(self.reader.stamp(&picture));
                    self.reader.damage.lost(about);
                    continue;
                }
                Ok(Some(picture)) => return Ok(Some(self.taken(picture, waited))),
                Ok(None) if self.reader.is_at_end => return Ok(None),
                Ok(None) => {}
                Err(_) => self.reader.damage.lost(self.time),
            }
            if let Some(kept) = self.doze.kept() {
                self.reader.packet = kept;
                self.reader.decode(self.time)?;
                continue;
            }
            let asked = self.clock.uptime();
            match self.reader.read() {
                Ok(()) => {
                    waited += self.clock.uptime().saturating_sub(asked);
                    match self.doze.read(&mut self.reader) {
                        Fate::Decode => self.reader.decode(self.time)?,
                        Fate::KeyFrameBuffer => {}
                        Fate::Rouse => self.rouse(),
                    }
                }
                // Some devices and protocols say so where they should wait.
                Err(Error::Other { errno: ffmpeg::EAGAIN }) if !self.reader.opened.patience.is_over() => {
                    self.reader.opened.patience.rest(AGAIN)?;
                }
                Err(error) => self.ended(error)?,
            }
        }
    }

    fn taken(&mut self, picture: ffmpeg::DecodedFrame, waited: Duration) -> Taken {
        self.doze.before(|| self.timing.mark());
        let stamp = self.reader.stamp(&picture);
        let (time, was_held_up) = self.timing.next(stamp, waited);
        let owed = self.doze.is_catching_up(self.timing.passed(), time) || was_held_up;
        Taken { picture, stamp, time, captured: self.clock.now(), owed }
    }

    /// Goes back to the first frame that was not given.
    fn rouse(&mut self) {
        if let Some(mark) = self.doze.wake(self.timing.passed(), self.time) {
            self.timing.rewind(mark);
            self.taken -= 1;
        }
        self.reader.decoder.restart();
    }

    /// What it means that there is no next packet.
    fn ended(&mut self, error: Error) -> Result<(), SourceError> {
        if self.reader.opened.patience.was_interrupted() {
            return Err(SourceError::Interrupted);
        }
        // What was kept is not lost with the connection; then the end is found again.
        if self.doze.sleep.is_asleep() {
            self.rouse();
            return Ok(());
        }
        self.reader.ended(error)
    }

    fn orientation(&self, picture: &ffmpeg::DecodedFrame) -> Orientation {
        picture
            .matrix()
            .or(self.reader.stream.matrix)
            .map_or_else(Orientation::default, |matrix| Orientation::of(&matrix))
    }

    /// What is to be said at the end of a recording.
    fn say_end(&mut self) {
        let Reader { opened, damage, remarks, passed_over, stream, .. } = &mut self.reader;
        remarks.extend(damage.at_end(&opened.name));
        let broke_off = damage.why_it_broke_off();
        let frames = self.taken + *passed_over;
        remarks.extend(opened.early_end(&self.info, frames, self.time, stream, broke_off));
    }
}

/// Width and height in pixels at which a player shows `stream`, as far as its container tells.
fn shown_size(stream: &VideoStream) -> (u32, u32) {
    let orientation = stream.matrix.map_or_else(Orientation::default, |matrix| Orientation::of(&matrix));
    image::shown_size(stream.size, stream.pixel_aspect, orientation)
}

/// Refuses, in words, frames so large that decoding them would take the machine's memory.
fn check_size((width, height): (u32, u32)) -> Result<(), String> {
    if u64::from(width) * u64::from(height) <= MOST_PIXELS {
        return Ok(());
    }
    Err(format!(
        "declares frames of {width}x{height} pixels, more than {} megapixels; it may be damaged",
        MOST_PIXELS / 1_000_000
    ))
}

impl FrameSource for VideoSource {
    fn info(&self) -> StreamInfo {
        self.info.clone()
    }

    fn codec(&self) -> Option<String> {
        Some(self.reader.stream.codec.clone())
    }

    fn remark(&mut self) -> Option<String> {
        self.reader.remark()
    }

    fn grab(&mut self) -> Result<bool, SourceError> {
        let next = match (self.mode, self.ahead.take()) {
            (ReadMode::Recording, Some(ahead)) => ahead,
            _ => self.next(),
        }?;
        let Some(next) = next else {
            if self.taken == 0 {
                let why = "holds no frame that can be decoded; it may be damaged or cut short";
                return Err(self.reader.opened.unusable(why));
            }
            if !std::mem::replace(&mut self.is_over, true) {
                self.say_end();
            }
            return Ok(false);
        };
        (self.time, self.captured, self.owed) = (next.time, next.captured, next.owed);
        self.current = Some(next.picture);
        self.doze.gave(next.stamp);
        self.taken += 1;
        if self.mode == ReadMode::Recording && !self.doze.may_sleep {
            self.ahead = Some(self.next());
        }
        Ok(true)
    }

    fn due(&self) -> Option<Instant> {
        self.timing.due(self.captured)
    }

    fn is_owed(&self) -> bool {
        self.owed
    }

    fn can_sleep(&self) -> bool {
        self.mode != ReadMode::Stills
    }

    fn sleep(&mut self, allowed: bool) {
        self.doze.may_sleep = true;
        self.doze.sleep.allowed = allowed;
        if !allowed && self.doze.sleep.is_asleep() {
            self.rouse();
        }
    }

    fn is_asleep(&self) -> bool {
        self.doze.is_asleep()
    }

    fn wake(&mut self) {
        self.rouse();
    }

    fn stay_asleep(&mut self) -> u64 {
        let unseen = self.doze.stay();
        self.taken += unseen;
        unseen
    }

    fn is_regular(&self) -> bool {
        self.doze.sleep.is_regular()
    }

    fn seen(&self) -> Option<StreamPosition> {
        self.reader.seen(self.doze.given())
    }

    fn resume(&mut self, seen: StreamPosition) {
        self.reader.resume(seen);
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
            let name = &self.reader.opened.name;
            return Err(SourceError::Broken(format!("'{name}': there is no frame to take")));
        };
        check_size(picture.size()).map_err(|why| self.reader.opened.unusable(&why))?;
        let orientation = self.orientation(&picture);
        let decoded = Decoded { picture, orientation, converter: Arc::clone(&self.converter) };
        let stream_size = decoded.shown_size();
        let size = working_size(stream_size.0, stream_size.1);
        Ok(Frame {
            picture: FrameImage::decoded(decoded, size),
            index: self.taken.saturating_sub(1),
            time: self.time,
            captured: self.captured,
            stream_size,
            last,
        })
    }
}
