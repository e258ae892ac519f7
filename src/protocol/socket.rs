//! Where the socket of an engine is.

use std::{
    ffi::OsStr,
    io,
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

/// Name of the socket in the output folder.
pub const FILE_NAME: &str = "control.sock";

/// Longest path of a Unix socket, in bytes (`sun_path` in unix(7), without its closing zero).
const LONGEST: usize = 107;

/// The places in which the socket of the engine that writes into `output` may be, the best one first: in that folder, or,
/// where the path is too long or the file system has no sockets, in the runtime directory of the user.
///
/// # Errors
/// When the current folder is gone.
pub fn places(output: &Path) -> io::Result<Vec<PathBuf>> {
    let output = std::path::absolute(output)?;
    // The same folder by whatever name it is called; one that is not there yet has only one.
    let output = output.canonicalize().unwrap_or(output);
    let near = output.join(FILE_NAME);
    let hash = Sha256::digest(output.as_os_str().as_bytes());
    let name: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let far = runtime_folder().join(format!("pcount-tui-{name}.sock"));
    Ok([near, far].into_iter().filter(|path| path.as_os_str().len() <= LONGEST).collect())
}

/// A folder of this user alone: `$XDG_RUNTIME_DIR`, else systemd's place for it, else one below `/tmp`.
fn runtime_folder() -> PathBuf {
    let user = rustix::process::geteuid().as_raw();
    let named = std::env::var_os("XDG_RUNTIME_DIR").filter(|name| name != OsStr::new("")).map(PathBuf::from);
    let usual = PathBuf::from(format!("/run/user/{user}"));
    let found = [named, Some(usual)].into_iter().flatten().find(|folder| is_own(folder));
    found.unwrap_or_else(|| PathBuf::from(format!("/tmp/pcount-tui-{user}")))
}

/// Whether `folder` is one that nobody else can put anything into.
#[must_use]
pub fn is_own(folder: &Path) -> bool {
    let user = rustix::process::geteuid().as_raw();
    // systemd gives a service with `DynamicUser` a link that belongs to root; one of anybody else is not meant.
    std::fs::symlink_metadata(folder).is_ok_and(|found| [0, user].contains(&found.uid()))
        && std::fs::metadata(folder)
            .is_ok_and(|found| found.is_dir() && found.uid() == user && found.mode() & 0o022 == 0)
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, Permissions},
        os::unix::fs::{PermissionsExt as _, symlink},
    };

    use super::*;

    #[test]
    fn a_folder_of_this_user_may_be_a_link_and_may_not_be_writable_for_others() {
        let dir = tempfile::tempdir().unwrap();
        let (own, link) = (dir.path().join("own"), dir.path().join("link"));
        fs::create_dir(&own).unwrap();
        symlink("own", &link).unwrap();
        let with = |mode| fs::set_permissions(&own, Permissions::from_mode(mode)).unwrap();
        with(0o700);
        assert!(is_own(&own) && is_own(&link));
        with(0o770);
        assert!(!is_own(&own) && !is_own(&link));
        fs::remove_dir(&own).unwrap();
        assert!(!is_own(&link));
    }

    #[test]
    fn a_long_path_has_its_socket_elsewhere_and_the_same_one_for_every_name_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let near = places(folder.path()).unwrap();
        assert_eq!(near[0], folder.path().canonicalize().unwrap().join(FILE_NAME));
        let deep = folder.path().join("x".repeat(100));
        std::fs::create_dir(&deep).unwrap();
        let far = places(&deep).unwrap();
        assert!(far.len() == 1 && !far[0].starts_with(folder.path()), "{far:?}");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&deep, &link).unwrap();
        assert_eq!(places(&link).unwrap(), far);
        assert_ne!(places(&folder.path().join("y".repeat(100))).unwrap(), far);
    }
}
