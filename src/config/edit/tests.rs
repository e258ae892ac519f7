//! Files that are changed, with what is left beside them.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    os::unix::{ffi::OsStrExt as _, fs::PermissionsExt as _},
};

use proptest::prelude::*;

use super::{
    sample::{TEXT, door, drawn},
    *,
};
use crate::{
    config::{LABEL_LENGTH, SourceSpec, label},
    geometry::Anchor,
    model::{LineConfig, Polygon, ZoneConfig},
};

mod places;
mod settings;

fn written() -> (tempfile::TempDir, ConfigFile) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cams.json");
    fs::write(&path, TEXT).unwrap();
    (folder, ConfigFile::new(path))
}

fn read(file: &ConfigFile) -> String {
    fs::read_to_string(file.path()).unwrap()
}

fn load(file: &ConfigFile) -> Config {
    Config::load(file.path(), &Overrides::default()).unwrap()
}

fn typed(text: &str) -> SourceConfig {
    SourceConfig::from_source_string(text, &BTreeSet::new()).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn zones_are_written_beside_lines_and_read_again() {
    let (_folder, file) = written();
    let points = vec![[0.1, 0.2], [0.5, 0.2], [0.5, 0.9]];
    let till = ZoneConfig { name: "till".into(), points, anchor: Anchor::Foot, threshold: Some(4) };
    let with_till = Drawn { zones: vec![till.clone()], ..drawn(&[door()]) };
    file.save_lines("one", &with_till).unwrap();
    let config = load(&file);
    assert_eq!((&config.sources[0].lines, &config.sources[0].zones), (&vec![door()], &vec![till]));
    assert_eq!(config.sources[1].lines[0].name, "x");
    file.save_lines("one", &drawn(&[door()])).unwrap();
    assert!(read(&file).contains("\"zones\": []"));
    file.save_lines("two", &drawn(&[door()])).unwrap();
    assert_eq!(read(&file).matches("zones").count(), 1, "not where there were none");
}

#[test]
fn ignored_regions_are_written_and_read_again_and_everything_around_them_stays() {
    let (_folder, file) = written();
    let corner = vec![[0.0, 0.0], [0.25, 0.0], [0.25, 0.5]];
    let screen = vec![[0.5, 0.1], [0.75, 0.1], [0.75, 0.333_3], [0.5, 0.3]];
    let with = |regions: &[&Polygon]| {
        let ignore = regions.iter().map(|region| (*region).clone()).collect();
        Drawn { ignore, ..drawn(&[door()]) }
    };
    file.save_lines("one", &with(&[&corner, &screen])).unwrap();
    let saved = load(&file).sources[0].ignore.clone();
    assert_eq!((&saved[0], saved[1][2]), (&corner, [0.75, 0.333]), "to a thousandth");
    let written =
        "\"ignore\": [\n              [[0, 0], [0.25, 0], [0.25, 0.5]],\n              [[0.5, 0.1], ";
    assert!(read(&file).contains(written), "{}", read(&file));
    // A comment stays with the region that it is about.
    let commented = read(&file).replace("[[0.5, 0.1]", "// the screen\n              [[0.5, 0.1]");
    fs::write(file.path(), &commented).unwrap();
    file.save_lines("one", &with(&[&screen])).unwrap();
    assert!(read(&file).contains("// the screen\n              [[0.5, 0.1]"), "{}", read(&file));
    assert_eq!(load(&file).sources[0].ignore.len(), 1);
    file.save_lines("one", &with(&[])).unwrap();
    assert!(load(&file).sources[0].ignore.is_empty());
    file.save_lines("two", &with(&[])).unwrap();
    assert_eq!(read(&file).matches("ignore").count(), 1, "not where there were none");
    let other = TEXT.lines().last().unwrap();
    assert!(read(&file).ends_with(&format!("{other}\n")));
    // What would not load is not written.
    let error = file.save_lines("two", &with(&[&vec![[0.0, 0.0], [1.0, 1.0]]])).unwrap_err().to_string();
    assert!(error.contains("at least three"), "{error}");
}

#[test]
fn the_first_original_stays_through_a_session_and_every_session_has_its_own() {
    let (_folder, file) = written();
    let original = file.save_lines("one", &drawn(&[door()])).unwrap().original;
    assert!(original.ends_with("cams.json.bak"));
    assert_eq!(file.save_lines("two", &drawn(&[door()])).unwrap().original, original);
    assert_eq!(fs::read_to_string(&original).unwrap(), TEXT);
    // Somebody else has changed it: that is another original.
    fs::write(file.path(), TEXT.replace("Tür", "Tor")).unwrap();
    let second = file.save_lines("one", &drawn(&[door()])).unwrap().original;
    assert!(second.ends_with("cams.json.bak2") && fs::read_to_string(second).unwrap().contains("Tor"));
    let next_session = ConfigFile::new(file.path());
    assert!(next_session.save_lines("one", &drawn(&[])).unwrap().original.ends_with("cams.json.bak3"));
    assert_eq!(fs::read_to_string(&original).unwrap(), TEXT);
}

#[test]
fn what_cannot_be_saved_leaves_everything_and_can_be_tried_again() {
    let (folder, file) = written();
    let error = file.save_lines("nobody", &drawn(&[])).unwrap_err().to_string();
    assert!(error.contains("no source with the id 'nobody'"), "{error}");
    assert!(ConfigFile::new(folder.path().join("none.json")).save_lines("one", &drawn(&[])).is_err());
    // Two ends in one place: nobody can cross that, and the next start would say so.
    let short = LineConfig { b: [0.1, 0.251], ..door() };
    let error = file.save_lines("one", &drawn(&[short])).unwrap_err().to_string();
    assert!(
        error.contains("is left as it is: with this change it would not load")
            && error.contains("the same point"),
        "{error}"
    );
    assert_eq!(read(&file), TEXT);
    assert!(!folder.path().join("cams.json.bak").exists(), "nothing was changed, nothing is copied");
    assert!(file.save_lines("one", &drawn(&[door()])).unwrap().original.ends_with("cams.json.bak"));
}

#[test]
fn a_file_that_would_not_load_before_is_not_made_worse() {
    let (_folder, file) = written();
    let wrong = TEXT.replace("\"threshold\": 5", "\"treshold\": 5");
    fs::write(file.path(), &wrong).unwrap();
    let error = file.save_lines("one", &drawn(&[door()])).unwrap_err().to_string();
    assert!(error.contains("did you mean 'threshold'?; fix that first"), "{error}");
    assert_eq!(read(&file), wrong);
}

#[test]
fn an_id_that_somebody_else_has_taken_is_not_written_twice() {
    let (folder, file) = written();
    fs::write(folder.path().join("b.mp4"), "").unwrap();
    let text = r#"{"cameras": [{"camera_id": "gate", "source": "rtsp://h/1"}], "videos": [{"video_id": "all", "path": "."}]}"#;
    fs::write(file.path(), text).unwrap();
    for id in ["gate", "all_b"] {
        let mut camera = typed("rtsp://u:p@h/2");
        camera.id = id.into();
        let entry = NewEntry::new(&camera, None, file.path(), KeepLogin::Beside);
        let error = file.add_source(&entry).unwrap_err().to_string();
        assert!(error.contains(&format!("another source with the id '{id}'")), "{error}");
    }
    assert_eq!(read(&file), text);
    assert_eq!(fs::read_dir(folder.path().join("cams.logins")).unwrap().count(), 0, "no login lies about");
    let sources = file.sources().unwrap();
    let mut ids: Vec<&str> = sources.iter().map(|source| &*source.id).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["all_b", "gate"]);
}

#[test]
fn a_byte_order_mark_and_other_line_ends_stay() {
    let (_folder, file) = written();
    let text = format!("\u{feff}{}", TEXT.replace('\n', "\r\n"));
    fs::write(file.path(), &text).unwrap();
    file.save_lines("two", &drawn(&[door()])).unwrap();
    file.add_source(&NewEntry::new(&typed("rtsp://h/9"), None, file.path(), KeepLogin::Beside)).unwrap();
    assert!(read(&file).starts_with("\u{feff}{\r\n"));
    assert_eq!(load(&file).sources.len(), 3);
}

#[test]
fn ids_and_names_with_variables_are_what_they_stand_for() {
    let (_folder, file) = written();
    let text = r#"{"cameras": [{"camera_id": "cam$${X}", "source": "rtsp://h/1", "alias": "Gate"}]}"#;
    fs::write(file.path(), text).unwrap();
    let named = LineConfig { name: "to ${HOME} \\ \"in\"".into(), ..door() };
    file.save_lines("cam${X}", &drawn(std::slice::from_ref(&named))).unwrap();
    assert_eq!(load(&file).sources[0].lines, [named]);
    let mut gate = typed("rtsp://h/2");
    gate.alias = "costs ${5} \u{202e}ü\u{a0}x".into();
    file.add_source(&NewEntry::new(&gate, None, file.path(), KeepLogin::Beside)).unwrap();
    assert_eq!(load(&file).sources[1].alias, gate.alias);
}

#[test]
fn a_link_stays_a_link() {
    let (folder, file) = written();
    let link = folder.path().join("link.json");
    std::os::unix::fs::symlink(file.path(), &link).unwrap();
    ConfigFile::new(&link).save_lines("one", &drawn(&[door()])).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(read(&file).contains("door"));
}

#[test]
fn an_added_camera_works_and_its_password_is_not_in_the_configuration() {
    let (folder, file) = written();
    let mut gate = typed("rtsp://admin:p%40ss:w@10.0.0.9/s1?channel=1");
    gate.alias = "Gate".into();
    let entry = NewEntry::new(&gate, None, file.path(), KeepLogin::Beside);
    let saved = file.add_source(&entry).unwrap();
    let login = saved.login.unwrap();
    assert!(login.starts_with(folder.path().join("cams.logins")));
    assert!(login.file_name().unwrap().to_str().unwrap().starts_with("10.0.0.9-"), "{}", login.display());
    assert_eq!((mode(&login), mode(login.parent().unwrap())), (0o600, 0o700));
    assert!(!read(&file).contains("p%40ss") && !saved.is_exposed, "{}", read(&file));
    let config = load(&file);
    let added = &config.sources[2];
    assert_eq!((added.source.opening_url(), added.alias.as_str()), (gate.source.opening_url(), "Gate"));
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
}

#[test]
fn a_password_in_the_configuration_is_told_where_others_can_read_it() {
    let (_folder, file) = written();
    fs::set_permissions(file.path(), fs::Permissions::from_mode(0o644)).unwrap();
    let gate = typed("rtsp://admin:hunter2@10.0.0.9/s1");
    let saved = file.add_source(&NewEntry::new(&gate, None, file.path(), KeepLogin::Inside)).unwrap();
    assert!(saved.is_exposed && saved.login.is_none());
    assert_eq!(load(&file).sources[2].source.opening_url(), gate.source.opening_url());
    fs::set_permissions(file.path(), fs::Permissions::from_mode(0o600)).unwrap();
    let pwd = typed("http://10.0.0.8/video.cgi?user=a&pwd=hunter2");
    let saved = file.add_source(&NewEntry::new(&pwd, None, file.path(), KeepLogin::Beside)).unwrap();
    assert!(!saved.is_exposed, "for its owner alone");
    assert_eq!(load(&file).sources[3].source.opening_url(), pwd.source.opening_url());
}

#[test]
fn variables_stay_as_they_were_typed_and_videos_are_relative_to_the_file() {
    let (folder, file) = written();
    let typed_text = "rtsp://${HOME}@h/1";
    let entry = NewEntry::new(&typed(typed_text), Some(typed_text), file.path(), KeepLogin::Beside);
    assert!(entry.login.is_none() && !entry.holds_secret);
    file.add_source(&entry).unwrap();
    assert!(read(&file).contains("rtsp://${HOME}@h/1"));
    let video = typed(folder.path().join("v/7").to_str().unwrap());
    file.add_source(&NewEntry::new(&video, None, file.path(), KeepLogin::Beside)).unwrap();
    assert!(read(&file).contains("\"path\": \"v/7\""), "{}", read(&file));
    assert_eq!(load(&file).sources.last().unwrap().source, video.source);
}

#[test]
fn a_new_file_holds_what_runs_and_is_never_written_over_another() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cameras.json");
    let mut camera = typed("rtsp://admin:hunter2@10.0.0.9/s1");
    camera.lines = vec![door()];
    camera.threshold = Some(7);
    let sources = [camera, typed("demo:lobby?people=2"), typed("/v/a$${b}.mp4")];
    let sources: Vec<&SourceConfig> = sources.iter().collect();
    let file = ConfigFile::create(&path, None, &sources).unwrap();
    let config = load(&file);
    for (now, before) in config.sources.iter().zip(&sources) {
        assert_eq!((&now.id, now.kind, &now.lines), (&before.id, before.kind, &before.lines));
        assert_eq!(now.source.opening_url(), before.source.opening_url());
        assert_eq!((now.source.to_string(), now.threshold), (before.source.to_string(), before.threshold));
    }
    assert_eq!(config.sources.len(), 3);
    assert!(ConfigFile::create(&path, None, &sources).is_err());
    let hidden = typed("http://10.0.0.8/video.cgi?user=a&pwd=hunter2");
    let other = folder.path().join("other.json");
    ConfigFile::create(&other, None, &[&hidden]).unwrap();
    assert_eq!(mode(&other), 0o600);
    // Somebody has left a link there: it is neither followed nor replaced.
    std::os::unix::fs::symlink("elsewhere", folder.path().join("link.json")).unwrap();
    assert!(ConfigFile::create(folder.path().join("link.json"), None, &sources).is_err());
    assert!(!folder.path().join("elsewhere").exists());
}

#[test]
fn a_new_file_takes_the_settings_of_a_text_that_came_through_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cameras.json");
    let text = r#"{"parallel_config": {"worker_count": 2},
        "cameras": [{"camera_id": "a", "source": "rtsp://u:hunter2@h/1", "priority": 5}]}"#;
    let piped = Config::from_bytes(text.as_bytes(), &path, &Overrides::default()).unwrap();
    let camera = SourceConfig { lines: vec![door()], ..piped.sources[0].clone() };
    let added = typed("rtsp://h/2");
    let file = ConfigFile::create(&path, Some(text), &[&camera, &added]).unwrap();
    let config = load(&file);
    assert_eq!((config.parallel.worker_count, config.sources[0].priority), (2, 5));
    assert_eq!((&config.sources[0].lines, &*config.sources[1].id), (&vec![door()], "h"));
    assert_eq!(mode(&path), 0o600, "it holds a password");
}

/// Files in a folder that holds them alone, each saved and read again.
fn files_are_read_back(names: &[&[u8]]) {
    let folder = tempfile::tempdir().unwrap();
    let videos = folder.path().join("v");
    fs::create_dir(&videos).unwrap();
    for name in names {
        let path = videos.join(OsStr::from_bytes(name));
        fs::write(&path, "").unwrap();
        let source = SourceConfig::from_source_string(path.as_os_str(), &BTreeSet::new()).unwrap();
        assert_eq!(source.source, SourceSpec::File(path.clone()), "{name:?}");
        for config in ["cams.json", "v/cams.json", "other/cams.json"] {
            let config = folder.path().join(config);
            fs::create_dir_all(config.parent().unwrap()).unwrap();
            fs::write(&config, "{}").unwrap();
            let file = ConfigFile::new(&config);
            // What was typed goes along, as from the dialog; bytes that are no text cannot be typed.
            let text = path.to_str();
            file.add_source(&NewEntry::new(&source, text, &config, KeepLogin::Beside)).unwrap();
            let exists = load(&file).sources.remove(0);
            fs::rename(&path, folder.path().join("away")).unwrap();
            let missing = load(&file).sources.remove(0);
            fs::rename(folder.path().join("away"), &path).unwrap();
            for read in [exists, missing] {
                assert!(same_spec(&read.source, &source.source), "{name:?}: {}", self::read(&file));
                assert_eq!((&read.id, &read.alias), (&source.id, &source.alias), "{name:?}");
            }
        }
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_file_keeps_its_name_whatever_it_holds() {
    files_are_read_back(&[
        b"plain.mp4",
        "T\u{fc}r \u{5165}\u{53e3}.mp4".as_bytes(),
        b"T\xFCr.mp4",
        b"a${HOME}.mp4",
        b"a$${HOME}.mp4",
        b"${HOME",
        b"$",
        b"a\x1b[2Jb.mp4",
        b"a\nb.mp4",
        b" leading.mp4",
        b"trailing.mp4 ",
        b"a\\b\"c'd.mp4",
        b"a[1].mp4",
        b"*",
        b"what?.mp4",
        b"7",
        b"demo:lobby",
        b"rtsp:",
        b"~",
        b"100%.mp4",
        b"a%41.mp4",
        b"-",
        b"--config",
        b"#1.mp4",
        b"pwd=hunter2.mp4",
        b"worker_01.mp4",
        b"parallel_counter.mp4",
        b"...mp4",
    ]);
}

#[test]
fn two_cameras_never_share_a_login_and_an_old_one_does_not_keep_its_mode() {
    let (folder, file) = written();
    let mut logins = BTreeSet::new();
    // All of them are 'a_b' as the name of a file.
    for (id, password) in [("a b", "one"), ("a_b", "two"), ("a:b", "three")] {
        let mut camera = typed(&format!("rtsp://u:{password}@h/1"));
        camera.id = id.into();
        let entry = NewEntry::new(&camera, None, file.path(), KeepLogin::Beside);
        let login = file.add_source(&entry).unwrap().login.unwrap();
        assert_eq!(fs::read_to_string(&login).unwrap(), format!("u:{password}\n"));
        logins.insert(login);
    }
    assert_eq!(logins.len(), 3);
    let urls: Vec<_> =
        load(&file).sources[2..].iter().map(|s| s.source.opening_url().unwrap().to_string()).collect();
    assert_eq!(urls, ["rtsp://u:one@h/1", "rtsp://u:two@h/1", "rtsp://u:three@h/1"]);
    // The cameras are removed, their logins stay and somebody has opened them to all.
    for login in &logins {
        fs::set_permissions(login, fs::Permissions::from_mode(0o644)).unwrap();
    }
    fs::write(file.path(), TEXT).unwrap();
    let mut camera = typed("rtsp://u:four@h/1");
    camera.id = "a_b".into();
    let entry = NewEntry::new(&camera, None, file.path(), KeepLogin::Beside);
    let login = file.add_source(&entry).unwrap().login.unwrap();
    assert_eq!((mode(&login), fs::read_to_string(&login).unwrap().as_str()), (0o600, "u:four\n"));
    // A link in its place is not written through.
    fs::write(file.path(), TEXT).unwrap();
    fs::remove_file(&login).unwrap();
    let victim = folder.path().join("victim");
    fs::write(&victim, "untouched").unwrap();
    std::os::unix::fs::symlink(&victim, &login).unwrap();
    let login = file.add_source(&entry).unwrap().login.unwrap();
    assert!(!login.is_symlink() && mode(&login) == 0o600);
    assert_eq!(fs::read_to_string(&victim).unwrap(), "untouched");
}

#[test]
fn a_folder_of_logins_that_others_may_write_to_is_refused() {
    let (folder, file) = written();
    let logins = folder.path().join("cams.logins");
    fs::create_dir(&logins).unwrap();
    fs::set_permissions(&logins, fs::Permissions::from_mode(0o777)).unwrap();
    let entry = NewEntry::new(&typed("rtsp://u:p@h/1"), None, file.path(), KeepLogin::Beside);
    let error = file.add_source(&entry).unwrap_err().to_string();
    assert!(error.contains("run chmod 700"), "{error}");
    assert_eq!(read(&file), TEXT);
    fs::set_permissions(&logins, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(mode(&file.add_source(&entry).unwrap().login.unwrap()), 0o600);
}

#[test]
fn a_password_that_no_line_can_hold_goes_into_the_address() {
    for password in ["%0Aa", "a%0D", "ends%20", "%20"] {
        let (_folder, file) = written();
        let camera = typed(&format!("rtsp://u:{password}@h/1"));
        let entry = NewEntry::new(&camera, None, file.path(), KeepLogin::Beside);
        assert!(entry.login.is_none() && entry.holds_secret, "{password}");
        file.add_source(&entry).unwrap();
        assert_eq!(load(&file).sources[2].source.opening_url(), camera.source.opening_url());
    }
}

#[test]
fn a_variable_beside_a_password_does_not_bring_it_into_the_file() {
    let (_folder, file) = written();
    let text = "rtsp://u:hunter2@h/${HOME}";
    let entry = NewEntry::new(&typed(text), Some(text), file.path(), KeepLogin::Beside);
    file.add_source(&entry).unwrap();
    assert!(!read(&file).contains("hunter2"), "{}", read(&file));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn any_name_of_a_file_is_read_back(name in prop::collection::vec(1..=255u8, 1..60)) {
        prop_assume!(!name.contains(&b'/') && name != b"." && name != b"..");
        files_are_read_back(&[&name]);
    }

    /// Whatever is typed is refused at once with a word, or gives a file that loads and means the same.
    #[test]
    fn whatever_is_typed_is_refused_or_read_back(
        text in prop_oneof![
            any::<String>(),
            "(rtsp|http)s?://([ -~]{0,12}@)?[a-z$\\{}.]{1,8}[ -~]{0,12}",
            "(demo:lobby|[0-9]{1,3}|/dev/video1|file://[ -~]{0,8})[ -~]{0,3}",
            "[a-z$\\{}%*?~./\\[\\] ]{1,12}",
        ],
        name in any::<String>(),
    ) {
        is_refused_or_read_back(&text, &name);
    }
}

/// Whether `text` was taken; what is taken is in the file afterwards as it was meant.
fn is_refused_or_read_back(text: &str, name: &str) -> bool {
    let (_folder, file) = written();
    let Ok(mut source) = SourceConfig::from_source_string(text, &BTreeSet::new()) else { return false };
    if let Ok(name) = label(name.trim(), LABEL_LENGTH) {
        source.alias = name;
    }
    for keep in [KeepLogin::Beside, KeepLogin::Inside] {
        let entry = NewEntry::new(&source, Some(text), file.path(), keep);
        fs::write(file.path(), TEXT).unwrap();
        file.add_source(&entry).unwrap_or_else(|error| panic!("{text}: {error}"));
        let config = load(&file);
        let read = config.sources.iter().find(|read| read.id == source.id).unwrap();
        assert!(same_spec(&read.source, &source.source), "{:?}", read.source);
        assert_eq!((&read.alias, config.sources.len()), (&source.alias, 3));
    }
    true
}

/// Else the test of whatever is typed would pass where nothing is taken.
#[test]
fn what_is_right_is_taken_and_read_back() {
    for text in [
        "rtsp://10.0.0.9/1",
        "http://u:p%40ss@h:81/v?x=1#a",
        "demo:lobby",
        "0",
        "/dev/video1",
        "clips/a b.mp4",
    ] {
        assert!(is_refused_or_read_back(text, "Door ü"), "{text} was refused");
    }
    assert!(!is_refused_or_read_back("rtsp://", ""));
}
