use proptest::prelude::*;

use super::*;

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
    let node = parse("{\n  \"é\": [1,\n   {\"b\": \"x\"}]\n}").unwrap();
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
fn surrogate_pairs_make_one_character() {
    let Value::String(text) = parse(r#""\ud83d\ude00\u00e9\n""#).unwrap().value else { panic!() };
    assert_eq!(text, "😀é\n");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Texts near JSON: the verdict and the value are those of `serde_json`.
    #[test]
    fn agrees_with_serde_json(
        text in r#"([\[\]{},:" ]|"[a-z\\u0-9]{0,6}"|-?[0-9]{1,3}(\.[0-9]{1,2})?([eE][+-]?[0-9])?|true|false|null){0,12}"#
    ) {
        let theirs = serde_json::from_str::<serde_json::Value>(&text).ok();
        let ours = parse(&text).ok().map(|node| plain(&node));
        prop_assert_eq!(ours, theirs);
    }

    #[test]
    fn never_panics(text in any::<String>()) {
        let _ = parse(&text);
    }
}
