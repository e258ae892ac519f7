//! What wants attention: sources that are down, or at or over their limit.

use std::collections::BTreeSet;

use crate::model::{EngineSnapshot, SourceId, SourceState};

/// Kinds of alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlertKind {
    /// Delivers no pictures and should.
    Down,
    /// A camera marked as failed after many attempts: an alert of its own, whoever has seen that it was down.
    Failed,
    /// Breaks off again and again.
    Flapping,
    /// Reached its limit.
    Limit,
}

/// What an alert is about; the same trouble keeps the same key until it is over.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AlertKey {
    /// Which source.
    pub source: SourceId,
    /// What.
    pub kind: AlertKind,
}

/// One alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// What it is about.
    pub key: AlertKey,
    /// Whether somebody has said that it was seen.
    pub acknowledged: bool,
    /// Index of the source in the snapshot.
    pub source: usize,
}

/// All alerts, the unseen first, each in the order of the sources. Forgets in `acknowledged` what is over, so
/// that it is new when it happens again.
pub fn alerts(snapshot: &EngineSnapshot, acknowledged: &mut BTreeSet<AlertKey>) -> Vec<Alert> {
    let mut alerts = Vec::new();
    let mut standing = BTreeSet::new();
    for (index, source) in snapshot.sources.iter().enumerate() {
        let mut raise = |kind| {
            let key = AlertKey { source: source.id.clone(), kind };
            standing.insert(key.clone());
            alerts.push(Alert { acknowledged: acknowledged.contains(&key), key, source: index });
        };
        if source.over_threshold() {
            raise(AlertKind::Limit);
        }
        if source.flapping().is_some() {
            raise(AlertKind::Flapping);
        }
        if matches!(source.state, SourceState::Failed { next: Some(_) }) {
            raise(AlertKind::Failed);
        } else if source.state.kind().is_offline() {
            raise(AlertKind::Down);
        } else if source.state == SourceState::Connecting {
            // Between two attempts of the same trouble: still the same alert.
            let key = AlertKey { source: source.id.clone(), kind: AlertKind::Down };
            if acknowledged.contains(&key) {
                standing.insert(key);
            }
        }
    }
    acknowledged.retain(|key| standing.contains(key));
    alerts.sort_by_key(|alert| alert.acknowledged);
    alerts
}
