//! Folders and patterns on a real disk.

use std::os::unix::{ffi::OsStringExt as _, fs::symlink};

use super::*;

/// A folder with these files, each with this content.
fn folder_of(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

fn names(found: &VideoMatches, folder: &Path) -> Vec<String> {
    found.files.iter().map(|file| file.strip_prefix(folder).unwrap().to_string_lossy().into_owned()).collect()
}

#[test]
fn every_file_of_a_folder_is_taken_or_named() {
    let at = folder_of(&[
        ("b.MP4", ""),
        ("a.mkv", ""),
        ("c.264", ""),
        ("d.dav", ""),
        ("no_ending", "DHAV...."),
        ("odd.xyz", "\0\0\0\u{1}ggg"),
        ("notes.txt", "text"),
        ("half.mp4.part", ""),
        (".hidden.mp4", ""),
        (".DS_Store", ""),
        ("inner/e.mp4", ""),
    ]);
    symlink("nowhere", at.path().join("gone.mp4")).unwrap();
    let found = folder(at.path(), "clips/");
    assert_eq!(names(&found, at.path()), ["a.mkv", "b.MP4", "c.264", "d.dav", "no_ending", "odd.xyz"]);
    assert_eq!(
        found.remarks,
        [
            "'clips/': skipped: '.hidden.mp4' (hidden), 'gone.mp4' (a link to nothing), 'half.mp4.part' \
             (unfinished by its name), 'notes.txt' (no video)",
            "'clips/': folders in it are not read: 'inner'; write 'clips/**' to read them as well",
        ]
    );
}

#[test]
fn a_named_pipe_is_passed_over_and_nobody_waits_for_it() {
    let at = folder_of(&[]);
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, at.path().join("pipe"), rustix::fs::FileType::Fifo, mode, 0)
        .unwrap();
    assert_eq!(folder(at.path(), "x").remarks, ["'x': skipped: 'pipe' (no regular file)"]);
}

#[test]
fn patterns_give_what_fits_and_name_what_does_not() {
    let at = folder_of(&[
        ("b.MP4", ""),
        ("a.mkv", ""),
        ("c.txt", "text"),
        (".h.mkv", ""),
        ("one/d.mp4", ""),
        ("one/two/e.mp4", ""),
        ("one/two/f.txt", "text"),
        (".git/g.mp4", ""),
    ]);
    let found = |text: &str| pattern(text, at.path()).unwrap();
    for (text, wanted) in [
        ("*.m*", &["a.mkv"][..]),
        ("*", &["a.mkv", "b.MP4"]),
        ("*.txt", &["c.txt"]),
        ("**", &["a.mkv", "b.MP4", "one/d.mp4", "one/two/e.mp4"]),
        ("**/*.mp4", &["one/d.mp4", "one/two/e.mp4"]),
        ("**/**/e.mp4", &["one/two/e.mp4"]),
        ("one/**", &["one/d.mp4", "one/two/e.mp4"]),
        ("one/../*.[m]kv", &["one/../a.mkv"]),
        ("./one/*/e.mp4", &["one/two/e.mp4"]),
        ("o?e/*", &["one/d.mp4"]),
        (".*.mkv", &[".h.mkv"]),
        (".git/*", &[".git/g.mp4"]),
        ("x*", &[]),
        ("none/*", &[]),
        ("a.mkv/*", &[]),
    ] {
        assert_eq!(names(&found(text), at.path()), wanted, "{text}");
    }
    let absolute = format!("{}/one/**", at.path().display());
    assert_eq!(names(&pattern(&absolute, Path::new("/nowhere")).unwrap(), at.path()).len(), 2);
    assert_eq!(found("one/**").remarks, ["'one/**': skipped: 'f.txt' (no video)"]);
    assert_eq!(
        found("one/*").remarks,
        ["'one/*': folders in it are not read: 'two'; write 'one/**/*' to read them as well"]
    );
    assert!(pattern("a**b", at.path()).unwrap_err().contains("is no pattern"));
    let refused = pattern_within("**/*", at.path(), 2).unwrap_err();
    assert!(refused.contains("fits more than 2 files and folders"), "{refused}");
}

#[test]
fn links_in_circles_end() {
    let at = folder_of(&[("one/a.mp4", "")]);
    symlink(at.path(), at.path().join("one/back")).unwrap();
    symlink("/", at.path().join("one/root")).unwrap();
    symlink("loop", at.path().join("loop")).unwrap();
    let found = pattern("**", at.path()).unwrap();
    assert_eq!(names(&found, at.path()), ["one/a.mp4"]);
    let said = found.remarks.join("\n");
    assert!(
        said.contains("'back' (a link to a folder)") && said.contains("'loop' (cannot be read"),
        "{said}"
    );
    // A link that is named is followed.
    assert_eq!(names(&pattern("one/back/one/*.mp4", at.path()).unwrap(), at.path()), ["one/back/one/a.mp4"]);
}

#[test]
fn names_that_are_no_text_are_taken() {
    let at = folder_of(&[("b.mp4", "")]);
    let odd = at.path().join(std::ffi::OsString::from_vec(b"T\xFCr.mp4".to_vec()));
    let escape = at.path().join("a\u{1b}[2Jb.txt");
    fs::write(&odd, "").unwrap();
    fs::write(escape, "").unwrap();
    let found = folder(at.path(), "x");
    assert!(found.files.contains(&odd));
    assert!(!found.remarks.concat().contains('\u{1b}'), "{:?}", found.remarks);
    assert_eq!(pattern("T*.mp4", at.path()).unwrap().files, [odd]);
}

#[test]
fn many_names_are_counted() {
    let files: Vec<String> = (0..100).map(|number| format!("{number:03}.txt")).collect();
    let at = folder_of(&files.iter().map(|name| (name.as_str(), "")).collect::<Vec<_>>());
    let said = folder(at.path(), "x").remarks.remove(0);
    assert!(said.ends_with("'029.txt' (no video) and 70 more"), "{said}");
}
