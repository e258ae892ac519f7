use proptest::prelude::*;

use super::*;

fn root(text: &str) -> Result<Node, SyntaxError> {
    parse(text).map(|document| document.root)
}

fn plain(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(b) => (*b).into(),
        Value::Number(text) => serde_json::from_str(text).unwrap(),
        Value::String(text) => text.clone().into(),
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(members) => {
            serde_json::Value::Object(members.iter().map(|m| (m.key.clone(), plain(&m.node))).collect())
        }
    }
}

#[test]
fn keys_and_values_know_their_place() {
    let node = root("{\n  \"é\": [1,\n   {\"b\": \"x\"}]\n}").unwrap();
    let Value::Object(members) = &node.value else { panic!() };
    assert_eq!(members[0].place.to_string(), "2:3");
    let Value::Array(items) = &members[0].node.value else { panic!() };
    assert_eq!(items[0].place.to_string(), "2:9");
    assert_eq!(items[1].place.to_string(), "3:4");
}

#[test]
fn numbers_beyond_all_bounds_are_refused() {
    assert!(parse("1e308").is_ok());
    assert!(parse("1e310").is_err());
}

#[test]
fn comments_and_a_last_comma_are_read_and_everything_keeps_its_place() {
    let text = "// one\n{ /* two\n */ \"a\": [1, /* \"x\" */ 2,],\r\n # }";
    let error = root(text).unwrap_err();
    assert_eq!(error.place.to_string(), "4:2");
    assert!(error.message.contains("comments begin with '//'"), "{}", error.message);
    let text = text.replace(" # ", "\"b\": \"// no\", // é\n");
    let document = parse(&text).unwrap();
    assert_eq!(document.comments, ["// one", "/* two\n */", "/* \"x\" */", "// é"]);
    let Value::Object(members) = &document.root.value else { panic!() };
    let Value::Array(items) = &members[0].node.value else { panic!() };
    assert_eq!((items.len(), &text[items[1].span.clone()]), (2, "2"));
    assert_eq!(members[1].place.to_string(), "4:1");
    assert_eq!(&text[members[1].start..members[1].node.span.end], "\"b\": \"// no\"");
    for wrong in ["[,]", "{,}", "[1,,]", "/", "[1 /]", "1 / 2", "/* x", "// x", "[1] /*/", "{\"a\": 1 /* }"] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn surrogate_pairs_make_one_character() {
    let Value::String(text) = root(r#""\ud83d\ude00\u00e9\n""#).unwrap().value else { panic!() };
    assert_eq!(text, "😀é\n");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Texts near JSON: the verdict and the value are those of `serde_json`, but for a comma behind the last entry and
    /// for comments.
    #[test]
    fn agrees_with_serde_json(
        pieces in prop::collection::vec(
            (r#"([\[\]{},:" ]|"[a-z\\u0-9]{0,6}"|-?[0-9]{1,3}(\.[0-9]{1,2})?([eE][+-]?[0-9])?|true|false|null)"#,
                prop::sample::select(vec!["", "", "", " ", "// x\n", "/* ,] */", "/**/", "//\r"])),
            0..12,
        )
    ) {
        let plain_text: String = pieces.iter().map(|(piece, _)| piece.as_str()).collect();
        let theirs = serde_json::from_str::<serde_json::Value>(&without_last_commas(&plain_text)).ok();
        let ours = root(&plain_text).ok().map(|node| plain(&node));
        prop_assert_eq!(&ours, &theirs);
        // Inside a text there is no comment.
        let is_whole = |piece: &str| piece != "\"" && !piece.contains('\\');
        if ours.is_some() && pieces.iter().all(|(piece, _)| is_whole(piece)) {
            let text: String = pieces.iter().flat_map(|(piece, comment)| [piece.as_str(), comment]).collect();
            // Between two parts of one number or word it separates them.
            if let Ok(node) = root(&text) {
                prop_assert_eq!(Some(plain(&node)), ours);
            }
        }
    }

    #[test]
    fn never_panics(text in any::<String>()) {
        let _ = parse(&text);
    }
}

/// `text` without the comma between an entry and the bracket that closes its list.
fn without_last_commas(text: &str) -> String {
    let mut out = String::new();
    let mut is_inside = false;
    let mut is_escaped = false;
    for c in text.chars() {
        if is_inside {
            (is_inside, is_escaped) = (is_escaped || c != '"', c == '\\' && !is_escaped);
        } else if c == '"' {
            is_inside = true;
        } else if matches!(c, ']' | '}') {
            let before = out.trim_end().strip_suffix(',').map(str::trim_end);
            if let Some(before) =
                before.filter(|before| !before.is_empty() && !before.ends_with(['[', '{', ',', ':']))
            {
                out.truncate(before.len());
            }
        }
        out.push(c);
    }
    out
}
