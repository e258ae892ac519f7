//! Changing the entry of a fleet's source. Pure but for what the entry names, such as files of credentials.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{ConfigFile, EditError, same::has_drawn, text};
use crate::{
    config::{FleetEntry, Settings, SourceConfig},
    model::{Drawn, SourceKind},
};

/// What the entries are called in an error.
const NAME: &str = "the sources of the fleet";

/// A change of a source that is made on a dashboard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryChange {
    /// What is drawn on its frame.
    Lines {
        /// From now on.
        drawn: Drawn,
        /// As the user saw it; `None` replaces whatever is there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<Drawn>,
    },
    /// Its settings.
    Settings {
        /// As the user saw them.
        before: Box<Settings>,
        /// From now on.
        after: Box<Settings>,
    },
}

impl EntryChange {
    /// Refuses what must not even be sent: a login of source `id`, which would stand readable on the server or on its way there.
    ///
    /// # Errors
    /// Where it is changed instead.
    pub fn check(&self, id: &str) -> Result<(), String> {
        match self {
            Self::Settings { after, .. } if after.login.is_some() => Err(format!(
                "the login of '{id}' is not changed here; change it in the file of 'pcount-tui fleet apply', or where its \
                 'credentials' point"
            )),
            Self::Lines { .. } | Self::Settings { .. } => Ok(()),
        }
    }

    /// `entry`, which describes source `id`, with this change; all other keys stay. Variables are those of this process, paths are
    /// relative to `base`.
    ///
    /// # Errors
    /// Why it cannot be changed, in a sentence without secrets: such as another user who changed the same meanwhile.
    pub fn made(
        &self,
        entry: &FleetEntry,
        kind: SourceKind,
        id: &str,
        base: &Path,
    ) -> Result<FleetEntry, String> {
        self.check(id)?;
        let list = match kind {
            SourceKind::Camera => "cameras",
            SourceKind::Video => "videos",
        };
        let text = json!({ list: [entry] }).to_string();
        let old = SourceConfig::from_fleet(entry, base)?;
        let file = ConfigFile::new(NAME);
        let changed = match self {
            Self::Lines { drawn, before } => {
                let is_as_seen = before.as_ref().is_none_or(|before| has_drawn(&old, before));
                if !is_as_seen && !has_drawn(&old, drawn) {
                    return Err(format!(
                        "somebody else has changed the lines of '{id}' in the fleet meanwhile"
                    ));
                }
                file.edited(text::with_shapes(&text, id, drawn))
                    .and_then(|text| text.ok_or_else(|| file.no_entry(id)))
            }
            Self::Settings { before, after } => {
                let wanted = after.changed(before);
                let others = Settings::of(&old).changed(before);
                let both: Vec<&str> = others.into_iter().filter(|key| wanted.contains(key)).collect();
                if !both.is_empty() && after.applied(before, &old) != old {
                    return Err(format!(
                        "somebody else has changed '{}' of '{id}' in the fleet meanwhile; begin again with what is there now",
                        both.join("', '")
                    ));
                }
                file.with_settings(&text, id, before, after, None)
            }
        };
        let changed = changed.map_err(|error: EditError| error.to_string())?;
        let changed = only_entry(&changed, list).ok_or("the changed entry is not understood")?;
        let read = SourceConfig::from_fleet(&changed, base)?;
        let is_right = match self {
            Self::Lines { drawn, .. } => has_drawn(&read, drawn),
            Self::Settings { before, after } => read == after.applied(before, &old),
        };
        if is_right { Ok(changed) } else { Err(format!("'{id}' would not be read back as it was given")) }
    }
}

fn only_entry(text: &str, list: &str) -> Option<FleetEntry> {
    let mut whole: Map<String, Value> = serde_json::from_str(text).ok()?;
    match whole.remove(list)? {
        Value::Array(mut entries) => match (entries.pop(), entries.len()) {
            (Some(Value::Object(entry)), 0) => Some(entry),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{geometry::Anchor, model::LineConfig};

    fn entry() -> FleetEntry {
        let entry = json!({
            "camera_id": "gate", "source": "rtsp://cam.lan/1", "credentials": { "user": "u", "password": "hunter2" },
            "site": "north", "alias": "Gate", "lines": [{ "name": "door", "a": [0.0, 0.5], "b": [1.0, 0.5] }],
            "zones": [{ "name": "hall", "points": [[0.0, 0.0], [1.0, 0.0], [0.5, 1.0]] }],
        });
        entry.as_object().unwrap().clone()
    }

    fn drawn(y: f32) -> Drawn {
        let line = LineConfig { name: "door".into(), a: [0.0, y], b: [1.0, y], anchor: Anchor::Foot };
        Drawn { lines: vec![line], ..Drawn::default() }
    }

    fn made(change: &EntryChange, entry: &FleetEntry) -> Result<FleetEntry, String> {
        change.made(entry, SourceKind::Camera, "gate", Path::new("/"))
    }

    fn as_read(entry: &FleetEntry) -> SourceConfig {
        SourceConfig::from_fleet(entry, Path::new("/")).unwrap()
    }

    #[test]
    fn lines_are_changed_and_every_other_key_stays() {
        let before = as_read(&entry()).drawn();
        let new = Drawn { zones: before.zones.clone(), ..drawn(0.25) };
        let changed =
            made(&EntryChange::Lines { drawn: new.clone(), before: Some(before) }, &entry()).unwrap();
        assert!(has_drawn(&as_read(&changed), &new));
        let rest = |entry: &FleetEntry| {
            let mut entry = entry.clone();
            for key in ["lines", "zones"] {
                entry.remove(key);
            }
            entry
        };
        assert_eq!(rest(&changed), rest(&entry()));
    }

    #[test]
    fn lines_that_somebody_else_changed_are_replaced_only_where_the_user_has_seen_them() {
        let seen = as_read(&entry()).drawn();
        let theirs = EntryChange::Lines { drawn: drawn(0.75), before: Some(seen.clone()) };
        let there = made(&theirs, &entry()).unwrap();
        let mine = EntryChange::Lines { drawn: drawn(0.25), before: Some(seen) };
        let said = made(&mine, &there).unwrap_err();
        assert!(said.contains("somebody else has changed the lines of 'gate'"), "{said}");
        assert_eq!(made(&theirs, &there).unwrap(), there, "a save that is sent twice changes nothing");
        let again = EntryChange::Lines { drawn: drawn(0.25), before: None };
        assert!(has_drawn(&as_read(&made(&again, &there).unwrap()), &drawn(0.25)));
    }

    #[test]
    fn settings_are_changed_unless_somebody_else_changed_the_same_and_a_login_never_is() {
        let before = Settings::of(&as_read(&entry()));
        let to = |change: fn(&mut Settings)| {
            let mut after = before.clone();
            change(&mut after);
            EntryChange::Settings { before: Box::new(before.clone()), after: Box::new(after) }
        };
        let renamed = made(&to(|it| it.alias = "Main gate".into()), &entry()).unwrap();
        assert_eq!(renamed["alias"], "Main gate");
        assert_eq!(renamed["credentials"], entry()["credentials"]);
        let limited = made(&to(|it| it.threshold = Some(5)), &renamed).unwrap();
        assert_eq!((&limited["alias"], &limited["threshold"]), (&json!("Main gate"), &json!(5)));
        let limit = to(|it| it.zone_limits = [("hall".to_owned(), Some(3))].into());
        assert_eq!(made(&limit, &entry()).unwrap()["zones"][0]["threshold"], 3);
        let said = made(&to(|it| it.alias = "Side gate".into()), &renamed).unwrap_err();
        assert!(said.contains("somebody else has changed 'alias'"), "{said}");
        let said = made(&to(|it| it.login = Some(crate::config::Secret::new("a:hunter3"))), &entry());
        let said = said.unwrap_err();
        assert!(
            said.contains("the login of 'gate' is not changed here") && !said.contains("hunter"),
            "{said}"
        );
    }
}
