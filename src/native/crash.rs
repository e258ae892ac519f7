//! Gives the terminal back when a signal kills the process: a mistake in native code (OpenCV, FFmpeg), or a signal
//! that somebody sent and that ends a program unless it is handled.
//!
//! The handler does only what POSIX allows in one: `write`, `tcsetattr`, `sigaction`, `raise`, and reads of memory
//! that is never written again.

use std::sync::{
    OnceLock,
    atomic::{AtomicBool, Ordering},
};

use super::signals::is_ignored;

/// Signals by which a process dies of a mistake in native code.
const FATAL: [libc::c_int; 5] = [libc::SIGSEGV, libc::SIGABRT, libc::SIGBUS, libc::SIGILL, libc::SIGFPE];

/// Signals that end a process when they are sent to it, and that the program does not handle otherwise. The
/// real-time signals are added.
const SENT: [libc::c_int; 12] = [
    libc::SIGQUIT,
    libc::SIGTRAP,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGALRM,
    libc::SIGSTKFLT,
    libc::SIGXCPU,
    libc::SIGXFSZ,
    libc::SIGVTALRM,
    libc::SIGPROF,
    libc::SIGIO,
    libc::SIGPWR,
];

/// End of synchronized update, mouse reports and bracketed paste off, main screen, cursor, plain style.
const RESTORE: &[u8] =
    b"\x1b[?2026l\x1b[?1006l\x1b[?1003l\x1b[?1002l\x1b[?1000l\x1b[?2004l\x1b[?1049l\x1b[?25h\x1b[0m";

/// Said after a crash.
const CRASHED: &[u8] = b"pcount-tui: crashed in native code; the log folder says more\r\n";

/// Settings of the terminal before raw mode.
static COOKED: OnceLock<libc::termios> = OnceLock::new();

/// Whether the terminal is ours and has to be given back.
static ARMED: AtomicBool = AtomicBool::new(false);

/// Remembers the settings of the terminal and installs the handler; to be called before raw mode, once or
/// more. From then on [`arm`] says whether there is something to give back.
#[allow(
    unsafe_code,
    reason = "tcgetattr and sigaction have no safe counterpart that may be used in a handler"
)]
pub fn install() {
    if COOKED.get().is_some() {
        return;
    }
    // SAFETY: all three structures are plain data for which zeroes are valid; the pointers live as long as
    // the calls; the handler is async-signal-safe (see the module's documentation).
    unsafe {
        let mut settings: libc::termios = std::mem::zeroed();
        if libc::tcgetattr(libc::STDIN_FILENO, &raw mut settings) != 0 {
            return;
        }
        let _ = COOKED.set(settings);
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as extern "C" fn(libc::c_int) as libc::sighandler_t;
        // On the alternate stack that Rust gives its threads, or a stack overflow could not be handled.
        action.sa_flags = libc::SA_ONSTACK;
        let others = SENT.into_iter().chain(libc::SIGRTMIN()..=libc::SIGRTMAX());
        for signal in FATAL.into_iter().chain(others.filter(|signal| !is_ignored(*signal))) {
            libc::sigaction(signal, &raw const action, std::ptr::null_mut());
        }
    }
}

/// Says whether the terminal is ours.
pub fn arm(armed: bool) {
    ARMED.store(armed, Ordering::SeqCst);
}

/// Gives the terminal back from any thread, without waiting for a terminal that does not read. Does nothing when it is
/// not ours.
#[allow(unsafe_code, reason = "tcsetattr with the settings that were read by tcgetattr")]
pub fn give_back() {
    if ARMED.swap(false, Ordering::SeqCst) {
        super::leave::say(libc::STDOUT_FILENO, RESTORE);
        if let Some(settings) = COOKED.get() {
            // SAFETY: `settings` is a whole structure that lives as long as the program.
            unsafe { libc::tcsetattr(libc::STDIN_FILENO, libc::TCSANOW, settings) };
        }
    }
}

#[allow(unsafe_code, reason = "the crash handler itself; every call in it is async-signal-safe")]
extern "C" fn handler(signal: libc::c_int) {
    // SAFETY: `write`, `tcsetattr`, `sigaction` and `raise` are async-signal-safe; `COOKED` was set before the
    // handler was installed and is only read.
    unsafe {
        if ARMED.swap(false, Ordering::SeqCst) {
            libc::write(libc::STDOUT_FILENO, RESTORE.as_ptr().cast(), RESTORE.len());
            if FATAL.contains(&signal) {
                libc::write(libc::STDOUT_FILENO, CRASHED.as_ptr().cast(), CRASHED.len());
            }
            if let Some(settings) = COOKED.get() {
                libc::tcsetattr(libc::STDIN_FILENO, libc::TCSANOW, settings);
            }
        }
        // The signal is blocked while its handler runs: raised now, it kills as soon as this returns.
        let mut default: libc::sigaction = std::mem::zeroed();
        default.sa_sigaction = libc::SIG_DFL;
        libc::sigaction(signal, &raw const default, std::ptr::null_mut());
        libc::raise(signal);
    }
}
