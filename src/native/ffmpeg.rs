//! FFmpeg's libraries behind a safe face: inputs are opened and read, packets decoded, pictures converted and
//! encoded. What an error means to a user is said elsewhere.
//!
//! The crate `ffmpeg-next` keeps most of the bookkeeping; what it has no function for is called here. Of its peers
//! `rsmpeg` wants FFmpeg 6, where Debian 12 has 5.1, and `ffmpeg-the-third` says that it does not try releases as old as
//! that one. Every call that may wait asks an interrupt callback (see [`Input::open`]), so none outlasts its time.

mod decoder;
mod device;
mod frame;
mod input;
mod jpeg;
mod log;

use std::{ffi::CStr, sync::Once};

use ffmpeg_next::ffi;
pub use ffmpeg_next::{
    Error, Packet,
    error::{EAGAIN, ENOMEM},
};

pub use self::{
    decoder::Decoder,
    device::can_capture,
    frame::{Converter, DecodedFrame, Depth, Orientation},
    input::{Input, VideoStream},
    jpeg::Jpeg,
    log::{Heard, hear},
};

/// Largest block of memory, in bytes, that FFmpeg may take at a time: a picture of [`MOST_PIXELS`] in three bytes a
/// pixel takes 95 MiB, the index of a recording of a day at 50 frames a second 105 MiB. A stream that declares larger
/// pictures, packets or descriptions is refused before it has the memory.
const LARGEST_BLOCK: usize = 128 << 20;

/// Pixels of the largest picture that is decoded: 8K UHD.
pub const MOST_PIXELS: u64 = 7680 * 4320;

/// Its version, as its builder wrote it: `5.1.6-0+deb12u1`.
#[must_use]
#[allow(unsafe_code, reason = "a foreign function")]
pub fn version() -> String {
    // SAFETY: it gives a text that is part of the library and ends with a zero.
    let text = unsafe { CStr::from_ptr(ffi::av_version_info()) };
    text.to_string_lossy().into_owned()
}

/// Makes the libraries ready, once: limits, and where their messages go.
#[allow(unsafe_code, reason = "foreign functions")]
pub(crate) fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::listen();
        // Without it errors have no words.
        ffmpeg_next::util::error::register_all();
        // SAFETY: each may be called at any time; the first stores a number, the second fills tables of the library that
        // are its own and guarded by itself.
        unsafe {
            ffi::av_max_alloc(LARGEST_BLOCK);
            ffi::avformat_network_init();
        }
    });
}
