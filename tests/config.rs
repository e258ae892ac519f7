//! Configuration files as data: `configs/valid` load, `configs/invalid` give exactly the messages beside them.
//!
//! After a deliberate change of messages, `PCOUNT_ACCEPT=1 cargo test --test config` writes the new ones; read
//! the difference before keeping it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "the helpers of tests may fail loudly")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use pcount::{
    config::{self, Config, Overrides, SourceConfig},
    model::SourceKind,
};
use proptest::prelude::*;
use serde_json::Value;

fn corpus(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new("tests/configs").join(folder);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    assert!(files.len() > 3, "the corpus {} is there", folder.display());
    files
}

/// Compares with the text file beside `path`.
fn assert_messages(path: &Path, messages: &str) {
    let expected = path.with_extension("txt");
    if std::env::var_os("PCOUNT_ACCEPT").is_some() {
        if messages.is_empty() {
            let _ = fs::remove_file(&expected);
        } else {
            fs::write(&expected, format!("{messages}\n")).unwrap();
        }
    }
    let wanted = fs::read_to_string(&expected).unwrap_or_default();
    assert_eq!(messages.trim_end(), wanted.trim_end(), "messages for {}", path.display());
}

#[test]
fn valid_files_load_with_the_expected_warnings() {
    for path in corpus("valid") {
        let config = Config::load(&path, &Overrides::default())
            .unwrap_or_else(|errors| panic!("{} is valid, but:\n{errors}", path.display()));
        // Whether others may read the files depends on how they were checked out.
        let warnings: Vec<_> =
            config.warnings.iter().filter(|warning| !warning.contains("chmod")).cloned().collect();
        assert_messages(&path, &warnings.join("\n"));
    }
}

/// `text` as JSON that every reader takes: without byte order mark, comments and commas behind last entries.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.trim_start_matches('\u{feff}');
    while let Some(c) = rest.chars().next() {
        let mut end = c.len_utf8();
        if c == '"' {
            let is_escaped = |at: usize| rest[..at].len() % 2 != rest[..at].trim_end_matches('\\').len() % 2;
            end = rest.match_indices('"').skip(1).find(|(at, _)| !is_escaped(*at)).unwrap().0 + 1;
        } else if rest.starts_with("//") {
            rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
            continue;
        } else if rest.starts_with("/*") {
            rest = &rest[rest.find("*/").unwrap() + 2..];
            continue;
        } else if matches!(c, ']' | '}') && out.trim_end().ends_with(',') {
            out.truncate(out.trim_end().len() - 1);
        }
        out.push_str(&rest[..end]);
        rest = &rest[end..];
    }
    out
}

/// What of `value` does not fit `schema`, a part of `whole`: the words of JSON Schema that ours uses.
fn misfits(whole: &Value, schema: &Value, value: &Value, path: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (word, wanted) in schema.as_object().unwrap() {
        let is = |name: &Value| match name.as_str().unwrap() {
            "null" => value.is_null(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            other => panic!("'{other}' is no type"),
        };
        let length = value.as_array().map(Vec::len).or(value.as_str().map(|text| text.chars().count()));
        let list = || wanted.as_array().unwrap().iter();
        let members = || value.as_object().into_iter().flatten();
        let fits = match word.as_str() {
            "description" | "title" | "$schema" | "$defs" | "examples" | "format" => true,
            "allowComments" | "allowTrailingCommas" => *wanted == true,
            "type" if wanted.is_array() => list().any(is),
            "type" => is(wanted),
            "const" => wanted == value,
            "enum" => list().any(|word| word == value),
            "minimum" => !value.is_number() || value.as_f64() >= wanted.as_f64(),
            "maximum" => !value.is_number() || value.as_f64() <= wanted.as_f64(),
            "minLength" | "minItems" => length.is_none_or(|length| length as u64 >= wanted.as_u64().unwrap()),
            "maxLength" | "maxItems" => length.is_none_or(|length| length as u64 <= wanted.as_u64().unwrap()),
            "required" => list().all(|key| !value.is_object() || value.get(key.as_str().unwrap()).is_some()),
            "anyOf" | "oneOf" => list().any(|schema| misfits(whole, schema, value, path).is_empty()),
            "$ref" => {
                let definition = whole.pointer(&wanted.as_str().unwrap()[1..]).unwrap();
                found.extend(misfits(whole, definition, value, path));
                true
            }
            "items" => {
                let items = value.as_array().into_iter().flatten().enumerate();
                found.extend(
                    items.flat_map(|(at, item)| misfits(whole, wanted, item, &format!("{path}[{at}]"))),
                );
                true
            }
            "properties" => {
                let known = members().filter_map(|(key, value)| Some((key, wanted.get(key)?, value)));
                found.extend(known.flat_map(|(key, schema, value)| {
                    misfits(whole, schema, value, &format!("{path}.{key}"))
                }));
                true
            }
            "additionalProperties" => {
                let is_known =
                    |key: &str| schema.get("properties").is_some_and(|known| known.get(key).is_some());
                let mut others = members().filter(|(key, _)| !is_known(key));
                match wanted.as_bool() {
                    Some(allowed) => allowed || others.next().is_none(),
                    None => others.all(|(key, value)| misfits(whole, wanted, value, key).is_empty()),
                }
            }
            other => panic!("teach this test the word '{other}'"),
        };
        if !fits {
            found.push(format!("{path}: {word}: {value}"));
        }
    }
    found
}

/// What the schema says against the file at `path`.
fn against(path: &Path) -> Vec<String> {
    let value = serde_json::from_str(&plain(&fs::read_to_string(path).unwrap())).unwrap();
    let schema = config::schema();
    misfits(&schema, &schema, &value, "")
}

#[test]
fn valid_files_fit_the_schema_and_files_with_wrong_keys_and_types_do_not() {
    for path in corpus("valid") {
        let found = against(&path);
        assert_eq!(found, Vec::<String>::new(), "{}", path.display());
    }
    for name in ["unknown_keys", "wrong_types", "out_of_range", "geometry"] {
        let found = against(&Path::new("tests/configs/invalid").join(name).with_extension("json"));
        assert!(!found.is_empty(), "{name}");
    }
}

#[test]
fn invalid_files_give_all_their_problems_at_once() {
    for path in corpus("invalid") {
        let errors = Config::load(&path, &Overrides::default())
            .err()
            .unwrap_or_else(|| panic!("{} is accepted", path.display()));
        assert_messages(&path, &errors.to_string());
    }
}

#[test]
fn the_example_runs_anywhere() {
    let config = Config::load(Path::new("config_example.json"), &Overrides::default()).unwrap();
    assert_eq!(config.warnings, Vec::<String>::new());
    assert!(config.sources.iter().any(|source| source.kind == SourceKind::Video));
    assert!(config.sources.iter().filter(|source| source.enabled).count() > 2);
    for source in config.sources.iter().filter(|source| source.enabled) {
        assert!(source.source.to_string().starts_with("demo:"), "{} needs no camera and no file", source.id);
    }
}

#[test]
fn every_key_of_the_full_example_arrives() {
    let config =
        Config::load(Path::new("tests/configs/valid/every_key.json"), &Overrides::default()).unwrap();
    insta::assert_debug_snapshot!((
        &config.parallel.detector,
        config.parallel.worker_count,
        config.parallel.max_workers,
        &config.parallel.result_output,
        &config.parallel.log_dir,
        &config.parallel.models,
    ));
    insta::assert_debug_snapshot!((
        config.parallel.history,
        config.parallel.max_log_size,
        config.parallel.memory_limit,
        config.parallel.ledger_retention,
        config.parallel.timezone.iana_name(),
        &config.tui,
        &config.sources,
    ));
}

#[test]
fn the_original_file_means_what_its_author_meant() {
    let path = Path::new("tests/configs/valid/as_the_user_wrote_it.json");
    let config = Config::load(path, &Overrides::default()).unwrap();
    let folder = Path::new("tests/configs/valid");
    assert_eq!(config.parallel.result_output, folder.join("parallel/results/"));
    let entrance = &config.sources[0];
    assert_eq!(
        (&*entrance.id, &*entrance.alias, entrance.threshold),
        ("camera_01", "Main Entrance", Some(10))
    );
    assert_eq!(entrance.lines.len(), 1);
    assert_eq!((entrance.lines[0].a, entrance.lines[0].b), ([0.0, 0.5], [1.0, 0.5]));
    assert_eq!(config.sources[2].kind, SourceKind::Video);
    assert_eq!(config.sources[2].source.to_string(), "tests/configs/valid/utils/data/tests/test_1.mp4");
}

#[test]
fn folders_and_patterns_become_one_source_for_each_video() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["b.mp4", "a 1.mkv", "readme.txt"] {
        fs::write(folder.path().join(name), "").unwrap();
    }
    let path = folder.path().join("c.json");
    let text = r#"{"videos": [{"video_id": "all", "path": ".", "alias": "Clip", "threshold": 3},
        {"video_id": "some", "path": "*.mp4"}, {"video_id": "none", "path": "x*.mp4"}]}"#;
    fs::write(&path, text).unwrap();
    let config = Config::load(&path, &Overrides::default()).unwrap();
    let got: Vec<_> = config.sources.iter().map(|source| (&*source.id, &*source.alias)).collect();
    assert_eq!(got, [("all_a_1", "Clip a 1"), ("all_b", "Clip b"), ("some_b", "some b")]);
    assert_eq!(config.sources[0].threshold, Some(3));
    assert!(config.warnings[0].contains("skipped: 'c.json' (no video), 'readme.txt' (no video)"));
    assert!(config.warnings[1].contains("holds no video"), "{:?}", config.warnings);
}

#[test]
fn passwords_in_a_file_for_everyone_are_warned_of_and_never_printed() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("pw"), "admin:s3cret-file\n").unwrap();
    let path = folder.path().join("c.json");
    let text = r#"{"cameras": [
        {"camera_id": "a", "source": "rtsp://admin:s3cret-url@cam/1"},
        {"camera_id": "b", "source": "rtsp://cam/2", "credentials": {"user": "u", "password": "s3cret-key"}},
        {"camera_id": "c", "source": "rtsp://cam/3", "credentials": {"file": "pw"}},
        {"camera_id": "d", "source": "http://cam/4?user=u&password=s3cret-query"}]}"#;
    fs::write(&path, text).unwrap();
    for (mode, warned) in [(0o644, true), (0o640, false), (0o600, false)] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let config = Config::load(&path, &Overrides::default()).unwrap();
        let warning = config.warnings.iter().any(|warning| warning.contains("holds a password"));
        assert_eq!(warning, warned, "{mode:o}: {:?}", config.warnings);
        let mut printed = format!("{config:?}");
        for source in &config.sources {
            printed += &source.source.to_string();
        }
        assert!(!printed.contains("s3cret"), "{printed}");
        let opened: Vec<_> =
            config.sources.iter().map(|source| source.source.opening_url().unwrap().to_string()).collect();
        assert_eq!(
            opened,
            [
                "rtsp://admin:s3cret-url@cam/1",
                "rtsp://u:s3cret-key@cam/2",
                "rtsp://admin:s3cret-file@cam/3",
                "http://cam/4?user=u&password=s3cret-query"
            ]
        );
    }
}

#[test]
fn a_missing_configuration_is_one_sentence() {
    let errors = Config::load(Path::new("no/such.json"), &Overrides::default()).unwrap_err();
    assert_eq!(
        errors.to_string(),
        "no/such.json: the configuration cannot be read: No such file or directory (os error 2); name another \
         file with --config"
    );
}

#[test]
fn the_schema_describes_every_key() {
    // The number of keys compared; a definition may be a list of words, which has none.
    fn undescribed(path: &str, object: &serde_json::Value, found: &mut Vec<String>) -> usize {
        let mut keys = 0;
        for (key, property) in object["properties"].as_object().into_iter().flatten() {
            keys += 1;
            if property["description"].as_str().is_none() {
                found.push(format!("{path}.{key}"));
            }
        }
        keys
    }
    let schema = config::schema();
    let mut found = Vec::new();
    let mut keys = undescribed("", &schema, &mut found);
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        keys += undescribed(name, definition, &mut found);
    }
    assert!(keys > 60, "{keys} keys were compared");
    assert_eq!(found, Vec::<String>::new());
    assert_eq!(schema["additionalProperties"], false);
}

/// Every key of every kind of object.
fn keys_of_the_schema() -> BTreeSet<String> {
    let schema = config::schema();
    let definitions = schema["$defs"].as_object().unwrap().values();
    let objects = definitions.chain([&schema]).filter_map(|object| object["properties"].as_object());
    objects.flat_map(|properties| properties.keys().cloned()).collect()
}

#[test]
fn the_manual_names_every_key() {
    let manual = fs::read_to_string("docs/configuration.md").unwrap();
    let mut keys = keys_of_the_schema();
    keys.retain(|key| !["`", "\""].iter().any(|quote| manual.contains(&format!("{quote}{key}{quote}"))));
    assert_eq!(keys, BTreeSet::new());
}

#[test]
fn every_example_of_the_manual_loads() {
    let manual = fs::read_to_string("docs/configuration.md").unwrap();
    let dir = tempfile::tempdir().unwrap();
    // What the examples name and must be there.
    fs::create_dir(dir.path().join("clips")).unwrap();
    fs::write(dir.path().join("clips/door.mp4"), "").unwrap();
    for login in ["gate.login", "mqtt.login"] {
        fs::write(dir.path().join(login), "viewer:correct horse").unwrap();
    }
    let examples: Vec<_> =
        manual.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(examples.len() >= 10, "{}", examples.len());
    for example in &examples {
        let path = dir.path().join("cams.json");
        if let Err(errors) = Config::from_bytes(example.as_bytes(), &path, &Overrides::default()) {
            panic!("{example}{errors}");
        }
    }
    let all = examples.concat();
    let missing: Vec<_> =
        keys_of_the_schema().into_iter().filter(|key| !all.contains(&format!("\"{key}\":"))).collect();
    // What it names would have to be in the environment.
    assert_eq!(missing, ["env"], "keys without an example");
}

/// Loads `bytes` as a configuration file would be.
fn load_bytes(bytes: &[u8]) -> Result<Config, config::ConfigErrors> {
    Config::from_bytes(bytes, Path::new("fuzz/c.json"), &Overrides::default())
}

/// Number of runs of each property; `PROPTEST_CASES` sets another one, a million for a long night.
fn cases() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(500);
    ProptestConfig { cases, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = load_bytes(&bytes);
    }

    /// Valid files with pieces cut out, doubled, or overwritten: loaded or refused with placed messages.
    #[test]
    fn damaged_files_are_loaded_or_refused(
        file in prop::sample::select(corpus("valid")),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..12usize, "[ -~]{0,6}"), 1..6),
    ) {
        let mut bytes = fs::read(file).unwrap();
        for (at, cut, insert) in edits {
            let start = at.index(bytes.len() + 1);
            let end = (start + cut).min(bytes.len());
            bytes.splice(start..end, insert.bytes());
        }
        match load_bytes(&bytes) {
            Ok(config) => {
                let ids: BTreeSet<_> = config.sources.iter().map(|source| source.id.clone()).collect();
                prop_assert_eq!(ids.len(), config.sources.len(), "ids are unique");
                for source in &config.sources {
                    prop_assert!(!source.lines.is_empty());
                }
            }
            Err(errors) => {
                prop_assert!(!errors.problems.is_empty());
                let lines = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
                for problem in &errors.problems {
                    let (line, _) = problem.place.expect("every problem of a text has a place");
                    prop_assert!(line <= lines);
                }
            }
        }
    }

    #[test]
    fn no_source_string_panics(text in any::<String>()) {
        let _ = SourceConfig::from_source_string(&text, &BTreeSet::new());
    }
}

#[test]
fn a_probe_names_smaller_streams_that_would_do() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("cams.json");
    let wide = "demo:lobby?size=1920x1080";
    let cameras = serde_json::json!({ "cameras": [
        { "camera_id": "wide", "source": wide },
        { "camera_id": "usual", "source": "demo:lobby?size=640x360" },
        { "camera_id": "looked_at", "source": wide, "detector": { "format": "builtin", "input": [960, 544] } },
        { "camera_id": "all_looked_at", "source": wide, "detector": { "format": "builtin", "input": [1280, 736] } },
    ] });
    fs::write(&config, cameras.to_string()).unwrap();
    let check = assert_cmd::Command::new(assert_cmd::cargo::cargo_bin("pcount-tui"))
        .args(["check", "--probe", "--config"])
        .arg(&config)
        .assert()
        .success();
    let told = String::from_utf8(check.get_output().stdout.clone()).unwrap();
    let hints: Vec<_> = told.lines().filter(|line| line.starts_with("hint")).collect();
    let would_do = |id: &str, size: &str| {
        format!("hint    {id}: a substream of {size} would do and cost less to decode")
    };
    assert_eq!(hints, [would_do("wide", "640x360"), would_do("looked_at", "960x540")], "{told}");
}
