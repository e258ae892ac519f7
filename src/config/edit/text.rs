//! The text of a configuration file with something added or replaced, every other byte as it was, comments and the
//! style of commas included. Pure.

use super::splice::{after_last, indent, into_empty, replaced, without};
use crate::{
    config::{
        env,
        json::{self, Member, Node, Value},
    },
    model::{Drawn, LineConfig, Polygon, SourceKind, ZoneConfig},
};

/// Line and problem of a text that is not JSON.
pub(super) type Syntax = (usize, String);

/// Members of an entry: each key with its value as JSON text.
pub(super) type Members = Vec<(&'static str, String)>;

pub(super) fn tree(text: &str) -> Result<Node, Syntax> {
    let read = json::parse(text).map(|document| document.root);
    read.map_err(|error| (error.place.line, error.message))
}

/// `text` with what is drawn on the frame of source `id`; `None` when no entry has this id.
pub(super) fn with_shapes(text: &str, id: &str, drawn: &Drawn) -> Result<Option<String>, Syntax> {
    let lines = drawn.lines.iter().map(|one| (one.name.clone(), line(one))).collect();
    let zones = drawn.zones.iter().map(|one| (one.name.clone(), zone(one))).collect();
    // A region has no name, but can be told from the others by its corners.
    let regions = drawn.ignore.iter().map(|one| (polygon(one), polygon(one))).collect();
    let mut changed = text.to_owned();
    for (key, items) in [("lines", lines), ("zones", zones), ("ignore", regions)] {
        let items: Vec<Item> = items;
        // Without zones or regions, an entry that never had any is left alone.
        let is_wanted = key == "lines" || !items.is_empty();
        let Some(with) = with_list(&changed, id, key, &items, is_wanted)? else { return Ok(None) };
        changed = with;
    }
    Ok(Some(changed))
}

/// A line, zone or region: its name and its JSON.
type Item = (String, String);

/// `text` with `items` at `key` of source `id`, where there is something or something is `wanted`; `None` when no entry
/// has this id.
fn with_list(
    text: &str,
    id: &str,
    key: &str,
    items: &[Item],
    wanted: bool,
) -> Result<Option<String>, Syntax> {
    let root = tree(text)?;
    let Some(entry) = entry(&root, id) else { return Ok(None) };
    let (Some(first), Some(last)) = (entry.first(), entry.last()) else { return Ok(None) };
    // Entries with each key on a line of its own get theirs the same way.
    let indent = indent(text, first.start);
    let whole = || list(items, |(_, written)| written.clone(), indent);
    Ok(Some(match entry.iter().find(|member| member.key == key) {
        Some(Member { node, .. }) => {
            let old = &text[node.span.clone()];
            let has_comments = json::parse(old).is_ok_and(|old| !old.comments.is_empty());
            let new = if has_comments { with_items(old, items, indent)? } else { whole() };
            replaced(text, node.span.clone(), &new)
        }
        None if wanted => after_last(text, last.node.span.end, indent, &format!("\"{key}\": {}", whole())),
        None => text.to_owned(),
    }))
}

/// The list `text` with `items` put into it one by one, so that the comments around them stay.
fn with_items(text: &str, items: &[Item], indent_before: Option<&str>) -> Result<String, Syntax> {
    let mut text = text.to_owned();
    loop {
        let root = tree(&text)?;
        let Value::Array(old) = &root.value else {
            return Ok(list(items, |(_, new)| new.clone(), indent_before));
        };
        if old.len() > items.len() {
            let is_gone = |old: &Node| items.iter().all(|(name, _)| Some(name) != called(old).as_ref());
            let gone = old.iter().rposition(is_gone).unwrap_or(old.len() - 1);
            text = removed(&text, &root, old, gone);
            continue;
        }
        // From the back, so that what comes before stays where it is.
        for (old, (_, new)) in old.iter().zip(items).rev() {
            text = replaced(&text, old.span.clone(), new);
        }
        let Some((_, next)) = items.get(old.len()) else { return Ok(text) };
        text = match tree(&text)?.value {
            Value::Array(old) => {
                if let Some(last) = old.last() {
                    after_last(&text, last.span.end, indent(&text, last.span.start), next)
                } else {
                    let indent = indent_before.unwrap_or_default();
                    into_empty(&text, &root, &format!("\n{indent}  {next}\n{indent}"))
                }
            }
            _ => text,
        };
    }
}

/// What a line, zone or region is told from others by.
fn called(node: &Node) -> Option<String> {
    let Value::Array(corners) = &node.value else { return name_of(node) };
    let number = |node: &Node| match &node.value {
        Value::Number(text) => text.parse::<f32>().ok(),
        _ => None,
    };
    let corner = |node: &Node| match &node.value {
        Value::Array(xy) => <[f32; 2]>::try_from(xy.iter().filter_map(number).collect::<Vec<_>>()).ok(),
        _ => None,
    };
    Some(polygon(&corners.iter().filter_map(corner).collect::<Polygon>()))
}

/// The name of a line or zone.
pub(super) fn name_of(node: &Node) -> Option<String> {
    let Value::Object(members) = &node.value else { return None };
    members.iter().find(|member| member.key == "name").and_then(text_of)
}

/// `text` without the one at `index` of the entries of `list`.
fn removed(text: &str, list: &Node, entries: &[Node], index: usize) -> String {
    let before = index.checked_sub(1).map(|before| entries[before].span.end);
    without(text, list, &entries[index].span, before, entries.get(index + 1))
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

/// Regions as JSON, each on its own line inside a new entry.
pub(super) fn regions_value(regions: &[Polygon]) -> String {
    list(regions, |region| polygon(region), Some("      "))
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
        format!("\n{indent}  {{\n{indent}    {lines}\n{indent}  }}\n{indent}")
    };
    let array = sections.iter().find(|member| member.key == list);
    let none = Vec::new();
    let list_there = array.and_then(|member| match &member.node.value {
        Value::Array(entries) => Some((member, entries)),
        Value::Null => Some((member, &none)),
        _ => None,
    });
    let Some((member, entries)) = list_there else {
        let Some(last) = sections.last() else {
            return Ok(into_empty(text, &root, &format!("\n  \"{list}\": [{}]\n", long("  "))));
        };
        let indent = indent(text, last.start);
        let new = format!("\"{list}\": [{}]", long(indent.unwrap_or("  ")));
        return Ok(after_last(text, last.node.span.end, Some(indent.unwrap_or("  ")), &new));
    };
    let Some(last) = entries.last() else {
        let indent = indent(text, member.start).unwrap_or("  ");
        return Ok(match &member.node.value {
            Value::Null => replaced(text, member.node.span.clone(), &format!("[{}]", long(indent))),
            _ => into_empty(text, &member.node, &long(indent)),
        });
    };
    let inner = match &last.value {
        Value::Object(members) => members.first().and_then(|first| indent(text, first.start)),
        _ => None,
    };
    let indent = indent(text, last.span.start);
    let new = match (indent, inner) {
        (Some(indent), Some(inner)) => {
            format!("{{\n{inner}{}\n{indent}}}", members.join(&format!(",\n{inner}")))
        }
        _ => short,
    };
    Ok(after_last(text, last.span.end, indent, &new))
}

/// `text` without the entry of source `id`; `None` when no entry has this id.
pub(super) fn without_entry(text: &str, id: &str) -> Result<Option<String>, Syntax> {
    let root = tree(text)?;
    let place = lists(&root).find_map(|(list, entries)| {
        Some((list, entries, entries.iter().position(|entry| members_of(entry, id).is_some())?))
    });
    let Some((list, entries, index)) = place else { return Ok(None) };
    Ok(Some(removed(text, list, entries, index)))
}

/// The id of the entry of a folder or pattern that source `id` may come from: its own begins with it.
pub(super) fn entry_before(text: &str, id: &str) -> Result<Option<String>, Syntax> {
    let root = tree(text)?;
    let ids = lists(&root).flat_map(|(_, entries)| entries).filter_map(id_of);
    let begins = |entry: &String| id.strip_prefix(entry.as_str()).is_some_and(|rest| rest.starts_with('_'));
    Ok(ids.filter(begins).max_by_key(String::len))
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

/// The camera or video with this id.
pub(super) fn entry_node<'a>(root: &'a Node, id: &str) -> Option<&'a Node> {
    lists(root).flat_map(|(_, entries)| entries).find(|entry| members_of(entry, id).is_some())
}

/// Members of the camera or video with this id.
fn entry<'a>(root: &'a Node, id: &str) -> Option<&'a Vec<Member>> {
    lists(root).flat_map(|(_, entries)| entries).find_map(|entry| members_of(entry, id))
}

/// The members of `entry`, when it has this id.
fn members_of<'a>(entry: &'a Node, id: &str) -> Option<&'a Vec<Member>> {
    match &entry.value {
        Value::Object(members) if id_of(entry).as_deref() == Some(id) => Some(members),
        _ => None,
    }
}

/// The id of an entry.
fn id_of(entry: &Node) -> Option<String> {
    let Value::Object(members) = &entry.value else { return None };
    let id = members.iter().find(|member| matches!(&*member.key, "camera_id" | "video_id"));
    id.and_then(text_of)
}

/// The text of a member, with variables replaced.
fn text_of(member: &Member) -> Option<String> {
    match &member.node.value {
        Value::String(text) => env::expand(text, &|name| std::env::var(name).ok()).ok(),
        _ => None,
    }
}

fn list<T>(items: &[T], one: impl Fn(&T) -> String, indent: Option<&str>) -> String {
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
    let points = polygon(&zone.points);
    let limit = zone.threshold.map(|limit| format!(", \"threshold\": {limit}")).unwrap_or_default();
    format!("{{ \"name\": {name}, \"points\": {points}, \"anchor\": {anchor}{limit} }}")
}

/// `[[0.1, 0.2], [0.5, 0.2], [0.5, 0.9]]`.
fn polygon(corners: &[[f32; 2]]) -> String {
    let corners: Vec<String> = corners.iter().copied().map(point).collect();
    format!("[{}]", corners.join(", "))
}

/// A coordinate to a thousandth of the picture, without needless zeroes.
fn share(value: f32) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text.is_empty() || text == "-0" { "0".into() } else { text.into() }
}

/// `text` as the configuration reads it back: a variable is one only where it was written as one.
pub(super) fn escaped(text: &str) -> String {
    text.replace("${", "$${")
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::{
        super::sample::{TEXT, door, drawn},
        *,
    };

    fn with_lines(text: &str, id: &str, lines: &[LineConfig]) -> Result<Option<String>, Syntax> {
        with_shapes(text, id, &drawn(lines))
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

    /// A camera as people write it, with comments and a comma behind the last entry.
    const COMMENTED: &str = r#"{
  // All cameras of the house.
  "cameras": [
    {
      "camera_id": "a", // the gate, /* not
      "source": "rtsp://h/1", // behind "the" wall,
    }, // until spring
    // { "camera_id": "old", "source": "rtsp://h/9" },
    { "camera_id": "b", "source": "rtsp://h/2", /* ] */ }, // the yard
    // No more.
  ],
}
"#;

    #[test]
    fn comments_and_last_commas_stay_when_lines_are_added() {
        let line =
            "{ \"name\": \"the \\\"door\\\"\", \"a\": [0.1, 0.25], \"b\": [0.9, 1], \"anchor\": \"foot\" }";
        for (id, old, new) in [
            (
                "a",
                "behind \"the\" wall,\n",
                format!("behind \"the\" wall,\n      \"lines\": [\n        {line}\n      ],\n"),
            ),
            ("b", "\"rtsp://h/2\", /*", format!("\"rtsp://h/2\", \"lines\": [{line}], /*")),
        ] {
            let changed = with_lines(COMMENTED, id, &[door()]).unwrap().unwrap();
            assert_eq!(changed, COMMENTED.replace(old, &new));
            tree(&changed).unwrap();
        }
        let without_comma = COMMENTED.replace("1\", // behind", "1\" // behind");
        let changed = with_lines(&without_comma, "a", &[]).unwrap().unwrap();
        let wanted = COMMENTED.replace("wall,\n", "wall,\n      \"lines\": []\n");
        assert_eq!(changed, wanted);
    }

    #[test]
    fn comments_between_lines_stay_when_lines_are_redrawn() {
        let list = "[\n        // in\n        {\"name\": \"x\", \"a\": [0, 0], \"b\": [1, 1]}, // first\n        // out\n        {\"name\": \"y\", \"a\": [0, 0], \"b\": [1, 1]} // second\n      ]";
        let text = format!("{{\"cameras\": [{{\"camera_id\": \"a\", \"lines\": {list}}}]}}");
        let named = |name: &str| LineConfig { name: name.into(), ..LineConfig::default() };
        let new = |name: &str| line(&named(name));
        let (x, y) = (new("x"), new("y"));
        for (lines, wanted) in [
            (
                vec![named("x"), named("y"), named("z")],
                format!(
                    "[\n        // in\n        {x}, // first\n        // out\n        {y}, // second\n        {}\n      ]",
                    new("z")
                ),
            ),
            (vec![named("y")], format!("[\n        // in\n        // out\n        {y} // second\n      ]")),
            (vec![named("x")], format!("[\n        // in\n        {x} // first\n        // out\n      ]")),
            (vec![], "[\n        // in\n        // out\n      ]".to_owned()),
        ] {
            let changed = with_lines(&text, "a", &lines).unwrap().unwrap();
            assert_eq!(changed, text.replace(list, &wanted));
            tree(&changed).unwrap();
        }
    }

    #[test]
    fn comments_stay_when_a_source_is_added() {
        let new: Members = vec![("camera_id", string("gate")), ("source", string("rtsp://h/3"))];
        let short = "{ \"camera_id\": \"gate\", \"source\": \"rtsp://h/3\" }";
        let long = "{\n      \"camera_id\": \"gate\",\n      \"source\": \"rtsp://h/3\"\n    }";
        for (text, wanted) in [
            (COMMENTED, COMMENTED.replace("// the yard\n", &format!("// the yard\n    {short},\n"))),
            ("{ // none\n}", format!("{{ // none\n  \"cameras\": [\n    {long}\n  ]\n}}")),
            (
                "{\n  \"cameras\": [\n    // none\n  ], // yet\n}",
                format!("{{\n  \"cameras\": [\n    // none\n    {long}\n  ], // yet\n}}"),
            ),
            (
                "{\n  \"videos\": [], // none\n}",
                format!("{{\n  \"videos\": [], // none\n  \"cameras\": [\n    {long}\n  ],\n}}"),
            ),
        ] {
            assert_eq!(with_entry(text, SourceKind::Camera, &new).unwrap(), wanted, "{text}");
            tree(&wanted).unwrap();
        }
    }

    #[test]
    fn comments_on_lines_of_their_own_stay_when_an_entry_is_removed() {
        let a = "{\"camera_id\": \"a\"}";
        let b = "{\"camera_id\": \"b\"}";
        for (list, id, wanted) in [
            (
                format!("[\n// 1\n{a}, // 2\n// 3\n{b} // 4\n// 5\n]"),
                "a",
                format!("[\n// 1\n// 3\n{b} // 4\n// 5\n]"),
            ),
            (
                format!("[\n// 1\n{a}, // 2\n// 3\n{b} // 4\n// 5\n]"),
                "b",
                format!("[\n// 1\n{a} // 2\n// 3\n// 5\n]"),
            ),
            (format!("[\n{a}, // 2\n{b}, // 4\n]"), "b", format!("[\n{a}, // 2\n]")),
            (format!("[\n{a}, // 2\n{b} ]"), "b", format!("[\n{a} // 2\n ]")),
            (format!("[{a}, /* 2 */ {b}]"), "a", format!("[/* 2 */ {b}]")),
            (format!("[{a}, /* 2 */ {b}]"), "b", format!("[{a} /* 2 */]")),
            (format!("[ // 1\n{a}, // 2\n]"), "a", "[ // 1\n]".to_owned()),
            (format!("[{a},]"), "a", "[]".to_owned()),
        ] {
            let text = |list: &str| format!("{{\"cameras\": {list}}}");
            let without = without_entry(&text(&list), id).unwrap().unwrap();
            assert_eq!(without, text(&wanted), "{list}");
            tree(&without).unwrap();
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

        /// Whatever stands between them: entries that come and go do it alone, and comments on other lines stay.
        #[test]
        fn no_comment_keeps_an_entry_from_coming_or_going(
            gaps in prop::collection::vec(
                prop::sample::select(vec!["", " ", "\n    ", " // it\'s, ]\n", "/* [ */", "\n// {\n", " /*\n*/ ", "\r\n"]),
                12,
            ),
            entries in 0..4usize,
            has_last_comma in any::<bool>(),
            gone in 0..4usize,
        ) {
            let mut gaps = gaps.into_iter();
            let mut gap = || gaps.next().unwrap_or_default();
            let mut text = format!("{{\"cameras\": [{}", gap());
            for entry in 0..entries {
                let comma = if has_last_comma || entry + 1 < entries { "," } else { "" };
                // What stands between an entry and its comma belongs to it.
                let own = gap().replace("\n// {\n", "");
                let _ = write!(text, "{{\"camera_id\": \"{entry}\"}}{own}{comma}{}", gap());
            }
            text += "]}";
            let ids = |text: &str| -> Vec<String> {
                let root = tree(text).unwrap_or_else(|(_, error)| panic!("{error}: {text}"));
                lists(&root).flat_map(|(_, list)| list.iter().map(|entry| id_of(entry).unwrap())).collect()
            };
            let own_lines = |text: &str| text.matches("\n// {\n").count();
            let mut wanted: Vec<String> = (0..entries).map(|entry| entry.to_string()).collect();
            let new: Members = vec![("camera_id", string("new"))];
            let added = with_entry(&text, SourceKind::Camera, &new).unwrap();
            wanted.push("new".into());
            prop_assert_eq!(ids(&added), &wanted[..]);
            prop_assert_eq!(text.matches("it's").count(), added.matches("it's").count());
            wanted.pop();
            if gone < entries {
                let left = without_entry(&text, &gone.to_string()).unwrap().unwrap();
                wanted.remove(gone);
                prop_assert_eq!(ids(&left), wanted, "{} of {}", left, text);
                prop_assert_eq!(left.contains("// {"), own_lines(&text) > 0);
            }
        }
    }

    #[test]
    fn what_cannot_be_changed_is_told() {
        assert_eq!(with_lines(TEXT, "three", &[door()]), Ok(None));
        assert_eq!(with_lines("{\n\"cameras\": [,]}", "one", &[door()]).unwrap_err().0, 2);
    }
}
