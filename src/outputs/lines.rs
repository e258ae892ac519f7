//! The JSON lines of the headless mode: one object a line, told apart by `type`.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::status::{SourceStatus, Status};
use crate::model::{
    AreaEvent, Direction, Doubt, Event, EventKind, Reason, Scene, StateKind, TaskResult, Total, TrackId,
};

/// One line of JSON output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Line {
    /// What a source has counted so far.
    Result(TaskResult),
    /// Somebody crossed a line.
    Crossing(CrossingLine),
    /// A crossing that was seen and not counted.
    Suppressed(SuppressedLine),
    /// A source changed state.
    State(StateLine),
    /// A source reached or left its limit.
    Alert(AlertLine),
    /// Something new is known of the scene of a source.
    Scene(SceneLine),
    /// The opening hours of a source from now on.
    Schedule(ScheduleLine),
    /// The counts of a source were set to zero.
    Reset(ResetLine),
    /// Something happened to an area.
    Area(AreaLine),
    /// The last line.
    Summary(Summary),
}

/// The opening hours of a source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScheduleLine {
    /// The source.
    pub camera_id: String,
    /// As written in the configuration; none is always.
    pub schedule: Option<String>,
    /// Time zone of its times; empty where it has no name.
    pub timezone: String,
    /// Wall time, RFC 3339 in UTC.
    pub timestamp: String,
}

/// A counted crossing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CrossingLine {
    /// The source.
    pub camera_id: String,
    /// Name of the line.
    pub line: String,
    /// Which way.
    pub direction: Direction,
    /// Who.
    pub track_id: TrackId,
    /// Seconds on the source's clock.
    pub time: f64,
    /// Wall time, RFC 3339 in UTC.
    pub timestamp: String,
    /// Score of the track, 0..=1.
    pub confidence: f32,
}

/// A crossing that was not counted, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SuppressedLine {
    /// The source.
    pub camera_id: String,
    /// Name of the line.
    pub line: String,
    /// Which way it would have been.
    pub direction: Direction,
    /// Who.
    pub track_id: TrackId,
    /// Why not.
    pub reason: Reason,
    /// Seconds on the source's clock.
    pub time: f64,
    /// Wall time, RFC 3339 in UTC.
    pub timestamp: String,
}

/// A change of state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StateLine {
    /// The source.
    pub camera_id: String,
    /// The new state.
    pub state: StateKind,
    /// What went wrong, when something did.
    pub error: Option<String>,
    /// Wall time, RFC 3339 in UTC.
    pub timestamp: String,
}

/// A limit reached or left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlertLine {
    /// The source.
    pub camera_id: String,
    /// The zone whose limit it is; left out when it is the source's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Whether it is over its limit now.
    pub over: bool,
    /// The count at that moment.
    pub current: i64,
    /// The limit.
    pub limit: i64,
    /// Wall time, RFC 3339 in UTC.
    pub timestamp: String,
}

/// What is known of a scene.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SceneLine {
    /// The source.
    pub camera_id: String,
    /// Why its counts cannot be relied upon; left out where they can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
    /// How tall people usually are at least and at most, in heights of the picture; left out while that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heights: Option<(f32, f32)>,
    /// Times its usual width and height that the detector's input has.
    pub scale: f32,
    /// Wall time, RFC 3339 in UTC.
    pub timestamp: String,
}

/// Counts set to zero.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResetLine {
    /// The source.
    pub camera_id: String,
    /// Wall time, RFC 3339 in UTC.
    pub timestamp: String,
}

/// Something happened to an area.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AreaLine {
    /// Its name.
    pub area: String,
    /// What.
    #[serde(flatten)]
    pub event: AreaEvent,
    /// Wall time, RFC 3339 in UTC.
    pub timestamp: String,
}

/// Where everything stands at the end of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Each source.
    pub sources: Vec<SourceSummary>,
    /// All sources together.
    pub total: Total,
}

/// Where one source stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceSummary {
    /// The source.
    pub camera_id: String,
    /// Its state.
    pub status: StateKind,
    /// Frames handled.
    pub frames: u64,
    /// Frames handled per second.
    pub fps: f32,
    /// Crossings in.
    #[serde(rename = "in")]
    pub total_in: u64,
    /// Crossings out.
    #[serde(rename = "out")]
    pub total_out: u64,
    /// In minus out.
    pub current: i64,
    /// Each line.
    pub lines: Vec<LineSummary>,
}

/// Counts of one line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LineSummary {
    /// Its name.
    pub name: String,
    /// Crossings in.
    #[serde(rename = "in")]
    pub total_in: u64,
    /// Crossings out.
    #[serde(rename = "out")]
    pub total_out: u64,
}

/// Wall time as RFC 3339 in UTC, to the millisecond.
#[must_use]
pub fn stamp(wall: SystemTime) -> String {
    jiff::Timestamp::try_from(wall).unwrap_or(jiff::Timestamp::UNIX_EPOCH).strftime("%FT%T.%3fZ").to_string()
}

impl From<&Event> for Line {
    fn from(event: &Event) -> Self {
        let (camera_id, timestamp) = (event.source.to_string(), stamp(event.wall));
        match event.kind.clone() {
            EventKind::Crossing { line, direction, track, time, confidence } => {
                Self::Crossing(CrossingLine {
                    camera_id,
                    line,
                    direction,
                    track_id: track,
                    time,
                    timestamp,
                    confidence,
                })
            }
            EventKind::Suppressed { line, direction, track, reason, time } => {
                Self::Suppressed(SuppressedLine {
                    camera_id,
                    line,
                    direction,
                    track_id: track,
                    reason,
                    time,
                    timestamp,
                })
            }
            EventKind::State { state, error } => {
                Self::State(StateLine { camera_id, state, error, timestamp })
            }
            EventKind::Threshold { zone, over, current, limit } => {
                Self::Alert(AlertLine { camera_id, zone, over, current, limit, timestamp })
            }
            EventKind::Scene(Scene { doubt, heights, scale, .. }) => {
                Self::Scene(SceneLine { camera_id, doubt, heights, scale, timestamp })
            }
            EventKind::Schedule { schedule, timezone } => {
                Self::Schedule(ScheduleLine { camera_id, schedule, timezone, timestamp })
            }
            EventKind::Reset => Self::Reset(ResetLine { camera_id, timestamp }),
            EventKind::Area(event) => Self::Area(AreaLine { area: camera_id, event, timestamp }),
        }
    }
}

impl From<&SourceStatus> for SourceSummary {
    fn from(source: &SourceStatus) -> Self {
        let line = |(name, total_in, total_out): &(String, u64, u64)| LineSummary {
            name: name.clone(),
            total_in: *total_in,
            total_out: *total_out,
        };
        Self {
            camera_id: source.camera_id.clone(),
            status: source.status,
            frames: source.frames,
            fps: source.fps,
            total_in: source.total_in,
            total_out: source.total_out,
            current: source.current(),
            lines: source.lines.iter().map(line).collect(),
        }
    }
}

impl From<&Status> for Summary {
    fn from(status: &Status) -> Self {
        Self { sources: status.sources.iter().map(SourceSummary::from).collect(), total: status.total() }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{FrameInfo, ResultStatus};

    #[test]
    fn json_lines_have_the_contracts_names() {
        let kind = EventKind::Crossing {
            line: "door, north".into(),
            direction: Direction::Out,
            track: 4,
            time: 1.25,
            confidence: 0.5,
        };
        let crossing = Event::new(SystemTime::UNIX_EPOCH + Duration::from_millis(1_500), "camera_01", kind);
        let result = TaskResult {
            worker_id: "worker_01".into(),
            task_id: "task_01".into(),
            camera_id: "cam".into(),
            timestamp: "2024-01-15T10:23:45Z".into(),
            fps: 25.25,
            total_in: 5,
            total_out: 3,
            current_count: 2,
            frame_info: FrameInfo { frame_count: 7, total_detections: 9 },
            errors: Vec::new(),
            status: ResultStatus::Error,
        };
        let json = |line| serde_json::to_string(&line).expect("json");
        assert_eq!(
            json(Line::from(&crossing)),
            r#"{"type":"crossing","camera_id":"camera_01","line":"door, north","direction":"out","track_id":4,"time":1.25,"timestamp":"1970-01-01T00:00:01.500Z","confidence":0.5}"#
        );
        assert_eq!(
            json(Line::Result(result)),
            r#"{"type":"result","worker_id":"worker_01","task_id":"task_01","camera_id":"cam","timestamp":"2024-01-15T10:23:45Z","fps":25.25,"total_in":5,"total_out":3,"current_count":2,"frame_info":{"frame_count":7,"total_detections":9},"errors":[],"status":"error"}"#
        );
    }
}
