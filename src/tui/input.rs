//! The thread that reads the terminal, so that the screens never wait for a key.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crossbeam_channel::{Receiver, Sender, bounded};
use crossterm::event::{self, Event};

/// How long a stop may take to be noticed. Each look costs crossterm half a millisecond: twenty a second were more
/// than drawing takes.
const POLL: Duration = Duration::from_millis(150);

/// How long the end waits for the thread. On a terminal that has gone, crossterm never comes back from its
/// poll; the thread is then left to the end of the process.
const PATIENCE: Duration = Duration::from_millis(300);

/// Keys, pastes, mouse and sizes as they come in.
pub struct Input {
    events: Receiver<io::Result<Event>>,
    stop: Arc<AtomicBool>,
    ended: Receiver<()>,
}

impl Input {
    /// Starts to read.
    ///
    /// # Errors
    /// When no thread can be made.
    pub fn start() -> io::Result<Self> {
        let (sender, events) = bounded(1024);
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        let (alive, ended) = bounded::<()>(0);
        std::thread::Builder::new().name("tui-input".into()).spawn(move || {
            read(&sender, &seen);
            drop(alive);
        })?;
        Ok(Self { events, stop, ended })
    }

    /// Where events arrive. An error is the last thing that arrives: the terminal is gone.
    #[must_use]
    pub fn events(&self) -> &Receiver<io::Result<Event>> {
        &self.events
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Nothing is ever sent: this ends when the thread lets go of its end, or when patience does.
        let _ = self.ended.recv_timeout(PATIENCE);
    }
}

fn read(sender: &Sender<io::Result<Event>>, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let event = match event::poll(POLL) {
            Ok(false) => continue,
            Ok(true) => event::read(),
            Err(error) => Err(error),
        };
        let gone = event.is_err();
        if sender.send_timeout(event, POLL).is_err() && stop.load(Ordering::Relaxed) {
            return;
        }
        if gone {
            return;
        }
    }
}
