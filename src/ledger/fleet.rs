//! What a fleet needs of ledgers: a node notes by which lease it counts and what is still to be sent ([`outbox`]); one ledger
//! collects what all nodes have counted ([`collected`]).

pub mod collected;
mod leases;
pub mod outbox;

use std::sync::atomic::{AtomicI64, Ordering};

use serde::{Deserialize, Serialize};

pub(super) use self::leases::{Leases, write as write_outgoing};
use crate::model::{Direction, Epoch};

/// Something of a fleet's source that others are to know, as it stands in the ledger of its node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outgoing {
    /// The source.
    pub source: String,
    /// The lease by which the node counts it.
    pub epoch: Epoch,
    /// When that lease began, in milliseconds since the Unix epoch by the node's clock. Epochs begin again at 1 where the
    /// server is set up again; this tells their leases apart.
    pub began: i64,
    /// Its number among those of its kind and lease: the same each time it is sent.
    pub sequence: i64,
    /// When it happened, in milliseconds since the Unix epoch by the node's clock.
    pub wall: i64,
    /// How far the server's clock was ahead of the node's at that moment, in milliseconds; none where that is not known.
    pub offset: Option<i64>,
    /// What happened.
    pub told: Told,
}

/// What happened to a fleet's source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Told {
    /// The lease began.
    Lease,
    /// It is over.
    Ended,
    /// Somebody crossed a line.
    Crossing {
        /// Name of the line.
        line: String,
        /// Which way.
        direction: Direction,
        /// Who.
        track: u64,
        /// Score of the track, 0..=1.
        confidence: f64,
        /// Seconds on the source's clock.
        source_time: f64,
    },
    /// Its counts were set to zero.
    Reset,
    /// It was watched from this moment, in milliseconds since the Unix epoch by the node's clock, until [`Outgoing::wall`].
    Watch {
        /// Its first frame.
        from: i64,
    },
}

impl Told {
    /// The word of its kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Lease => "lease",
            Self::Ended => "ended",
            Self::Crossing { .. } => "crossing",
            Self::Reset => "reset",
            Self::Watch { .. } => "watch",
        }
    }
}

/// How far the clock of a fleet's server is ahead of this machine's. Written by who asks the server, read with each crossing.
#[derive(Debug)]
pub struct ServerClock(AtomicI64);

/// Not measured yet.
const UNKNOWN: i64 = i64::MIN;

impl Default for ServerClock {
    fn default() -> Self {
        Self(AtomicI64::new(UNKNOWN))
    }
}

impl ServerClock {
    /// In milliseconds; none before it was measured.
    #[must_use]
    pub fn offset(&self) -> Option<i64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|offset| *offset != UNKNOWN)
    }

    /// It was measured: so many milliseconds.
    pub fn measured(&self, offset: i64) {
        self.0.store(offset.max(UNKNOWN + 1), Ordering::Relaxed);
    }
}
