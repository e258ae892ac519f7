//! What makes the fleet's sources those of a file.

use std::collections::BTreeMap;

use super::record::SourceMessage;

/// A source of a fleet that is another in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Its id.
    pub id: String,
    /// The keys that differ.
    pub keys: Vec<String>,
}

/// What has to be done, by id.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// Sources that the fleet does not have.
    pub added: Vec<String>,
    /// Sources that are others.
    pub changed: Vec<Change>,
    /// Sources that the file does not have.
    pub removed: Vec<String>,
}

impl Plan {
    /// What turns `now` into `wanted`. The order of keys and of sources means nothing.
    #[must_use]
    pub fn between(now: &[SourceMessage], wanted: &[SourceMessage]) -> Self {
        let by_id = |list: &[SourceMessage]| -> BTreeMap<String, SourceMessage> {
            list.iter().map(|source| (source.id.clone(), source.clone())).collect()
        };
        let (now, wanted) = (by_id(now), by_id(wanted));
        let mut plan = Self::default();
        for (id, source) in &wanted {
            match now.get(id) {
                None => plan.added.push(id.clone()),
                Some(runs) if runs == source => {}
                Some(runs) => plan.changed.push(Change { id: id.clone(), keys: differing(runs, source) }),
            }
        }
        plan.removed = now.into_keys().filter(|id| !wanted.contains_key(id)).collect();
        plan
    }

    /// With `ids`, which are as in the file, changed all the same, in `key`.
    #[must_use]
    pub fn with_changed(mut self, ids: &[String], key: &str) -> Self {
        for id in ids {
            let is_named = self.changed.iter().any(|change| change.id == *id) || self.removed.contains(id);
            if !is_named {
                self.changed.push(Change { id: id.clone(), keys: vec![key.to_owned()] });
            }
        }
        self.changed.sort_by(|one, other| one.id.cmp(&other.id));
        self
    }

    /// Whether the fleet is as the file says.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn differing(runs: &SourceMessage, wanted: &SourceMessage) -> Vec<String> {
    let mut keys: Vec<String> = runs.entry.keys().chain(wanted.entry.keys()).cloned().collect();
    keys.sort_unstable();
    keys.dedup();
    keys.retain(|key| runs.entry.get(key) != wanted.entry.get(key));
    keys
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::SourceKind;

    fn source(id: &str, rest: &serde_json::Value) -> SourceMessage {
        let mut entry = rest.as_object().unwrap().clone();
        entry.insert("camera_id".into(), id.into());
        let site = entry.get("site").and_then(|site| site.as_str()).map(str::to_owned);
        SourceMessage { id: id.into(), kind: SourceKind::Camera, site, entry }
    }

    #[test]
    fn what_is_the_same_is_left_alone_whatever_its_order() {
        let one = source("a", &json!({ "source": "0", "priority": 1 }));
        let same = source("a", &json!({ "priority": 1, "source": "0" }));
        let other = source("b", &json!({ "source": "1" }));
        let plan = Plan::between(&[one.clone(), other.clone()], &[other, same]);
        assert!(plan.is_empty(), "{plan:?}");
    }

    #[test]
    fn what_is_new_changed_and_gone_is_told_apart_and_the_keys_that_differ_are_named() {
        let now =
            [source("a", &json!({ "source": "0" })), source("b", &json!({ "source": "1", "alias": "B" }))];
        let wanted = [source("b", &json!({ "source": "2", "site": "north" })), source("c", &json!({}))];
        let plan = Plan::between(&now, &wanted);
        assert_eq!((plan.added, plan.removed), (vec!["c".to_owned()], vec!["a".to_owned()]));
        let keys = ["alias", "site", "source"].map(str::to_owned).to_vec();
        assert_eq!(plan.changed, [Change { id: "b".into(), keys }]);
    }
}
