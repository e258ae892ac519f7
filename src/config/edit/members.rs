//! The text of a configuration with single keys of an entry added, replaced or removed, every other byte as it was. Pure.

use super::{
    splice::{after_last, indent, into_empty, replaced, without},
    text::{Syntax, entry_node, name_of, tree},
};
use crate::config::json::{Node, Value};

/// `text` with `value`, which is JSON, at `key` of source `id`; without that key where there is none. `None` when no
/// entry has this id.
pub(super) fn with_member(
    text: &str,
    id: &str,
    key: &str,
    value: Option<&str>,
) -> Result<Option<String>, Syntax> {
    let root = tree(text)?;
    Ok(entry_node(&root, id).map(|entry| changed(text, entry, key, value)))
}

/// `text` with `new`, a key and its value as JSON, in the place of `key` of source `id`; `None` where there is no such key.
pub(super) fn in_place_of(
    text: &str,
    id: &str,
    key: &str,
    new: (&str, &str),
) -> Result<Option<String>, Syntax> {
    let root = tree(text)?;
    let Some(Value::Object(members)) = entry_node(&root, id).map(|entry| &entry.value) else {
        return Ok(None);
    };
    let member = members.iter().find(|member| member.key == key);
    let (name, value) = new;
    Ok(member
        .map(|member| replaced(text, member.start..member.node.span.end, &format!("\"{name}\": {value}"))))
}

/// Whether the entry of source `id` has this key.
pub(super) fn has_member(text: &str, id: &str, key: &str) -> Result<bool, Syntax> {
    let root = tree(text)?;
    Ok(matches!(
        entry_node(&root, id).map(|entry| &entry.value),
        Some(Value::Object(members)) if members.iter().any(|member| member.key == key)
    ))
}

/// `text` with this limit of the zone of source `id` that is called `zone`; `None` when there is no such zone.
pub(super) fn with_zone_limit(
    text: &str,
    id: &str,
    zone: &str,
    limit: Option<i64>,
) -> Result<Option<String>, Syntax> {
    let root = tree(text)?;
    let Some(Value::Object(members)) = entry_node(&root, id).map(|entry| &entry.value) else {
        return Ok(None);
    };
    let zones = members.iter().find(|member| member.key == "zones").map(|member| &member.node.value);
    let Some(Value::Array(zones)) = zones else { return Ok(None) };
    // Zones without a name are called by their place.
    let is_meant = |(index, one): &(usize, &Node)| match name_of(one) {
        Some(name) => name == zone,
        None => format!("zone_{}", index + 1) == zone,
    };
    let found = zones.iter().enumerate().find(is_meant);
    let limit = limit.map(|limit| limit.to_string());
    Ok(found.map(|(_, one)| changed(text, one, "threshold", limit.as_deref())))
}

/// `text` with `value` at `key` of `object`, which is in it; without that key where there is none.
pub(super) fn changed(text: &str, object: &Node, key: &str, value: Option<&str>) -> String {
    let Value::Object(members) = &object.value else { return text.to_owned() };
    let at = members.iter().position(|member| member.key == key);
    let written = |value: &str| format!("\"{key}\": {value}");
    match (at, value) {
        (Some(at), Some(value)) => replaced(text, members[at].node.span.clone(), value),
        (Some(at), None) => {
            let member = &members[at];
            let before = at.checked_sub(1).map(|before| members[before].node.span.end);
            let next = members.get(at + 1).map(|next| &next.node);
            without(text, object, &(member.start..member.node.span.end), before, next)
        }
        (None, Some(value)) => match (members.first(), members.last()) {
            (Some(first), Some(last)) => {
                // Entries with each key on a line of its own get theirs the same way.
                after_last(text, last.node.span.end, indent(text, first.start), &written(value))
            }
            _ => into_empty(text, object, &format!(" {} ", written(value))),
        },
        (None, None) => text.to_owned(),
    }
}
