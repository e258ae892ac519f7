//! Arguments that hold a password, kept out of the process list.
//!
//! Every user who can read `/proc` sees the arguments of every program. When one of ours holds a secret, the
//! program restarts itself at once, in the same process, with `***` in its place; the true arguments go
//! along in a file in memory that belongs to this process alone and is emptied when it has been read. The
//! environment holds nothing but the number of its descriptor.

use std::{
    ffi::{CStr, OsStr, OsString},
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::{
        fd::AsRawFd as _,
        unix::{ffi::OsStrExt as _, fs::MetadataExt as _, process::CommandExt as _},
    },
    path::Path,
    process::Command,
};

use rustix::{
    fs::{MemfdFlags, fcntl_get_seals, memfd_create},
    thread::set_name,
};

use crate::config::{Address, known, redact};

/// Number of the descriptor that holds the true arguments.
const HANDOVER: &str = "PCOUNT_ARGUMENTS_FD";

/// Name of the process.
const COMMAND: &CStr = c"pcount-tui";

/// Name of the file in memory, as shown in `/proc/PID/fd`.
const NAME: &str = "pcount-arguments";

/// The program's arguments. Does not return in a process whose arguments hold a secret: it restarts.
pub fn read() -> Vec<OsString> {
    let visible: Vec<OsString> = std::env::args_os().collect();
    // A mistake in one of these is quoted as well.
    for (name, value) in std::env::vars_os() {
        if name.as_bytes().starts_with(b"PCOUNT_") {
            teach(&value);
        }
    }
    if let Some(arguments) = taken_over().map(|bytes| split(&bytes)) {
        arguments.iter().for_each(|argument| teach(argument));
        // It was started by a name that a user of `top` or `pkill` would not recognize.
        let _ = set_name(COMMAND);
        return arguments;
    }
    visible.iter().for_each(|argument| teach(argument));
    if shown(&visible) != visible {
        // Should it fail, the program runs all the same; nothing is worse than before.
        let _ = restart(&visible);
    }
    visible
}

fn restart(arguments: &[OsString]) -> io::Result<std::convert::Infallible> {
    let (program, rest) = arguments.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let handover = handed_over(&join(arguments))?;
    let mut command = Command::new("/proc/self/exe");
    command.arg0(program).args(shown(rest));
    command.env(HANDOVER, handover.as_raw_fd().to_string());
    Err(command.exec())
}

/// A file in memory that the program finds when it has started again.
fn handed_over(content: &[u8]) -> io::Result<File> {
    // Without close-on-exec: it must survive.
    let mut file = File::from(memfd_create(NAME, MemfdFlags::empty())?);
    file.write_all(content)?;
    Ok(file)
}

/// What [`handed_over`] has left, if this process was started by [`restart`]; it is emptied.
fn taken_over() -> Option<Vec<u8>> {
    let number: u32 = std::env::var(HANDOVER).ok()?.parse().ok()?;
    let path = format!("/proc/self/fd/{number}");
    // A variable left over from another program names another file, or none.
    let target = fs::read_link(&path).ok()?;
    if !target.as_os_str().as_bytes().starts_with(format!("/memfd:{NAME}").as_bytes()) {
        return None;
    }
    let mut file = OpenOptions::new().read(true).write(true).open(path).ok()?;
    // Any file can be called so, but only one in memory, without a name in any folder, has seals.
    let found = file.metadata().ok()?;
    let own = found.uid() == rustix::process::geteuid().as_raw() && found.nlink() == 0;
    if !own || fcntl_get_seals(&file).is_err() {
        return None;
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).ok()?;
    file.set_len(0).ok()?;
    (!bytes.is_empty()).then_some(bytes)
}

/// Keeps the secrets of `argument` out of everything that is said from now on.
fn teach(argument: &OsStr) {
    Address(&argument.to_string_lossy()).teach(known());
}

/// `arguments` as they may be seen.
fn shown(arguments: &[OsString]) -> Vec<OsString> {
    let mut hide_next = false;
    arguments
        .iter()
        .map(|argument| {
            let text = argument.to_string_lossy();
            // '--password' is no option of this program, and yet may be tried.
            let option = text.strip_prefix("--").filter(|name| !name.contains('='));
            let is_secret = std::mem::replace(&mut hide_next, option.is_some_and(names_a_password));
            if is_secret && option.is_none() {
                return OsString::from("***");
            }
            let safe = Address(&text).to_string();
            let safe = redact(&safe);
            // A name that is no UTF-8 stays as it is, and a file is no address.
            if *safe == *text || Path::new(argument).exists() {
                argument.clone()
            } else {
                safe.into_owned().into()
            }
        })
        .collect()
}

fn names_a_password(option: &str) -> bool {
    redact(&format!("{option}=x")) != format!("{option}=x")
}

/// Arguments hold no zero byte.
fn join(arguments: &[OsString]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for argument in arguments {
        bytes.extend_from_slice(argument.as_bytes());
        bytes.push(0);
    }
    bytes
}

fn split(bytes: &[u8]) -> Vec<OsString> {
    let whole = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    whole.split(|byte| *byte == 0).map(|argument| OsStr::from_bytes(argument).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_survive_the_handover() {
        for arguments in [vec!["pcount-tui"], vec!["p", "", "a b", "rtsp://u:p@h/ä"]] {
            let arguments: Vec<OsString> = arguments.into_iter().map(OsString::from).collect();
            assert_eq!(split(&join(&arguments)), arguments);
        }
    }

    #[test]
    fn only_secrets_are_hidden() {
        for (given, expected) in [
            ("rtsp://admin:hunter2@cam/1", "rtsp://***@cam/1"),
            ("http://cam/v?user=a&password=hunter2", "http://cam/v?user=***&password=***"),
            ("rtsp://admin:it's \"a, <b>@cam/1", "rtsp://***@cam/1"),
            ("--source=RTSP://admin:p@ss/w0rd#x@cam/?a=1", "--source=RTSP://***@cam/?a=***"),
            ("rtsp:admin:hunter2@cam/1", "rtsp:***@cam/1"),
            ("admin:hunter2@cam/1", "***@cam/1"),
            ("--config=cams.json", "--config=cams.json"),
            ("demo:lobby?people=6&seed=1", "demo:lobby?people=6&seed=1"),
            ("a=b@c.mp4", "a=b@c.mp4"),
        ] {
            assert_eq!(shown(&[given.into()]), [OsString::from(expected)], "{given}");
        }
    }
}
