//! A copy of a ledger as it was before a newer version of the program changed its schema: the way back to the version
//! before. It is made once for each upgrade, only where there is room, and removed after a while.

use std::{
    fs::{self, File, Permissions},
    io,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use rusqlite::Connection;

use super::{LedgerError, error::explain_io, names::beside, schema::KNOWN};
use crate::files;

/// A copy is removed after this time, or after that for which crossings are kept, if that is shorter.
const KEPT: Duration = Duration::from_hours(30 * 24);

/// A larger ledger is not copied: counting would begin too late.
const LARGEST: u64 = 512 << 20;

/// Room for the new tables, and for counting until a user makes more.
const SPARE: u64 = 4 << 20;

/// Name of the copy of the ledger at `path` from before it left this version.
pub fn copy_of(path: &Path, version: i64) -> PathBuf {
    path.with_extension(format!("v{version}.sqlite"))
}

/// Logs what came of copying a ledger that was brought from the version `found` to the newest.
pub fn log(copied: &Result<PathBuf, LedgerError>, found: i64) {
    match copied {
        Ok(copy) => tracing::info!(
            "Ledger: brought from version {found} to {KNOWN}; '{}' is a copy from before",
            copy.display()
        ),
        Err(error) => {
            tracing::warn!(
                "{error}; it was brought from version {found} to {KNOWN} without a copy from before"
            );
        }
    }
}

/// Copies the ledger at `path`, which is of the version `found`; gives the copy.
///
/// # Errors
/// When there is no room for it, the ledger is too large, or the system refuses. Counting is worth more than a way back, so
/// that only damage is a reason not to go on.
pub fn make(connection: &Connection, path: &Path, found: i64) -> Result<PathBuf, LedgerError> {
    let refused = |problem: String| LedgerError::Sql {
        path: path.display().to_string(),
        problem,
        damaged: false,
        code: 0,
    };
    let io = |error: io::Error| refused(format!("it cannot be copied: {}", explain_io(path, &error)));
    let draft = beside(path, "-copy");
    let Some(name) = draft.to_str() else {
        return Err(refused("it cannot be copied: its name is not UTF-8".into()));
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let sql = |error: rusqlite::Error| LedgerError::sql(path, &error);
    let size = (pragma("page_count").map_err(sql)? * pragma("page_size").map_err(sql)?).unsigned_abs();
    if size > LARGEST {
        return Err(refused(format!("it is larger than {} MiB and is not copied", LARGEST >> 20)));
    }
    let disk = rustix::fs::statvfs(folder).map_err(|error| io(error.into()))?;
    // As much as the copy takes has to be left for counting, and some for the new tables.
    let needed = size * 2 + SPARE;
    if disk.f_bavail.saturating_mul(disk.f_frsize) < needed {
        let needed = needed.div_ceil(1 << 20);
        return Err(refused(format!(
            "it is not copied, because less than {needed} MiB are free on its disk"
        )));
    }
    // A program that was killed may have left one.
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(error)),
        _ => {}
    }
    // Before it has content nobody else may open it.
    files::create(&draft, b"", files::PRIVATE).map_err(io)?;
    let copy = copy_of(path, found);
    let copied = connection.execute("VACUUM INTO ?1", [name]).map_err(sql).and_then(|_| {
        let place = || {
            let (file, like) = (File::open(&draft)?, fs::metadata(path)?);
            if let Ok(own) = file.metadata()
                && (own.uid(), own.gid()) != (like.uid(), like.gid())
            {
                fchown(&file, Some(like.uid()), Some(like.gid()))?;
            }
            file.set_permissions(Permissions::from_mode(like.mode() & 0o777))?;
            file.sync_all()?;
            fs::rename(&draft, &copy)?;
            File::open(folder)?.sync_all()
        };
        place().map_err(io)
    });
    if let Err(error) = copied {
        let _ = fs::remove_file(&draft);
        return Err(error);
    }
    // One is enough: older ones go.
    for older in (1..KNOWN).filter(|version| *version != found) {
        let _ = fs::remove_file(copy_of(path, older));
    }
    Ok(copy)
}

/// Removes copies of the ledger at `path` that are old enough at the time `now`, where crossings are kept for `retention`.
pub fn expire(path: &Path, now: SystemTime, retention: Option<Duration>) {
    let keep = retention.map_or(KEPT, |retention| retention.min(KEPT));
    for copy in (1..KNOWN).map(|version| copy_of(path, version)) {
        let age = fs::symlink_metadata(&copy).and_then(|file| file.modified());
        let is_old = age.is_ok_and(|made| now.duration_since(made).is_ok_and(|age| age > keep));
        if is_old && fs::remove_file(&copy).is_ok() {
            tracing::info!("Ledger: the copy '{}' from before an upgrade was removed", copy.display());
        }
    }
}
