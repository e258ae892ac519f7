//! A ledger that cannot be used: why, and what helps.

use std::path::Path;

use rusqlite::ErrorCode;
use rustix::fs::{Access, StatVfsMountFlags};

/// A ledger that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Another process writes it.
    #[error(
        "ledger '{path}': another pcount-tui writes it; end that one, or give this one another folder with \
         --output"
    )]
    Busy {
        /// The file.
        path: String,
    },
    /// Written by a newer version.
    #[error(
        "ledger '{path}': written by a newer version of the program (schema {found}, this one knows \
         {known}); use that version or another folder with --output"
    )]
    Newer {
        /// The file.
        path: String,
        /// Its schema.
        found: i64,
        /// The newest schema this program knows.
        known: i64,
    },
    /// Written by an older version, and not brought up to date yet.
    #[error(
        "ledger '{path}': written by an older version of the program (schema {found}, this one knows {known}); the \
         next run with this output folder brings it up to date"
    )]
    Older {
        /// The file.
        path: String,
        /// Its schema.
        found: i64,
        /// The newest schema this program knows.
        known: i64,
    },
    /// There is none.
    #[error("ledger '{path}': not found; it is made by the first run with this output folder")]
    Missing {
        /// The file.
        path: String,
    },
    /// SQLite or the operating system refuses.
    #[error("ledger '{path}': {problem}")]
    Sql {
        /// The file.
        path: String,
        /// What it said.
        problem: String,
        /// Whether the file itself is broken.
        damaged: bool,
        /// SQLite's extended code; 0 where it was not SQLite.
        code: i32,
    },
    /// A database that is no ledger.
    #[error(
        "ledger '{path}': it is another program's database; move it away, or give another folder with --output"
    )]
    Foreign {
        /// The file.
        path: String,
    },
    /// A question that cannot be answered.
    #[error("{0}")]
    Question(String),
}

impl LedgerError {
    pub(super) fn sql(path: &Path, error: &rusqlite::Error) -> Self {
        let damaged = matches!(
            error.sqlite_error_code(),
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase)
        );
        let code = error.sqlite_error().map_or(0, |error| error.extended_code);
        Self::Sql { path: path.display().to_string(), problem: explain(path, error), damaged, code }
    }

    pub(crate) fn thread(path: &Path, error: &std::io::Error) -> Self {
        let problem = format!(
            "the system refuses a thread: {error}; allow the program more processes (ulimit -u, TasksMax)"
        );
        Self::Sql { path: path.display().to_string(), problem, damaged: false, code: 0 }
    }

    pub(super) fn io(path: &Path, error: &std::io::Error) -> Self {
        let problem = explain_io(path, error);
        Self::Sql { path: path.display().to_string(), problem, damaged: false, code: 0 }
    }

    pub(super) fn damaged(path: &Path, problem: String) -> Self {
        Self::Sql { path: path.display().to_string(), problem, damaged: true, code: 0 }
    }

    pub(super) fn is_damage(&self) -> bool {
        matches!(self, Self::Sql { damaged: true, .. })
    }

    /// Whether another process holds the file for the moment.
    pub(super) fn is_busy(&self) -> bool {
        let codes = [rusqlite::ffi::SQLITE_BUSY, rusqlite::ffi::SQLITE_LOCKED];
        matches!(self, Self::Sql { code, .. } if codes.contains(&(code & 0xFF)))
    }
}

/// Why SQLite cannot use the file at `path`, and what helps, in one sentence.
pub(super) fn explain(path: &Path, error: &rusqlite::Error) -> String {
    let folder = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => FULL.into(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed) => {
            match crate::native::locks::refusal(folder) {
                Some(refused) => format!(
                    "the file system of '{}' refuses locks ({refused}); mount it with locks of its own (NFS: \
                     'local_lock=all', CIFS: 'nobrl'), or give a folder on another one with --output",
                    folder.display()
                ),
                None => "another program holds it, such as 'sqlite3'; end that one".into(),
            }
        }
        Some(
            ErrorCode::ReadOnly
            | ErrorCode::CannotOpen
            | ErrorCode::PermissionDenied
            | ErrorCode::SystemIoFailure
            | ErrorCode::AuthorizationForStatementDenied,
        ) => of_folder(path, folder).unwrap_or_else(|| format!("{error}; check its disk")),
        _ => error.to_string(),
    }
}

const FULL: &str = "the disk is full; free some space";

/// Why nothing can be written to `path` in `folder`, where that can be seen.
fn of_folder(path: &Path, folder: &Path) -> Option<String> {
    let at = folder.display();
    if !folder.exists() {
        return Some(format!("the folder '{at}' is missing; create it, or give another one with --output"));
    }
    if !folder.is_dir() {
        return Some(format!("'{at}' is no folder; remove it, or give another one with --output"));
    }
    if path.is_dir() {
        return Some("a folder has its name; remove that, or give another one with --output".into());
    }
    if let Ok(disk) = rustix::fs::statvfs(folder) {
        if disk.f_flag.contains(StatVfsMountFlags::RDONLY) {
            return Some(format!(
                "the file system of '{at}' is mounted for reading only; mount it for writing, or give another \
                 folder with --output"
            ));
        }
        if disk.f_bavail == 0 {
            return Some(FULL.into());
        }
    }
    let refused = |path: &Path| rustix::fs::access(path, Access::WRITE_OK).is_err();
    if refused(folder) || (path.exists() && refused(path)) {
        return Some(format!(
            "this user may not write to it or to '{at}'; give the user that right, or another folder with --output"
        ));
    }
    None
}

/// Why the operating system refuses the file at `path`, and what helps, in one sentence.
pub(super) fn explain_io(path: &Path, error: &std::io::Error) -> String {
    let folder = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => FULL.into(),
        std::io::ErrorKind::PermissionDenied => format!(
            "this user may not create '{}'; give the user that right, or another folder with --output",
            folder.display()
        ),
        std::io::ErrorKind::ReadOnlyFilesystem => format!(
            "the file system of '{}' is mounted for reading only; mount it for writing, or give another folder \
             with --output",
            folder.display()
        ),
        _ => of_folder(path, folder).unwrap_or_else(|| error.to_string()),
    }
}
