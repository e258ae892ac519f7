//! OpenCV's video library, loaded when the first video is opened.
//!
//! Two hundred other libraries come with it, and loading them takes longer than everything else before the first
//! screen. So `build.rs` keeps it out of the list of those that the system loads with the program; its functions are
//! looked up when they are first called, among the libraries that are loaded by then. Whoever calls into
//! `opencv::videoio` calls [`load`] before.
//!
//! It is taken from the folder from which the system loaded OpenCV's core library, and from nowhere else: that code
//! runs already, and a search by the loader would obey the environment once more.

use std::{
    ffi::{CStr, CString, OsStr},
    os::unix::ffi::OsStrExt as _,
    path::PathBuf,
};

use opencv::core::{CV_VERSION_MAJOR, CV_VERSION_MINOR};
use parking_lot::Mutex;

/// Largest block of memory, in bytes, that FFmpeg may take at a time: a picture of [`MOST_PIXELS`] in three bytes a
/// pixel takes 95 MiB, the index of a recording of a day at 50 frames a second 105 MiB. A stream that declares larger
/// pictures, packets or descriptions is refused before it has the memory.
const LARGEST_BLOCK: usize = 128 << 20;

/// Pixels of the largest picture that can be decoded: 8K UHD.
pub const MOST_PIXELS: u64 = 7680 * 4320;

/// A function that only this library has: `cv::VideoCapture::VideoCapture()`.
const SOMETHING_OF_IT: &CStr = c"_ZN2cv12VideoCaptureC1Ev";

/// A function that only the core library has: `cv::Mat::deallocate()`.
const SOMETHING_OF_CORE: &CStr = c"_ZN2cv3Mat10deallocateEv";

/// Its file for the version that the program was built with, such as `libopencv_videoio.so.406`.
#[must_use]
pub fn file_name() -> String {
    format!("libopencv_videoio.so.{CV_VERSION_MAJOR}{CV_VERSION_MINOR:02}")
}

/// Loads it, unless it is there: loaded before, or linked in the usual way. Takes about 0.2 s the first time;
/// other threads that call it meanwhile wait.
///
/// # Errors
/// What is wrong when the library, or one that it needs, is missing or damaged.
#[allow(unsafe_code, reason = "the standard library has no way to load a library")]
pub fn load() -> Result<(), String> {
    /// A failure is not kept: handles and memory may be there at the next attempt.
    static LOADED: Mutex<bool> = Mutex::new(false);
    let load = || -> Result<(), String> {
        // SAFETY: the name ends in NUL.
        if !unsafe { libc::dlsym(libc::RTLD_DEFAULT, SOMETHING_OF_IT.as_ptr()) }.is_null() {
            return Ok(());
        }
        let path = core_folder()?.join(file_name());
        let name = CString::new(path.as_os_str().as_bytes()).map_err(|error| error.to_string())?;
        // SAFETY: the name ends in NUL and outlives the call. The library's own initialisation is the one that
        // runs before `main` when it is linked; it is never unloaded, so what was looked up stays valid.
        // `dlerror` gives this thread's last message or null, valid until its next call.
        unsafe {
            if !libc::dlopen(name.as_ptr(), libc::RTLD_LAZY | libc::RTLD_GLOBAL).is_null() {
                return Ok(());
            }
            let said = libc::dlerror();
            let said = if said.is_null() { c"no reason given" } else { CStr::from_ptr(said) };
            Err(said.to_string_lossy().into_owned())
        }
    };
    let mut loaded = LOADED.lock();
    if !*loaded {
        load()?;
        limit_blocks();
        *loaded = true;
    }
    Ok(())
}

/// Tells FFmpeg the largest block of memory that it may take, for the whole process.
#[allow(unsafe_code, reason = "FFmpeg has no other interface")]
fn limit_blocks() {
    // SAFETY: the name ends in NUL. `av_max_alloc` of libavutil takes one `size_t`, gives nothing back, and may be called
    // at any time: it stores the number. Where it is not there, nothing is called.
    unsafe {
        let found = libc::dlsym(libc::RTLD_DEFAULT, c"av_max_alloc".as_ptr());
        if !found.is_null() {
            let limit = std::mem::transmute::<*mut libc::c_void, extern "C" fn(usize)>(found);
            limit(LARGEST_BLOCK);
        }
    }
}

/// The folder that OpenCV's core library was loaded from.
#[allow(unsafe_code, reason = "only the loader knows where it found a library")]
fn core_folder() -> Result<PathBuf, String> {
    // SAFETY: the name ends in NUL; `found` is plain data for which zeroes are valid, and what `dladdr` writes into
    // it lives as long as the library, which is never unloaded.
    let file = unsafe {
        let address = libc::dlsym(libc::RTLD_DEFAULT, SOMETHING_OF_CORE.as_ptr());
        let mut found: libc::Dl_info = std::mem::zeroed();
        if address.is_null() || libc::dladdr(address, &raw mut found) == 0 || found.dli_fname.is_null() {
            return Err("OpenCV's core library is not there".into());
        }
        PathBuf::from(OsStr::from_bytes(CStr::from_ptr(found.dli_fname).to_bytes()))
    };
    match file.parent().filter(|folder| folder.is_absolute()) {
        Some(folder) => Ok(folder.to_owned()),
        None => Err(format!("'{}' was found in the working folder", file.display())),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_is_there_when_loaded() {
        super::load().expect("loaded");
        opencv::videoio::VideoCapture::default().expect("a capture");
    }
}
