//! A command that may take long: its line of progress, and the signals that end it early with what is known so far.

use anyhow::Context as _;

use super::{
    ending::Ending,
    failure::{Failure, NO_THREAD},
    notices::Notices,
    signals::StopSignal,
};
use crate::progress::Progress;

/// One such command.
pub struct LongWork {
    /// How far it has come, and whether it is to end.
    pub progress: Progress,
    stop: StopSignal,
    ending: Ending,
}

impl LongWork {
    /// Listens for signals from now on; the line is shown on a terminal where it is `wanted`. To be called while the
    /// standard error is what it was at the start.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn begin(wanted: bool) -> Result<Self, Failure> {
        let stop = StopSignal::listen().context(NO_THREAD)?;
        let notices = Notices::start().context(NO_THREAD)?;
        // Should a disk, a decoder or the reader of the output not answer, a signal ends the program all the same.
        let ending = Ending::watch(&stop, &notices).context(NO_THREAD)?;
        let progress = Progress::on_stderr(wanted, stop.received.clone());
        Ok(Self { progress, stop, ending })
    }

    /// The exit code of a command that a signal ended; `None` while there was none.
    pub fn stopped(&self) -> Option<u8> {
        self.stop.code()
    }

    /// The work is over: the line goes away. Gives the exit code of the signal that ended it, or else `code`.
    pub fn end(&self, code: u8) -> u8 {
        self.progress.end();
        self.stop.code().unwrap_or(code)
    }

    /// Ends the process at once: threads may still wait in native code.
    pub fn leave(&self, code: u8) -> ! {
        self.progress.end();
        self.ending.leave(code, false)
    }
}
