//! Events for subscribers, while the engine runs.

use std::{sync::Arc, time::Duration};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use parking_lot::Mutex;

use crate::model::Event;

/// Events that wait for one subscriber.
const ROOM: usize = 4096;

/// The events of an engine from the moment of the subscription on, in order. Events are numbered without gaps: a number that
/// is left out is that of an event which was lost because too many waited (4,096). Dropping it ends the subscription. It may be
/// moved to another thread.
#[derive(Debug)]
pub struct Subscription(Receiver<Arc<Event>>);

impl Subscription {
    /// The next event; waits for it at most `timeout`. `None` when there was none, or the engine has ended.
    #[must_use]
    pub fn next_within(&self, timeout: Duration) -> Option<Arc<Event>> {
        self.0.recv_timeout(timeout).ok()
    }

    /// Each next event, waited for as long as the engine lives; ends when it has ended.
    pub fn iter(&self) -> impl Iterator<Item = Arc<Event>> + '_ {
        self.0.iter()
    }

    /// The events that wait, without waiting for more.
    pub fn waiting(&self) -> impl Iterator<Item = Arc<Event>> + '_ {
        self.0.try_iter()
    }
}

/// Who has subscribed; `None` once there will be no more events.
pub(super) struct Subscribers(Mutex<Option<Vec<Sender<Arc<Event>>>>>);

impl Default for Subscribers {
    fn default() -> Self {
        Self(Mutex::new(Some(Vec::new())))
    }
}

impl Subscribers {
    pub fn add(&self) -> Subscription {
        let (sender, receiver) = bounded(ROOM);
        if let Some(senders) = &mut *self.0.lock() {
            senders.push(sender);
        }
        Subscription(receiver)
    }

    /// Passes an event on; never waits.
    pub fn pass_on(&self, event: &Arc<Event>) {
        let is_there = |sender: &Sender<_>| {
            !matches!(sender.try_send(Arc::clone(event)), Err(TrySendError::Disconnected(_)))
        };
        if let Some(senders) = &mut *self.0.lock() {
            senders.retain(is_there);
        }
    }

    /// There will be no more events.
    pub fn close(&self) {
        *self.0.lock() = None;
    }
}
