//! Signals that end the program, turned into something that can be waited for.

use std::{
    io,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicI32, Ordering},
    },
    time::Instant,
};

use crossbeam_channel::{Receiver, Sender, bounded};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::{SignalsInfo, exfiltrator::WithOrigin},
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
    /// Number of the user who sent it, where the system says.
    sender: Arc<OnceLock<Option<u32>>>,
    /// Whether the program was told to end by other means than a signal.
    asked: Arc<AtomicBool>,
}

/// What a hang-up means.
enum HangUp {
    /// The end, unless it was ignored at the start (`nohup`, `trap '' HUP`).
    Ends,
    /// The receiver is told, with the number of the user who sent it, where the system says.
    Tells(Sender<Option<u32>>),
}

impl StopSignal {
    /// Listens for SIGINT, SIGTERM and SIGHUP from now on, for the last unless it is ignored. A second one ends the
    /// process at once: a user who asks twice does not want to wait.
    ///
    /// # Errors
    /// When the system refuses the handler or the thread.
    pub fn listen() -> io::Result<Self> {
        Self::listen_with(HangUp::Ends)
    }

    /// [`Self::listen`] for a service, which a SIGHUP does not end: each comes to the receiver, with the number of the user who sent
    /// it, where the system says; those that come before the last one was taken are one.
    ///
    /// # Errors
    /// When the system refuses the handler or the thread.
    pub fn listen_as_service() -> io::Result<(Self, Receiver<Option<u32>>)> {
        let (tell, told) = bounded(1);
        Ok((Self::listen_with(HangUp::Tells(tell))?, told))
    }

    fn listen_with(hang_up: HangUp) -> io::Result<Self> {
        let (begin, heard) = bounded(1);
        let stop = Self {
            number: Arc::default(),
            received: Arc::default(),
            heard,
            asked: Arc::default(),
            sender: Arc::default(),
        };
        // A hang-up that was ignored at the start stays ignored where it would end the program. SIGINT is heeded: scripts
        // start background jobs with it ignored, and stop this program with it.
        let tells = matches!(hang_up, HangUp::Tells(_));
        let heeded = [SIGINT, SIGTERM, SIGHUP]
            .into_iter()
            .filter(|signal| *signal != SIGHUP || tells || !is_ignored(SIGHUP));
        let mut signals = SignalsInfo::<WithOrigin>::new(heeded)?;
        let (number, received) = (Arc::clone(&stop.number), Arc::clone(&stop.received));
        let sender = Arc::clone(&stop.sender);
        std::thread::Builder::new().name("signals".into()).spawn(move || {
            for origin in signals.forever() {
                let (signal, from) = (origin.signal, origin.process.map(|process| process.uid));
                if let (SIGHUP, HangUp::Tells(tell)) = (signal, &hang_up) {
                    // Full where one is told of and not taken yet.
                    let _ = tell.try_send(from);
                    continue;
                }
                if received.swap(true, Ordering::SeqCst) {
                    crash::give_back();
                    leave::now(code_of(signal));
                }
                // Before the number, which others wait for.
                let _ = sender.set(from);
                number.store(signal, Ordering::SeqCst);
                // There is room for the first, and only that is sent.
                let _ = begin.try_send(Instant::now());
            }
        })?;
        Ok(stop)
    }

    /// Asks for the end as a signal does, but not as urgently: what is open is written in peace, and a signal that comes after
    /// it is the first one.
    pub fn ask(&self) {
        self.asked.store(true, Ordering::SeqCst);
    }

    /// Whether the end was asked for, by a signal or by [`Self::ask`].
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst) || self.code().is_some()
    }

    /// Number of the user who sent the signal, where there was one and the system says.
    pub fn sender(&self) -> Option<u32> {
        self.sender.get().copied().flatten()
    }

    /// Whether the terminal was lost: nobody waits for the end.
    pub fn is_hang_up(&self) -> bool {
        self.number.load(Ordering::SeqCst) == SIGHUP
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_that_is_asked_for_is_no_signal_and_has_no_code_of_one() {
        let (_begin, heard) = bounded(1);
        let stop = StopSignal {
            number: Arc::default(),
            received: Arc::default(),
            heard,
            asked: Arc::default(),
            sender: Arc::default(),
        };
        let other = stop.clone();
        assert!(!other.is_asked());
        stop.ask();
        assert!(other.is_asked() && other.code().is_none());
        assert!(!other.received.load(Ordering::SeqCst), "a signal after it is the first one");
    }
}
