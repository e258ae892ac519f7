//! Signals that end the program, turned into something that can be waited for.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI32, Ordering},
    },
    time::Instant,
};

use crossbeam_channel::{Receiver, Sender, bounded};
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
    /// Whether the program was told to end by other means than a signal.
    asked: Arc<AtomicBool>,
}

/// What a hang-up means.
enum HangUp {
    /// The end, unless it was ignored at the start (`nohup`, `trap '' HUP`).
    Ends,
    /// Somebody is told.
    Tells(Sender<()>),
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

    /// [`Self::listen`] for a service, which a SIGHUP does not end: each is told by the receiver, those that come before the
    /// last one was taken as one.
    ///
    /// # Errors
    /// When the system refuses the handler or the thread.
    pub fn listen_as_service() -> io::Result<(Self, Receiver<()>)> {
        let (tell, told) = bounded(1);
        Ok((Self::listen_with(HangUp::Tells(tell))?, told))
    }

    fn listen_with(hang_up: HangUp) -> io::Result<Self> {
        let (begin, heard) = bounded(1);
        let stop = Self { number: Arc::default(), received: Arc::default(), heard, asked: Arc::default() };
        // A hang-up that was ignored at the start stays ignored where it would end the program. SIGINT is heeded: scripts
        // start background jobs with it ignored, and stop this program with it.
        let tells = matches!(hang_up, HangUp::Tells(_));
        let heeded = [SIGINT, SIGTERM, SIGHUP]
            .into_iter()
            .filter(|signal| *signal != SIGHUP || tells || !is_ignored(SIGHUP));
        let mut signals = Signals::new(heeded)?;
        let (number, received) = (Arc::clone(&stop.number), Arc::clone(&stop.received));
        std::thread::Builder::new().name("signals".into()).spawn(move || {
            for signal in signals.forever() {
                if let (SIGHUP, HangUp::Tells(tell)) = (signal, &hang_up) {
                    // Full where one is told of and not taken yet.
                    let _ = tell.try_send(());
                    continue;
                }
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

    /// Asks for the end as a signal does, but not as urgently: what is open is written in peace, and a signal that comes after
    /// it is the first one.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "whoever stops the program otherwise than by a signal calls it")
    )]
    pub fn ask(&self) {
        self.asked.store(true, Ordering::SeqCst);
    }

    /// Whether the end was asked for, by a signal or by [`Self::ask`].
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst) || self.received.load(Ordering::SeqCst)
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
        let stop =
            StopSignal { number: Arc::default(), received: Arc::default(), heard, asked: Arc::default() };
        let other = stop.clone();
        assert!(!other.is_asked());
        stop.ask();
        assert!(other.is_asked() && other.code().is_none());
        assert!(!other.received.load(Ordering::SeqCst), "a signal after it is the first one");
    }
}
