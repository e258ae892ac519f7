//! Settings that are saved key by key.

use std::fmt::Write as _;

use super::*;
use crate::config::{Cadence, Secret, Settings};

/// Entries as people write them: one on a single line, one with each key on its own, with comments.
const ENTRIES: &str = r#"{
  // All of them.
  "cameras": [
    { "camera_id": "one", "alias": "Door", "source": "rtsp://h/1", "threshold": 5, "skip_frames": 3 },
    {
      "enabled": false, // until spring
      "camera_id": "two",
      "source": "rtsp://h/2",
      // Where it hangs.
      "location": "Yard", /* the old one */
      "zones": [ {"name": "till",  "points": [[0,0],[1,0],[1,1]], "threshold": 4}, { "points": [[0,0],[1,0],[1,1]] } ],
      "detect_fps": 2.5
    }, // the yard
    { "camera_id": "user", "source": "rtsp://admin:hunter2@h/3" },
    { "camera_id": "lobby", "source": "demo:lobby", },
  ],
}
"#;

fn entries() -> (tempfile::TempDir, ConfigFile) {
    let (folder, file) = written();
    fs::write(file.path(), ENTRIES).unwrap();
    fs::set_permissions(file.path(), fs::Permissions::from_mode(0o600)).unwrap();
    (folder, file)
}

fn settings(file: &ConfigFile, id: &str) -> Settings {
    Settings::of(load(file).sources.iter().find(|source| &*source.id == id).unwrap())
}

/// Saves what `change` makes of the settings of `id`.
fn save(file: &ConfigFile, id: &str, change: impl FnOnce(&mut Settings)) -> Result<Saved, EditError> {
    let before = settings(file, id);
    let mut after = before.clone();
    change(&mut after);
    file.save_settings(id, &before, &after)
}

#[test]
fn each_key_is_replaced_added_and_removed_and_nothing_else_changes() {
    type Change = fn(&mut Settings);
    let cases: [(&str, Change, &str, &str); 17] = [
        ("one", |it| it.alias = "Front \"door\" ${1}".into(), r#""Door""#, r#""Front \"door\" $${1}""#),
        ("one", |it| it.alias = String::new(), r#" "alias": "Door","#, ""),
        ("two", |it| it.alias = "Gate".into(), "2.5\n", "2.5,\n      \"alias\": \"Gate\"\n"),
        ("two", |it| it.location = Some("Garden".into()), r#""Yard""#, r#""Garden""#),
        ("two", |it| it.location = None, "      \"location\": \"Yard\", /* the old one */\n", ""),
        ("one", |it| it.location = Some("Hall".into()), "3 }", r#"3, "location": "Hall" }"#),
        ("one", |it| it.threshold = Some(12), "\"threshold\": 5", "\"threshold\": 12"),
        ("one", |it| it.threshold = None, " \"threshold\": 5,", ""),
        ("two", |it| it.enabled = true, "      \"enabled\": false, // until spring\n", ""),
        ("one", |it| it.enabled = false, "3 }", "3, \"enabled\": false }"),
        ("two", |it| it.detect_fps = Some(4.0), "2.5", "4"),
        ("two", |it| it.detect_fps = None, "] } ],\n      \"detect_fps\": 2.5\n", "] } ]\n"),
        ("one", |it| it.detect_fps = Some(1.5), "\"skip_frames\": 3", "\"detect_fps\": 1.5"),
        ("lobby", |it| it.detect_fps = Some(1.0), "lobby\", }", "lobby\", \"detect_fps\": 1, }"),
        (
            "two",
            |it| {
                let _ = it.zone_limits.insert("till".into(), Some(9));
            },
            "\"threshold\": 4",
            "\"threshold\": 9",
        ),
        (
            "two",
            |it| {
                let _ = it.zone_limits.insert("till".into(), None);
            },
            ", \"threshold\": 4}",
            "}",
        ),
        (
            "two",
            |it| {
                let _ = it.zone_limits.insert("zone_2".into(), Some(1));
            },
            "[1,1]] } ]",
            "[1,1]], \"threshold\": 1 } ]",
        ),
    ];
    for (id, change, old, new) in cases {
        let (_folder, file) = entries();
        assert_eq!(ENTRIES.matches(old).count(), 1, "{old}");
        let mut wanted = settings(&file, id);
        change(&mut wanted);
        save(&file, id, change).unwrap();
        assert_eq!(read(&file), ENTRIES.replace(old, new));
        assert_eq!(settings(&file, id), wanted);
    }
}

#[test]
fn several_keys_are_saved_at_once_and_the_way_back_gives_the_same_bytes() {
    let (_folder, file) = entries();
    let before = settings(&file, "two");
    let after = Settings {
        location: Some("Garden".into()),
        detect_fps: Some(0.5),
        zone_limits: [("till".to_owned(), Some(7)), ("zone_2".to_owned(), Some(1))].into(),
        ..before.clone()
    };
    let saved = file.save_settings("two", &before, &after).unwrap();
    assert_eq!(settings(&file, "two"), after);
    assert_eq!(fs::read_to_string(&saved.original).unwrap(), ENTRIES);
    file.save_settings("two", &after, &before).unwrap();
    assert_eq!(read(&file), ENTRIES);
    // A key that was not there goes again.
    let before = settings(&file, "one");
    let after =
        Settings { location: Some("Hall".into()), threshold: Some(1), enabled: false, ..before.clone() };
    file.save_settings("one", &before, &after).unwrap();
    file.save_settings("one", &after, &before).unwrap();
    assert_eq!(read(&file), ENTRIES);
}

#[test]
fn what_the_file_says_otherwise_meanwhile_stays() {
    let (_folder, file) = entries();
    let before = settings(&file, "one");
    fs::write(file.path(), ENTRIES.replace("Door", "Tor")).unwrap();
    let after = Settings { threshold: Some(8), ..before.clone() };
    file.save_settings("one", &before, &after).unwrap();
    assert_eq!(read(&file), ENTRIES.replace("Door", "Tor").replace("\"threshold\": 5", "\"threshold\": 8"));
}

#[test]
fn what_would_not_load_or_mean_something_else_is_refused_and_nothing_is_written() {
    let (folder, file) = entries();
    let before = settings(&file, "one");
    let of = |change: fn(&mut Settings)| {
        let mut after = before.clone();
        change(&mut after);
        after
    };
    for (after, said) in [
        (of(|_| {}), "nothing of it would change"),
        (of(|it| it.detect_fps = Some(0.0)), "detect_fps"),
        (of(|it| it.detect_fps = Some(f64::NAN)), "would not load"),
        (of(|it| it.alias = "   ".into()), "is empty"),
        (of(|it| it.alias = "x".repeat(81)), "81 characters"),
        (of(|it| it.location = Some("rtsp://u:hunter2@h/".into())), "would not be read back"),
        (
            of(|it| {
                let _ = it.zone_limits.insert("till".into(), Some(1));
            }),
            "no zone 'till' of 'one'",
        ),
    ] {
        let error = file.save_settings("one", &before, &after).unwrap_err().to_string();
        assert!(error.contains(said) && !error.contains("hunter2"), "{error}");
    }
    let error = file.save_settings("nobody", &before, &of(|it| it.threshold = None)).unwrap_err();
    assert!(matches!(error, EditError::NoEntry { .. }), "{error}");
    assert_eq!(read(&file), ENTRIES);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was changed, nothing is copied");
}

#[test]
fn a_video_of_a_folder_has_no_entry_and_its_entry_is_no_source() {
    let (folder, file) = written();
    fs::write(folder.path().join("b.mp4"), "").unwrap();
    let text = r#"{"videos": [{"video_id": "all", "path": "."}]}"#;
    fs::write(file.path(), text).unwrap();
    let before = settings(&file, "all_b");
    let after = Settings { threshold: Some(1), ..before.clone() };
    for id in ["all_b", "all"] {
        let error = file.save_settings(id, &before, &after).unwrap_err();
        assert!(matches!(error, EditError::NoEntry { .. }), "{error}");
    }
    assert_eq!(read(&file), text);
}

#[test]
fn a_login_goes_into_a_file_of_its_own_and_never_into_the_configuration() {
    let (folder, file) = entries();
    for (password, number) in [("s3cret:x", ""), ("0ther", "-2")] {
        let saved =
            save(&file, "one", |it| it.login = Some(Secret::new(format!("admin:{password}")))).unwrap();
        let login = saved.login.unwrap();
        assert!(
            login.starts_with(folder.path().join("cams.logins")) && login.to_str().unwrap().ends_with(number)
        );
        assert_eq!((mode(&login), mode(login.parent().unwrap())), (0o600, 0o700));
        assert_eq!(fs::read_to_string(&login).unwrap(), format!("admin:{password}\n"));
        assert!(!read(&file).contains(password), "{}", read(&file));
        let url = load(&file).sources[0].source.opening_url().unwrap();
        assert_eq!((url.username(), url.host_str()), ("admin", Some("h")));
        let name = login.file_name().unwrap().to_str().unwrap();
        let added = format!(", \"credentials\": {{ \"file\": \"cams.logins/{name}\" }} }},");
        assert_eq!(
            read(&file),
            ENTRIES.replace("\"skip_frames\": 3 },", &format!("\"skip_frames\": 3{added}"))
        );
    }
}

#[test]
fn a_login_that_stands_in_the_address_or_has_no_place_is_refused() {
    let (folder, file) = entries();
    for (id, login, said) in [
        ("user", "admin:s3cret", "stands in its address"),
        ("lobby", "admin:s3cret", "needs no login"),
        ("one", "", "the login is none"),
        ("one", "admin:s3cret\nx", "the login is none"),
        ("nobody", "admin:s3cret", "no source with the id"),
    ] {
        let before = Settings { enabled: true, ..Settings::default() };
        let after = Settings { login: Some(Secret::new(login)), ..before.clone() };
        let error = file.save_settings(id, &before, &after).unwrap_err().to_string();
        assert!(error.contains(said) && !error.contains("cret"), "{error}");
    }
    // Refused for another key: no login lies about.
    let all = |it: &mut Settings| (it.login, it.detect_fps) = (Some(Secret::new("a:s3cret")), Some(-1.0));
    save(&file, "one", all).unwrap_err();
    assert_eq!(read(&file), ENTRIES);
    let left = fs::read_dir(folder.path().join("cams.logins")).unwrap().count();
    assert_eq!(left, 0);
}

#[test]
fn settings_applied_to_what_runs_leave_everything_else() {
    let (_folder, file) = entries();
    let mut runs = load(&file).sources[1].clone();
    runs.lines = vec![door()];
    let before = Settings::of(&runs);
    let after = Settings { detect_fps: None, alias: "Gate".into(), enabled: true, ..before.clone() };
    let changed = after.applied(&before, &runs);
    assert_eq!((changed.cadence, &*changed.alias, changed.enabled), (Cadence::Auto, "Gate", true));
    assert_eq!(changed, SourceConfig { cadence: Cadence::Auto, alias: "Gate".into(), enabled: true, ..runs });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// However an entry is written: what is changed is read back, and comments on lines of their own stay.
    #[test]
    fn settings_are_read_back_however_an_entry_is_written(
        gaps in prop::collection::vec(
            prop::sample::select(vec!["", " ", "\n    ", " // it\'s, }\n", "/* { */", "\n// {\n", " /*\n*/ ", "\r\n"]),
            24,
        ),
        order in Just(vec![
            r#""camera_id": "a""#, r#""source": "rtsp://h/1""#, r#""alias": "A""#, r#""location": "L""#, r#""threshold": 3"#,
            r#""enabled": false"#,
        ]).prop_shuffle(),
        count in 2..=6_usize,
        has_last_comma in any::<bool>(),
        alias in prop::sample::select(vec!["", "B", "Tür ${X}"]),
        location in prop::sample::select(vec![None, Some("M")]),
        threshold in prop::option::of(1..9_i64),
        enabled in any::<bool>(),
    ) {
        let mut keys: Vec<&str> = order.iter().copied().filter(|key| key.contains("camera_id") || key.contains("rtsp")).collect();
        keys.extend(order.iter().copied().filter(|key| !keys.contains(key)).take(count - 2).collect::<Vec<_>>());
        keys.sort_by_key(|key| order.iter().position(|other| other == key));
        let mut gaps = gaps.into_iter();
        let mut gap = || gaps.next().unwrap_or_default();
        let mut text = format!("{{\"cameras\": [{{{}", gap());
        for (index, key) in keys.iter().enumerate() {
            let comma = if has_last_comma || index + 1 < keys.len() { "," } else { "" };
            let own = gap().replace("\n// {\n", "");
            let _ = write!(text, "{key}{own}{comma}{}", gap());
        }
        text += "}]}";
        let (_folder, file) = written();
        fs::write(file.path(), &text).unwrap();
        let before = settings(&file, "a");
        let after = Settings { alias: alias.into(), location: location.map(str::to_owned), threshold, enabled, ..before.clone() };
        if after.changed(&before).is_empty() {
            return Ok(());
        }
        if let Err(error) = file.save_settings("a", &before, &after) {
            panic!("{error}: {text}");
        }
        prop_assert_eq!(settings(&file, "a"), after.clone(), "{}", read(&file));
        let own_lines = |text: &str| text.matches("\n// {\n").count();
        prop_assert_eq!(read(&file).contains("// {"), own_lines(&text) > 0, "{} of {}", read(&file), text);
        file.save_settings("a", &after, &before).unwrap();
        prop_assert_eq!(settings(&file, "a"), before, "{}", read(&file));
    }
}
