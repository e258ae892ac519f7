//! Files that are changed, with what is left beside them.

use std::{collections::BTreeSet, os::unix::fs::PermissionsExt as _};

use super::{
    sample::{TEXT, door},
    *,
};
use crate::{
    config::{Config, Overrides, SourceConfig},
    count::Anchor,
};

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
    file.save_lines("one", &[door()], std::slice::from_ref(&till)).unwrap();
    let config = load(&file);
    assert_eq!((&config.sources[0].lines, &config.sources[0].zones), (&vec![door()], &vec![till]));
    assert_eq!(config.sources[1].lines[0].name, "x");
    file.save_lines("one", &[door()], &[]).unwrap();
    assert!(read(&file).contains("\"zones\": []"));
    file.save_lines("two", &[door()], &[]).unwrap();
    assert_eq!(read(&file).matches("zones").count(), 1, "not where there were none");
}

#[test]
fn the_first_original_stays_through_a_session_and_every_session_has_its_own() {
    let (_folder, file) = written();
    let original = file.save_lines("one", &[door()], &[]).unwrap().original;
    assert!(original.ends_with("cams.json.bak"));
    assert_eq!(file.save_lines("two", &[door()], &[]).unwrap().original, original);
    assert_eq!(fs::read_to_string(&original).unwrap(), TEXT);
    // Somebody else has changed it: that is another original.
    fs::write(file.path(), TEXT.replace("Tür", "Tor")).unwrap();
    let second = file.save_lines("one", &[door()], &[]).unwrap().original;
    assert!(second.ends_with("cams.json.bak2") && fs::read_to_string(second).unwrap().contains("Tor"));
    let next_session = ConfigFile::new(file.path());
    assert!(next_session.save_lines("one", &[], &[]).unwrap().original.ends_with("cams.json.bak3"));
    assert_eq!(fs::read_to_string(&original).unwrap(), TEXT);
}

#[test]
fn what_cannot_be_saved_leaves_everything_and_can_be_tried_again() {
    let (folder, file) = written();
    let error = file.save_lines("nobody", &[], &[]).unwrap_err().to_string();
    assert!(error.contains("no entry with the id 'nobody'"), "{error}");
    assert!(ConfigFile::new(folder.path().join("none.json")).save_lines("one", &[], &[]).is_err());
    // A folder stands where the new file would be written.
    fs::create_dir(folder.path().join("cams.json.new")).unwrap();
    let error = file.save_lines("one", &[door()], &[]).unwrap_err().to_string();
    assert!(error.contains("cams.json"), "{error}");
    assert_eq!(read(&file), TEXT);
    fs::remove_dir(folder.path().join("cams.json.new")).unwrap();
    assert!(file.save_lines("one", &[door()], &[]).unwrap().original.ends_with("cams.json.bak"));
}

#[test]
fn a_link_stays_a_link() {
    let (folder, file) = written();
    let link = folder.path().join("link.json");
    std::os::unix::fs::symlink(file.path(), &link).unwrap();
    ConfigFile::new(&link).save_lines("one", &[door()], &[]).unwrap();
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
    assert_eq!(login, folder.path().join("cams.logins/10.0.0.9"));
    assert_eq!((mode(&login), mode(login.parent().unwrap())), (0o600, 0o700));
    assert!(!read(&file).contains("ss") && !saved.is_exposed, "{}", read(&file));
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
    let entries: Vec<NewEntry> =
        sources.iter().map(|source| NewEntry::new(source, None, &path, KeepLogin::Beside)).collect();
    let file = ConfigFile::create(&path, &entries).unwrap();
    let config = load(&file);
    for (now, before) in config.sources.iter().zip(&sources) {
        assert_eq!((&now.id, now.kind, &now.lines), (&before.id, before.kind, &before.lines));
        assert_eq!(now.source.opening_url(), before.source.opening_url());
        assert_eq!((now.source.to_string(), now.threshold), (before.source.to_string(), before.threshold));
    }
    assert_eq!(config.sources.len(), 3);
    assert!(ConfigFile::create(&path, &entries).is_err());
    let inside: Vec<NewEntry> =
        sources.iter().map(|source| NewEntry::new(source, None, &path, KeepLogin::Inside)).collect();
    let other = folder.path().join("other.json");
    ConfigFile::create(&other, &inside).unwrap();
    assert_eq!(mode(&other), 0o600);
}
