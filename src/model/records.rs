//! The records other programs rely on: D1 (task) and D2 (result) of the specification. Their field names
//! are the serialised names in JSON and in the CSV header.

use serde::{Deserialize, Serialize};

use super::{SourceKind, SourceSnapshot, SourceState};

/// One piece of work: a source to be processed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[non_exhaustive]
pub struct Task {
    /// Unique in one run, such as `task_01`.
    pub task_id: String,
    /// Camera or video.
    #[serde(rename = "type")]
    pub kind: SourceKind,
    /// What is opened, without credentials.
    pub source: String,
    /// The configuration of the source, as shown (no credentials).
    pub config: serde_json::Value,
    /// Higher first.
    pub priority: i32,
    /// How far it is.
    pub status: TaskStatus,
}

/// How far a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum TaskStatus {
    /// Not begun: queued, disabled or paused before it ran.
    Pending,
    /// Begun and not over.
    Processing,
    /// Read to its end.
    Completed,
    /// Given up.
    Failed,
}

impl From<&SourceState> for TaskStatus {
    fn from(state: &SourceState) -> Self {
        match state {
            SourceState::Queued | SourceState::Disabled => Self::Pending,
            SourceState::Completed => Self::Completed,
            state if state.kind().has_failed() => Self::Failed,
            _ => Self::Processing,
        }
    }
}

/// What a worker reports of a source, about once a second, at every crossing, at every change of state and
/// at the end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TaskResult {
    /// The worker that handled the latest frame, such as `worker_01`; empty before the first.
    pub worker_id: String,
    /// The task.
    pub task_id: String,
    /// The source.
    pub camera_id: String,
    /// Wall time, RFC 3339 with offset.
    pub timestamp: String,
    /// Frames handled per second.
    pub fps: f32,
    /// Crossings in, all lines.
    pub total_in: u64,
    /// Crossings out, all lines.
    pub total_out: u64,
    /// In minus out; may be negative.
    pub current_count: i64,
    /// Counters of frames.
    pub frame_info: FrameInfo,
    /// What went wrong since the last result.
    pub errors: Vec<String>,
    /// Whether anything went wrong.
    pub status: ResultStatus,
}

/// Counters of frames in a [`TaskResult`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct FrameInfo {
    /// Frames handled.
    pub frame_count: u64,
    /// Persons found, summed over all frames.
    pub total_detections: u64,
}

/// Whether a [`TaskResult`] reports an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ResultStatus {
    /// All well.
    Success,
    /// See `errors`.
    Error,
}

/// Sums over all sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Total {
    /// Crossings in.
    #[serde(rename = "in")]
    pub total_in: u64,
    /// Crossings out.
    #[serde(rename = "out")]
    pub total_out: u64,
    /// In minus out.
    pub net: i64,
}

impl TaskResult {
    /// The result that a source's snapshot amounts to.
    #[must_use]
    pub fn of(
        snapshot: &SourceSnapshot,
        worker: usize,
        task_id: &str,
        timestamp: String,
        errors: Vec<String>,
    ) -> Self {
        let failed = !errors.is_empty() || matches!(TaskStatus::from(&snapshot.state), TaskStatus::Failed);
        Self {
            worker_id: if worker == 0 { String::new() } else { format!("worker_{worker:02}") },
            task_id: task_id.to_owned(),
            camera_id: snapshot.id.to_string(),
            timestamp,
            fps: snapshot.fps,
            total_in: snapshot.total_in,
            total_out: snapshot.total_out,
            current_count: snapshot.current(),
            frame_info: FrameInfo {
                frame_count: snapshot.frames,
                total_detections: snapshot.total_detections,
            },
            errors,
            status: if failed { ResultStatus::Error } else { ResultStatus::Success },
        }
    }
}
