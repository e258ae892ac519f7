//! The standard output, written by a thread of its own: counting waits neither for a reader that has stopped reading
//! nor for a disk that is full or does not answer.

use std::{
    fs::File,
    io::{self, Write},
    os::fd::{AsFd, AsRawFd as _},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use parking_lot::Mutex;

use crate::{
    clock::Clock,
    native::{
        disk::Disk,
        leave::{self, Kind},
    },
};

/// Pieces that wait here while more wait where they come from.
const ROOM: u64 = 256;

/// How long an output that has refused is left alone.
const RETRY: Duration = Duration::from_secs(1);

/// How often a waiting thread checks whether it is to end.
const POLL: Duration = Duration::from_millis(20);

#[derive(Debug, Default)]
struct State {
    /// Pieces given to the thread, and those it has written.
    sent: AtomicU64,
    written: AtomicU64,
    gone: AtomicBool,
    ending: AtomicBool,
    closing: AtomicBool,
    problem: Mutex<Option<String>>,
}

/// State of an [`Outlet`]. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct OutletState(Arc<State>);

impl OutletState {
    /// Whether little waits to be written; who has more should keep it for now. At the end there is room for all.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.0.ending.load(Ordering::SeqCst) || self.waiting() < ROOM
    }

    /// The end comes: what is still to be written is taken, however much waits.
    pub fn make_room(&self) {
        self.0.ending.store(true, Ordering::SeqCst);
    }

    /// Pieces (lines, dashboards) that are not written yet. None of those count that nobody wants: the reader has
    /// gone.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        if self.is_gone() {
            return 0;
        }
        let written = self.0.written.load(Ordering::SeqCst);
        self.0.sent.load(Ordering::SeqCst).saturating_sub(written)
    }

    /// Whether the reader has gone: nothing more can be written.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.0.gone.load(Ordering::SeqCst)
    }

    /// Why it cannot be written at this moment, if so.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        self.0.problem.lock().clone()
    }
}

/// The thread and the first of its [`Pieces`].
pub struct Outlet {
    pieces: Option<Pieces>,
    ended: Receiver<()>,
    state: OutletState,
}

/// What is written between two flushes is one piece. Never blocks; gives [`io::ErrorKind::BrokenPipe`] once the
/// reader has gone. What the output refuses for another reason waits and is written when it can be.
pub struct Pieces {
    piece: Vec<u8>,
    sender: Sender<Vec<u8>>,
    state: OutletState,
}

impl Outlet {
    /// Starts the thread, which writes to a duplicate of `out`.
    ///
    /// # Errors
    /// When the system refuses a thread or a descriptor.
    pub fn start(out: &impl AsFd, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let file = File::from(out.as_fd().try_clone_to_owned()?);
        let disk = match leave::kind(file.as_raw_fd()) {
            Kind::Stream => None,
            Kind::File => Some(Disk::start("disk-output")?),
        };
        // Without a bound, which is where the pieces come from: see `has_room`.
        let (pieces, waiting) = unbounded();
        let (alive, ended) = bounded(0);
        let state = OutletState::default();
        let seen = state.clone();
        std::thread::Builder::new().name("output".into()).spawn(move || {
            Writer { file, disk, state: seen, clock }.run(&waiting);
            drop::<Sender<()>>(alive);
        })?;
        let pieces = Pieces { piece: Vec::new(), sender: pieces, state: state.clone() };
        Ok(Self { pieces: Some(pieces), ended, state })
    }

    /// Its state.
    #[must_use]
    pub fn state(&self) -> OutletState {
        self.state.clone()
    }

    /// For another thread, whose pieces come between those of this one.
    #[must_use]
    pub fn pieces(&self) -> Option<Pieces> {
        let sender = self.pieces.as_ref()?.sender.clone();
        Some(Pieces { piece: Vec::new(), sender, state: self.state() })
    }

    /// Nothing more comes, here or from other [`Pieces`]: waits at most `patience` for all to be written.
    pub fn close(&mut self, patience: Duration) {
        self.pieces = None;
        self.state.0.closing.store(true, Ordering::SeqCst);
        // Nothing is ever sent: it ends when the thread has, or when patience does.
        let _ = self.ended.recv_timeout(patience);
    }
}

impl Write for Outlet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pieces.as_mut().map_or(Ok(bytes.len()), |pieces| pieces.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pieces.as_mut().map_or(Ok(()), Pieces::flush)
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.state.is_gone() {
            self.piece.clear();
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        if !self.piece.is_empty() {
            let piece = std::mem::take(&mut self.piece);
            self.state.0.sent.fetch_add(1, Ordering::SeqCst);
            // The thread ends only after `close` or when the reader has gone.
            let _ = self.sender.send(piece);
        }
        Ok(())
    }
}

struct Writer {
    file: File,
    disk: Option<Disk>,
    state: OutletState,
    clock: Arc<dyn Clock>,
}

impl Writer {
    fn run(mut self, pieces: &Receiver<Vec<u8>>) {
        for piece in pieces {
            if !self.piece(&piece) {
                return;
            }
            self.state.0.written.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Writes `piece`, however long it takes; `false` when it cannot be written any more.
    fn piece(&mut self, piece: &[u8]) -> bool {
        let mut rest = piece;
        while !rest.is_empty() {
            let written = match &self.disk {
                Some(disk) => disk.run(|| self.file.write(rest)),
                None => self.file.write(rest),
            };
            let error = match written {
                Ok(0) => io::ErrorKind::WriteZero.into(),
                Ok(count) => {
                    rest = &rest[count..];
                    self.tell(None);
                    continue;
                }
                Err(error) => error,
            };
            match error.kind() {
                io::ErrorKind::Interrupted => {}
                io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => {
                    self.state.0.gone.store(true, Ordering::SeqCst);
                    return false;
                }
                // Somebody who shares it has set it not to block.
                io::ErrorKind::WouldBlock => self.clock.rest(POLL),
                _ => {
                    self.tell(Some(&error));
                    let again = self.clock.now() + RETRY;
                    while self.clock.now() < again {
                        if self.state.0.closing.load(Ordering::SeqCst) {
                            return false;
                        }
                        self.clock.rest(POLL);
                    }
                }
            }
        }
        true
    }

    fn tell(&self, error: Option<&io::Error>) {
        let mut known = self.state.0.problem.lock();
        match (error, known.is_some()) {
            (Some(error), false) => {
                let problem = format!(
                    "the standard output cannot be written: {error}; counting goes on, the output waits in \
                     memory and is printed later"
                );
                tracing::error!("{problem}");
                *known = Some(problem);
            }
            (None, true) => {
                tracing::info!("The standard output is written again");
                *known = None;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn pieces_arrive_whole_and_in_order() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut outlet = Outlet::start(&writer, Arc::new(SystemClock)).unwrap();
        drop(writer);
        for number in 0..1000 {
            writeln!(outlet, "line {number}").unwrap();
            outlet.flush().unwrap();
        }
        let state = outlet.state();
        let reading = std::thread::spawn(move || {
            let mut text = String::new();
            reader.read_to_string(&mut text).map(|_| text)
        });
        outlet.close(Duration::from_secs(30));
        let expected: String = (0..1000).map(|number| format!("line {number}\n")).collect();
        assert_eq!(reading.join().unwrap().unwrap(), expected);
        assert_eq!((state.waiting(), state.problem()), (0, None));
    }

    #[test]
    fn a_reader_that_does_not_read_is_not_waited_for_and_what_waits_is_known() {
        let (_reader, writer) = io::pipe().unwrap();
        let mut outlet = Outlet::start(&writer, Arc::new(SystemClock)).unwrap();
        for _ in 0..400 {
            outlet.write_all(&[b'x'; 1000]).unwrap();
            outlet.flush().unwrap();
        }
        outlet.close(Duration::from_millis(50));
        let state = outlet.state();
        assert!(!state.has_room());
        assert!((300..400).contains(&state.waiting()), "a pipe holds 64 KiB: {}", state.waiting());
    }

    #[test]
    fn a_full_device_is_a_problem_and_no_error() {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let mut outlet = Outlet::start(&full, Arc::new(SystemClock)).unwrap();
        outlet.write_all(b"line\n").unwrap();
        outlet.flush().unwrap();
        let state = outlet.state();
        while state.problem().is_none() {
            std::thread::yield_now();
        }
        assert!(state.problem().unwrap().contains("No space left"));
        outlet.flush().unwrap();
        outlet.close(Duration::from_secs(30));
        assert_eq!(state.waiting(), 1);
    }

    #[test]
    fn a_reader_that_has_gone_is_a_broken_pipe() {
        let (reader, writer) = io::pipe().unwrap();
        let mut outlet = Outlet::start(&writer, Arc::new(SystemClock)).unwrap();
        drop(reader);
        let error = loop {
            outlet.write_all(b"x").unwrap();
            if let Err(error) = outlet.flush() {
                break error;
            }
            std::thread::yield_now();
        };
        assert_eq!((error.kind(), outlet.state().waiting()), (io::ErrorKind::BrokenPipe, 0));
    }
}
