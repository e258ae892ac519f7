//! Files that hold `user:password` of one source each, for their owner alone.

use std::{
    fs::{self, DirBuilder, Metadata},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt, lchown},
    path::{Path, PathBuf},
};

use rustix::process::geteuid;

use super::names::{short_hash, sync_names};
use crate::{config::source_spec, files};

/// Bits of a mode that let others than the owner write.
const OTHERS_WRITE: u32 = 0o022;

/// A login file that was written.
#[derive(Debug)]
pub(super) struct Written {
    /// Its path relative to the configuration's folder, as `credentials` names it.
    pub name: PathBuf,
    /// Where it is.
    pub path: PathBuf,
}

impl Written {
    /// Removes a login that nothing names.
    pub fn remove(&self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Writes `line` for the source `id` of the configuration at `config`, in a file that no source of `named` uses:
/// those are paths relative to the configuration's folder. What is left of a source that was removed is replaced.
///
/// The folder must be this user's or of the configuration's owner, and nobody else may write to it. Where this is
/// root, folder and file belong to the configuration's owner.
///
/// # Errors
/// The path that could not be written, and why.
pub(super) fn write(
    config: &Path,
    id: &str,
    line: &str,
    named: &dyn Fn(&Path) -> bool,
) -> Result<Written, (PathBuf, io::Error)> {
    let base = config.parent().unwrap_or(Path::new(""));
    let owner = fs::metadata(config).ok();
    let folder = folder_name(config);
    let within = base.join(&folder);
    prepare(&within, owner.as_ref()).map_err(|error| (within.clone(), error))?;
    let mut number = 1;
    loop {
        let name = folder.join(file_name(config, id, number));
        let path = base.join(&name);
        match create(&path, line, named(&name)) {
            Ok(true) => {
                give(&path, owner.as_ref());
                return Ok(Written { name, path });
            }
            Ok(false) => number += 1,
            Err(error) => return Err((path, error)),
        }
    }
}

/// `false` when the name is taken.
fn create(path: &Path, line: &str, is_used: bool) -> io::Result<bool> {
    if !is_used && path.symlink_metadata().is_ok_and(|file| !file.is_dir()) {
        // Its mode may be anything; the new one has its own.
        fs::remove_file(path)?;
    }
    match files::create(path, line.as_bytes(), files::PRIVATE) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        done => done.map(|()| true),
    }
}

/// `cams.logins` for `cams.json`.
fn folder_name(config: &Path) -> PathBuf {
    let mut folder = config.file_stem().unwrap_or_default().to_owned();
    folder.push(".logins");
    folder.into()
}

/// `gate-1f2e3d4c` for the source `gate`: readable, and another one for every id and every configuration.
fn file_name(config: &Path, id: &str, number: usize) -> String {
    let whole = [config.file_name().unwrap_or_default().as_encoded_bytes(), b"/", id.as_bytes()].concat();
    let hash = short_hash(&whole);
    let number = if number == 1 { String::new() } else { format!("-{number}") };
    format!("{}-{hash}{number}", source_spec::slug(id))
}

/// Makes the folder, or checks whether the existing one is safe.
fn prepare(folder: &Path, owner: Option<&Metadata>) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => {
            give(folder, owner);
            sync_names(folder);
            return Ok(());
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    let found = fs::symlink_metadata(folder)?;
    let owners = [Some(geteuid().as_raw()), owner.map(MetadataExt::uid), Some(0)];
    if !found.is_dir() {
        Err(io::Error::other("it is not a folder; rename what is there"))
    } else if !owners.contains(&Some(found.uid())) {
        Err(io::Error::other("the folder belongs to another user; rename it"))
    } else if found.mode() & OTHERS_WRITE != 0 {
        Err(io::Error::other(format!("others may write to it; run chmod 700 {}", folder.display())))
    } else {
        Ok(())
    }
}

/// Root gives what it writes to the owner of the configuration, who will read it.
fn give(path: &Path, owner: Option<&Metadata>) {
    let Some(owner) = owner.filter(|owner| geteuid().is_root() && owner.uid() != 0) else { return };
    // Should it fail, only root can use it, and the next start says so.
    let _ = lchown(path, Some(owner.uid()), Some(owner.gid()));
}
