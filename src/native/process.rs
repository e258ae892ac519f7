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

/// Name of the user who runs the program, for records: also behind `sudo`. Where neither a variable nor the system's list of
/// users tells it, the number.
#[must_use]
pub fn user() -> String {
    let named = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    named
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| user_numbered(rustix::process::geteuid().as_raw()))
}

/// Name of the user of this number, as the system's list of users has it; where it does not, the number.
#[must_use]
pub fn user_numbered(number: u32) -> String {
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    user_of(&users, &number.to_string()).unwrap_or_else(|| number.to_string())
}

/// The name of the user of this number in `users`, lines as in `/etc/passwd`.
fn user_of(users: &str, number: &str) -> Option<String> {
    let mut lines = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    lines.find(|fields| fields.get(2) == Some(&number)).map(|fields| fields[0].to_owned())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_without_variables_has_the_name_of_the_systems_list() {
        let users = "root:x:0:0:root:/root:/bin/sh\nodd\npcount:x:1001:1001::/home/pcount:/bin/sh\n";
        assert_eq!(user_of(users, "1001").as_deref(), Some("pcount"));
        assert_eq!(user_of(users, "0").as_deref(), Some("root"));
        assert_eq!(user_of(users, "7"), None);
    }
}
