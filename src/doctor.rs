//! One page about this machine and this configuration: what works, what does not, and what helps.
//!
//! Each check is a function that gives [`Finding`]s. It runs on a thread of its own and is given up when a disk or a server does not
//! answer; nothing is written, no lock is taken, and an engine that runs is asked instead of disturbed. What is said passes a
//! [`veil`], because the page is pasted into bug reports.

mod configuration;
mod detectors;
mod finding;
mod machine;
mod page;
mod ports;
mod servers;
mod site;
mod sources;
mod storage;
mod terminal;
mod veil;

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use crossbeam_channel::{RecvTimeoutError, bounded};

pub use self::{
    finding::Finding,
    page::{Drawing, Totals},
    site::Options,
    terminal::size,
};
use self::{site::Site, veil::Veil};
use crate::progress::{Progress, Unit};

/// How soon it is noticed that the user asks for the end.
const POLL: Duration = Duration::from_millis(50);

/// What does not wait for cameras has ended by then.
const USUAL: Duration = Duration::from_secs(30);

/// Reading the configuration and asking the engine have ended by then.
const READING: Duration = Duration::from_secs(20);

/// One check.
struct Check {
    /// Its word, in the page and for scripts.
    name: &'static str,
    /// When it is given up.
    limit: Duration,
    find: fn(&Site) -> Vec<Finding>,
}

impl Check {
    const fn new(name: &'static str, find: fn(&Site) -> Vec<Finding>) -> Self {
        Self { name, limit: USUAL, find }
    }
}

/// All checks, in the order of the page.
const CHECKS: [Check; 19] = [
    Check::new("program", machine::program),
    Check::new("libraries", machine::libraries),
    Check::new("processor", machine::instructions),
    Check::new("cores", machine::cores),
    Check::new("memory", machine::memory),
    Check::new("open files", machine::files),
    Check::new("clock", machine::clock),
    Check::new("terminal", terminal::terminal),
    Check::new("configuration", configuration::configuration),
    Check::new("engine", detectors::engine),
    Check::new("detector", detectors::detectors),
    Check::new("folders", storage::folders),
    Check::new("ledger", storage::ledger),
    Check::new("control", ports::control),
    Check::new("http", ports::http),
    Check { name: "sources", limit: sources::LONGEST.saturating_add(USUAL), find: sources::sources },
    Check::new("mqtt", servers::mqtt),
    Check::new("webhooks", servers::webhooks),
    Check::new("fleet", servers::fleet),
];

/// Examines the machine and what `options` name; gives the findings of each check to `tell` as they come, until `progress` is asked to
/// end.
///
/// # Errors
/// Those of `tell`.
pub fn examine(
    options: Options,
    progress: &Progress,
    tell: &mut dyn FnMut(&[Finding]) -> io::Result<()>,
) -> io::Result<Totals> {
    let mut totals = Totals::default();
    let mut pass_on = |check: &'static str, veil: &Veil, findings: Vec<Finding>| {
        let own = |text: &str| veil.own(text);
        let findings: Vec<Finding> = findings
            .into_iter()
            .map(|finding| Finding {
                check,
                subject: finding.subject.as_deref().map(own),
                sentence: own(&finding.sentence),
                fix: finding.fix.as_deref().map(own),
                ..finding
            })
            .collect();
        findings.iter().for_each(|finding| totals.count(finding));
        tell(&findings)
    };
    progress.begin(Some(CHECKS.len() as u64), Unit::Each("checks"));
    progress.name("configuration");
    let shows = options.shows_addresses;
    let clock = Arc::clone(&options.clock);
    let site = match waited_for(&*clock, READING, progress, move || Site::new(options)) {
        Some(Ok(site)) => Arc::new(site),
        Some(Err(problem)) => {
            let problem = Finding::fail(
                problem,
                "see whether the disk of the configuration and of the output folder answers",
            );
            pass_on("configuration", &Veil::new(shows, []), vec![problem])?;
            return Ok(totals);
        }
        None => return Ok(totals),
    };
    for Check { name, limit, find } in &CHECKS {
        progress.name(name);
        let (examined, find) = (Arc::clone(&site), *find);
        let findings = match waited_for(&*clock, *limit, progress, move || find(&examined)) {
            Some(Ok(findings)) => findings,
            Some(Err(problem)) => {
                vec![Finding::fail(
                    problem,
                    "see whether a disk, a device or a server does not answer; else report it",
                )]
            }
            None => break,
        };
        pass_on(name, &site.veil, findings)?;
        progress.advance(1);
    }
    Ok(totals)
}

/// What `work` gives, or in a sentence why it does not; `None` where the user asks for the end first.
fn waited_for<T: Send + 'static>(
    clock: &dyn crate::clock::Clock,
    limit: Duration,
    progress: &Progress,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<Result<T, String>> {
    let (sender, result) = bounded(1);
    let started = std::thread::Builder::new().name("doctor".into()).spawn(move || {
        // Nobody waits for it any more where it cannot be sent.
        let _ = sender.send(catch_unwind(AssertUnwindSafe(work)));
    });
    if let Err(error) = started {
        return Some(Err(format!(
            "the system refuses a thread ({error}); allow the program more processes (ulimit -u, TasksMax)"
        )));
    }
    let deadline = clock.now() + limit;
    loop {
        match result.recv_timeout(POLL) {
            Ok(Ok(found)) => return Some(Ok(found)),
            Ok(Err(_)) | Err(RecvTimeoutError::Disconnected) => {
                return Some(Err("this check panicked, which is a fault of the program".into()));
            }
            Err(RecvTimeoutError::Timeout) if progress.is_stopped() => return None,
            Err(RecvTimeoutError::Timeout) if clock.now() >= deadline => {
                return Some(Err(format!("this check has not ended within {} s", limit.as_secs())));
            }
            Err(RecvTimeoutError::Timeout) => progress.tick(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn a_check_that_hangs_or_panics_holds_up_nothing() {
        let hidden = Progress::hidden();
        let (hold, held) = bounded::<()>(0);
        let hung = waited_for(&SystemClock, Duration::ZERO, &hidden, move || held.recv().is_ok());
        assert!(hung.unwrap().unwrap_err().contains("not ended within"));
        drop(hold);
        let broken = waited_for(&SystemClock, USUAL, &hidden, || assert!(std::hint::black_box(false)));
        assert!(broken.unwrap().unwrap_err().contains("panicked"));
        assert_eq!(waited_for(&SystemClock, USUAL, &hidden, || 7), Some(Ok(7)));
    }
}
