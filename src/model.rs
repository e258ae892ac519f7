//! The words that every room uses. Knows nobody but `geometry`.

mod control;
#[cfg(test)]
pub(crate) mod copies;
mod count;
mod engine;
mod event;
mod moment;
mod preview;
mod records;
mod rest;
mod source;
mod state;

pub use self::{
    control::Control,
    count::{Direction, Limit, LineConfig, LineCounts, Minute, Reason, ZoneConfig, ZoneCounts},
    engine::{EngineSnapshot, Health, Strain, Strategy, WorkerSnapshot},
    event::{Event, EventKind},
    moment::Moment,
    preview::{Preview, ShownTrack, TrackId},
    records::{FrameInfo, ResultStatus, Task, TaskResult, TaskStatus, Total},
    rest::{Rest, Wakeful},
    source::{FLAPPING, SourceId, SourceKind, SourceSnapshot, name_of},
    state::SourceState,
};
