//! Settings of the whole process that are made before it has threads.

/// How many heaps the C library may make. It would give most threads one of their own; decoders that are opened again and
/// again, each in a new thread, fill one after the other: 50 reconnections of three cameras took 6 % more memory from the
/// fifth on, with two heaps 0.5 % and 2.4 % (two runs).
const HEAPS: i32 = 2;

/// Sets or removes a variable of the environment.
///
/// To be called before the program has a second thread.
#[allow(unsafe_code, reason = "other threads may read the environment meanwhile")]
pub fn set_variable(name: &str, value: Option<&std::ffi::OsStr>) {
    // SAFETY: the caller is the only thread.
    unsafe {
        match value {
            Some(value) => std::env::set_var(name, value),
            None => std::env::remove_var(name),
        }
    }
}

/// Name of the user who runs the program, for records: also behind `sudo`. Where no variable tells it, the number.
#[must_use]
pub fn user() -> String {
    let named = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    named.filter(|name| !name.is_empty()).unwrap_or_else(|| rustix::process::geteuid().as_raw().to_string())
}

/// Keeps the number of the C library's heaps small.
#[allow(unsafe_code, reason = "a foreign function")]
pub fn limit_heaps() {
    #[cfg(target_env = "gnu")]
    // SAFETY: the function takes two numbers and sets a limit; it may be called at any time.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, HEAPS);
    }
}
