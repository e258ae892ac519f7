//! The sources that a file names for a fleet.

use std::{collections::BTreeSet, path::Path};

use serde_json::{Map, Value};

use super::{
    Config, ConfigErrors, Problem, SourceConfig,
    json::{Node, Value as Tree},
    load::{name, read_tree},
    tree_secrets,
};
use crate::model::SourceKind;

/// An entry of `cameras` or `videos` as a fleet passes it on: as it was written, so that names of secrets stay names.
pub type FleetEntry = Map<String, Value>;

/// A source that a file names for a fleet.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedSource {
    /// Its id.
    pub id: String,
    /// Camera or video.
    pub kind: SourceKind,
    /// The site that can reach it; `None` is every node.
    pub site: Option<String>,
    /// As it was written.
    pub entry: FleetEntry,
    /// Whether a password stands in it, rather than the name of one.
    pub holds_secret: bool,
}

/// The sources that the configuration at `path` names, for a fleet. What is resolved on the node, such as variables of the
/// environment and files, need not be there. Waits for what comes through a pipe.
///
/// # Errors
/// Everything that is wrong with it.
pub fn fleet_sources(path: &Path) -> Result<Vec<NamedSource>, ConfigErrors> {
    let bytes = Config::read(path)?;
    sources_of(&bytes, &name(path))
}

fn sources_of(bytes: &[u8], file: &str) -> Result<Vec<NamedSource>, ConfigErrors> {
    let tree = read_tree(bytes, file)?.root;
    tree_secrets::teach(&tree, super::known());
    let mut problems = Vec::new();
    let mut refuse = |path: &str, said: &str| problems.push(Problem::new(file, None, path, said));
    let mut sources: Vec<NamedSource> = Vec::new();
    let mut ids = BTreeSet::new();
    let whole = plain(&tree);
    for (list, kind, id_key) in
        [("cameras", SourceKind::Camera, "camera_id"), ("videos", SourceKind::Video, "video_id")]
    {
        let Some(items) = whole.get(list) else { continue };
        let Some(items) = items.as_array() else {
            refuse(list, "expected a list of sources");
            continue;
        };
        for (index, item) in items.iter().enumerate() {
            let path = format!("{list}[{index}]");
            let Some(entry) = item.as_object() else {
                refuse(&path, "expected an object that describes a source");
                continue;
            };
            match named(entry, kind, id_key) {
                Ok(source) if !ids.insert(source.id.clone()) => {
                    refuse(
                        &path,
                        &format!("the id '{}' is taken; give each source an id of its own", source.id),
                    );
                }
                Ok(source) => sources.push(source),
                Err(said) => refuse(&path, &said),
            }
        }
    }
    if problems.is_empty() { Ok(sources) } else { Err(ConfigErrors { problems }) }
}

fn named(entry: &FleetEntry, kind: SourceKind, id_key: &str) -> Result<NamedSource, String> {
    if !entry.contains_key(id_key) {
        return Err(format!("has no '{id_key}'; give it an id of its own"));
    }
    let mut checked = entry.clone();
    // Where a login is only named, the node has what it names.
    let is_name = |login: &Value| {
        let keys: Vec<&str> = login.as_object().into_iter().flat_map(Map::keys).map(String::as_str).collect();
        matches!(keys[..], ["env" | "file"])
    };
    if checked.get("credentials").is_some_and(is_name) {
        checked.remove("credentials");
    }
    let text = serde_json::json!({ list_of(kind): [checked] }).to_string();
    // Variables have their values on the node; one that looks like a login and a host at once does for each place.
    let stand_in = |_: &str| Some("stand:in".to_owned());
    let read = Config::parse(text.as_bytes(), "the entry", Path::new("/"), &stand_in);
    let config = read.map_err(|errors| {
        let said: Vec<String> = errors.problems.iter().map(Problem::in_entry).collect();
        said.join("; ")
    })?;
    let source = match &config.sources[..] {
        [source] => source,
        others => return Err(format!("names {} videos; a fleet's source is one video", others.len())),
    };
    Ok(NamedSource {
        id: source.id.to_string(),
        kind,
        site: source.site.clone(),
        entry: entry.clone(),
        holds_secret: config.holds_secret,
    })
}

fn list_of(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::Camera => "cameras",
        SourceKind::Video => "videos",
    }
}

/// The tree without its places.
fn plain(node: &Node) -> Value {
    match &node.value {
        Tree::Null => Value::Null,
        Tree::Bool(value) => Value::Bool(*value),
        Tree::Number(text) => serde_json::from_str(text).unwrap_or(Value::Null),
        Tree::String(text) => Value::String(text.clone()),
        Tree::Array(nodes) => Value::Array(nodes.iter().map(plain).collect()),
        Tree::Object(members) => {
            Value::Object(members.iter().map(|member| (member.key.clone(), plain(&member.node))).collect())
        }
    }
}

impl SourceConfig {
    /// The one source that `entry` of a fleet describes. Variables are those of this process, paths are relative to `base`.
    ///
    /// # Errors
    /// Everything that is wrong with it, in one line without secrets.
    pub(crate) fn from_fleet(entry: &FleetEntry, base: &Path) -> Result<Self, String> {
        Self::from_entry_in(entry, base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<NamedSource>, String> {
        sources_of(text.as_bytes(), "fleet.json").map_err(|errors| errors.to_string())
    }

    #[test]
    fn a_source_of_a_fleet_is_passed_on_as_it_was_written() {
        let sources = read(
            r#"{ // a comment
                "cameras": [{ "camera_id": "gate", "site": "north", "source": "rtsp://cam.lan/1",
                              "credentials": { "env": "GATE_LOGIN" } },
                            { "camera_id": "yard", "source": "rtsp://${LOGIN}@cam.lan/2" }],
                "videos": [{ "video_id": "clip", "path": "demo:lobby" }] }"#,
        )
        .unwrap();
        let ids: Vec<_> = sources.iter().map(|source| (&*source.id, source.site.as_deref())).collect();
        assert_eq!(ids, [("gate", Some("north")), ("yard", None), ("clip", None)]);
        assert_eq!(sources[0].entry["credentials"]["env"], "GATE_LOGIN");
        assert!(sources.iter().all(|source| !source.holds_secret));
    }

    #[test]
    fn a_password_in_an_address_is_noticed_and_not_said() {
        let sources = read(
            r#"{ "cameras": [{ "camera_id": "a", "source": "rtsp://admin:hunter2@cam.lan/1" },
                 { "camera_id": "b", "source": "rtsp://cam.lan/1", "credentials": { "user": "u", "password": "hunter2" } }] }"#,
        )
        .unwrap();
        assert!(sources.iter().all(|source| source.holds_secret));
        let said =
            read(r#"{ "cameras": [{ "camera_id": "a", "source": "rstp://admin:hunter2@cam.lan/1" }] }"#);
        assert!(!said.unwrap_err().contains("hunter2"));
    }

    #[test]
    fn an_id_stands_for_one_source() {
        let said = read(
            r#"{ "cameras": [{ "camera_id": "a", "source": "demo:lobby" }],
                "videos": [{ "video_id": "a", "path": "demo:lobby" }] }"#,
        );
        assert!(said.unwrap_err().contains("the id 'a' is taken"));
    }
}
