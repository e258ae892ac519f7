use std::{
    fs,
    io::Read as _,
    os::unix::fs::{PermissionsExt as _, chown, symlink},
};

use super::*;

/// A folder of ours in `/tmp`, which everybody may write to.
fn place() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn put(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, "content").unwrap();
    mode(path, 0o644);
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Why `path` is refused.
#[track_caller]
fn refusal(path: &Path, owner: Owner) -> String {
    match open(path, owner) {
        Err(Problem::Refused(why)) => why,
        other => panic!("'{}' is {other:?}", path.display()),
    }
}

#[test]
fn a_file_of_ours_in_folders_of_ours_is_read() {
    let place = place();
    let path = place.path().join("a/b/file");
    put(&path);
    let mut text = String::new();
    open(&path, Owner::Ours).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "content");
    // The same by ways that are not the shortest.
    symlink("a/b", place.path().join("link")).unwrap();
    symlink(place.path().join("link/../b/./file"), place.path().join("second")).unwrap();
    open(&place.path().join("second"), Owner::Ours).unwrap();
    folder(&place.path().join("link"), Owner::Ours).unwrap();
}

#[test]
fn what_others_may_write_to_is_refused_wherever_it_is_on_the_way() {
    let place = place();
    let path = place.path().join("a/b/file");
    put(&path);
    for (what, bits) in
        [("a", 0o777), ("a/b", 0o775), ("a/b", 0o757), ("a/b/file", 0o666), ("a/b/file", 0o664)]
    {
        let at = place.path().join(what);
        let before = fs::metadata(&at).unwrap().permissions();
        mode(&at, bits);
        for owner in [Owner::Ours, Owner::Anybody] {
            let why = refusal(&path, owner);
            let expected = format!(
                "is not used: others may write to '{0}' (mode {bits:04o}); run chmod go-w '{0}'",
                at.display()
            );
            assert_eq!(why, expected);
        }
        fs::set_permissions(&at, before).unwrap();
        open(&path, Owner::Ours).unwrap();
    }
}

#[test]
fn a_link_is_as_good_as_the_folder_it_leads_to() {
    let place = place();
    let path = place.path().join("shared/file");
    put(&path);
    mode(&place.path().join("shared"), 0o777);
    symlink(&path, place.path().join("by_file")).unwrap();
    symlink("shared", place.path().join("by_folder")).unwrap();
    // The target is fine, but others may turn the link elsewhere.
    put(&place.path().join("own/file"));
    symlink("../own/file", place.path().join("shared/link")).unwrap();
    for name in ["by_file", "by_folder/file", "shared/link"] {
        assert!(refusal(&place.path().join(name), Owner::Ours).contains("shared' (mode 0777)"), "{name}");
    }
}

#[test]
fn in_a_sticky_folder_only_what_is_ours_is_trusted() {
    let place = place();
    let shared = place.path().join("shared");
    put(&shared.join("file"));
    put(&shared.join("folder/file"));
    mode(&shared, 0o1777);
    open(&shared.join("folder/file"), Owner::Ours).unwrap();
    folder(&shared.join("folder"), Owner::Ours).unwrap();
    symlink("folder/file", shared.join("link")).unwrap();
    open(&shared.join("link"), Owner::Ours).unwrap();
    // Anything can lie beside it, and only its name speaks for it.
    open(&shared.join("file"), Owner::Anybody).unwrap();
    let why = refusal(&shared.join("file"), Owner::Ours);
    assert_eq!(
        why,
        format!(
            "is not used: everybody may write to the folder '{}'; use a folder of your own",
            shared.display()
        )
    );
    assert!(folder(&shared, Owner::Anybody).is_err());
    for name in ["file", "folder", "link"] {
        if std::os::unix::fs::lchown(shared.join(name), Some(12345), Some(12345)).is_err() {
            return crate::require::skip("root", "only root can give files away");
        }
    }
    for name in ["file", "folder/file", "link"] {
        for owner in [Owner::Ours, Owner::Anybody] {
            let why = refusal(&shared.join(name), owner);
            assert!(
                why.contains("belongs to another user (12345), and everybody may write"),
                "{name}: {why}"
            );
        }
    }
}

#[test]
fn another_users_file_is_used_only_when_it_was_named() {
    let place = place();
    let path = place.path().join("a/file");
    put(&path);
    if chown(place.path().join("a"), Some(12345), None).is_err() {
        return crate::require::skip("root", "only root can give files away");
    }
    assert!(refusal(&path, Owner::Ours).contains("a' belongs to another user (12345), neither to root"));
    open(&path, Owner::Anybody).unwrap();
}

#[test]
fn only_regular_files_are_opened_and_none_is_waited_for() {
    let place = place();
    let pipe = place.path().join("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    assert_eq!(refusal(&pipe, Owner::Anybody), "is no regular file");
    symlink("pipe", place.path().join("link")).unwrap();
    assert_eq!(refusal(&place.path().join("link"), Owner::Anybody), "is no regular file");
    assert_eq!(refusal(place.path(), Owner::Ours), "is a folder, but a file is needed");
    assert_eq!(refusal(Path::new("/dev/zero"), Owner::Anybody), "is no regular file");
}

#[test]
fn what_is_missing_or_relative_or_goes_round_in_circles_is_said_to_be_so() {
    let place = place();
    assert!(matches!(open(&place.path().join("none/file"), Owner::Ours), Err(Problem::Missing)));
    assert!(refusal(Path::new("lib/file"), Owner::Anybody).contains("write the absolute path"));
    symlink("b", place.path().join("a")).unwrap();
    symlink("a", place.path().join("b")).unwrap();
    assert!(matches!(open(&place.path().join("a"), Owner::Ours), Err(Problem::Failed(_))));
    put(&place.path().join("file"));
    assert!(matches!(open(&place.path().join("file/below"), Owner::Ours), Err(Problem::Failed(_))));
    assert!(matches!(folder(&place.path().join("file"), Owner::Ours), Err(Problem::Refused(_))));
}

#[test]
fn names_in_sentences_give_a_terminal_no_orders() {
    let place = place();
    let at = place.path().join("\x1b]0;owned\x07");
    put(&at.join("file"));
    mode(&at, 0o777);
    let why = refusal(&at.join("file"), Owner::Ours);
    assert!(why.contains("\\u{1b}]0;owned\\u{7}") && !why.contains('\x1b'), "{why}");
}
