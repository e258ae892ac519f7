//! What an actor is asked to do, and what a capture thread tells.

use std::sync::Arc;

use super::{job::Done, run::Run};
use crate::{
    model::{LineConfig, Rest, Strain, ZoneConfig},
    source::{SourceError, StreamInfo, capture::Reading, pacer::Shares},
};

/// Commands that may wait for one detection run; more are refused.
pub const ROOM: usize = 1024;

/// One thing for an actor to do.
pub enum Command {
    /// The engine starts.
    Start,
    /// A file may be opened.
    SlotGranted,
    /// Stop reading, or go on.
    Pause(bool),
    /// Connect again; a file from its start and with its counts at zero.
    Restart,
    /// Counts back to zero.
    Reset,
    /// Count with these lines and zones.
    Lines(Vec<LineConfig>, Vec<ZoneConfig>),
    /// Make preview pictures, or stop.
    Preview(bool),
    /// These shares of its rates are left to it, because of that.
    Throttle(Shares, Option<Strain>),
    /// Take rates, look for a stall and for what is due; comes about twice a second.
    Tick,
    /// Give memory back: the process holds as much as it may, in bytes.
    Evict(u64),
    /// There is memory again.
    Readmit,
    /// News of the capture thread of this run.
    News(Arc<Run>, News),
    /// A worker brings the pipeline back.
    Done(Box<Done>),
    /// Count what is decided by the end of watching, and report.
    Finish,
    /// Stop and forget.
    Remove,
}

impl Command {
    /// Whether it is refused where too many wait.
    pub fn may_be_refused(&self) -> bool {
        !matches!(self, Self::Restart | Self::Finish | Self::Remove)
    }
}

/// What a capture thread tells.
pub enum News {
    /// How it fares.
    Reading(Reading, Option<SourceError>),
    /// The source is open.
    Opened(Box<Opened>),
    /// So many sessions in a row delivered frames and were short.
    ShortSessions(u32),
    /// Something about the stream that the user should know.
    Remark(String),
    /// Whether the source sleeps.
    Rest(Rest),
    /// The thread panicked.
    Panicked(String),
}

/// What is known of a source that was opened.
pub struct Opened {
    pub info: StreamInfo,
    pub codec: Option<String>,
    /// The detector in words and the size of its input for this stream, if there is one.
    pub detector: Option<(String, (u32, u32))>,
}
