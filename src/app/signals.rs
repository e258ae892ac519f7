//! Signals that end the program, turned into something that can be waited for.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI32, Ordering},
    },
    time::Instant,
};

use crossbeam_channel::{Receiver, bounded};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};

use super::failure::SIGNAL;
use crate::native::{crash, leave, signals::is_ignored};

/// The signal that asked for the end, if one did.
#[derive(Clone)]
pub struct StopSignal {
    /// Its number; 0 while there is none.
    pub number: Arc<AtomicI32>,
    /// Whether there was one.
    pub received: Arc<AtomicBool>,
    /// Gives the time of the first one, once.
    pub heard: Receiver<Instant>,
}

impl StopSignal {
    /// Listens for SIGINT, SIGTERM and SIGHUP from now on, for the last unless it is ignored. A second one ends the
    /// process at once: a user who asks twice does not want to wait.
    ///
    /// # Errors
    /// When the system refuses the handler or the thread.
    pub fn listen() -> io::Result<Self> {
        let (begin, heard) = bounded(1);
        let stop = Self { number: Arc::default(), received: Arc::default(), heard };
        // A hang-up that was ignored at the start (`nohup`, `trap '' HUP`) stays ignored. SIGINT is heeded: scripts
        // start background jobs with it ignored, and stop this program with it.
        let heeded =
            [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| *signal != SIGHUP || !is_ignored(SIGHUP));
        let mut signals = Signals::new(heeded)?;
        let (number, received) = (Arc::clone(&stop.number), Arc::clone(&stop.received));
        std::thread::Builder::new().name("signals".into()).spawn(move || {
            for signal in signals.forever() {
                if received.swap(true, Ordering::SeqCst) {
                    crash::give_back();
                    leave::now(code_of(signal));
                }
                number.store(signal, Ordering::SeqCst);
                // There is room for the first, and only that is sent.
                let _ = begin.try_send(Instant::now());
            }
        })?;
        Ok(stop)
    }

    /// The exit code of a program that was ended by a signal; `None` while there was none.
    pub fn code(&self) -> Option<u8> {
        match self.number.load(Ordering::SeqCst) {
            0 => None,
            signal => Some(code_of(signal)),
        }
    }
}

fn code_of(signal: i32) -> u8 {
    u8::try_from(signal).map_or(SIGNAL, |signal| SIGNAL.saturating_add(signal))
}
