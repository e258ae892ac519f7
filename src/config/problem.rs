//! What is wrong with a configuration, and where.

use std::fmt;

use super::{json::TextPosition, text::printable};

/// One thing that is wrong, with its position and how to fix it. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The file as the user named it, or `command line`.
    pub file: String,
    /// Line and column, from 1; `None` when the problem has no place in a text.
    pub place: Option<(usize, usize)>,
    /// JSON path such as `cameras[1].lines[0].anchor`; empty for the document itself.
    pub path: String,
    /// What is wrong and what to write instead.
    pub message: String,
    /// Whether it may heal without a change of the configuration: a file on a disk that does not answer as it should,
    /// or that comes later.
    pub may_heal: bool,
}

impl Problem {
    pub(super) fn new(file: &str, place: Option<TextPosition>, path: &str, message: &str) -> Self {
        Self {
            file: super::Address(file).to_string(),
            place: place.map(|place| (place.line, place.column)),
            path: printable(path),
            message: printable(&super::redact(message)),
            may_heal: false,
        }
    }

    /// What is wrong with the only entry of a list, without the place in a text that nobody has written.
    pub(super) fn in_entry(&self) -> String {
        let path = self.path.split_once(']').map_or(&*self.path, |(_, rest)| rest.trim_start_matches('.'));
        if path.is_empty() { self.message.clone() } else { format!("{path}: {}", self.message) }
    }

    /// The same, for something that may heal by itself.
    pub(super) fn that_may_heal(self) -> Self {
        Self { may_heal: true, ..self }
    }
}

/// Whether an error of the operating system on a file that a configuration names is one of the configuration: it names
/// another file, or one that this user may not read.
pub(super) fn is_settled(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    matches!(
        error.kind(),
        ErrorKind::NotFound
            | ErrorKind::PermissionDenied
            | ErrorKind::IsADirectory
            | ErrorKind::NotADirectory
            | ErrorKind::InvalidFilename
            | ErrorKind::InvalidInput
            | ErrorKind::InvalidData
    )
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file)?;
        if let Some((line, column)) = self.place {
            write!(f, "{line}:{column}:")?;
        }
        if !self.path.is_empty() {
            write!(f, " {}:", self.path)?;
        }
        write!(f, " {}", self.message)
    }
}

/// Everything that is wrong with a configuration; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigErrors {
    /// In the order of the text.
    pub problems: Vec<Problem>,
}

impl ConfigErrors {
    /// Whether every problem may heal without a change of the configuration.
    #[must_use]
    pub(crate) fn may_heal(&self) -> bool {
        self.problems.iter().all(|problem| problem.may_heal)
    }
}

impl fmt::Display for ConfigErrors {
    /// One problem a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

impl From<Problem> for ConfigErrors {
    fn from(problem: Problem) -> Self {
        Self { problems: vec![problem] }
    }
}
