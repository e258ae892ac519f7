//! Where C code prints to.

/// From now on what C code prints with `printf` goes to the standard error: some libraries do when a variable of the
/// environment asks for it, and other programs read the standard output. Rust's own is not concerned.
#[allow(unsafe_code, reason = "the C library has no function for this; its streams are variables")]
pub fn print_to_stderr() {
    unsafe extern "C" {
        static mut stdout: *mut libc::FILE;
        static stderr: *mut libc::FILE;
    }
    // SAFETY: the GNU C library documents both as variables that may be set. Both streams live as long as the process,
    // and a reader sees one or the other; the program calls this before it opens its first source.
    unsafe {
        stdout = stderr;
    }
}
