//! The states of a source.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Moment;

/// Life of a source, as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "state")]
#[non_exhaustive]
pub enum SourceState {
    /// Waits for its turn (`max_open_sources`).
    Queued,
    /// Being opened.
    Connecting,
    /// Frames are coming.
    Running,
    /// Open, but no frame for a while.
    Stalled,
    /// Waits before the next attempt.
    Retrying {
        /// Attempts that failed in a row; 0 when it delivered frames until now.
        attempt: u32,
        /// When the next one is due.
        at: Moment,
    },
    /// Stopped by the user, can go on.
    Paused,
    /// A file that was read to its end.
    Completed,
    /// Marked as failed: a camera after `retry.max_attempts`, a file that cannot be read.
    Failed {
        /// When the next attempt is or was due, for a camera that is still tried.
        next: Option<Moment>,
    },
    /// `enabled: false`.
    Disabled,
    /// The camera refuses the credentials; retried slowly.
    #[serde(rename = "Auth failed")]
    AuthFailed {
        /// When the next attempt is due.
        at: Moment,
    },
    /// The host has no such stream; retried.
    #[serde(rename = "No such stream")]
    NoSuchStream {
        /// When the next attempt is due.
        at: Moment,
    },
    /// A file in which nothing can be decoded.
    Unsupported,
    /// Closed by its schedule: not watched on purpose.
    Closed {
        /// When it opens again; none where no opening is in sight.
        opens: Option<Opening>,
    },
}

/// When a source opens again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Opening {
    /// The moment.
    pub at: Timestamp,
    /// The same for people, by the clock of the source: `Mon 08:00`.
    pub shown: String,
}

/// A [`SourceState`] without its details. Serialised as the word that is shown.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[non_exhaustive]
pub enum StateKind {
    /// [`SourceState::Queued`].
    Queued,
    /// [`SourceState::Connecting`].
    Connecting,
    /// [`SourceState::Running`].
    Running,
    /// [`SourceState::Stalled`].
    Stalled,
    /// [`SourceState::Retrying`].
    Retrying,
    /// [`SourceState::Paused`].
    Paused,
    /// [`SourceState::Completed`].
    Completed,
    /// [`SourceState::Failed`].
    Failed,
    /// [`SourceState::Disabled`].
    Disabled,
    /// [`SourceState::AuthFailed`].
    #[serde(rename = "Auth failed")]
    AuthFailed,
    /// [`SourceState::NoSuchStream`].
    #[serde(rename = "No such stream")]
    NoSuchStream,
    /// [`SourceState::Unsupported`].
    Unsupported,
    /// [`SourceState::Closed`].
    Closed,
}

impl StateKind {
    /// All.
    pub const ALL: [Self; 13] = [
        Self::Queued,
        Self::Connecting,
        Self::Running,
        Self::Stalled,
        Self::Retrying,
        Self::Paused,
        Self::Completed,
        Self::Failed,
        Self::Disabled,
        Self::AuthFailed,
        Self::NoSuchStream,
        Self::Unsupported,
        Self::Closed,
    ];

    /// The word shown for the state, as in the text dashboard.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Queued => "Queued",
            Self::Connecting => "Connecting",
            Self::Running => "Running",
            Self::Stalled => "Stalled",
            Self::Retrying => "Retrying",
            Self::Paused => "Paused",
            Self::Completed => "Completed",
            Self::Failed => "Failed",
            Self::Disabled => "Disabled",
            Self::AuthFailed => "Auth failed",
            Self::NoSuchStream => "No such stream",
            Self::Unsupported => "Unsupported",
            Self::Closed => "Closed",
        }
    }
}

impl StateKind {
    /// Whether it is offline: frames should come, and none do.
    #[must_use]
    pub const fn is_offline(self) -> bool {
        match self {
            Self::Stalled
            | Self::Retrying
            | Self::Failed
            | Self::AuthFailed
            | Self::NoSuchStream
            | Self::Unsupported => true,
            Self::Queued
            | Self::Connecting
            | Self::Running
            | Self::Paused
            | Self::Completed
            | Self::Disabled
            | Self::Closed => false,
        }
    }

    /// Whether it has failed: a camera after its attempts, a file that cannot be read.
    #[must_use]
    pub const fn has_failed(self) -> bool {
        matches!(self, Self::Failed | Self::Unsupported)
    }
}

impl SourceState {
    /// Which state it is, without its details.
    #[must_use]
    pub const fn kind(&self) -> StateKind {
        match self {
            Self::Queued => StateKind::Queued,
            Self::Connecting => StateKind::Connecting,
            Self::Running => StateKind::Running,
            Self::Stalled => StateKind::Stalled,
            Self::Retrying { .. } => StateKind::Retrying,
            Self::Paused => StateKind::Paused,
            Self::Completed => StateKind::Completed,
            Self::Failed { .. } => StateKind::Failed,
            Self::Disabled => StateKind::Disabled,
            Self::AuthFailed { .. } => StateKind::AuthFailed,
            Self::NoSuchStream { .. } => StateKind::NoSuchStream,
            Self::Unsupported => StateKind::Unsupported,
            Self::Closed { .. } => StateKind::Closed,
        }
    }

    /// The word shown for the state.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        self.kind().word()
    }

    /// When the next attempt is due, for the countdown.
    #[must_use]
    pub fn next_attempt(&self) -> Option<Moment> {
        match self {
            Self::Retrying { at, .. } | Self::AuthFailed { at } | Self::NoSuchStream { at } => Some(*at),
            Self::Failed { next } => *next,
            _ => None,
        }
    }

    /// Whether the source will do nothing more unless the user acts.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Completed | Self::Failed { next: None } | Self::Disabled | Self::Unsupported)
    }
}
