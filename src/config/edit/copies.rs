//! Copies of a configuration as it was before it was changed.

use std::{
    fmt::Write as _,
    fs::{self, DirBuilder, Metadata, Permissions},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _, fchown},
    path::{Path, PathBuf},
};

use super::names::{beside, short_hash, sync_names};
use crate::files;

/// Most copies of the file as it once was; the last is written over from then on.
const MOST: usize = 99;

/// Keeps `content`, which `path` (no link) holds, beside it; where nothing can be written there, in the folder
/// `states`, which is made, or in `output`, if it is there. The copy is on the disk when this returns, and nobody can
/// read it who cannot read the file.
///
/// # Errors
/// One sentence: why there can be no copy.
pub(super) fn keep(
    path: &Path,
    content: &[u8],
    states: Option<&Path>,
    output: &Path,
) -> Result<PathBuf, String> {
    let like = fs::symlink_metadata(path).map_err(|error| error.to_string())?;
    let beside = match numbered(path, content, &like) {
        Err(error) if files::is_about_its_place(&error) => error,
        done => return done.map_err(|error| format!("no copy of it can be saved: {error}")),
    };
    // Files of one name in several folders keep apart.
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!("-{}", short_hash(path.as_os_str().as_encoded_bytes())));
    let mut tried = format!("beside it: {beside}");
    for (folder, make) in states.map(|states| (states, true)).into_iter().chain([(output, false)]) {
        let there = || {
            if make {
                DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
                sync_names(folder);
            }
            numbered(&folder.join(&name), content, &like)
        };
        match there() {
            Ok(copy) => return Ok(copy),
            Err(error) => {
                let _ = write!(tried, ", in '{}': {error}", folder.display());
            }
        }
    }
    Err(format!(
        "no copy of it can be saved ({tried}); set XDG_STATE_HOME to a folder that this user may write to"
    ))
}

/// `$XDG_STATE_HOME/pcount-tui`, or the same in `~/.local/state`.
#[must_use]
pub fn state_folder() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let states = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    Some(states.join("pcount-tui"))
}

/// Writes `content` to the first of `NAME.bak`, `NAME.bak2` and so on that is free.
fn numbered(path: &Path, content: &[u8], like: &Metadata) -> io::Result<PathBuf> {
    let name = |number: usize| match number {
        1 => beside(path, ".bak"),
        _ => beside(path, &format!(".bak{number}")),
    };
    for copy in (1..=MOST).map(name) {
        match files::create(&copy, content, files::PRIVATE) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(()) => return Ok(given(copy, like)),
        }
    }
    let last = name(MOST);
    files::replace(&last, content, files::PRIVATE)?;
    Ok(last)
}

/// Gives a copy the owner and mode of the file; where that cannot be it stays this user's alone.
fn given(copy: PathBuf, like: &Metadata) -> PathBuf {
    let give = || {
        let file = files::append(&copy, files::PRIVATE)?;
        let new = file.metadata()?;
        if (new.uid(), new.gid()) != (like.uid(), like.gid()) {
            fchown(&file, Some(like.uid()), Some(like.gid()))?;
        }
        file.set_permissions(Permissions::from_mode(like.mode() & 0o777))
    };
    let _: io::Result<()> = give();
    copy
}
