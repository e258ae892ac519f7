//! The life of a source: where it stands, and what follows from what happens to it. Pure.

use std::time::Instant;

use crate::{
    clock::Start,
    model::{SourceKind, SourceState},
    source::capture::Reading,
};

/// Where a source is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifecycle {
    /// Added before the engine has started.
    New,
    /// `enabled: false`; only a restart begins it.
    Disabled,
    /// A file that waits for one of the open slots.
    Waiting,
    /// Its capture thread was started and has said nothing yet.
    Starting,
    /// Its capture thread is in this state.
    Reading(Reading),
    /// Open, but its frames are overdue.
    Stalled,
    /// Without a capture thread, and given another one at this time.
    Suspended {
        /// When it gets another thread.
        until: Instant,
        /// Whether the fault is its own; else the system refuses a thread.
        failed: bool,
    },
    /// A camera that was closed for want of memory.
    Evicted,
    /// A camera that its schedule has closed, until this time in milliseconds since the Unix epoch; `None` where no opening is
    /// in sight.
    Closed(Option<i64>),
    /// It does nothing more unless it is restarted.
    Over(End),
    /// Removed, or the engine has ended: nothing begins any more.
    Gone,
}

/// How a source came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// A file that was read to its end.
    Completed,
    /// It cannot be read.
    Failed,
    /// A file in which nothing can be decoded.
    Unsupported,
}

/// What happens to a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The engine starts, or has started when the source is added.
    Start,
    /// It has got an open slot.
    SlotGranted,
    /// Its capture thread reports its state.
    Said(Reading),
    /// A frame was handled.
    Frame,
    /// Its frames are overdue.
    Silent,
    /// It came to its end.
    Ended(End),
    /// The system refuses it a thread until then.
    ThreadRefused(Instant),
    /// It cannot go on; another attempt is made then, if any.
    Failed(Option<Instant>),
    /// It is this late.
    Time(Instant),
    /// It is to give its memory back.
    Evicted,
    /// There is memory for it again.
    Readmitted,
    /// Its schedule closes it until then, as in [`Lifecycle::Closed`].
    Closed(Option<i64>),
    /// Its schedule opens it.
    Opened,
    /// The user wants it from the start, or connected again.
    Restart,
    /// It is removed.
    Removed,
}

impl Lifecycle {
    /// Where a source of this `kind` stands after `event`; `None` where the event changes nothing or comes too late.
    ///
    /// [`Self::Starting`] always means a new capture thread: the one before, if any, is left to end by itself.
    #[must_use]
    pub fn next(self, event: Event, kind: SourceKind) -> Option<Self> {
        use Lifecycle::{
            Closed, Disabled, Evicted, Gone, New, Over, Reading as Reads, Stalled, Starting, Suspended,
            Waiting,
        };
        let begun = if kind == SourceKind::Video && !self.holds_slot(kind) { Waiting } else { Starting };
        match (self, event) {
            (Gone, _) => None,
            (_, Event::Removed) => Some(Gone),
            (New, Event::Start) => Some(begun),
            (Waiting, Event::SlotGranted) => Some(Starting),
            // The thread that it has opens it again; a file is read again by another one.
            (_, Event::Restart) if self.has_thread() && kind == SourceKind::Camera => None,
            // It opens by itself.
            (Closed(_) | Waiting, Event::Restart) => None,
            (_, Event::Restart) => Some(begun),
            (Starting | Reads(_) | Stalled, Event::Said(reading)) => Some(Reads(reading)),
            (Stalled, Event::Frame) => Some(Reads(Reading::Running)),
            (Reads(Reading::Running), Event::Silent) => Some(Stalled),
            (Starting | Reads(_) | Stalled, Event::Ended(end)) => Some(Over(end)),
            (Starting, Event::ThreadRefused(until)) => Some(Suspended { until, failed: false }),
            (Starting | Reads(_) | Stalled, Event::Failed(again)) => Some(match again {
                Some(until) => Suspended { until, failed: true },
                None => Over(End::Failed),
            }),
            (Suspended { until, .. }, Event::Time(now)) if now >= until => Some(Starting),
            (Starting | Reads(_) | Stalled, Event::Evicted) => Some(match kind {
                SourceKind::Camera => Evicted,
                // It would be counted again from its start.
                SourceKind::Video => Over(End::Failed),
            }),
            (Evicted, Event::Readmitted) | (Closed(_), Event::Opened) => Some(Starting),
            (
                New | Starting | Reads(_) | Stalled | Suspended { .. } | Evicted | Closed(_),
                Event::Closed(until),
            ) if kind == SourceKind::Camera && self != Closed(until) => Some(Closed(until)),
            (
                New
                | Disabled
                | Waiting
                | Starting
                | Reads(_)
                | Stalled
                | Suspended { .. }
                | Evicted
                | Closed(_)
                | Over(_),
                _,
            ) => None,
        }
    }

    /// Whether a capture thread works for it.
    #[must_use]
    pub fn has_thread(self) -> bool {
        matches!(self, Self::Starting | Self::Reading(_) | Self::Stalled)
    }

    /// Whether it holds one of the slots for open files.
    #[must_use]
    pub fn holds_slot(self, kind: SourceKind) -> bool {
        kind == SourceKind::Video && (self.has_thread() || matches!(self, Self::Suspended { .. }))
    }

    /// Whether it will do nothing more unless the user acts.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Disabled | Self::Over(_) | Self::Gone)
    }

    /// What is shown, with moments counted from `start`; `None` where that is what was shown before.
    #[must_use]
    pub fn shown(self, start: Start) -> Option<SourceState> {
        let due = |at| start.moment(at);
        Some(match self {
            Self::Starting | Self::Gone => return None,
            Self::New | Self::Waiting | Self::Evicted => SourceState::Queued,
            Self::Disabled => SourceState::Disabled,
            // Whose actor knows the time zone.
            Self::Closed(_) => SourceState::Closed { opens: None },
            Self::Stalled => SourceState::Stalled,
            Self::Reading(reading) => match reading {
                Reading::Connecting => SourceState::Connecting,
                Reading::Running => SourceState::Running,
                Reading::Paused => SourceState::Paused,
                Reading::Retrying { attempt, at } => SourceState::Retrying { attempt, at: due(at) },
                Reading::AuthFailed { at } => SourceState::AuthFailed { at: due(at) },
                Reading::NoSuchStream { at } => SourceState::NoSuchStream { at: due(at) },
                Reading::Failed { at } => SourceState::Failed { next: Some(due(at)) },
            },
            Self::Suspended { until, failed: true } => SourceState::Failed { next: Some(due(until)) },
            Self::Suspended { until, failed: false } => SourceState::Retrying { attempt: 0, at: due(until) },
            Self::Over(End::Completed) => SourceState::Completed,
            Self::Over(End::Failed) => SourceState::Failed { next: None },
            Self::Over(End::Unsupported) => SourceState::Unsupported,
        })
    }
}

#[cfg(test)]
mod tests;
