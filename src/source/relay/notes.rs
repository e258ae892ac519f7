//! What a relay notices on the way.

use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
};

use parking_lot::Mutex;
use url::Url;

use crate::source::{SourceError, network};

/// What was noticed on the way, for when FFmpeg can make nothing of it.
#[derive(Default)]
pub struct Notes {
    failure: Mutex<Option<SourceError>>,
    waits: AtomicBool,
}

impl Notes {
    /// FFmpeg will be told less than this.
    pub fn failed(&self, error: SourceError) {
        *self.failure.lock() = Some(error);
    }

    /// A question went out.
    pub fn asked(&self) {
        self.waits.store(true, Ordering::Relaxed);
    }

    /// Something came back.
    pub fn answered(&self) {
        self.waits.store(false, Ordering::Relaxed);
    }

    /// Why nothing came, if it is known.
    pub fn failure(&self, shown: &Url) -> Option<SourceError> {
        let waits = self.waits.load(Ordering::Relaxed);
        let silent = || network::silence(shown, &io::ErrorKind::TimedOut.into());
        self.failure.lock().take().or_else(|| waits.then(silent))
    }
}
