//! Whether a file system knows the locks that SQLite uses.

use std::{io, os::fd::AsRawFd as _, path::Path};

/// Why byte ranges of a file in `folder` cannot be locked; `None` where they can, or no file can be made there to try.
#[must_use]
pub fn refusal(folder: &Path) -> Option<io::Error> {
    // Its name is like that of what will be locked: some servers decide by it.
    let file = tempfile::Builder::new().prefix("ledger.sqlite-probe-").tempfile_in(folder).ok()?;
    // SAFETY: all bytes zero are a lock of the whole file; the pointer is to a value that lives through the call.
    #[allow(unsafe_code, reason = "the standard library has no locks of byte ranges")]
    let taken = unsafe {
        let mut range: libc::flock = std::mem::zeroed();
        range.l_type = libc::F_WRLCK as libc::c_short;
        libc::fcntl(file.as_file().as_raw_fd(), libc::F_SETLK, &raw mut range)
    };
    (taken == -1).then(io::Error::last_os_error)
}
