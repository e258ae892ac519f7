//! Nodes of a fleet, and the one that holds a source, where a dashboard shows a whole fleet.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use super::Epoch;

/// The node of a fleet that holds a source, in a snapshot of the whole fleet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Holder {
    /// Name of the node.
    pub node: Arc<str>,
    /// Where the node is.
    pub site: Option<Arc<str>>,
    /// The lease by which it holds the source; none where the source stands in the node's own configuration.
    pub epoch: Option<Epoch>,
    /// How old all that is shown of the source is, where the node does not answer.
    pub age: Option<Duration>,
}

/// How a node does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NodeState {
    /// It answers, and takes sources while it has room.
    Runs,
    /// It answers, and takes no more sources.
    Draining,
    /// It does not answer.
    Silent,
    /// It has left the fleet.
    Left,
}

impl NodeState {
    /// The word that is shown.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Runs => "runs",
            Self::Draining => "draining",
            Self::Silent => "no answer",
            Self::Left => "left",
        }
    }
}

/// A node of a fleet, as shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct NodeSnapshot {
    /// Its name.
    pub name: Arc<str>,
    /// Where it is.
    pub site: Option<Arc<str>>,
    /// How it does.
    pub state: NodeState,
    /// Time since it was heard last.
    pub age: Duration,
    /// Version of the program.
    pub version: String,
    /// Its detector, with engine.
    pub detector: String,
    /// Its cores.
    pub cores: usize,
    /// CPU of its whole process, in cores (1.0 = one core busy).
    pub cpu: f32,
    /// Its resident memory, in bytes.
    pub rss: u64,
    /// How many more sources it would take.
    pub room: usize,
    /// Its sources that are shown, with those of its own configuration.
    pub sources: usize,
    /// Of these, how many the fleet has lent to it.
    pub leased: usize,
    /// Whether it cannot follow and runs fewer detections.
    pub is_throttled: bool,
    /// What endangers counts or files on it, and sources that it cannot take, in words for the user.
    pub problems: Vec<String>,
}
