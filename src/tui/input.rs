//! The thread that reads the terminal, so that the screens never wait for a key.

use std::{
    io::{self, Read as _, Write as _, stdin},
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::net::UnixStream,
    },
    time::Duration,
};

use crossbeam_channel::{Receiver, Sender, bounded};
use crossterm::event::Event;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};
use signal_hook::consts::SIGWINCH;

pub mod parser;

use parser::{Parser, UNFINISHED};

/// Bytes read in one go.
const PIECE: usize = 4096;

/// How long the end waits for the thread. It answers at once unless the system does not.
const PATIENCE: Duration = Duration::from_millis(300);

/// Keys, pastes, mouse and sizes as they come in.
pub struct Input {
    events: Receiver<io::Result<Event>>,
    stop: UnixStream,
    ended: Receiver<()>,
    resized: signal_hook::SigId,
}

impl Input {
    /// Starts to read standard input, which must be a terminal in raw mode.
    ///
    /// # Errors
    /// When the system refuses descriptors or a thread.
    pub fn start() -> io::Result<Self> {
        let (sender, events) = bounded(1024);
        let (alive, ended) = bounded::<()>(0);
        let terminal = stdin().as_fd().try_clone_to_owned()?;
        let (stop, stopped) = UnixStream::pair()?;
        let (winch, sizes) = UnixStream::pair()?;
        sizes.set_nonblocking(true)?;
        let resized = signal_hook::low_level::pipe::register(SIGWINCH, winch)?;
        std::thread::Builder::new().name("tui-input".into()).spawn(move || {
            if let Err(error) = read(&terminal, &sizes, &stopped, &sender) {
                // Nobody listens when the screens are gone.
                let _ = sender.send(Err(error));
            }
            drop(alive);
        })?;
        Ok(Self { events, stop, ended, resized })
    }

    /// Where events arrive. An error is the last thing that arrives: the terminal is gone.
    #[must_use]
    pub fn events(&self) -> &Receiver<io::Result<Event>> {
        &self.events
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        signal_hook::low_level::unregister(self.resized);
        // The thread sees the byte, or the closed end.
        let _ = self.stop.write_all(b"s");
        // Nothing is ever sent: this ends when the thread lets go of its end, or when patience does.
        let _ = self.ended.recv_timeout(PATIENCE);
    }
}

/// Reads until it is told to stop or nobody listens.
fn read(
    terminal: &OwnedFd,
    mut sizes: &UnixStream,
    stopped: &UnixStream,
    sender: &Sender<io::Result<Event>>,
) -> io::Result<()> {
    let mut parser = Parser::default();
    let mut bytes = [0; PIECE];
    let mut events = Vec::new();
    loop {
        let mut ends = [
            PollFd::new(terminal, PollFlags::IN),
            PollFd::new(sizes, PollFlags::IN),
            PollFd::new(stopped, PollFlags::IN),
        ];
        let patience = Timespec::try_from(UNFINISHED).ok().filter(|_| parser.is_pending());
        let ready = match poll(&mut ends, patience.as_ref()) {
            Ok(ready) => ready,
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        };
        let [has_bytes, has_size, is_over] = ends.map(|end| !end.revents().is_empty());
        if is_over {
            return Ok(());
        }
        if ready == 0 {
            parser.give_up(&mut |event| events.push(event));
        }
        if has_size {
            // However many signals came, the size is one.
            while matches!(sizes.read(&mut bytes), Ok(1..)) {}
            if let Ok((columns, rows)) = crossterm::terminal::size() {
                events.push(Event::Resize(columns, rows));
            }
        }
        if has_bytes {
            match rustix::io::read(terminal, &mut bytes) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => parser.feed(&bytes[..count], &mut |event| events.push(event)),
                Err(Errno::INTR | Errno::AGAIN) => {}
                Err(error) => return Err(error.into()),
            }
        }
        for event in events.drain(..) {
            if sender.send(Ok(event)).is_err() {
                return Ok(());
            }
        }
    }
}
