//! The latest lines of the log: filtered, searched, followed.

use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::state::State;
use crate::{
    logging::{Level, LogLine, RecentLogs, has_words},
    model::SourceId,
    protocol::Lines,
};

/// How often new ones are polled for.
const POLL: Duration = Duration::from_millis(200);

/// Most lines of an answer.
const MOST: usize = 2_000;

/// Longest wait for a new line, in seconds.
const LONGEST: u64 = 30;

/// Which lines.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// Only those after the line of this number.
    #[serde(default)]
    after: u64,
    /// Only those at least this severe.
    level: Option<Level>,
    /// Only lines about this source.
    source: Option<SourceId>,
    /// Only those of this worker, from 1.
    worker: Option<u64>,
    /// Only those with all of these words, or without them, with a leading `!`.
    #[serde(default)]
    words: String,
    /// Waits at most so many seconds for one, at most 30.
    #[serde(default)]
    wait: u64,
    /// At most this many, the newest ones.
    limit: Option<usize>,
}

/// The lines that `query` asks for; waits for one where it says so. `None` where nothing is logged.
pub async fn lines(state: &State, query: &Query) -> Option<Lines> {
    let recent = state.served.host().recent_logs()?;
    let until = Instant::now() + Duration::from_secs(query.wait.min(LONGEST));
    loop {
        let lines = found(&recent, query);
        if !lines.lines.is_empty() || Instant::now() >= until || state.is_ending() {
            return Some(lines);
        }
        tokio::time::sleep(POLL).await;
    }
}

fn found(recent: &RecentLogs, query: &Query) -> Lines {
    let words = query.words.to_lowercase();
    let written = recent.written();
    // A log of a later run has lower numbers.
    let after = if query.after > written { 0 } else { query.after };
    if after == written {
        return Lines { lines: Vec::new(), written };
    }
    let is_meant = |line: &LogLine| {
        line.number > after
            && query.level.is_none_or(|level| line.level <= level)
            && query.source.as_ref().is_none_or(|source| line.camera.as_ref() == Some(source))
            && query.worker.is_none_or(|worker| line.worker == Some(worker))
            && has_words(&line.text, &words)
    };
    let lines = recent.lines(is_meant);
    let skip = lines.len().saturating_sub(query.limit.unwrap_or(MOST).min(MOST));
    Lines { lines: lines.into_iter().skip(skip).map(|line| LogLine::clone(&line)).collect(), written }
}
