//! What FFmpeg has to say, heard by the thread that made it speak.

#![allow(unsafe_code, reason = "a foreign callback")]

use std::{
    cell::RefCell,
    ffi::{CStr, c_char, c_int, c_void},
};

use ffmpeg_next::ffi;

/// The type of C's list of arguments, as the bindings name it.
#[cfg(target_arch = "x86_64")]
type Arguments = *mut ffi::__va_list_tag;
#[cfg(not(target_arch = "x86_64"))]
type Arguments = ffi::va_list;

/// Longest line that is heard whole, in bytes.
const LONGEST: usize = 1024;

/// A line of FFmpeg's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// What it says, in one line. May quote an address with its secrets.
    pub text: String,
    /// Whether FFmpeg calls it an error, not a warning.
    pub is_error: bool,
}

type Listener = Box<dyn FnMut(Heard)>;

thread_local! {
    static LISTENER: RefCell<Option<Listener>> = const { RefCell::new(None) };
}

/// Has this thread's `listener` told of what FFmpeg says while this thread is in it, in place of the one before.
pub fn hear(listener: impl FnMut(Heard) + 'static) {
    LISTENER.with(|current| *current.borrow_mut() = Some(Box::new(listener)));
}

pub(super) fn listen() {
    // SAFETY: the callback lives as long as the program and keeps the rules of C: it does not unwind.
    unsafe { ffi::av_log_set_callback(Some(heard)) };
}

/// Called by FFmpeg on whatever thread it runs; nothing is told on threads that did not ask.
unsafe extern "C" fn heard(context: *mut c_void, level: c_int, format: *const c_char, arguments: Arguments) {
    if level > ffi::AV_LOG_WARNING as c_int {
        return;
    }
    let told = LISTENER.try_with(|listener| {
        // What FFmpeg says because of the listener is not heard.
        let Ok(mut listener) = listener.try_borrow_mut() else { return };
        let Some(listener) = listener.as_mut() else { return };
        let mut line = [0; LONGEST];
        let mut prefix = 1;
        // SAFETY: the arguments are those that belong to the format; the line is as long as is said, and ends in NUL
        // after it.
        let text = unsafe {
            ffi::av_log_format_line2(
                context,
                level,
                format,
                arguments,
                line.as_mut_ptr(),
                LONGEST as c_int,
                &raw mut prefix,
            );
            CStr::from_ptr(line.as_ptr())
        };
        let text = text.to_string_lossy().trim().to_owned();
        if !text.is_empty() {
            let is_error = level <= ffi::AV_LOG_ERROR as c_int;
            // A panic must not reach FFmpeg.
            let _ =
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| listener(Heard { text, is_error })));
        }
    });
    // The thread is about to end.
    let _ = told;
}
