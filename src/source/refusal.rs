//! What the system refuses the program at this moment: threads, open files, memory.
//!
//! OpenCV and FFmpeg say only that a video did not open. Where the reason is a limit of the process, what they say of the
//! video would be wrong, so the system is asked for what an opening takes, and the answer is said as it is.

use std::{fs::File, io, thread};

use parking_lot::Mutex;

use super::SourceError;

/// Handles that an opening may take at a time: a file, its index, or the sockets of a camera.
const HANDLES: usize = 10;

/// Threads that are asked for, at most; decoders start one for each processor.
const THREADS: usize = 16;

/// Bytes that are asked for: what the frames of a decoder take.
const MEMORY: usize = 32 << 20;

/// Why nothing can be opened now, whatever it is; `None` while the system gives what an opening takes.
///
/// Takes well under a millisecond on most machines.
#[must_use]
pub fn find() -> Option<SourceError> {
    /// One asks at a time: many at once would take from each other what they ask for.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock();
    handles().or_else(threads).or_else(memory)
}

/// `error` in words for the user when it says that the system refuses something.
#[must_use]
pub fn of(error: &io::Error) -> Option<SourceError> {
    use rustix::io::Errno;
    let refused = |code: Errno| error.raw_os_error() == Some(code.raw_os_error());
    if refused(Errno::MFILE) || refused(Errno::NFILE) {
        Some(SourceError::System(format!(
            "the system refuses more open files ({error}); raise the limit (ulimit -n, LimitNOFILE= of a service) or \
             have fewer sources"
        )))
    } else if refused(Errno::NOMEM) || error.kind() == io::ErrorKind::OutOfMemory {
        Some(SourceError::System(format!(
            "the system refuses more memory ({error}); raise the limit (ulimit -v, MemoryMax= of a service) or have \
             fewer sources"
        )))
    } else {
        None
    }
}

/// A thread that was refused, in words for the user.
#[must_use]
pub fn thread(error: &io::Error) -> SourceError {
    SourceError::System(format!(
        "the system refuses more threads ({error}); raise the limit (ulimit -u, TasksMax= of a service) or have fewer \
         sources"
    ))
}

fn handles() -> Option<SourceError> {
    let mut held = Vec::with_capacity(HANDLES);
    for _ in 0..HANDLES {
        match File::open("/dev/null") {
            Ok(file) => held.push(file),
            Err(error) => return of(&error),
        }
    }
    None
}

fn threads() -> Option<SourceError> {
    let count = thread::available_parallelism().map_or(1, usize::from).min(THREADS);
    begin(count).1.as_ref().map(thread)
}

/// How many of `count` threads the system would give at this moment.
#[must_use]
pub fn room_for_threads(count: usize) -> usize {
    begin(count).0
}

/// Begins `count` threads that live until the last one is there or refused, and ends them; how many there were, and why
/// there were no more.
fn begin(count: usize) -> (usize, Option<io::Error>) {
    let (keep, wait) = crossbeam_channel::bounded::<()>(0);
    let mut begun = Vec::with_capacity(count);
    let mut refused = None;
    while begun.len() < count && refused.is_none() {
        let wait = wait.clone();
        let builder = thread::Builder::new().name("cap-room".into()).stack_size(64 << 10);
        match builder.spawn(move || wait.recv().is_ok()) {
            Ok(thread) => begun.push(thread),
            Err(error) => refused = Some(error),
        }
    }
    drop(keep);
    let count = begun.len();
    for thread in begun {
        // They do nothing that could panic.
        let _ = thread.join();
    }
    (count, refused)
}

fn memory() -> Option<SourceError> {
    // Not touched, so that it costs nothing. A black box, or the compiler would leave it out.
    let mut room = Vec::<u8>::new();
    let refused = std::hint::black_box(&mut room).try_reserve_exact(MEMORY).is_err();
    refused.then(|| of(&io::Error::from(rustix::io::Errno::NOMEM)))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_by_its_reason_and_its_remedy_and_nothing_else_is_one() {
        let said = |code: i32| of(&io::Error::from_raw_os_error(code)).map(|error| error.to_string());
        for (code, what, remedy) in
            [(24, "open files", "ulimit -n"), (23, "open files", "ulimit -n"), (12, "memory", "ulimit -v")]
        {
            let text = said(code).unwrap();
            assert!(text.contains(what) && text.contains(remedy), "{text}");
        }
        // No such file, access denied, busy.
        assert!([2, 13, 16].iter().all(|code| said(*code).is_none()));
        assert!(thread(&io::Error::from_raw_os_error(11)).to_string().contains("TasksMax="));
    }

    #[test]
    fn a_process_without_tight_limits_is_refused_nothing() {
        assert_eq!(find(), None);
    }
}
