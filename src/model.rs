//! The vocabulary that every room uses. It names no other room but `geometry`.
//!
//! All of it serialises with serde and comes back equal: floating-point numbers are finite, and times are durations since
//! an engine's start ([`Moment`]) or wall time.

mod action;
mod alert;
mod area;
mod control;
#[cfg(test)]
pub(crate) mod copies;
mod count;
mod detection;
mod engine;
mod event;
mod judgment;
mod lease;
mod moment;
mod node;
mod overload;
mod preview;
mod records;
mod rest;
pub(crate) mod rfc3339;
mod scene;
mod source;
mod state;
#[cfg(test)]
mod tests;

pub(crate) use self::source::FLAPPING;
pub use self::{
    action::Action,
    alert::{Acknowledgment, AlertKind},
    area::{AreaEvent, AreaLine, AreaRecord, AreaSnapshot, CorrectionReason, Drift, MOST_INSIDE},
    control::Control,
    count::{
        Direction, Drawn, Limit, LineConfig, LineCounts, Minute, Polygon, Reason, ZoneConfig, ZoneCounts,
    },
    detection::Detection,
    engine::{EngineSnapshot, Health, Strategy, WorkerSnapshot},
    event::{Event, EventKind},
    judgment::{Crossed, Judgment, Verdict},
    lease::{Epoch, Holds, Lease},
    moment::Moment,
    node::{Holder, NodeSnapshot, NodeState},
    overload::Overload,
    preview::{Preview, ShownTrack, TrackId},
    records::{FrameInfo, ResultStatus, Task, TaskResult, TaskStatus, Total},
    rest::{Rest, Wakeful},
    scene::{Doubt, Learned, Scene},
    source::{SourceId, SourceKind, SourceSnapshot, name_of},
    state::{Opening, SourceState, StateKind},
};
