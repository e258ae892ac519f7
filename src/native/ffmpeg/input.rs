//! Opened inputs: files, streams, devices.

#![allow(unsafe_code, reason = "foreign functions and structures")]

use std::{
    ffi::{CStr, CString, OsStr},
    os::unix::ffi::OsStrExt as _,
    ptr,
};

use ffmpeg_next::{
    Dictionary, Error, Packet, Rational, codec, ffi, format::context, packet::Mut as _, util::interrupt,
};

use super::{Decoder, MOST_PIXELS, decoder, frame::aspect};

/// Microseconds of a stream that are read at most to know what is in it. FFmpeg's own limit is this for most formats and
/// up to 90 seconds for others, such as FLV, where a stream of sound is announced and none comes.
const PROBED: i64 = 5_000_000;

/// An input whose container or session is open.
pub struct Input {
    inner: context::Input,
}

/// What the container says of one video stream.
#[derive(Debug, Clone, PartialEq)]
pub struct VideoStream {
    /// Its number in the input.
    pub index: usize,
    /// Name of its codec, such as `h264`.
    pub codec: String,
    /// Width and height of its pictures in pixels; zeroes where they are not known yet.
    pub size: (u32, u32),
    /// Width of a pixel over its height; 1 where that is not told.
    pub pixel_aspect: f64,
    /// Frames a second, as declared or measured on opening; not checked for sense.
    pub fps: f64,
    /// Number of frames, where the container tells.
    pub frames: Option<u64>,
    /// Length in seconds, where the container tells.
    pub seconds: Option<f64>,
    /// Bits a second; 0 where they are not told.
    pub bitrate: u64,
    /// Seconds in one unit of its time stamps.
    pub time_base: f64,
    /// Whether the container recommends it.
    pub is_default: bool,
    /// Whether it is the cover picture of a recording of sound, or a thumbnail.
    pub is_cover: bool,
    /// How its pictures are to be turned to stand upright (libavutil's display matrix).
    pub matrix: Option<[i32; 9]>,
}

impl Input {
    /// Opens `address`, as `format` where the data do not tell, with FFmpeg's `options` for it. While it opens and
    /// whenever it is read `interrupt` is asked often whether to give up; then the call ends with [`Error::Exit`].
    ///
    /// # Errors
    /// FFmpeg's own.
    pub fn open(
        address: &OsStr,
        format: Option<&CStr>,
        options: &[(&str, &str)],
        interrupt: impl FnMut() -> bool + Send + 'static,
    ) -> Result<Self, Error> {
        super::prepare();
        let address = CString::new(address.as_bytes()).map_err(|_| Error::InvalidData)?;
        let mut dictionary = Dictionary::new();
        for (name, value) in options {
            dictionary.set(name, value);
        }
        let interrupt = interrupt::new(Box::new(interrupt));
        // SAFETY: all strings end in NUL and outlive the calls. A context that could not be opened is freed by FFmpeg;
        // one that was is owned by what wraps it, together with the callback, which so outlives it. What FFmpeg leaves
        // of the dictionary is owned again and freed.
        unsafe {
            let mut context = ffi::avformat_alloc_context();
            if context.is_null() {
                return Err(Error::Other { errno: ffmpeg_next::error::ENOMEM });
            }
            (*context).interrupt_callback = interrupt.interrupt;
            let format = format.map_or(ptr::null(), |name| ffi::av_find_input_format(name.as_ptr()));
            let mut left = dictionary.disown();
            let opened = ffi::avformat_open_input(
                &raw mut context,
                address.as_ptr(),
                format.cast_mut().cast(),
                &raw mut left,
            );
            drop(Dictionary::own(left));
            if opened < 0 {
                return Err(Error::from(opened));
            }
            Ok(Self { inner: context::Input::wrap_with_interrupt(context, interrupt.guard) })
        }
    }

    /// Reads as much as it takes to know the streams, at most five seconds of them. May decode the first frames.
    ///
    /// # Errors
    /// FFmpeg's own.
    pub fn probe(&mut self) -> Result<(), Error> {
        // SAFETY: the context is open; its streams are as many as it says. One dictionary is made for each stream that
        // there is now, as the call wants, and freed after it.
        unsafe {
            let context = self.inner.as_mut_ptr();
            let streams = streams(context);
            let mut options = Vec::new();
            // Sound is not passed over yet: FFmpeg would wait for its first packet all the same.
            (*context).max_analyze_duration = PROBED;
            for _ in streams {
                let mut of_stream = Dictionary::new();
                of_stream.set("max_pixels", &MOST_PIXELS.to_string());
                options.push(of_stream.disown());
            }
            let first = if options.is_empty() { ptr::null_mut() } else { options.as_mut_ptr() };
            let found = ffi::avformat_find_stream_info(context, first);
            for of_stream in options {
                drop(Dictionary::own(of_stream));
            }
            if found < 0 { Err(Error::from(found)) } else { Ok(()) }
        }
    }

    /// Name of the container or protocol, such as `mov,mp4,m4a,3gp,3g2,mj2`.
    #[must_use]
    pub fn format(&self) -> String {
        self.inner.format().name().to_owned()
    }

    /// Streams of any kind.
    #[must_use]
    pub fn streams(&self) -> usize {
        self.inner.streams().len()
    }

    /// The video streams.
    #[must_use]
    pub fn videos(&self) -> Vec<VideoStream> {
        self.inner.streams().filter_map(|stream| self.video(&stream)).collect()
    }

    fn video(&self, stream: &ffmpeg_next::Stream<'_>) -> Option<VideoStream> {
        // SAFETY: a stream and its parameters live as long as the input; the structures are plain data. The side data,
        // where there is any, is as long as the call says.
        unsafe {
            let raw = stream.as_ptr();
            let parameters = (*raw).codecpar;
            if (*parameters).codec_type != ffi::AVMediaType::AVMEDIA_TYPE_VIDEO {
                return None;
            }
            let guessed =
                ffi::av_guess_frame_rate(self.inner.as_ptr().cast_mut(), raw.cast_mut(), ptr::null_mut());
            let time_base = f64::from(Rational::from((*raw).time_base));
            let positive = |number: i64| u64::try_from(number).ok().filter(|number| *number > 0);
            let whole = positive((*self.inner.as_ptr()).duration).map(|micros| micros as f64 / 1e6);
            let (length, mut bytes) = (positive((*raw).duration), 0);
            let matrix = ffi::av_stream_get_side_data(
                raw.cast_mut(),
                ffi::AVPacketSideDataType::AV_PKT_DATA_DISPLAYMATRIX,
                &raw mut bytes,
            );
            let pixels = |side| u32::try_from(side).unwrap_or(0);
            let disposition = (*raw).disposition;
            let is = |flag: u32| disposition & flag as i32 != 0;
            Some(VideoStream {
                index: stream.index(),
                codec: codec_name(&*parameters),
                size: (pixels((*parameters).width), pixels((*parameters).height)),
                pixel_aspect: aspect(ffi::av_guess_sample_aspect_ratio(
                    self.inner.as_ptr().cast_mut(),
                    raw.cast_mut(),
                    ptr::null_mut(),
                )),
                fps: f64::from(Rational::from(guessed)),
                frames: positive((*raw).nb_frames),
                seconds: length.map(|length| length as f64 * time_base).or(whole),
                bitrate: positive((*parameters).bit_rate).unwrap_or(0),
                time_base,
                is_default: is(ffi::AV_DISPOSITION_DEFAULT as u32),
                is_cover: is(ffi::AV_DISPOSITION_ATTACHED_PIC as u32)
                    || is(ffi::AV_DISPOSITION_TIMED_THUMBNAILS as u32),
                matrix: (!matrix.is_null() && bytes >= size_of::<[i32; 9]>())
                    .then(|| matrix.cast::<[i32; 9]>().read_unaligned()),
            })
        }
    }

    /// Reads only this stream from now on; the data of others are not even fetched where they lie apart. Those that
    /// appear later are read as well.
    pub fn select(&mut self, index: usize) {
        // SAFETY: the streams are as many as the context says; the field is plain data that FFmpeg lets its users set.
        unsafe {
            let context = self.inner.as_mut_ptr();
            for (number, stream) in streams(context).iter().enumerate() {
                (**stream).discard = if number == index {
                    ffi::AVDiscard::AVDISCARD_DEFAULT
                } else {
                    ffi::AVDiscard::AVDISCARD_ALL
                };
            }
        }
    }

    /// The next packet of any stream that is read. Waits for it.
    ///
    /// # Errors
    /// [`Error::Eof`] at the end, and FFmpeg's own.
    pub fn read(&mut self, packet: &mut Packet) -> Result<(), Error> {
        // SAFETY: the packet is whole; without this FFmpeg would write over the last one, whose memory nobody frees then.
        unsafe { ffi::av_packet_unref(packet.as_mut_ptr()) };
        packet.read(&mut self.inner)
    }

    /// A decoder for the stream with this number, on a device of the type `device` (FFmpeg's name) where one is given and
    /// can do it.
    ///
    /// # Errors
    /// [`Error::DecoderNotFound`] where FFmpeg has none, and its own.
    pub fn decoder(&self, index: usize, device: Option<&str>) -> Result<Decoder, Error> {
        let stream = self.inner.stream(index).ok_or(Error::StreamNotFound)?;
        decoder::for_stream(&stream, device)
    }
}

/// Name of the codec, or the four letters by which its container names one that FFmpeg does not know.
fn codec_name(parameters: &ffi::AVCodecParameters) -> String {
    let letters = parameters.codec_tag.to_le_bytes();
    match parameters.codec_id {
        ffi::AVCodecID::AV_CODEC_ID_NONE if letters.iter().all(u8::is_ascii_graphic) => {
            letters.iter().copied().map(char::from).collect()
        }
        id => codec::Id::from(id).name().to_owned(),
    }
}

/// The streams that `context` knows.
///
/// # Safety
/// It is open, and nothing is read from it while they are used.
unsafe fn streams<'a>(context: *const ffi::AVFormatContext) -> &'a [*mut ffi::AVStream] {
    // SAFETY: the list is as long as the context says; where it is empty there may be none.
    unsafe {
        match (*context).nb_streams {
            0 => &[],
            number => std::slice::from_raw_parts((*context).streams, number as usize),
        }
    }
}
