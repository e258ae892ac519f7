//! Capture devices, which a library of their own reads.

#![allow(unsafe_code, reason = "a foreign library")]

use std::{mem, sync::OnceLock};

use ffmpeg_next::ffi;
use libloading::Library;

/// Makes capture devices known to [`Input::open`](super::Input::open); the first call loads FFmpeg's library for them.
///
/// It is not linked because it brings 72 others (of sound cards, windows and speech), which cost every start time and
/// memory, and few machines have a camera of their own.
///
/// # Errors
/// Where the library is missing: what is missing, and why.
pub fn can_capture() -> Result<(), String> {
    static LOADED: OnceLock<Result<(), String>> = OnceLock::new();
    LOADED.get_or_init(load).clone()
}

fn load() -> Result<(), String> {
    super::prepare();
    // SAFETY: it only gives a number.
    let format = unsafe { ffi::avformat_version() };
    // The two have had the same number since FFmpeg 4.
    let name = format!("libavdevice.so.{}", format >> 16);
    // SAFETY: the library is FFmpeg's, sought where the system keeps libraries; it stays loaded, because its devices are
    // entered in FFmpeg's lists. The function takes nothing and gives nothing (libavdevice/avdevice.h).
    unsafe {
        let library =
            Library::new(&name).map_err(|error| format!("FFmpeg's '{name}' is missing ({error})"))?;
        let register = library
            .get::<unsafe extern "C" fn()>(c"avdevice_register_all")
            .map_err(|error| format!("FFmpeg's '{name}' is of no use ({error})"))?;
        register();
        mem::forget(library);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn devices_can_be_captured_where_the_library_is_installed() {
        super::can_capture().unwrap();
    }
}
