//! Files whose place no other can take. Most of this needs root, who alone can mount, give files away and be
//! somebody else; without it those tests say nothing.

use std::{os::unix::fs::MetadataExt as _, process::Command};

use rustix::{
    process::{Gid, Uid, geteuid},
    thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid},
};

use super::*;

/// Some user who owns nothing.
const NOBODY: u32 = 65534;

/// Runs `work` as a user with no rights of its own, in a thread of its own.
fn as_nobody(work: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let (user, group) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
            set_thread_groups(&[]).unwrap();
            set_thread_res_gid(group, group, group).unwrap();
            set_thread_res_uid(user, user, user).unwrap();
            work();
        });
        thread.join().unwrap();
    });
}

fn give(path: &Path, owner: u32, mode: u32) {
    std::os::unix::fs::chown(path, Some(owner), Some(owner)).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Inode, owner, group and mode.
fn identity(path: &Path) -> (u64, u32, u32, u32) {
    let file = fs::metadata(path).unwrap();
    (file.ino(), file.uid(), file.gid(), file.mode())
}

/// A mounted file or folder.
struct Mounted(PathBuf);

impl Mounted {
    fn new(arguments: &[&str], at: &Path) -> Option<Self> {
        let mounted =
            Command::new("mount").args(arguments).arg(at).stderr(std::process::Stdio::null()).status();
        let mounted = mounted.is_ok_and(|status| status.success());
        if !mounted {
            crate::require::skip("mount-as-root", "this process may not mount anything");
        }
        mounted.then(|| Self(at.to_owned()))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_file_that_is_mounted_by_itself_is_saved() {
    let (folder, file) = written();
    let path = file.path().to_owned();
    let Some(mounted) = Mounted::new(&["--bind", path.to_str().unwrap()], &path) else { return };
    let before = identity(&path);
    let saved = file.save_lines("one", &drawn(&[door()])).unwrap();
    file.add_source(&NewEntry::new(&typed("rtsp://u:p@h/9"), None, &path, KeepLogin::Beside)).unwrap();
    assert_eq!(load(&file).sources.len(), 3);
    assert_eq!(fs::read_to_string(&saved.original).unwrap(), TEXT);
    assert!(saved.original.starts_with(folder.path()));
    drop(mounted);
    assert_eq!((identity(&path), load(&file).sources.len()), (before, 3));
}

#[test]
fn a_file_in_a_folder_of_root_is_saved_and_its_copy_is_in_the_folder_of_states() {
    if !geteuid().is_root() {
        return crate::require::skip("root", "only root can act as another user");
    }
    let (folder, file) = written();
    let path = file.path().to_owned();
    let states = folder.path().join("states");
    fs::create_dir(&states).unwrap();
    give(&states, NOBODY, 0o700);
    give(&path, NOBODY, 0o640);
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let before = identity(&path);
    as_nobody(|| {
        let file = ConfigFile { states: None, ..ConfigFile::new(&path) };
        let error = file.save_lines("one", &drawn(&[door()])).unwrap_err().to_string();
        assert!(error.contains("is left as it is") && error.contains("XDG_STATE_HOME"), "{error}");
        assert_eq!(read(&file), TEXT);
    });
    let output = folder.path().join("parallel/results");
    fs::create_dir_all(&output).unwrap();
    give(&output, NOBODY, 0o700);
    as_nobody(|| {
        let file = ConfigFile { states: None, ..ConfigFile::new(&path) };
        let copy = file.save_lines("one", &drawn(&[])).unwrap().original;
        assert!(
            copy.starts_with(&output) && fs::read_to_string(&copy).unwrap() == TEXT,
            "{}",
            copy.display()
        );
        fs::write(&path, TEXT).unwrap();
        let file = ConfigFile { states: Some(states.join("pcount-tui")), ..ConfigFile::new(&path) };
        let copy = file.save_lines("one", &drawn(&[door()])).unwrap().original;
        assert!(copy.starts_with(states.join("pcount-tui")), "{}", copy.display());
        assert_eq!((fs::read_to_string(&copy).unwrap().as_str(), mode(&copy)), (TEXT, 0o640));
        assert_eq!(load(&file).sources[0].lines, [door()]);
        // A password in a file of its own has no place there, and nothing is written without it.
        let text = read(&file);
        let entry = NewEntry::new(&typed("rtsp://u:p@h/9"), None, &path, KeepLogin::Beside);
        let error = file.add_source(&entry).unwrap_err().to_string();
        assert!(error.contains("cams.logins") && read(&file) == text, "{error}");
    });
    assert_eq!(identity(&path), before);
}

#[test]
fn a_file_of_somebody_else_keeps_its_owner() {
    if !geteuid().is_root() {
        return crate::require::skip("root", "only root can act as another user");
    }
    let (folder, file) = written();
    let path = file.path().to_owned();
    give(folder.path(), NOBODY, 0o777);
    give(&path, 12345, 0o666);
    let before = identity(&path);
    as_nobody(|| {
        let file = ConfigFile::new(&path);
        let copy = file.save_lines("one", &drawn(&[door()])).unwrap().original;
        assert_eq!(mode(&copy), 0o600, "its owner is another one, and so is who may read it");
    });
    assert_eq!(identity(&path), before);
    // Root keeps it as well, and what it leaves beside it is for that owner.
    let entry = NewEntry::new(&typed("rtsp://u:p@h/9"), None, &path, KeepLogin::Beside);
    let saved = ConfigFile::new(&path).add_source(&entry).unwrap();
    let owner = |path: &Path| fs::metadata(path).unwrap().uid();
    let login = saved.login.unwrap();
    for left in [&path, &saved.original, &login, login.parent().unwrap()] {
        assert_eq!(owner(left), 12345, "{}", left.display());
    }
    assert_eq!((mode(&path), mode(&login)), (0o666, 0o600));
}

#[test]
fn a_file_that_may_not_be_written_is_left_as_it_is() {
    if !geteuid().is_root() {
        return crate::require::skip("root", "only root can act as another user");
    }
    let (folder, file) = written();
    let path = file.path().to_owned();
    give(folder.path(), NOBODY, 0o777);
    give(&path, 0, 0o644);
    as_nobody(|| {
        let error = ConfigFile::new(&path).save_lines("one", &drawn(&[door()])).unwrap_err().to_string();
        assert!(error.contains("Permission denied"), "{error}");
    });
    assert_eq!((read(&file).as_str(), fs::metadata(&path).unwrap().uid()), (TEXT, 0));
}

#[test]
fn every_name_of_a_file_stays_its_name() {
    let (folder, file) = written();
    let other = folder.path().join("other.json");
    fs::hard_link(file.path(), &other).unwrap();
    let link = folder.path().join("link.json");
    std::os::unix::fs::symlink(&other, &link).unwrap();
    ConfigFile::new(&link).save_lines("one", &drawn(&[door()])).unwrap();
    assert!(link.is_symlink() && identity(&other).0 == identity(file.path()).0);
    assert_eq!(load(&file).sources[0].lines, [door()]);
}

#[test]
fn a_full_disk_leaves_the_file_whole() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_mounted) = Mounted::new(&["-t", "tmpfs", "-o", "size=64k", "tmpfs"], folder.path()) else {
        return;
    };
    for has_other_name in [false, true] {
        let path = folder.path().join(format!("cams_{has_other_name}.json"));
        fs::write(&path, TEXT).unwrap();
        if has_other_name {
            fs::hard_link(&path, folder.path().join("other")).unwrap();
        }
        let file = ConfigFile::new(&path);
        let original = file.save_lines("one", &drawn(&[door()])).unwrap().original;
        let filler = folder.path().join("filler");
        let _ = fs::write(&filler, vec![0; 1 << 20]);
        let text = read(&file);
        // Many lines do not fit into what is left of the file's last block.
        let lines: Vec<LineConfig> =
            (0..60).map(|number| LineConfig { name: format!("{number:080}"), ..door() }).collect();
        let error = file.save_lines("two", &drawn(&lines)).unwrap_err().to_string();
        assert!(error.contains("No space left"), "{error}");
        assert_eq!(read(&file), text);
        assert_eq!(fs::read_to_string(original).unwrap(), TEXT);
        fs::remove_file(filler).unwrap();
        file.save_lines("two", &drawn(&lines)).unwrap();
        assert_eq!(load(&file).sources[1].lines, lines);
    }
}
