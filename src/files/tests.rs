use std::os::unix::fs::symlink;

use super::*;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_replaced_file_keeps_its_mode_and_leaves_no_draft() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    replace(&path, b"one", PRIVATE).unwrap();
    assert_eq!(mode(&path), 0o600);
    fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    replace(&path, b"two", PRIVATE).unwrap();
    assert_eq!((mode(&path), fs::read(&path).unwrap()), (0o640, b"two".to_vec()));
    assert_eq!(names(folder.path()), ["f"]);
}

#[test]
fn a_replaced_file_keeps_its_owner() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    fs::write(&path, "").unwrap();
    if std::os::unix::fs::chown(&path, Some(12345), Some(12346)).is_err() {
        // Only root meets this.
        return crate::require::skip("root", "only root can give files away");
    }
    replace(&path, b"two", SHARED).unwrap();
    let found = fs::metadata(&path).unwrap();
    assert_eq!((found.uid(), found.gid()), (12345, 12346));
}

#[test]
fn no_link_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let (victim, path) = (folder.path().join("victim"), folder.path().join("f"));
    fs::write(&victim, "untouched").unwrap();
    symlink(&victim, &path).unwrap();
    assert!(append(&path, SHARED).unwrap_err().to_string().contains("symbolic link"));
    assert!(update(&path, SHARED).unwrap_err().to_string().contains("symbolic link"));
    refuse_planted(&path).expect("a link of one's own");
    assert_eq!(create(&path, b"x", SHARED).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    replace(&path, b"x", SHARED).unwrap();
    assert!(!path.is_symlink());
    assert_eq!(fs::read_to_string(&victim).unwrap(), "untouched");
}

#[test]
fn a_pipe_or_a_folder_is_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    assert!(append(&pipe, SHARED).is_err());
    assert!(replace(&pipe, b"x", SHARED).is_err());
    assert!(replace(folder.path(), b"x", SHARED).is_err());
}

#[test]
fn what_exists_is_not_created() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    create(&path, b"one", PRIVATE).unwrap();
    assert_eq!(create(&path, b"two", SHARED).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    assert_eq!((mode(&path), fs::read(&path).unwrap()), (0o600, b"one".to_vec()));
    assert_eq!(names(folder.path()), ["f"]);
}

#[test]
fn a_file_that_was_moved_or_deleted_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    let file = append(&path, SHARED).unwrap();
    assert!(is_at(&file, &path));
    fs::rename(&path, folder.path().join("f.1")).unwrap();
    assert!(!is_at(&file, &path));
    fs::write(&path, "").unwrap();
    assert!(!is_at(&file, &path));
}

#[test]
fn a_name_of_full_length_can_be_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ä".repeat(127));
    replace(&path, b"x", SHARED).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"x");
}

#[test]
fn a_folder_is_reached_through_links_of_root_and_ones_own_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (real, way) = (folder.path().join("real"), folder.path().join("way"));
    fs::create_dir(&real).unwrap();
    symlink("real", &way).unwrap();
    replace(&way.join("f"), b"x", SHARED).unwrap();
    assert_eq!(fs::read(real.join("f")).unwrap(), b"x");
    if std::os::unix::fs::lchown(&way, Some(12345), None).is_err() {
        return crate::require::skip("root", "only root can make links that belong to others");
    }
    for refused in [
        replace(&way.join("f"), b"y", SHARED).unwrap_err(),
        create(&way.join("g"), b"y", SHARED).unwrap_err(),
        publish(&way.join("f"), b"y", SHARED).unwrap_err(),
        append(&way.join("f"), SHARED).unwrap_err(),
        update(&way.join("f"), SHARED).unwrap_err(),
        read_start(&way.join("f"), 1).unwrap_err(),
        refuse_planted(&way.join("f")).unwrap_err(),
        refuse_planted(&way).unwrap_err(),
        make_folder(&way).unwrap_err(),
        make_folder(&way.join("deeper")).unwrap_err(),
    ] {
        assert!(refused.to_string().contains("number 12345"), "{refused}");
    }
    assert_eq!((names(&real), fs::read(real.join("f")).unwrap()), (vec!["f".to_owned()], b"x".to_vec()));
}

#[test]
fn links_in_a_circle_end() {
    let folder = tempfile::tempdir().unwrap();
    symlink("b", folder.path().join("a")).unwrap();
    symlink("a", folder.path().join("b")).unwrap();
    assert!(make_folder(&folder.path().join("a")).is_err());
}

#[test]
fn folders_are_made_and_paths_may_be_odd() {
    let folder = tempfile::tempdir().unwrap();
    let odd = folder.path().join("a/./b//../c");
    make_folder(&odd).unwrap();
    make_folder(&odd).unwrap();
    assert!(folder.path().join("a/c").is_dir() && folder.path().join("a/b").is_dir());
    fs::write(folder.path().join("f"), "").unwrap();
    assert!(make_folder(&folder.path().join("f/g")).is_err());
    assert!(replace(Path::new("/"), b"", SHARED).is_err());
    assert!(is_at(&make_folder(&odd).unwrap(), &folder.path().join("a/c")));
}

#[test]
fn a_second_name_of_somebody_elses_file_takes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (victim, path) = (folder.path().join("victim"), folder.path().join("f"));
    fs::write(&victim, "untouched").unwrap();
    fs::hard_link(&victim, &path).unwrap();
    // In a folder of one's own the second name is one's own, too (a backup made of hard links).
    assert!(append(&path, SHARED).is_ok());
    fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
    for refused in [append(&path, SHARED).unwrap_err(), update(&path, SHARED).unwrap_err()] {
        assert!(refused.to_string().contains("hard link"), "{refused}");
    }
    replace(&path, b"x", SHARED).unwrap();
    assert_eq!(fs::read_to_string(&victim).unwrap(), "untouched");
}

#[test]
fn rights_that_run_programs_are_not_passed_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o6755)).unwrap();
    replace(&path, b"x", SHARED).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o755);
}

#[test]
fn an_access_control_list_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    let file = append(&path, PRIVATE).unwrap();
    // Version 2; owner rw, user 12345 r, group none, mask r, others none.
    let mut list = vec![2, 0, 0, 0];
    for (tag, rights, who) in
        [(1_u16, 6_u16, u32::MAX), (2, 4, 12345), (4, 0, u32::MAX), (16, 4, u32::MAX), (32, 0, u32::MAX)]
    {
        list.extend(tag.to_le_bytes().iter().chain(&rights.to_le_bytes()).chain(&who.to_le_bytes()));
    }
    if fsetxattr(&file, ACL, &list, XattrFlags::empty()).is_err() {
        return crate::require::skip("acl", "the file system keeps no lists");
    }
    replace(&path, b"x", SHARED).unwrap();
    let mut found = vec![0; 100];
    let length = lgetxattr(&path, ACL, found.as_mut_slice()).unwrap();
    assert_eq!((found[..length].to_vec(), mode(&path)), (list, 0o640));
}

#[test]
fn a_published_file_is_there_whole_and_is_known_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    let first = publish(&path, b"one", SHARED).unwrap();
    assert!(is_at(&first, &path));
    let second = publish(&path, b"two", SHARED).unwrap();
    assert!(!is_at(&first, &path) && is_deleted(&first) && is_at(&second, &path));
    assert_eq!((fs::read(&path).unwrap(), names(folder.path())), (b"two".to_vec(), vec!["f".to_owned()]));
}

#[test]
fn what_is_set_aside_replaces_nothing_and_is_known_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.csv");
    let asides: Vec<_> = (0..3)
        .map(|n| {
            fs::write(&path, n.to_string()).unwrap();
            set_aside(&path, SystemTime::now()).unwrap()
        })
        .collect();
    for (n, aside) in asides.iter().enumerate() {
        assert_eq!(fs::read_to_string(aside).unwrap(), n.to_string());
        assert!(time_set_aside(&path, aside).is_some(), "{}", aside.display());
    }
    assert!(set_aside(&path, SystemTime::now()).is_err());
    fs::write(&path, "new").unwrap();
    assert_eq!(rename_new(&path, &asides[0]).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
}

#[test]
fn only_as_much_is_read_as_asked_for_and_no_pipe_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let (path, pipe) = (folder.path().join("f"), folder.path().join("pipe"));
    fs::write(&path, "12345").unwrap();
    assert_eq!(read_start(&path, 3).unwrap(), b"123");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
    assert!(read_start(&pipe, 3).is_err());
    assert_eq!(read_start(&folder.path().join("none"), 3).unwrap_err().kind(), io::ErrorKind::NotFound);
}

#[test]
fn a_draft_that_is_not_kept_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    fs::write(&path, "old").unwrap();
    let mut draft = Draft::new(&path, SHARED).unwrap();
    draft.write_all(b"half").unwrap();
    drop(draft);
    assert_eq!(
        (names(folder.path()), fs::read_to_string(&path).unwrap()),
        (vec!["f".to_owned()], "old".into())
    );
}
