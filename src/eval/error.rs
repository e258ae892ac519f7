//! What keeps an evaluation from finishing.

use std::path::Path;

use crate::{audit::truth::TruthError, detect, source};

/// What keeps an evaluation from finishing.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// A file cannot be read or written.
    #[error("'{path}': {problem}")]
    File {
        /// Which.
        path: String,
        /// What the system said.
        problem: String,
    },
    /// A file or folder that was asked for does not exist.
    #[error("'{path}': not found; name another")]
    Missing {
        /// Which.
        path: String,
    },
    /// A file holds something else than it should.
    #[error("'{path}': {problem}")]
    Content {
        /// Which.
        path: String,
        /// What is wrong.
        problem: String,
    },
    /// A file of an audit is wrong.
    #[error(transparent)]
    Truth(TruthError),
    /// The detector cannot be loaded or fails.
    #[error(transparent)]
    Detect(#[from] detect::DetectError),
    /// The video of a scene cannot be read.
    #[error("video of scene '{scene}': {error}")]
    Source {
        /// Name of the scene.
        scene: String,
        /// What went wrong.
        error: source::SourceError,
    },
    /// The result cannot be written out.
    #[error("result cannot be written: {0}")]
    Output(#[from] std::io::Error),
}

impl EvalError {
    /// `error` happened on `path`.
    #[must_use]
    pub fn file(path: &Path, error: &std::io::Error) -> Self {
        let path = path.display().to_string();
        match error.kind() {
            std::io::ErrorKind::NotFound => Self::Missing { path },
            _ => Self::File { path, problem: error.to_string() },
        }
    }
}
