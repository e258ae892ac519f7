//! What there is around an actor.

use std::{io, sync::Arc};

use super::run::Run;
use crate::source::capture::Notice;

/// What there is around an actor.
pub trait Around {
    /// From now on only what `run` brings is let in; the run before is stopped, and nothing of it is handled any more.
    fn admit(&self, run: Option<Arc<Run>>);
    /// Starts a capture thread with this run.
    ///
    /// # Errors
    /// When the system refuses the thread.
    fn read(&self, run: Arc<Run>) -> io::Result<()>;
    /// Frames of a live source that were replaced before a worker saw them.
    fn dropped(&self) -> u64;
    /// Leaves a notice of `run` behind the frame that waits.
    fn notify(&self, run: &Arc<Run>, notice: Notice);
    /// Nothing comes in any more.
    fn close(&self);
}
