//! The text of a configuration file with something added or replaced, every other byte as it was. Pure.

use serde::de::IgnoredAny;

use super::entry::escaped;
use crate::config::{
    LineConfig, SourceKind, ZoneConfig, env,
    json::{self, Member, Node, Place, Value},
};

/// Line and problem of a text that is not JSON.
pub(super) type Syntax = (usize, String);

/// Members of an entry: each key with its value as JSON text.
pub(super) type Members = Vec<(&'static str, String)>;

pub(super) fn tree(text: &str) -> Result<Node, Syntax> {
    json::parse(text).map_err(|error| (error.place.line, error.message))
}

/// `text` with the counting lines and zones of source `id`; `None` when no entry has this id.
pub(super) fn with_shapes(
    text: &str,
    id: &str,
    lines: &[LineConfig],
    zones: &[ZoneConfig],
) -> Result<Option<String>, Syntax> {
    let Some(changed) = with_member(text, id, "lines", &|_| true, &|indent| list(lines, line, indent))?
    else {
        return Ok(None);
    };
    // Without zones, an entry that never had any is left alone.
    let wanted = |has: bool| has || !zones.is_empty();
    with_member(&changed, id, "zones", &wanted, &|indent| list(zones, zone, indent))
}

/// `text` with member `key` of source `id` replaced, or added when `wanted` (which is told whether it is
/// there) says so; `None` when no entry has this id.
fn with_member(
    text: &str,
    id: &str,
    key: &str,
    wanted: &dyn Fn(bool) -> bool,
    written: &dyn Fn(Option<&str>) -> String,
) -> Result<Option<String>, Syntax> {
    let root = tree(text)?;
    let Some(entry) = entry(&root, id) else { return Ok(None) };
    let (Some(first), Some(last)) = (entry.first(), entry.last()) else { return Ok(None) };
    // Entries with each key on a line of its own get theirs the same way.
    let indent = indent(text, offset(text, first.place));
    let member = entry.iter().find(|member| member.key == key);
    if !wanted(member.is_some()) {
        return Ok(Some(text.to_owned()));
    }
    let written = written(indent);
    let (from, to, new) = match member {
        Some(member) => {
            let start = offset(text, member.node.place);
            (start, end_of_value(text, start), written)
        }
        None => {
            let end = end_of_value(text, offset(text, last.node.place));
            let new = match indent {
                Some(indent) => format!(",\n{indent}\"{key}\": {written}"),
                None => format!(", \"{key}\": {written}"),
            };
            (end, end, new)
        }
    };
    Ok(Some(format!("{}{new}{}", &text[..from], &text[to..])))
}

/// A configuration without a source.
pub(super) fn empty() -> String {
    "{}\n".to_owned()
}

/// The list that sources of this kind stand in.
fn list_of(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::Camera => "cameras",
        SourceKind::Video => "videos",
    }
}

/// Text as JSON.
pub(super) fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Lines as JSON, each on its own line inside a new entry.
pub(super) fn lines_value(lines: &[LineConfig]) -> String {
    list(lines, line, Some("      "))
}

/// Zones as JSON, each on its own line inside a new entry.
pub(super) fn zones_value(zones: &[ZoneConfig]) -> String {
    list(zones, zone, Some("      "))
}

/// `text` with an entry more in the list of `kind`, in the style of the list's last entry.
pub(super) fn with_entry(text: &str, kind: SourceKind, members: &Members) -> Result<String, Syntax> {
    let root = tree(text)?;
    let Value::Object(sections) = &root.value else {
        return Err((root.place.line, "expected an object".into()));
    };
    let list = list_of(kind);
    let members: Vec<String> = members.iter().map(|(key, value)| format!("\"{key}\": {value}")).collect();
    let short = format!("{{ {} }}", members.join(", "));
    let long = |indent: &str| {
        let lines = members.join(&format!(",\n{indent}    "));
        format!("[\n{indent}  {{\n{indent}    {lines}\n{indent}  }}\n{indent}]")
    };
    let insert = |at: usize, new: &str| format!("{}{new}{}", &text[..at], &text[at..]);
    let array = sections.iter().find(|member| member.key == list);
    let none = Vec::new();
    let list_there = array.and_then(|member| match &member.node.value {
        Value::Array(entries) => Some((member, entries)),
        Value::Null => Some((member, &none)),
        _ => None,
    });
    let Some((member, entries)) = list_there else {
        let last = sections.last();
        let at = last
            .map_or(offset(text, root.place) + 1, |last| end_of_value(text, offset(text, last.node.place)));
        let before = last.map_or("", |_| ",");
        let indent = last.and_then(|last| indent(text, offset(text, last.place))).unwrap_or("  ");
        let after = last.map_or("\n", |_| "");
        return Ok(insert(at, &format!("{before}\n{indent}\"{list}\": {}{after}", long(indent))));
    };
    let Some(last) = entries.last() else {
        let from = offset(text, member.node.place);
        let to = end_of_value(text, from);
        let indent = indent(text, offset(text, member.place)).unwrap_or("  ");
        return Ok(format!("{}{}{}", &text[..from], long(indent), &text[to..]));
    };
    let start = offset(text, last.place);
    let end = end_of_value(text, start);
    let inner = match &last.value {
        Value::Object(members) => members.first().and_then(|first| indent(text, offset(text, first.place))),
        _ => None,
    };
    Ok(match (indent(text, start), inner) {
        (Some(indent), Some(inner)) => {
            let lines = members.join(&format!(",\n{inner}"));
            insert(end, &format!(",\n{indent}{{\n{inner}{lines}\n{indent}}}"))
        }
        (Some(indent), None) => insert(end, &format!(",\n{indent}{short}")),
        (None, _) => insert(end, &format!(", {short}")),
    })
}

/// `text` without the entry of source `id`; `None` when no entry has this id.
pub(super) fn without_entry(text: &str, id: &str) -> Result<Option<String>, Syntax> {
    let root = tree(text)?;
    let place = lists(&root).find_map(|(list, entries)| {
        Some((list, entries, entries.iter().position(|entry| members_of(entry, id).is_some())?))
    });
    let Some((list, entries, index)) = place else { return Ok(None) };
    let begin = |node: &Node| offset(text, node.place);
    let end = |node: &Node| end_of_value(text, begin(node));
    let (from, to) =
        match (index.checked_sub(1).and_then(|before| entries.get(before)), entries.get(index + 1)) {
            (_, Some(next)) => (begin(&entries[index]), begin(next)),
            (Some(before), None) => (end(before), end(&entries[index])),
            (None, None) => (begin(list) + 1, end(list) - 1),
        };
    Ok(Some(format!("{}{}", &text[..from], &text[to..])))
}

/// The id of the entry of a folder or pattern that source `id` may come from: its own begins with it.
pub(super) fn entry_before(text: &str, id: &str) -> Result<Option<String>, Syntax> {
    let root = tree(text)?;
    let ids = lists(&root).flat_map(|(_, entries)| entries).filter_map(|entry| match &entry.value {
        Value::Object(members) => members.iter().find_map(id_of),
        _ => None,
    });
    let begins = |entry: &String| id.strip_prefix(entry.as_str()).is_some_and(|rest| rest.starts_with('_'));
    Ok(ids.filter(begins).max_by_key(String::len))
}

/// The space before `at`, when nothing else stands before it on its line.
fn indent(text: &str, at: usize) -> Option<&str> {
    let line_start = text[..at].rfind('\n').map(|at| at + 1)?;
    let space = &text[line_start..at];
    space.trim().is_empty().then_some(space)
}

/// The lists of sources, with their entries.
fn lists(root: &Node) -> impl Iterator<Item = (&Node, &Vec<Node>)> {
    let sections = match &root.value {
        Value::Object(sections) => &sections[..],
        _ => &[],
    };
    let lists = sections.iter().filter(|member| member.key == "cameras" || member.key == "videos");
    lists.filter_map(|member| match &member.node.value {
        Value::Array(entries) => Some((&member.node, entries)),
        _ => None,
    })
}

/// Members of the camera or video with this id.
fn entry<'a>(root: &'a Node, id: &str) -> Option<&'a Vec<Member>> {
    lists(root).flat_map(|(_, entries)| entries).find_map(|entry| members_of(entry, id))
}

/// The members of `entry`, when it has this id.
fn members_of<'a>(entry: &'a Node, id: &str) -> Option<&'a Vec<Member>> {
    match &entry.value {
        Value::Object(members) if members.iter().any(|member| id_of(member).as_deref() == Some(id)) => {
            Some(members)
        }
        _ => None,
    }
}

/// The id that a member gives.
fn id_of(member: &Member) -> Option<String> {
    match &member.node.value {
        Value::String(text) if member.key == "camera_id" || member.key == "video_id" => {
            env::expand(text, &|name| std::env::var(name).ok()).ok()
        }
        _ => None,
    }
}

/// Byte offset of a place.
fn offset(text: &str, place: Place) -> usize {
    let mark = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let line_start: usize =
        mark + text[mark..].split_inclusive('\n').take(place.line - 1).map(str::len).sum::<usize>();
    text[line_start..].char_indices().nth(place.column - 1).map_or(text.len(), |(at, _)| line_start + at)
}

/// Byte offset behind the value that starts at `start`.
fn end_of_value(text: &str, start: usize) -> usize {
    let mut values = serde_json::Deserializer::from_str(&text[start..]).into_iter::<IgnoredAny>();
    // The whole text was parsed before, so there is a value here.
    let _ = values.next();
    start + values.byte_offset()
}

fn list<T>(items: &[T], one: fn(&T) -> String, indent: Option<&str>) -> String {
    let each: Vec<String> = items.iter().map(one).collect();
    match indent {
        Some(indent) if !each.is_empty() => {
            let inner = format!("\n{indent}  ");
            format!("[{inner}{}\n{indent}]", each.join(&format!(",{inner}")))
        }
        _ => format!("[{}]", each.join(", ")),
    }
}

fn point([x, y]: [f32; 2]) -> String {
    format!("[{}, {}]", share(x), share(y))
}

fn line(line: &LineConfig) -> String {
    let name = string(&escaped(&line.name));
    let anchor = serde_json::to_value(line.anchor).unwrap_or_default();
    let [a, b] = [line.a, line.b].map(point);
    format!("{{ \"name\": {name}, \"a\": {a}, \"b\": {b}, \"anchor\": {anchor} }}")
}

fn zone(zone: &ZoneConfig) -> String {
    let name = string(&escaped(&zone.name));
    let anchor = serde_json::to_value(zone.anchor).unwrap_or_default();
    let points: Vec<String> = zone.points.iter().copied().map(point).collect();
    let limit = zone.threshold.map(|limit| format!(", \"threshold\": {limit}")).unwrap_or_default();
    format!("{{ \"name\": {name}, \"points\": [{}], \"anchor\": {anchor}{limit} }}", points.join(", "))
}

/// A coordinate to a thousandth of the picture, without needless zeroes.
fn share(value: f32) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text.is_empty() || text == "-0" { "0".into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::{
        super::sample::{TEXT, door},
        *,
    };

    fn with_lines(text: &str, id: &str, lines: &[LineConfig]) -> Result<Option<String>, Syntax> {
        with_shapes(text, id, lines, &[])
    }

    #[test]
    fn a_source_is_added_in_the_style_of_the_list() {
        let new: Members = vec![
            ("camera_id", string("gate")),
            ("source", string("rtsp://h/\"3\"")),
            ("alias", string("Gate")),
        ];
        let short = "{ \"camera_id\": \"gate\", \"source\": \"rtsp://h/\\\"3\\\"\", \"alias\": \"Gate\" }";
        let long = "{\n      \"camera_id\": \"gate\",\n      \"source\": \"rtsp://h/\\\"3\\\"\",\n      \"alias\": \"Gate\"\n    }";
        for (text, wanted) in [
            ("{}", format!("{{\n  \"cameras\": [\n    {long}\n  ]\n}}")),
            (
                "{\n  \"videos\": []\n}\n",
                format!("{{\n  \"videos\": [],\n  \"cameras\": [\n    {long}\n  ]\n}}\n"),
            ),
            ("{\n  \"cameras\": [ ]\n}", format!("{{\n  \"cameras\": [\n    {long}\n  ]\n}}")),
            ("{\n  \"cameras\": null\n}", format!("{{\n  \"cameras\": [\n    {long}\n  ]\n}}")),
            (
                "{\"cameras\": [{\"camera_id\": \"a\"}]}",
                format!("{{\"cameras\": [{{\"camera_id\": \"a\"}}, {short}]}}"),
            ),
            (
                "{\n  \"cameras\": [\n    {\n      \"camera_id\": \"a\"\n    }\n  ]\n}",
                format!(
                    "{{\n  \"cameras\": [\n    {{\n      \"camera_id\": \"a\"\n    }},\n    {long}\n  ]\n}}"
                ),
            ),
        ] {
            assert_eq!(with_entry(text, SourceKind::Camera, &new).unwrap(), wanted, "{text}");
            tree(&wanted).unwrap();
        }
    }

    #[test]
    fn lines_are_added_in_the_style_of_the_entry() {
        let changed = with_lines(TEXT, "one", &[door()]).unwrap().unwrap();
        let expected = TEXT.replace(
            "\"source\": \"rtsp://h/1\"\n",
            "\"source\": \"rtsp://h/1\",\n            \"lines\": [\n              \
             { \"name\": \"the \\\"door\\\"\", \"a\": [0.1, 0.25], \"b\": [0.9, 1], \"anchor\": \"foot\" }\n            ]\n",
        );
        assert_eq!(changed, expected);
    }

    #[test]
    fn lines_are_replaced_and_nothing_else_changes() {
        let changed = with_lines(TEXT, "two", &[door(), door()]).unwrap().unwrap();
        let line =
            "{ \"name\": \"the \\\"door\\\"\", \"a\": [0.1, 0.25], \"b\": [0.9, 1], \"anchor\": \"foot\" }";
        let expected =
            TEXT.replace("[ {\"name\": \"x\", \"a\": [0, 0], \"b\": [1, 1]} ]", &format!("[{line}, {line}]"));
        assert_eq!(changed, expected);
    }

    #[test]
    fn an_entry_is_removed_and_every_other_byte_stays() {
        let a = "{\"camera_id\": \"a\"}";
        let b = "{ \"camera_id\": \"b\", \"source\": \"x,]\" }";
        for (text, id, wanted) in [
            (format!("{{\"cameras\": [{a}, {b}]}}"), "a", format!("{{\"cameras\": [{b}]}}")),
            (format!("{{\"cameras\": [{a}, {b}]}}"), "b", format!("{{\"cameras\": [{a}]}}")),
            (format!("{{\"cameras\": [ {b} ], \"x\": 1}}"), "b", "{\"cameras\": [], \"x\": 1}".into()),
            (
                format!("{{\n  \"cameras\": [\n    {a},\n    {b}\n  ]\n}}\n"),
                "b",
                format!("{{\n  \"cameras\": [\n    {a}\n  ]\n}}\n"),
            ),
            (
                format!("{{\n  \"cameras\": [\n    {a},\n    {b}\n  ]\n}}\n"),
                "a",
                format!("{{\n  \"cameras\": [\n    {b}\n  ]\n}}\n"),
            ),
        ] {
            assert_eq!(without_entry(&text, id).unwrap().unwrap(), wanted, "{text}");
            tree(&wanted).unwrap();
        }
        assert_eq!(without_entry(TEXT, "nobody"), Ok(None));
        let new: Members = vec![("camera_id", string("gate")), ("source", string("rtsp://h/3"))];
        let added = with_entry(TEXT, SourceKind::Camera, &new).unwrap();
        assert_eq!(without_entry(&added, "gate").unwrap().unwrap(), TEXT, "there and back");
    }

    #[test]
    fn what_cannot_be_changed_is_told() {
        assert_eq!(with_lines(TEXT, "three", &[door()]), Ok(None));
        assert_eq!(with_lines("{\n\"cameras\": [,]}", "one", &[door()]).unwrap_err().0, 2);
    }
}
