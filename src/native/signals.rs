//! What the process that started this one wants done with signals.

/// Whether `signal` is ignored at the moment. `nohup` and `trap '' HUP` start programs so; a program that listens to
/// it all the same takes that away.
#[must_use]
#[allow(unsafe_code, reason = "sigaction is the only way to ask")]
pub fn is_ignored(signal: libc::c_int) -> bool {
    // SAFETY: the structure is plain data for which zeroes are valid; with a null pointer for the new action
    // nothing is changed.
    unsafe {
        let mut now: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &raw mut now) == 0 && now.sa_sigaction == libc::SIG_IGN
    }
}
