//! Decoders: packets in, pictures out, on the thread that calls.

#![allow(unsafe_code, reason = "foreign structures")]

use ffmpeg_next::{Error, Packet, Rational, Stream, codec, decoder, ffi, frame};

use super::{MOST_PIXELS, Picture};

/// A decoder of one video stream, with one thread: the caller's.
pub struct Decoder {
    inner: decoder::Video,
}

pub(super) fn for_stream(stream: &Stream<'_>) -> Result<Decoder, Error> {
    let mut context = codec::Context::from_parameters(stream.parameters())?;
    let time_base: Rational = stream.time_base();
    // SAFETY: the context was made for this decoder and is not open yet; the fields are plain data.
    unsafe {
        let raw = context.as_mut_ptr();
        (*raw).thread_count = 1;
        (*raw).max_pixels = i64::try_from(MOST_PIXELS).unwrap_or(i64::MAX);
        (*raw).pkt_timebase = time_base.into();
    }
    Ok(Decoder { inner: context.decoder().video()? })
}

impl Decoder {
    /// Number of the codec that it decodes, FFmpeg's own.
    pub fn codec(&self) -> codec::Id {
        self.inner.id()
    }

    /// Gives it a packet; what comes of it is to be received before the next one.
    ///
    /// # Errors
    /// What is wrong with the packet; the next one may be right.
    pub fn send(&mut self, packet: &Packet) -> Result<(), Error> {
        self.inner.send_packet(packet)
    }

    /// Says that no packet comes any more: what the decoder still holds can be received.
    pub fn end(&mut self) {
        // It can only say that it knows.
        let _ = self.inner.send_eof();
    }

    /// Forgets what it holds: the next packet is not a continuation of the last one.
    pub fn restart(&mut self) {
        self.inner.flush();
    }

    /// The next picture; `None` until there is another packet, or at the end.
    ///
    /// # Errors
    /// What is wrong with the packets; the next ones may be right.
    pub fn receive(&mut self) -> Result<Option<Picture>, Error> {
        let mut received = frame::Video::empty();
        match self.inner.receive_frame(&mut received) {
            Ok(()) => Ok(Some(Picture::new(received))),
            Err(Error::Eof | Error::Other { errno: ffmpeg_next::error::EAGAIN }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether it gives out only pictures that need no other one.
    pub fn only_key_frames(&mut self, only: bool) {
        // SAFETY: the context is open; FFmpeg lets its users change this field at any time.
        unsafe {
            (*self.inner.as_mut_ptr()).skip_frame = match only {
                true => ffi::AVDiscard::AVDISCARD_NONKEY,
                false => ffi::AVDiscard::AVDISCARD_DEFAULT,
            };
        }
    }
}
