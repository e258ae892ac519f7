//! OpenCV's video library, loaded when the first video is opened.
//!
//! Two hundred other libraries come with it, and loading them takes longer than everything else before the first
//! screen. So `build.rs` keeps it out of the list of those that the system loads with the program; its functions are
//! looked up when they are first called, among the libraries that are loaded by then. Whoever calls into
//! `opencv::videoio` calls [`load`] before.

use std::{
    ffi::{CStr, CString},
    sync::OnceLock,
};

use opencv::core::{CV_VERSION_MAJOR, CV_VERSION_MINOR};

/// A function that only this library has: `cv::VideoCapture::VideoCapture()`.
const SOMETHING_OF_IT: &CStr = c"_ZN2cv12VideoCaptureC1Ev";

/// Its file for the version that the program was built with, such as `libopencv_videoio.so.406`.
#[must_use]
pub fn file_name() -> String {
    format!("libopencv_videoio.so.{CV_VERSION_MAJOR}{CV_VERSION_MINOR:02}")
}

/// Loads it, unless it is there: loaded before, or linked in the usual way. Takes about 0.2 s the first time;
/// other threads that call it meanwhile wait.
///
/// # Errors
/// The loader's words when the library, or one that it needs, is missing or damaged.
#[allow(unsafe_code, reason = "the standard library has no way to load a library")]
pub fn load() -> Result<(), String> {
    static LOADED: OnceLock<Result<(), String>> = OnceLock::new();
    let load = || {
        let name = CString::new(file_name()).map_err(|error| error.to_string())?;
        // SAFETY: both names end in NUL and outlive the calls. The library's own initialisation is the one that
        // runs before `main` when it is linked; it is never unloaded, so what was looked up stays valid.
        // `dlerror` gives this thread's last message or null, valid until its next call.
        unsafe {
            if !libc::dlsym(libc::RTLD_DEFAULT, SOMETHING_OF_IT.as_ptr()).is_null()
                || !libc::dlopen(name.as_ptr(), libc::RTLD_LAZY | libc::RTLD_GLOBAL).is_null()
            {
                return Ok(());
            }
            let said = libc::dlerror();
            let said = if said.is_null() { c"no reason given" } else { CStr::from_ptr(said) };
            Err(said.to_string_lossy().into_owned())
        }
    };
    LOADED.get_or_init(load).clone()
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_is_there_when_loaded() {
        super::load().expect("loaded");
        opencv::videoio::VideoCapture::default().expect("a capture");
    }
}
