//! File operations in a process of their own that shares this one's memory.
//!
//! A thread that waits for a disk which does not answer (frozen by `fsfreeze`, a suspended volume, a dying drive)
//! cannot be killed, and the kernel does not let a process end before its last thread has. Such operations
//! therefore run in a child made by `clone` with `CLONE_VM` and without `CLONE_THREAD`: it sees the same memory and
//! the same open files, but the end of this process does not wait for it. The child ends with its parent, as soon
//! as the disk lets it.
//!
//! In `ps` each of them is an entry with the memory of the whole program, which they share.

use std::{
    any::Any,
    io,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    ptr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, Sender, bounded};

/// Jobs that may wait.
const QUEUE: usize = 1024;

/// Stack of the child, as large as that of a thread, and its guard page.
const STACK: usize = 2 << 20;
const GUARD: usize = 4096;

type Job = Box<dyn FnOnce() + Send>;

/// Runs file operations, one after the other. Cheap to clone; ends when the last clone is dropped.
///
/// The work must not start threads: they would belong to the child, and the end of the program would not stop them
/// as it stops its own.
#[derive(Clone)]
pub struct Disk {
    jobs: Sender<Job>,
    state: Arc<State>,
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Disk").field("busy_for", &self.busy_for()).finish()
    }
}

/// When the operation that runs began, in milliseconds since the epoch of the process; 0 while there is none.
#[derive(Default)]
struct State {
    since: AtomicU64,
}

impl Disk {
    /// Starts the process. `name` is shown by `ps`; 15 bytes of it.
    ///
    /// Where the system allows no such process, a thread does the work.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn start(name: &str) -> io::Result<Self> {
        let (jobs, waiting) = bounded(QUEUE);
        let state = Arc::new(State::default());
        let seen = Arc::clone(&state);
        std::thread::Builder::new().name(name.into()).spawn(move || host(&Child { waiting, state: seen }))?;
        Ok(Self { jobs, state })
    }

    /// Runs `work` and waits for it, for ever when the disk does not answer. The wait can be killed.
    ///
    /// # Panics
    /// When `work` does.
    #[allow(
        unsafe_code,
        reason = "a job that borrows from a caller who waits for it, as in a scope of threads"
    )]
    pub fn run<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        let (done, wait) = bounded(1);
        let job: Box<dyn FnOnce() + Send + '_> = Box::new(move || {
            // The caller takes the panic; the answer cannot fail to reach it, since it waits.
            let _ = done.send(catch_unwind(AssertUnwindSafe(work)));
        });
        // SAFETY: only the lifetime changes. What `work` borrows is used up before `done` is sent or dropped, and
        // this function does not return before one of the two.
        let job: Job = unsafe { std::mem::transmute::<Box<dyn FnOnce() + Send + '_>, Job>(job) };
        if let Err(refused) = self.jobs.send(job) {
            (refused.into_inner())();
        }
        let answer: Result<Result<R, Box<dyn Any + Send>>, _> = wait.recv();
        match answer {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => resume_unwind(panic),
            // The job can only be dropped unrun when the child has died, and then so does the whole process.
            Err(_) => std::process::abort(),
        }
    }

    /// Runs `work` and waits for it at most `patience`; `None` when it takes longer. It is then still done some time.
    pub fn run_within<R: Send + 'static>(
        &self,
        patience: Duration,
        work: impl FnOnce() -> R + Send + 'static,
    ) -> Option<R> {
        let deadline = Instant::now() + patience;
        let (done, wait) = bounded(1);
        let job = Box::new(move || {
            // The caller may have given up.
            let _ = done.send(work());
        });
        self.jobs.send_deadline(job, deadline).ok()?;
        wait.recv_deadline(deadline).ok()
    }

    /// Runs `work` some time after this returns; `false` when too much waits already, and `work` is dropped.
    #[must_use]
    pub fn post(&self, work: impl FnOnce() + Send + 'static) -> bool {
        self.jobs.try_send(Box::new(work)).is_ok()
    }

    /// How long the operation that runs now has been running; zero when none does.
    #[must_use]
    pub fn busy_for(&self) -> Duration {
        match self.state.since.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            since => Duration::from_millis(now().saturating_sub(since)),
        }
    }
}

/// Milliseconds since the first call, from 1.
fn now() -> u64 {
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    let epoch = *EPOCH.get_or_init(Instant::now);
    u64::try_from(epoch.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1)
}

struct Child {
    waiting: Receiver<Job>,
    state: Arc<State>,
}

impl Child {
    fn serve(&self) {
        while let Ok(job) = self.waiting.recv() {
            self.state.since.store(now(), Ordering::Relaxed);
            // Told by the panic hook; the next job has nothing to do with it.
            let _ = catch_unwind(AssertUnwindSafe(job));
            self.state.since.store(0, Ordering::Relaxed);
        }
    }
}

/// What the child is started with.
struct Start<'a> {
    child: &'a Child,
    parent: libc::pid_t,
}

/// The thread whose place the child takes: it shares its thread-local storage, so this thread does nothing but
/// wait for the child to end, with all signals blocked in both.
#[allow(unsafe_code, reason = "clone, and what belongs to it, have no safe counterpart")]
fn host(child: &Child) {
    // SAFETY: the stack is ours, larger than its guard and freed after the child has ended. `start` outlives the
    // child. Between `clone` and the end of the child this thread makes only system calls that touch neither
    // `errno` (they succeed) nor the heap, so that two processes never use the same thread-local storage at once.
    unsafe {
        let stack = libc::mmap(
            ptr::null_mut(),
            STACK + GUARD,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_STACK | libc::MAP_NORESERVE,
            -1,
            0,
        );
        if stack == libc::MAP_FAILED {
            return child.serve();
        }
        libc::mprotect(stack, GUARD, libc::PROT_NONE);
        let mut all: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const all, ptr::null_mut());
        let start = Start { child, parent: libc::getpid() };
        let flags = libc::CLONE_VM | libc::CLONE_FS | libc::CLONE_FILES;
        let top = stack.byte_add(STACK + GUARD);
        let pid = libc::clone(enter, top, flags, (&raw const start).cast_mut().cast());
        if pid < 0 {
            child.serve();
        } else {
            let mut status: libc::c_int = 0;
            let nothing = ptr::null_mut::<libc::rusage>();
            while libc::syscall(libc::SYS_wait4, pid, &raw mut status, libc::__WALL, nothing) < 0
                && *libc::__errno_location() == libc::EINTR
            {}
            if libc::WIFSIGNALED(status) {
                // It crashed in the middle of what this process waits for; as a thread it would have taken the
                // process with it.
                libc::abort();
            }
        }
        libc::munmap(stack, STACK + GUARD);
    }
}

#[allow(unsafe_code, reason = "the first function of the child")]
extern "C" fn enter(start: *mut libc::c_void) -> libc::c_int {
    // SAFETY: `start` is the one of `host`, which waits for this process to end. No panic leaves `serve`.
    unsafe {
        let start = &*start.cast::<Start<'_>>();
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        // The parent may have ended before that.
        if libc::getppid() == start.parent {
            start.child.serve();
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use std::{process::id, sync::Mutex};

    use super::*;

    #[test]
    fn work_runs_in_another_process_and_on_the_same_memory() {
        let disk = Disk::start("disk-test").unwrap();
        let mut seen = Vec::new();
        let there = disk.run(|| {
            seen.push("written".to_owned());
            id()
        });
        assert_ne!(there, id());
        assert_eq!(seen, ["written"]);
    }

    #[test]
    fn files_are_shared_in_both_directions() {
        use std::io::{Read as _, Seek as _, Write as _};
        let disk = Disk::start("disk-test").unwrap();
        let mut file = disk.run(tempfile::tempfile).unwrap();
        file.write_all(b"here").unwrap();
        disk.run(|| file.write_all(b" and there")).unwrap();
        let mut text = String::new();
        file.rewind().unwrap();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "here and there");
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_next_job_runs() {
        let disk = Disk::start("disk-test").unwrap();
        let caught = catch_unwind(AssertUnwindSafe(|| disk.run(|| panic!("as asked"))));
        assert!(caught.is_err());
        assert_eq!(disk.run(|| 7), 7);
    }

    #[test]
    fn a_job_that_takes_long_is_given_up_and_seen() {
        let disk = Disk::start("disk-test").unwrap();
        let (go, wait) = bounded::<()>(1);
        assert_eq!(disk.run_within(Duration::from_millis(20), move || wait.recv().is_ok()), None);
        assert!(disk.busy_for() > Duration::from_millis(10));
        go.send(()).unwrap();
        while disk.busy_for() > Duration::ZERO {
            std::thread::yield_now();
        }
    }

    #[test]
    fn many_at_once_share_heap_locks_and_channels() {
        let sum = Mutex::new(0_u64);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let disk = Disk::start("disk-test").unwrap();
                    for number in 0..2_000_u64 {
                        let texts = disk.run(|| (0..20).map(|n| format!("{number} {n}")).collect::<Vec<_>>());
                        *sum.lock().unwrap() += texts.len() as u64;
                        disk.run(|| *sum.lock().unwrap() += 1);
                    }
                });
            }
        });
        assert_eq!(*sum.lock().unwrap(), 8 * 2_000 * 21);
    }
}
