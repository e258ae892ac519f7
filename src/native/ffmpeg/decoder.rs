//! Decoders: packets in, pictures out, on the thread that calls.

#![allow(unsafe_code, reason = "foreign functions and structures")]

use std::ffi::CString;

use ffmpeg_next::{Error, Packet, Rational, Stream, codec, decoder, ffi, frame};

use super::{DecodedFrame, MOST_PIXELS};

/// A decoder of one video stream, with one thread: the caller's.
pub struct Decoder {
    inner: decoder::Video,
    /// The device that was asked for, until it is known whether it decodes.
    device: Option<String>,
    /// Why it does not.
    refused: Option<String>,
}

/// A decoder for `stream`, on a device of the type `device` (FFmpeg's name) where that can be; else the processor decodes,
/// see [`Decoder::refused`].
pub(super) fn for_stream(stream: &Stream<'_>, device: Option<&str>) -> Result<Decoder, Error> {
    let mut context = codec::Context::from_parameters(stream.parameters())?;
    let time_base: Rational = stream.time_base();
    // SAFETY: the context was made for this decoder and is not open yet; the fields are plain data.
    let refused = unsafe {
        let raw = context.as_mut_ptr();
        (*raw).thread_count = 1;
        (*raw).max_pixels = i64::try_from(MOST_PIXELS).unwrap_or(i64::MAX);
        (*raw).pkt_timebase = time_base.into();
        device.and_then(|device| attach(raw, device).err())
    };
    let device = device.filter(|_| refused.is_none()).map(ToOwned::to_owned);
    Ok(Decoder { inner: context.decoder().video()?, device, refused })
}

/// Has the decoder of `context` use a device of this type. FFmpeg takes it where the stream allows, without a callback
/// (`avcodec_default_get_format`), and decodes by itself where it does not.
///
/// # Safety
/// The context is not open yet.
unsafe fn attach(context: *mut ffi::AVCodecContext, device: &str) -> Result<(), String> {
    let name = CString::new(device).map_err(|_| "it is no name".to_owned())?;
    // SAFETY: the name ends in NUL; the codec and its configurations are FFmpeg's own and live as long as the program. A
    // device that was made is owned by the context, which frees it.
    unsafe {
        let kind = ffi::av_hwdevice_find_type_by_name(name.as_ptr());
        if kind == ffi::AVHWDeviceType::AV_HWDEVICE_TYPE_NONE {
            return Err("this FFmpeg knows no such device".into());
        }
        let codec = ffi::avcodec_find_decoder((*context).codec_id);
        let by_device = ffi::AV_CODEC_HW_CONFIG_METHOD_HW_DEVICE_CTX as i32;
        let is_able = !codec.is_null()
            && (0..)
                .map(|number| ffi::avcodec_get_hw_config(codec, number))
                .take_while(|config| !config.is_null())
                .any(|config| (*config).device_type == kind && (*config).methods & by_device != 0);
        if !is_able {
            return Err("this FFmpeg does not decode the codec with it".into());
        }
        let mut made = std::ptr::null_mut();
        match ffi::av_hwdevice_ctx_create(&raw mut made, kind, std::ptr::null(), std::ptr::null_mut(), 0) {
            0.. => (*context).hw_device_ctx = made,
            error => return Err(format!("there is no such device ({})", Error::from(error))),
        }
    }
    Ok(())
}

impl Decoder {
    /// Why the device that was asked for does not decode, once.
    pub fn refused(&mut self) -> Option<String> {
        self.refused.take()
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
    pub fn receive(&mut self) -> Result<Option<DecodedFrame>, Error> {
        let mut received = frame::Video::empty();
        match self.inner.receive_frame(&mut received) {
            Ok(()) => Ok(Some(DecodedFrame::new(self.fetched(received)?))),
            Err(Error::Eof | Error::Other { errno: ffmpeg_next::error::EAGAIN }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// `received`, in the memory of the program.
    fn fetched(&mut self, received: frame::Video) -> Result<frame::Video, Error> {
        // SAFETY: the frame is there; the field is plain data.
        let is_on_device = unsafe { !(*received.as_ptr()).hw_frames_ctx.is_null() };
        if self.device.take().is_some() && !is_on_device {
            self.refused = Some("it does not decode this kind of stream".into());
        }
        if !is_on_device {
            return Ok(received);
        }
        let mut fetched = frame::Video::empty();
        // SAFETY: both frames are there; the empty one gets memory of its own.
        let failed = unsafe {
            match ffi::av_hwframe_transfer_data(fetched.as_mut_ptr(), received.as_ptr(), 0) {
                0.. => ffi::av_frame_copy_props(fetched.as_mut_ptr(), received.as_ptr()),
                error => error,
            }
        };
        if failed < 0 { Err(Error::from(failed)) } else { Ok(fetched) }
    }

    /// The picture of a key frame, decoded by itself and without smoothing the edges of its blocks (4 to 13 % of the work, three
    /// videos): it serves to see whether anything moves. The decoder forgets what it holds before and after.
    ///
    /// # Errors
    /// As [`Self::send`] and [`Self::receive`].
    pub fn glance(&mut self, key: &Packet) -> Result<Option<DecodedFrame>, Error> {
        self.restart();
        self.smooths(false);
        let sent = self.send(key);
        self.end();
        let received = self.receive();
        self.smooths(true);
        self.restart();
        sent.and(received)
    }

    fn smooths(&mut self, smooths: bool) {
        // SAFETY: the context is open; FFmpeg lets its users change this field at any time.
        unsafe {
            (*self.inner.as_mut_ptr()).skip_loop_filter =
                if smooths { ffi::AVDiscard::AVDISCARD_DEFAULT } else { ffi::AVDiscard::AVDISCARD_ALL };
        }
    }
}
