//! Changes to a configuration file that leave every other byte of it as the user wrote it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::de::IgnoredAny;

use super::{
    LineConfig,
    json::{self, Member, Node, Place, Value},
};

/// A file that cannot be changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// It cannot be read or written.
    #[error("'{path}': {problem}")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        problem: io::Error,
    },
    /// It is not JSON any more.
    #[error("'{path}' is not valid JSON any more (line {line}: {problem}); mend it first")]
    Syntax {
        /// The file.
        path: String,
        /// Where.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// The source stands nowhere in it.
    #[error("'{path}' has no entry with the id '{id}'; write one to keep its lines")]
    NoEntry {
        /// The file.
        path: String,
        /// The source.
        id: String,
    },
}

/// Writes the counting lines of source `id` into the file at `path`. The file as it was is kept beside it,
/// with `.bak` behind its name; the path of that copy is returned.
///
/// # Errors
/// When the file cannot be read, understood or written; it is then unchanged.
pub fn save_lines(path: &Path, id: &str, lines: &[LineConfig]) -> Result<PathBuf, EditError> {
    let shown = || path.display().to_string();
    let file = |problem| EditError::File { path: shown(), problem };
    let text = fs::read_to_string(path).map_err(file)?;
    let changed = match with_lines(&text, id, lines) {
        Ok(Some(changed)) => changed,
        Ok(None) => return Err(EditError::NoEntry { path: shown(), id: id.into() }),
        Err((line, problem)) => return Err(EditError::Syntax { path: shown(), line, problem }),
    };
    let beside = |ending: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let (backup, new) = (beside(".bak"), beside(".new"));
    fs::copy(path, &backup).map_err(file)?;
    // Written whole beside the old one and then renamed: a full disk leaves the old file.
    fs::write(&new, changed).map_err(file)?;
    fs::set_permissions(&new, fs::metadata(path).map_err(file)?.permissions()).map_err(file)?;
    fs::rename(&new, path).map_err(file)?;
    Ok(backup)
}

/// `text` with the lines of source `id` replaced or added; `None` when no entry has this id.
fn with_lines(text: &str, id: &str, lines: &[LineConfig]) -> Result<Option<String>, (usize, String)> {
    let root = json::parse(text).map_err(|error| (error.place.line, error.message))?;
    let Some(entry) = entry(&root, id) else { return Ok(None) };
    let (Some(first), Some(last)) = (entry.first(), entry.last()) else { return Ok(None) };
    let key_at = offset(text, first.place);
    let line_start = text[..key_at].rfind('\n').map_or(0, |at| at + 1);
    let indent = &text[line_start..key_at];
    // Entries with each key on a line of its own get their lines the same way.
    let indent = indent.trim().is_empty().then_some(indent);
    let written = written(lines, indent);
    let mut out = String::with_capacity(text.len() + written.len() + 16);
    if let Some(member) = entry.iter().find(|member| member.key == "lines") {
        let start = offset(text, member.node.place);
        out.push_str(&text[..start]);
        out.push_str(&written);
        out.push_str(&text[end_of_value(text, start)..]);
    } else {
        let end = end_of_value(text, offset(text, last.node.place));
        out.push_str(&text[..end]);
        match indent {
            Some(indent) => out.push_str(&format!(",\n{indent}\"lines\": {written}")),
            None => out.push_str(&format!(", \"lines\": {written}")),
        }
        out.push_str(&text[end..]);
    }
    Ok(Some(out))
}

/// Members of the camera or video with this id.
fn entry<'a>(root: &'a Node, id: &str) -> Option<&'a Vec<Member>> {
    let Value::Object(sections) = &root.value else { return None };
    let lists = sections.iter().filter(|member| member.key == "cameras" || member.key == "videos");
    lists
        .filter_map(|member| match &member.node.value {
            Value::Array(entries) => Some(entries),
            _ => None,
        })
        .flatten()
        .find_map(|entry| match &entry.value {
            Value::Object(members) if members.iter().any(|member| is_id(member, id)) => Some(members),
            _ => None,
        })
}

fn is_id(member: &Member, id: &str) -> bool {
    (member.key == "camera_id" || member.key == "video_id")
        && matches!(&member.node.value, Value::String(text) if text == id)
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

fn written(lines: &[LineConfig], indent: Option<&str>) -> String {
    let each: Vec<String> = lines
        .iter()
        .map(|line| {
            let name = serde_json::Value::from(line.name.as_str());
            let anchor = serde_json::to_value(line.anchor).unwrap_or_default();
            let [a, b] = [line.a, line.b].map(|[x, y]| format!("[{}, {}]", share(x), share(y)));
            format!("{{ \"name\": {name}, \"a\": {a}, \"b\": {b}, \"anchor\": {anchor} }}")
        })
        .collect();
    match indent {
        Some(indent) => {
            let inner = format!("\n{indent}  ");
            format!("[{inner}{}\n{indent}]", each.join(&format!(",{inner}")))
        }
        None => format!("[{}]", each.join(", ")),
    }
}

/// A coordinate to a thousandth of the picture, without needless zeroes.
fn share(value: f32) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text.is_empty() || text == "-0" { "0".into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::count::Anchor;

    fn door() -> LineConfig {
        LineConfig { name: "the \"door\"".into(), a: [0.1, 0.25], b: [0.9, 1.0], anchor: Anchor::Foot }
    }

    const TEXT: &str = r#"{
    "parallel_config": {"worker_count": 2},
    "cameras": [
        {
            "camera_id": "one",   "alias": "Tür",
            "source": "rtsp://h/1"
        },
        { "camera_id": "two", "source": "rtsp://h/2", "lines": [ {"name": "x", "a": [0, 0], "b": [1, 1]} ], "threshold": 5 }
    ]
}
"#;

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
    fn what_cannot_be_changed_is_told() {
        assert_eq!(with_lines(TEXT, "three", &[door()]), Ok(None));
        assert_eq!(with_lines("{\n\"cameras\": [,]}", "one", &[door()]).unwrap_err().0, 2);
    }

    #[test]
    fn the_file_is_kept_beside_the_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cams.json");
        fs::write(&path, TEXT).unwrap();
        let backup = save_lines(&path, "one", &[door()]).unwrap();
        assert_eq!(fs::read_to_string(backup).unwrap(), TEXT);
        assert!(fs::read_to_string(&path).unwrap().contains("\"anchor\": \"foot\""));
        let error = save_lines(&path, "nobody", &[]).unwrap_err().to_string();
        assert!(error.contains("no entry with the id 'nobody'"), "{error}");
        assert!(save_lines(&folder.path().join("none.json"), "one", &[]).is_err());
    }
}
