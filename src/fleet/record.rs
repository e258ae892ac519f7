//! What travels between nodes, operators and the server.
//!
//! Fields are added freely; what an older version does not know it passes over.

use serde::{Deserialize, Serialize};

use super::names;
use crate::{
    config::{FleetEntry, NamedSource, edit::EntryChange},
    model::{Epoch, SourceKind},
};

/// A source, as its message holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceMessage {
    /// Its id.
    pub id: String,
    /// Camera or video.
    pub kind: SourceKind,
    /// The site that can reach it; none is every node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// Its entry of a configuration, as it was written.
    pub entry: FleetEntry,
}

impl SourceMessage {
    /// What the subject of a message says that is not understood.
    #[must_use]
    pub fn unknown(subject: &str) -> Self {
        let (id, site) = (names::id_of(subject), names::site_of(subject));
        Self { id, kind: SourceKind::Camera, site, entry: FleetEntry::new() }
    }
}

impl From<NamedSource> for SourceMessage {
    fn from(source: NamedSource) -> Self {
        let NamedSource { id, kind, site, entry, holds_secret: _ } = source;
        Self { id, kind, site, entry }
    }
}

/// A source that a node has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeldSource {
    /// Its id.
    pub id: String,
    /// By which lease.
    pub epoch: Epoch,
    /// Since when, in milliseconds since 1970 by the node's clock.
    pub since: i64,
    /// For how long, in milliseconds, whatever its clock says.
    #[serde(default)]
    pub held_for: Option<i64>,
    /// Whether the engine has it; before, the node waits until no other can count it.
    pub is_counted: bool,
    /// State of the source, as on the dashboard; empty before it is counted.
    #[serde(default)]
    pub state: String,
}

/// A source that a node has handed to others, because it had too much to do.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct HandedOver {
    /// Its id.
    pub id: String,
    /// What was too much.
    pub reason: String,
    /// How long ago that was, in seconds.
    pub ago: u64,
}

/// What a node says of itself. What another version does not say is as if there were none of it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeRecord {
    /// Its name.
    pub node: String,
    /// Which process it is; another one under the same name has another.
    pub instance: String,
    /// Name of its machine.
    pub host: String,
    /// Number of its process.
    pub pid: u32,
    /// Version of the program.
    pub version: String,
    /// Its detector, with engine.
    pub detector: String,
    /// Its cores.
    pub cores: usize,
    /// How many more sources it would take.
    pub room: usize,
    /// Where it is.
    pub site: Option<String>,
    /// Whether it takes no sources any more, until it is restarted or told otherwise.
    pub is_draining: bool,
    /// Whether it has left.
    pub has_left: bool,
    /// Its sources of the fleet.
    pub sources: Vec<HeldSource>,
    /// Sources that it could not take, each with the reason: `ID: REASON`.
    pub problems: Vec<String>,
    /// Why it has too much to do; none while it has not.
    pub overload: Option<String>,
    /// The source that it handed over last.
    pub handed_over: Option<HandedOver>,
    /// What hinders it as a node, such as a server that stores nothing.
    pub trouble: Option<String>,
}

impl NodeRecord {
    /// Whether it may take sources of `site`.
    #[must_use]
    pub fn reaches(&self, site: Option<&str>) -> bool {
        site.is_none() || self.site.as_deref() == site
    }

    /// Whether it could not count source `id`.
    #[must_use]
    pub fn refuses(&self, id: &str) -> bool {
        self.problems
            .iter()
            .any(|problem| problem.strip_prefix(id).is_some_and(|rest| rest.starts_with(": ")))
    }
}

/// A node, and how long nothing was heard of it.
#[derive(Debug, Clone, Serialize)]
pub struct KnownNode {
    /// What it said of itself last.
    #[serde(flatten)]
    pub record: NodeRecord,
    /// When it last said so, in milliseconds since 1970 by the server's clock.
    pub last_seen: i64,
    /// For how long nothing was heard of it, in milliseconds: by the server's clock where any node is there, whatever the time is here.
    pub silent_for: i64,
    /// Whether it answers now.
    pub answers: bool,
}

/// A source of the fleet, and the node that has it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SourceRow {
    /// Its id.
    pub id: String,
    /// Camera or video.
    pub kind: SourceKind,
    /// The site that can reach it.
    pub site: Option<String>,
    /// Which version of it stands on the server.
    pub revision: u64,
    /// The node that has it; none while nobody does.
    pub node: Option<String>,
    /// The same source at that node.
    pub held: Option<HeldSource>,
    /// Why this version of the program does not understand it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// A node has a source, and counts it at once or after a while.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Taken {
    /// Which source.
    pub id: String,
    /// By which lease.
    pub epoch: Epoch,
    /// Which process it is; empty from versions that do not say.
    #[serde(default)]
    pub instance: String,
    /// Whether it waits for a node that may count the source still: that one may end cleanly. Older versions do not say, and
    /// wait for as long as a lease lasts.
    #[serde(default, skip_serializing_if = "is_not")]
    pub waits: bool,
    /// Whether it had the source, counted it until now, and has given it up because a later version stands in the fleet.
    #[serde(default, skip_serializing_if = "is_not")]
    pub has_ended: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "called by what serde derives, with the field as it is"
)]
const fn is_not(flag: &bool) -> bool {
    !*flag
}

/// What a node is told to do, and its answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Draining {
    /// Whether it takes no more sources.
    pub drain: bool,
}

/// A node is told to give this source back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Release {
    /// Which source.
    pub id: String,
}

/// A node is asked for the message of a source that it has, with a change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Edit {
    /// Which source.
    pub id: String,
    /// What is to be changed.
    pub change: EntryChange,
}

/// Its answer.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Edited {
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// The version that the node has, which is to be replaced.
    #[serde(default)]
    pub revision: u64,
    /// What is to be stored, sealed where that one is; none where nothing changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<SourceMessage>,
}

/// What became of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Answered {
    /// Why it was not done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_another_version_says_of_a_node_is_understood_as_far_as_it_goes() {
        let said = json!({ "node": "old", "instance": "1", "sources": [], "color": "blue" });
        let record: NodeRecord = serde_json::from_value(said).unwrap();
        assert_eq!(record, NodeRecord { node: "old".into(), instance: "1".into(), ..NodeRecord::default() });
        let taken: Taken =
            serde_json::from_value(json!({ "id": "a", "epoch": { "revision": 1, "delivery": 2 }, "why": 3 }))
                .unwrap();
        assert!(taken.instance.is_empty());
    }

    #[test]
    fn a_source_whose_id_begins_like_a_refused_one_is_not_refused() {
        let record = NodeRecord { problems: vec!["gate: no".into()], ..NodeRecord::default() };
        assert!(record.refuses("gate") && !record.refuses("gat") && !record.refuses("gate 2"));
    }
}
