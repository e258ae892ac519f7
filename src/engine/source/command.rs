//! What an actor is asked to do, and what a capture thread tells.

use std::sync::Arc;

use super::{around::Around, job::Done, run::Run};
use crate::{
    engine::reply::Outcome,
    model::{Overload, Rest},
    source::{
        SourceError, StreamInfo,
        capture::{Notice, Reading},
        pacer::RateShares,
    },
};

/// Commands that may wait for one detection run; more are refused.
pub const ROOM: usize = 1024;

/// One thing for an actor to do.
pub enum Command<A> {
    /// The engine starts.
    Start,
    /// A file may be opened.
    SlotGranted,
    /// What a user asks.
    Asked(Box<dyn Ask<A>>),
    /// These shares of its rates are left to it, because of that.
    Throttle(RateShares, Option<Overload>),
    /// Take rates, look for a stall and for what is due; comes about twice a second.
    Tick,
    /// Give memory back: the process holds as much as it may, in bytes.
    Evict(u64),
    /// There is memory again.
    Readmit,
    /// Message of the capture thread of this run.
    CaptureMessage(Arc<Run>, CaptureMessage),
    /// Message about the stream, taken while the pipeline is here.
    Notice(Notice),
    /// A worker brings the pipeline back.
    Done(Box<Done>),
    /// Count what is decided by the end of watching, and report.
    Finish,
    /// Stop and forget.
    Remove,
}

impl<A> Command<A> {
    /// Whether it is refused where too many wait.
    pub fn may_be_refused(&self) -> bool {
        match self {
            Self::Asked(asked) => asked.may_be_refused(),
            Self::Finish | Self::Remove => false,
            _ => true,
        }
    }
}

/// What a command has to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prerequisite {
    /// The pipeline, which may be with a worker.
    Pipeline,
    /// Those commands that were asked before and wait for the pipeline.
    Order,
    /// Nothing.
    Nothing,
}

/// Something that users ask of a source, whose actor is an `A`.
pub trait Ask<A>: Send {
    /// What it has to wait for.
    fn needs(&self, actor: &A) -> Prerequisite;

    /// Whether it is refused where too many wait.
    fn may_be_refused(&self) -> bool {
        true
    }

    /// Whether it can be done at all, before anything of it is done.
    ///
    /// # Errors
    /// Why not.
    fn check(&self, actor: &A) -> Outcome {
        let _ = actor;
        Ok(())
    }

    /// What is done of it at once where it has to wait.
    fn wait(&self, actor: &mut A, around: &dyn Around) {
        let _ = (actor, around);
    }

    /// Does it.
    ///
    /// # Errors
    /// Why it cannot be done.
    fn obey(self: Box<Self>, actor: &mut A, around: &dyn Around) -> Outcome;
}

/// What a capture thread tells.
pub enum CaptureMessage {
    /// Its state.
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
