//! The latest lines in memory, for the screen.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::line::Level;
use crate::model::{SourceId, rfc3339};

/// One line, already free of secrets and control characters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LogLine {
    /// Position in the whole log of this run, from 1.
    pub number: u64,
    /// Wall time.
    #[serde(with = "rfc3339")]
    #[schemars(with = "String")]
    pub wall: SystemTime,
    /// Severity.
    pub level: Level,
    /// Second field of the line: `CAMERA-01`, `WORKER-01` or `ENGINE`.
    pub label: String,
    /// The source it is about, if it is about one.
    pub camera: Option<SourceId>,
    /// The worker that wrote it, from 1, if one did.
    pub worker: Option<u64>,
    /// What it says.
    pub message: String,
    /// The whole line as it stands in the files.
    pub text: String,
}

/// A ring of the latest lines.
#[derive(Debug)]
pub struct RecentLogs {
    lines: Mutex<VecDeque<Arc<LogLine>>>,
    capacity: usize,
    written: AtomicU64,
}

impl RecentLogs {
    /// A ring of at most `capacity` lines.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { lines: Mutex::default(), capacity: capacity.max(1), written: AtomicU64::new(0) }
    }

    /// Adds a line and gives it its number.
    pub fn push(&self, mut line: LogLine) {
        let mut lines = self.lines.lock();
        line.number = self.written.load(Ordering::Relaxed) + 1;
        self.add(&mut lines, line);
    }

    /// Adds lines of another log, numbered there, which is empty again where their numbers begin again.
    pub fn follow(&self, newer: Vec<LogLine>) {
        let mut lines = self.lines.lock();
        for line in newer {
            if line.number <= self.written() {
                lines.clear();
            }
            self.add(&mut lines, line);
        }
    }

    fn add(&self, lines: &mut VecDeque<Arc<LogLine>>, line: LogLine) {
        if lines.len() == self.capacity {
            lines.pop_front();
        }
        let number = line.number;
        lines.push_back(Arc::new(line));
        self.written.store(number, Ordering::Release);
    }

    /// Lines written since the start; rises with every line, so it tells whether there is anything new.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }

    /// The lines that `wanted` lets through, oldest first.
    #[must_use]
    pub fn lines(&self, wanted: impl Fn(&LogLine) -> bool) -> Vec<Arc<LogLine>> {
        // Copied out under the lock and filtered outside it: writers never wait for a filter.
        let lines: Vec<_> = self.lines.lock().iter().cloned().collect();
        lines.into_iter().filter(|line| wanted(line)).collect()
    }
}

/// Whether every word of `filter` (lower case) is in `text`, or is not, with a leading `!`.
#[must_use]
pub fn has_words(text: &str, filter: &str) -> bool {
    if filter.is_empty() {
        return true;
    }
    let text = text.to_lowercase();
    filter.split_whitespace().all(|word| match word.strip_prefix('!') {
        Some(word) => word.is_empty() || !text.contains(word),
        None => text.contains(word),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(camera: Option<&str>, message: &str) -> LogLine {
        LogLine {
            number: 0,
            wall: SystemTime::UNIX_EPOCH,
            level: Level::Info,
            label: super::super::line::label(None, camera),
            camera: camera.map(SourceId::from),
            worker: None,
            message: message.to_owned(),
            text: String::new(),
        }
    }

    #[test]
    fn keeps_the_latest_and_numbers_all() {
        let recent = RecentLogs::new(2);
        for message in ["one", "two", "three"] {
            recent.push(line(None, message));
        }
        let lines = recent.lines(|_| true);
        assert_eq!(
            lines.iter().map(|l| (l.number, l.message.as_str())).collect::<Vec<_>>(),
            [(2, "two"), (3, "three")]
        );
        assert_eq!(recent.written(), 3);
    }
}
