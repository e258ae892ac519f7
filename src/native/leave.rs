//! The end of the process without waiting: for a reader, a terminal, a disk, or another thread.

use std::{fs, os::fd::RawFd, path::PathBuf, sync::OnceLock};

/// What an open file is, as far as it matters to writers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A pipe, a socket, a terminal, another device: a write can be interrupted.
    Stream,
    /// A file on a disk, which may not answer.
    File,
}

/// What `fd` is. Asks no disk.
#[must_use]
pub fn kind(fd: RawFd) -> Kind {
    match target(fd) {
        Some(target) if is_stream(&target) => Kind::Stream,
        _ => Kind::File,
    }
}

fn target(fd: RawFd) -> Option<PathBuf> {
    fs::read_link(format!("/proc/self/fd/{fd}")).ok()
}

fn is_stream(target: &std::path::Path) -> bool {
    let text = target.to_string_lossy();
    ["pipe:", "socket:", "anon_inode:", "/dev/"].iter().any(|start| text.starts_with(start))
        && !text.starts_with("/dev/shm/")
}

/// Writes as much of `bytes` to `fd` as it takes at once; to a file on a disk nothing.
#[allow(unsafe_code, reason = "send with flags and poll have no counterpart in the standard library")]
pub fn say(fd: RawFd, bytes: &[u8]) {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    let Some(target) = target(fd).filter(|target| is_stream(target)) else { return };
    if target.to_string_lossy().starts_with("socket:") {
        // SAFETY: the buffer is valid for its length; the call does not wait and raises no signal.
        unsafe {
            libc::send(fd, bytes.as_ptr().cast(), bytes.len(), libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL)
        };
        return;
    }
    // Opened again: the flag must not be set for others who have the same terminal.
    let opened = fs::OpenOptions::new()
        .write(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(format!("/proc/self/fd/{fd}"));
    if let Ok(mut file) = opened {
        // There is nobody left to tell.
        drop(file.write(bytes));
    } else {
        // Such as the terminal of another user, after `su`. A few bytes are taken at once when any are.
        let mut ready = libc::pollfd { fd, events: libc::POLLOUT, revents: 0 };
        // SAFETY: one structure, as said; the buffer is valid for its length.
        unsafe {
            if libc::poll(&raw mut ready, 1, 0) == 1 && ready.revents & libc::POLLOUT != 0 {
                libc::write(fd, bytes.as_ptr().cast(), bytes.len());
            }
        }
    }
}

/// What the standard streams were when the program began.
static STANDARD: OnceLock<Vec<PathBuf>> = OnceLock::new();

/// Remembers what the standard streams are, before anything takes their place.
pub fn remember_streams() {
    STANDARD.get_or_init(|| (0..=2).filter_map(target).filter(|target| is_stream(target)).collect());
}

/// Ends the process with `code`: no destructor, no handler of `exit`, no other thread is waited for.
///
/// The standard streams are closed first, under whatever number they are open: a process of [`super::disk`] that waits
/// for its disk would hold them open, and their readers would wait for it.
#[allow(unsafe_code, reason = "_exit and close of descriptors that are owned elsewhere")]
pub fn now(code: u8) -> ! {
    let standard = STANDARD.get().map(Vec::as_slice).unwrap_or_default();
    let open: Vec<RawFd> = fs::read_dir("/proc/self/fd")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|fd| target(*fd).is_some_and(|target| standard.contains(&target)))
        .collect();
    // SAFETY: the owner of these descriptors gets no further than the next write: the process ends.
    unsafe {
        for fd in open {
            libc::close(fd);
        }
        libc::_exit(i32::from(code))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        os::fd::AsRawFd as _,
    };

    use super::*;

    #[test]
    fn streams_and_files_are_told_apart() {
        let (reader, _writer) = std::io::pipe().unwrap();
        let (socket, _) = std::os::unix::net::UnixStream::pair().unwrap();
        assert_eq!((kind(reader.as_raw_fd()), kind(socket.as_raw_fd())), (Kind::Stream, Kind::Stream));
        assert_eq!(kind(fs::File::open("/dev/null").unwrap().as_raw_fd()), Kind::Stream);
        assert_eq!(kind(tempfile::tempfile().unwrap().as_raw_fd()), Kind::File);
    }

    #[test]
    fn a_full_pipe_or_socket_is_not_waited_for() {
        let (mut reader, writer) = std::io::pipe().unwrap();
        say(writer.as_raw_fd(), b"first");
        for _ in 0..100 {
            say(writer.as_raw_fd(), &[b'x'; 4096]);
        }
        let (mut near, mut far) = std::os::unix::net::UnixStream::pair().unwrap();
        near.write_all(b"a").unwrap();
        for _ in 0..1000 {
            say(near.as_raw_fd(), &[b'x'; 4096]);
        }
        let mut start = [0; 5];
        reader.read_exact(&mut start).unwrap();
        assert_eq!(&start, b"first");
        far.read_exact(&mut start[..1]).unwrap();
        assert_eq!(start[0], b'a');
    }
}
