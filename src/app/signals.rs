//! Signals that end the program, turned into something that can be waited for.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI32, Ordering},
    },
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};

use crate::native::signals::is_ignored;

/// The signal that asked for the end, if one did.
#[derive(Clone, Default)]
pub struct StopSignal {
    /// Its number; 0 while there is none.
    pub number: Arc<AtomicI32>,
    /// Whether there was one.
    pub received: Arc<AtomicBool>,
}

impl StopSignal {
    /// Listens for SIGINT, SIGTERM and SIGHUP from now on, unless they are ignored. A second one ends the process at once: whoever
    /// asks twice does not want to wait.
    ///
    /// # Errors
    /// When the system refuses the handler or the thread.
    pub fn listen() -> io::Result<Self> {
        let stop = Self::default();
        // What was ignored at the start stays ignored: `nohup`, `trap '' HUP`, background jobs of a script.
        let heeded = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| !is_ignored(*signal));
        let mut signals = Signals::new(heeded)?;
        let heard = stop.clone();
        std::thread::Builder::new().name("signals".into()).spawn(move || {
            for signal in signals.forever() {
                if heard.received.swap(true, Ordering::SeqCst) {
                    std::process::exit(128 + signal);
                }
                heard.number.store(signal, Ordering::SeqCst);
            }
        })?;
        Ok(stop)
    }
}
