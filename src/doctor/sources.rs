//! Cameras and videos: whether each sends frames. Those of an engine that runs are asked of it, because a camera may accept few viewers.

use std::{sync::Arc, time::Duration};

use crossbeam_channel::RecvTimeoutError;

use super::{finding::Finding, site::Site};
use crate::{
    config::{SourceConfig, SourceSpec, shown_opening},
    model::{EngineSnapshot, SourceKind, SourceSnapshot, SourceState, StateKind},
    source::{Probe, SourceError, probe},
};

/// Sources that are open at the same time: each holds a decoder.
const AT_ONCE: usize = 16;

/// A source is given up after this long, or earlier where its own timeouts say so.
const PATIENCE: Duration = Duration::from_secs(10);

/// All sources together are given up after this long.
pub const LONGEST: Duration = Duration::from_mins(1);

/// Each source.
pub fn sources(site: &Site) -> Vec<Finding> {
    let sources = &site.config.sources;
    if !site.is_valid() {
        return vec![Finding::ok("not tried: the configuration has problems")];
    }
    if sources.is_empty() {
        return vec![Finding::ok("none named")];
    }
    let snapshot = site.running.as_ref().and_then(|running| running.snapshot.as_ref().ok());
    let mut findings: Vec<Option<Finding>> =
        sources.iter().map(|source| known(site, source, snapshot)).collect();
    let is_unknown = |index: &usize| findings[*index].is_none();
    let left: Vec<usize> = (0..sources.len()).filter(is_unknown).collect();
    let tried = try_out(site, &left);
    for (index, finding) in left.into_iter().zip(tried) {
        findings[index] = Some(finding);
    }
    let named = sources.iter().zip(findings.into_iter().flatten());
    named.map(|(source, finding)| finding.about(&*source.id)).collect()
}

/// What is known of a source without opening it.
fn known(site: &Site, source: &SourceConfig, snapshot: Option<&EngineSnapshot>) -> Option<Finding> {
    if !source.enabled {
        return Some(Finding::ok("Disabled"));
    }
    if let Some(shown) = snapshot.and_then(|all| all.sources.iter().find(|shown| shown.id == source.id)) {
        return Some(state(site, source, shown));
    }
    if !site.options.connects {
        return Some(Finding::ok("not tried"));
    }
    let now = jiff::Timestamp::try_from(site.options.clock.wall()).ok()?;
    let zone = &site.config.parallel.timezone;
    let schedule = source.schedule.as_ref().or(site.config.parallel.schedule.as_ref());
    let hours = schedule.filter(|_| source.kind == SourceKind::Camera)?.at(now.as_millisecond(), zone);
    if hours.is_open {
        return None;
    }
    let opens = jiff::Timestamp::from_millisecond(hours.until).ok();
    let opens = opens.map(|at| format!(" until {}", shown_opening(at, now, zone))).unwrap_or_default();
    Some(Finding::ok(format!("Closed{opens} by its opening hours, not tried")))
}

/// How the engine that runs shows a source.
fn state(site: &Site, source: &SourceConfig, shown: &SourceSnapshot) -> Finding {
    let word = shown.state.word();
    let kind = shown.state.kind();
    let error = shown.last_error.as_deref().map(|error| site.veil.said(&source.source.redact(error)));
    if kind.is_offline() {
        let why = error.unwrap_or_else(|| "no frames come".into());
        let fix = "'pcount-tui ctl logs ID' says more";
        return Finding::fail(told(word, &why), fix);
    }
    let rate = match &shown.state {
        SourceState::Running => format!(", {:.1} frames/s", shown.fps),
        _ => String::new(),
    };
    Finding::ok(format!("{word}{rate} in the engine that runs"))
}

/// Opens those of these numbers, a few at a time; gives what was found in their order.
fn try_out(site: &Site, numbers: &[usize]) -> Vec<Finding> {
    let bounded = |index: &usize| {
        let source = &site.config.sources[*index];
        SourceConfig {
            open_timeout: source.open_timeout.min(PATIENCE),
            stall_timeout: source.stall_timeout.min(PATIENCE),
            ..source.clone()
        }
    };
    let sources: Arc<Vec<SourceConfig>> = Arc::new(numbers.iter().map(bounded).collect());
    let mut found: Vec<Option<Finding>> = sources.iter().map(|_| None).collect();
    match probe::for_each(&sources, AT_ONCE, probe::try_out) {
        Ok(results) => {
            let deadline = site.options.clock.now() + LONGEST;
            loop {
                let left = deadline.saturating_duration_since(site.options.clock.now());
                match results.recv_timeout(left) {
                    Ok((index, result)) => found[index] = Some(judged(site, &sources[index], result)),
                    Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
                }
            }
        }
        Err(error) => {
            let sentence = format!("not tried: the system refuses a thread ({error})");
            let fix = "allow the program more processes (ulimit -u, TasksMax)";
            return numbers.iter().map(|_| Finding::fail(&*sentence, fix)).collect();
        }
    }
    let late = || {
        Finding::warn(
            format!("no answer within the {} s for all sources", LONGEST.as_secs()),
            "'pcount-tui check --config FILE --probe' waits for each",
        )
    };
    found.into_iter().map(|finding| finding.unwrap_or_else(late)).collect()
}

fn judged(site: &Site, source: &SourceConfig, result: Result<Probe, SourceError>) -> Finding {
    let error = match result {
        Ok(stream) => return Finding::ok(format!("sends frames: {stream}")),
        Err(error) => error,
    };
    let is_camera = source.kind == SourceKind::Camera;
    let state = match &error {
        SourceError::Auth => StateKind::AuthFailed,
        SourceError::NoSuchStream(_) => StateKind::NoSuchStream,
        SourceError::Unsupported(_) if !is_camera => StateKind::Unsupported,
        _ if is_camera => StateKind::Retrying,
        _ => StateKind::Failed,
    };
    let why = site.veil.said(&source.source.redact(&error.to_string()));
    Finding::fail(told(state.word(), &why), fix(source, &error))
}

/// The word of a state, and why; once where both say the same.
fn told(word: &str, why: &str) -> String {
    let same = why.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word));
    let rest = if same { why[word.len()..].trim_start_matches([':', ' ']) } else { why };
    if rest.is_empty() { word.to_owned() } else { format!("{word}: {rest}") }
}

fn fix(source: &SourceConfig, error: &SourceError) -> &'static str {
    match (error, &source.source) {
        (SourceError::Auth, _) => "check 'credentials' of this source; cameras lock accounts for a while",
        (SourceError::NoSuchStream(_), _) => "check the path in its address: the manual of the camera has it",
        (SourceError::NotFound(_), SourceSpec::Device(_)) => "plug it in, or name another device",
        (SourceError::NotFound(_), _) => "check the path; it is relative to the configuration file",
        (SourceError::Unsupported(_), _) => "name a file with a video that FFmpeg decodes",
        (SourceError::System(_), _) => "raise the limit of the system: see the finding on files",
        (_, SourceSpec::Url { .. }) => {
            "check host, port and network; 'pcount-tui check --config FILE --probe' shows the address"
        }
        _ => "see whether another program has it open, and whether this user may read it",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_and_its_reason_say_nothing_twice() {
        assert_eq!(told("No such stream", "no such stream: '..' (404)"), "No such stream: '..' (404)");
        assert_eq!(told("Retrying", "cannot connect: '..'"), "Retrying: cannot connect: '..'");
        assert_eq!(told("Failed", "failed"), "Failed");
    }
}
