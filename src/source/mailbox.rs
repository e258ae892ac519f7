//! The one-frame slot between a capture thread and the workers.
//!
//! A live source replaces what is there (the newest frame wins and the loss is counted); while no other frame is due it
//! renews what has waited for long. A file waits until the slot is free, so that none of its frames is lost. Notices (the stream broke off, the file ended) are
//! delivered after the frame that came before them.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use parking_lot::{Condvar, Mutex};

use super::{Frame, SourceError};

/// What the workers are told apart from frames.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// The stream was closed or broke off: whoever was in the picture is no longer followed.
    Disconnected,
    /// The source will send nothing more: a file at its end (`None`) or a source given up.
    Ended(Option<SourceError>),
}

/// What a worker takes out.
pub enum Delivery {
    /// A picture.
    Frame(Frame),
    /// News of the stream.
    Notice(Notice),
}

#[derive(Default)]
struct Slot {
    frame: Option<Frame>,
    notices: Vec<Notice>,
    closed: bool,
}

/// A slot for one frame. See the module's documentation.
#[derive(Default)]
pub struct Mailbox {
    slot: Mutex<Slot>,
    emptied: Condvar,
    dropped: AtomicU64,
}

impl Mailbox {
    /// Puts a frame of a live source in, replacing an older one.
    pub fn replace(&self, frame: Frame) {
        let old = self.slot.lock().frame.replace(frame);
        if old.is_some() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// When the frame was captured that waits for a worker.
    pub fn waiting_since(&self) -> Option<Instant> {
        self.slot.lock().frame.as_ref().map(|frame| frame.captured)
    }

    /// Puts a newer frame in the place of the one that waits. If it was taken meanwhile the newer one is dropped: the
    /// worker did not ask for two.
    pub fn renew(&self, frame: Frame) {
        if let Some(waiting) = &mut self.slot.lock().frame {
            *waiting = frame;
        }
    }

    /// Puts a frame of a file in as soon as the slot is free. `false` when the mailbox was closed meanwhile;
    /// the frame is lost then.
    pub fn put(&self, frame: Frame) -> bool {
        let mut slot = self.slot.lock();
        while slot.frame.is_some() && !slot.closed {
            self.emptied.wait(&mut slot);
        }
        if slot.closed {
            return false;
        }
        slot.frame = Some(frame);
        true
    }

    /// Adds a notice, to be delivered after the frame that is waiting.
    pub fn notify(&self, notice: Notice) {
        self.slot.lock().notices.push(notice);
    }

    /// The next thing to work on, without waiting.
    pub fn take(&self) -> Option<Delivery> {
        let mut slot = self.slot.lock();
        if let Some(frame) = slot.frame.take() {
            self.emptied.notify_one();
            return Some(Delivery::Frame(frame));
        }
        (!slot.notices.is_empty()).then(|| Delivery::Notice(slot.notices.remove(0)))
    }

    /// Whether nothing is waiting.
    pub fn is_empty(&self) -> bool {
        let slot = self.slot.lock();
        slot.frame.is_none() && slot.notices.is_empty()
    }

    /// Frames of a live source that were replaced before a worker saw them.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Wakes and refuses everyone who waits in [`Self::put`]; used when the source is stopped.
    pub fn close(&self) {
        self.slot.lock().closed = true;
        self.emptied.notify_all();
    }

    /// Empties the slot and accepts frames again; used when a source is started anew.
    pub fn reopen(&self) {
        *self.slot.lock() = Slot::default();
    }
}
