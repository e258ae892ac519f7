//! The state of the program in one line, for `systemctl status`.

use std::time::Duration;

use crate::{
    config,
    logging::line::clean,
    model::{EngineSnapshot, SourceKind, SourceSnapshot, SourceState},
};

/// Sources that are named; of more there is the number.
const NAMED: usize = 2;

/// Longest problem, in characters; the log has all of it.
const PROBLEM: usize = 120;

/// Counts, then what is wrong: `in 12, out 9; 31 of 32 cameras running; 'gate' reconnecting in 4 s`. Without secrets.
pub fn line(snapshot: &EngineSnapshot) -> String {
    let (total_in, total_out, _) = snapshot.totals();
    let enabled: Vec<&SourceSnapshot> = snapshot
        .sources
        .iter()
        .map(|source| &**source)
        .filter(|source| source.state != SourceState::Disabled)
        .collect();
    let count = |is: &dyn Fn(&SourceState) -> bool| enabled.iter().filter(|source| is(&source.state)).count();
    let mut parts = vec![format!("in {total_in}, out {total_out}")];
    parts.push(format!(
        "{} of {} {} running",
        count(&|state| *state == SourceState::Running),
        enabled.len(),
        kind(&enabled)
    ));
    for (number, word) in [
        (count(&|state| *state == SourceState::Paused), "paused"),
        (count(&|state| matches!(state, SourceState::Closed { .. })), "closed"),
        (count(&|state| *state == SourceState::Completed), "read to the end"),
    ] {
        if number > 0 {
            parts.push(format!("{number} {word}"));
        }
    }
    parts.extend(snapshot.problems.first().map(|problem| short(problem)));
    let problem: Vec<String> =
        enabled.iter().filter_map(|source| problem(source, snapshot)).map(|said| short(&said)).collect();
    let others = problem.len().saturating_sub(NAMED);
    parts.extend(problem.into_iter().take(NAMED));
    if others > 0 {
        parts.push(format!("and {others} more"));
    }
    clean(&config::redact(&parts.join("; ")))
}

fn kind(sources: &[&SourceSnapshot]) -> &'static str {
    let all = |kind: SourceKind| sources.iter().all(|source| source.kind == kind);
    match sources {
        [] => "sources",
        _ if all(SourceKind::Camera) => "cameras",
        _ if all(SourceKind::Video) => "videos",
        _ => "sources",
    }
}

fn short(text: &str) -> String {
    if text.chars().count() <= PROBLEM {
        return text.to_owned();
    }
    let start: String = text.chars().take(PROBLEM).collect();
    format!("{start}..")
}

/// What is wrong with a source, or what is still awaited of it.
fn problem(source: &SourceSnapshot, snapshot: &EngineSnapshot) -> Option<String> {
    let id = &source.id;
    let left = |at| seconds(at - snapshot.taken);
    Some(match &source.state {
        SourceState::Retrying { at, .. } => format!("'{id}' reconnecting in {} s", left(*at)),
        SourceState::Failed { next: Some(at) } => format!("'{id}' failed, retrying in {} s", left(*at)),
        SourceState::Failed { next: None } => format!("'{id}' failed"),
        SourceState::AuthFailed { .. } => format!("'{id}': auth failed"),
        SourceState::NoSuchStream { .. } => format!("'{id}': no such stream"),
        SourceState::Unsupported => format!("'{id}' cannot be decoded"),
        SourceState::Stalled => format!("'{id}' sends no frames"),
        SourceState::Connecting | SourceState::Running if !source.was_tried() => {
            format!("'{id}' connecting")
        }
        _ => return None,
    })
}

/// Rounded up, so that a countdown ends at 1.
fn seconds(left: Duration) -> u64 {
    u64::try_from(left.as_millis().div_ceil(1_000)).unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::Moment;

    fn source(id: &str, state: SourceState, counts: (u64, u64)) -> Arc<SourceSnapshot> {
        let frames = u64::from(state == SourceState::Running);
        let (total_in, total_out) = counts;
        Arc::new(SourceSnapshot { state, frames, total_in, total_out, ..SourceSnapshot::new(id) })
    }

    fn snapshot(sources: Vec<Arc<SourceSnapshot>>) -> EngineSnapshot {
        let taken = Moment::new(Duration::from_secs(10));
        EngineSnapshot { sources, taken, ..crate::headless::text::tests::snapshot() }
    }

    #[test]
    fn it_says_counts_and_what_is_wrong_and_names_no_more_than_two() {
        let running = || source("door", SourceState::Running, (12, 9));
        let at = Moment::new(Duration::from_millis(13_200));
        let retrying = |id: &str| source(id, SourceState::Retrying { attempt: 1, at }, (0, 0));
        let mut shown = snapshot(vec![running(), source("off", SourceState::Disabled, (0, 0))]);
        assert_eq!(line(&shown), "in 12, out 9; 1 of 1 cameras running");
        shown.sources.push(retrying("gate"));
        assert_eq!(line(&shown), "in 12, out 9; 1 of 2 cameras running; 'gate' reconnecting in 4 s");
        shown.sources.extend([
            source("yard", SourceState::Connecting, (0, 0)),
            retrying("a"),
            retrying("b"),
            source("c", SourceState::Paused, (0, 0)),
        ]);
        shown.problems = vec!["rtsp://admin:hunter2@cam.lan/1\nis full".into()];
        let said = line(&shown);
        assert!(said.starts_with("in 12, out 9; 1 of 6 cameras running; 1 paused; rtsp://"), "{said}");
        assert!(said.ends_with("'gate' reconnecting in 4 s; 'yard' connecting; and 2 more"), "{said}");
        assert!(!said.contains("hunter2") && !said.contains('\n'), "{said}");
    }
}
