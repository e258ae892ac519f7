//! The end of a file that grows and is rotated.

use std::{
    fs::File,
    io::{ErrorKind, Read, Seek, SeekFrom},
    path::PathBuf,
    time::SystemTime,
};

/// How much of the end is kept: some two thousand lines.
const KEEP: u64 = 256 * 1024;

/// A file and how it looked when it was last read.
#[derive(Debug)]
pub struct LogTail {
    path: PathBuf,
    seen: Option<(u64, Option<SystemTime>)>,
}

impl LogTail {
    /// Follows `path`, which need not exist yet.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, seen: None }
    }

    /// The last lines of the file, oldest first; `None` when it has not changed.
    ///
    /// # Errors
    /// A sentence when it cannot be read.
    pub fn read(&mut self) -> Result<Option<Vec<String>>, String> {
        let say = |error: std::io::Error| match error.kind() {
            ErrorKind::NotFound => format!("nothing logged yet in '{}'", self.path.display()),
            _ => format!("cannot read '{}': {error}", self.path.display()),
        };
        let mut file = File::open(&self.path).map_err(say)?;
        let data = file.metadata().map_err(say)?;
        let looks = (data.len(), data.modified().ok());
        if self.seen == Some(looks) {
            return Ok(None);
        }
        let start = data.len().saturating_sub(KEEP);
        file.seek(SeekFrom::Start(start)).map_err(say)?;
        let mut bytes = Vec::new();
        file.take(KEEP).read_to_end(&mut bytes).map_err(say)?;
        self.seen = Some(looks);
        let text = String::from_utf8_lossy(&bytes);
        // The first line is probably cut when the file is longer than what is kept.
        let skip = usize::from(start > 0);
        Ok(Some(text.lines().skip(skip).map(str::to_string).collect()))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn growth_and_rotation_are_followed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let mut tail = LogTail::new(path.clone());
        assert!(tail.read().unwrap_err().contains("nothing logged yet"));
        std::fs::write(&path, "one\ntwo\n").unwrap();
        assert_eq!(tail.read().unwrap().unwrap(), ["one", "two"]);
        assert_eq!(tail.read().unwrap(), None);
        std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"three\n").unwrap();
        assert_eq!(tail.read().unwrap().unwrap(), ["one", "two", "three"]);
        std::fs::write(&path, "new\n").unwrap();
        assert_eq!(tail.read().unwrap().unwrap(), ["new"]);
    }

    #[test]
    fn of_a_long_file_only_the_end_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let text: String = (0..40_000).map(|n| format!("line number {n}\n")).collect();
        std::fs::write(&path, text).unwrap();
        let lines = LogTail::new(path).read().unwrap().unwrap();
        assert!(lines.len() < 20_000);
        assert!(lines[0].starts_with("line number"));
        assert_eq!(lines.last().unwrap(), "line number 39999");
    }
}
