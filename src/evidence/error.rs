//! Why pictures cannot be kept or read.

use std::{io, path::Path};

use rusqlite::ErrorCode;

/// A file or folder of evidence that cannot be used: which, why, and what helps.
#[derive(Debug, thiserror::Error)]
#[error("evidence '{path}': {problem}")]
pub struct EvidenceError {
    path: String,
    problem: String,
    damaged: bool,
}

impl EvidenceError {
    pub(super) fn sql(path: &Path, error: &rusqlite::Error) -> Self {
        let code = error.sqlite_error_code();
        let damaged = matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase));
        let problem = match code {
            Some(ErrorCode::DiskFull) => "the disk is full; free some space, or lower 'size'".into(),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                "another program holds it, such as 'sqlite3'; end that one".into()
            }
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                "it cannot be opened for writing; make its folder writable for this user".into()
            }
            _ if damaged => format!("it is damaged ({error})"),
            _ => error.to_string(),
        };
        Self { path: path.display().to_string(), problem, damaged }
    }

    pub(super) fn io(path: &Path, error: &io::Error) -> Self {
        let problem = match error.kind() {
            io::ErrorKind::StorageFull => "the disk is full; free some space, or lower 'size'".into(),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                format!("{error}; make the folder writable for this user")
            }
            _ => error.to_string(),
        };
        Self { path: path.display().to_string(), problem, damaged: false }
    }

    pub(super) fn said(path: &Path, problem: impl Into<String>) -> Self {
        Self { path: path.display().to_string(), problem: problem.into(), damaged: false }
    }

    /// Whether the file itself is broken.
    pub(super) fn is_damage(&self) -> bool {
        self.damaged
    }
}
