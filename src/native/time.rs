//! The system's clock.

/// Whether something keeps the clock of the system right, such as NTP; `None` where the system does not tell.
#[must_use]
pub fn is_synchronized() -> Option<bool> {
    // SAFETY: all bytes zero ask for nothing to be changed; the pointer is to a value that lives through the call.
    #[allow(unsafe_code, reason = "a foreign function")]
    let (state, status) = unsafe {
        let mut asked: libc::timex = std::mem::zeroed();
        (libc::adjtimex(&raw mut asked), asked.status)
    };
    (state >= 0).then_some(state != libc::TIME_ERROR && status & libc::STA_UNSYNC == 0)
}
