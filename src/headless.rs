//! Without a terminal: the dashboard as text, or one JSON object a line.
//!
//! | mode | prints |
//! | --- | --- |
//! | [`Format::Text`] | the [`text`] dashboard: at once, then at most once a second when a count, a state or an error changed, at least every ten seconds (frame rates always change), and at the end |
//! | [`Format::Json`] | a summary at the end, after the [`json_lines`] that have come until then |
//! | [`Format::Template`] | one line of a [`template`], as often as the text dashboard |
//!
//! With [`Options::once`] nothing but the end is printed. The loop ends when all sources are over, when
//! [`Options::duration`] has passed, when it is told to stop, and when nobody reads its output any more.
//!
//! [`json_lines`]: crate::outputs::json_lines

pub mod outlet;
pub mod template;
pub mod text;

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use self::template::Template;
use crate::{
    clock::{Clock, SystemClock},
    engine::EngineApi,
    model::{EngineSnapshot, SourceKind},
    outputs::{
        lines::{Line, Summary},
        status::Status,
    },
};

/// How often the loop runs.
const POLL: Duration = Duration::from_millis(100);

/// Shortest time between two dashboards.
const MIN_INTERVAL: Duration = Duration::from_secs(1);

/// Longest time between two dashboards: frame rates change without a count changing.
const MAX_INTERVAL: Duration = Duration::from_secs(10);

/// With `once` and a camera among the sources: longest wait for every source to show frames or an error.
const SETTLE: Duration = Duration::from_secs(10);

/// What is printed.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Format {
    /// The text dashboard.
    #[default]
    Text,
    /// JSON lines.
    Json,
    /// A line of the user's own.
    Template(Template),
}

/// How to run.
pub struct Options {
    /// What is printed.
    pub format: Format,
    /// Print only once: with files only, at their end; with a camera among the sources, as soon as every
    /// source shows frames or an error, at most ten seconds after the start; with [`Self::duration`], then.
    pub once: bool,
    /// End after this long.
    pub duration: Option<Duration>,
    /// Whether the output takes more at this moment; else dashboards are left out.
    pub has_room: Option<Box<dyn Fn() -> bool + Send + Sync>>,
    /// Called once before the end: returns when everything counted was given to the output.
    pub settle: Option<Box<dyn Fn() + Send + Sync>>,
    /// Time, for [`Self::duration`] and the pace of what is printed.
    pub clock: Arc<dyn Clock>,
}

/// Text until the end, by the machine's clock.
impl Default for Options {
    fn default() -> Self {
        Self {
            format: Format::default(),
            once: false,
            duration: None,
            has_room: None,
            settle: None,
            clock: Arc::new(SystemClock),
        }
    }
}

/// Why the loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// All sources are over.
    Over,
    /// The time is up, or `once` has printed.
    Done,
    /// The stop flag was set.
    Stopped,
    /// Nobody reads any more.
    BrokenPipe,
}

/// How the run ended.
#[derive(Debug)]
pub struct Outcome {
    /// Why.
    #[cfg_attr(not(feature = "internals"), expect(dead_code, reason = "only tests ask"))]
    pub reason: Reason,
    /// Where everything stood.
    pub snapshot: EngineSnapshot,
}

impl Outcome {
    /// Whether every source was over, for whatever reason the loop ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.snapshot.sources.iter().all(|source| source.state.is_over())
    }
}

/// Prints until the end; see the module's documentation.
///
/// # Errors
/// When `out` cannot be written for another reason than that nobody reads it.
pub fn run(
    engine: &Arc<dyn EngineApi>,
    options: &Options,
    stop: &AtomicBool,
    out: &mut dyn Write,
) -> io::Result<Outcome> {
    let mut printer = Printer { out, format: &options.format };
    let result = watch(engine, options, stop, &mut printer);
    match result {
        Ok(outcome) => Ok(outcome),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            Ok(Outcome { reason: Reason::BrokenPipe, snapshot: engine.snapshot() })
        }
        Err(error) => Err(error),
    }
}

/// Prints `status` as a run with [`Options::once`] would.
///
/// # Errors
/// When `out` cannot be written.
pub fn print(status: &Status, format: &Format, out: &mut dyn Write) -> io::Result<()> {
    Printer { out, format }.end(status)
}

fn watch(
    engine: &Arc<dyn EngineApi>,
    options: &Options,
    stop: &AtomicBool,
    printer: &mut Printer<'_>,
) -> io::Result<Outcome> {
    let clock = options.clock.as_ref();
    // Time in which the program stood still is not part of the duration.
    let begun = clock.now();
    let mut pace = Pace::default();
    let has_room = || options.has_room.as_ref().is_none_or(|has_room| has_room());
    let reason = loop {
        let snapshot = engine.snapshot();
        if let Some(reason) =
            end(&snapshot, options, clock.now().saturating_duration_since(begun), stop.load(Ordering::SeqCst))
        {
            break reason;
        }
        if !options.once && has_room() && pace.is_due(&snapshot, clock.now()) {
            printer.dashboard(&Status::from(&snapshot))?;
        }
        // Whether anybody reads: JSON lines come from another thread.
        printer.out.flush()?;
        clock.rest(POLL);
    };
    if let Some(settle) = &options.settle {
        settle();
    }
    let snapshot = engine.snapshot();
    printer.end(&Status::from(&snapshot))?;
    Ok(Outcome { reason, snapshot })
}

/// Whether to end now.
fn end(snapshot: &EngineSnapshot, options: &Options, elapsed: Duration, stopped: bool) -> Option<Reason> {
    let has_camera = snapshot.sources.iter().any(|source| source.kind == SourceKind::Camera);
    if stopped {
        Some(Reason::Stopped)
    } else if snapshot.sources.iter().all(|source| source.state.is_over()) {
        Some(Reason::Over)
    } else if let Some(duration) = options.duration {
        (elapsed >= duration).then_some(Reason::Done)
    } else if options.once && has_camera {
        let settled = snapshot.sources.iter().all(|source| source.was_tried());
        (settled || elapsed >= SETTLE).then_some(Reason::Done)
    } else {
        None
    }
}

/// When the next dashboard is due.
#[derive(Default)]
struct Pace {
    last: Option<(Instant, String)>,
}

impl Pace {
    fn is_due(&mut self, snapshot: &EngineSnapshot, now: Instant) -> bool {
        let shown = text::fingerprint(snapshot);
        let due = match &self.last {
            None => true,
            Some((at, before)) => {
                let waited = now.saturating_duration_since(*at);
                waited >= MAX_INTERVAL || (waited >= MIN_INTERVAL && *before != shown)
            }
        };
        if due {
            self.last = Some((now, shown));
        }
        due
    }
}

struct Printer<'a> {
    out: &'a mut dyn Write,
    format: &'a Format,
}

impl Printer<'_> {
    fn dashboard(&mut self, status: &Status) -> io::Result<()> {
        match self.format {
            Format::Text => self.out.write_all(text::dashboard(status).as_bytes())?,
            Format::Template(template) => writeln!(self.out, "{}", template.render(status))?,
            Format::Json => return Ok(()),
        }
        self.out.flush()
    }

    fn end(&mut self, status: &Status) -> io::Result<()> {
        match self.format {
            Format::Json => {
                serde_json::to_writer(&mut self.out, &Line::Summary(Summary::from(status)))?;
                self.out.write_all(b"\n")?;
                self.out.flush()
            }
            _ => self.dashboard(status),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{headless::text::tests::snapshot, model::SourceState};

    #[test]
    fn a_dashboard_is_due_when_counts_change_but_not_for_a_frame_rate() {
        let mut pace = Pace::default();
        let start = Instant::now();
        let mut shown = snapshot();
        assert!(pace.is_due(&shown, start));
        Arc::make_mut(&mut shown.sources[0]).fps = 1.0;
        assert!(!pace.is_due(&shown, start + Duration::from_secs(2)));
        Arc::make_mut(&mut shown.sources[0]).total_in += 1;
        assert!(!pace.is_due(&shown, start + Duration::from_millis(500)));
        assert!(pace.is_due(&shown, start + Duration::from_secs(2)));
        assert!(pace.is_due(&shown, start + Duration::from_secs(12)));
    }

    #[test]
    fn the_end_comes_with_the_last_source_the_time_or_the_word() {
        let mut shown = snapshot();
        let options = Options::default();
        let second = Duration::from_secs(1);
        assert_eq!(end(&shown, &options, second, false), None);
        assert_eq!(end(&shown, &options, second, true), Some(Reason::Stopped));
        let timed = Options { duration: Some(second), ..Options::default() };
        assert_eq!(end(&shown, &timed, second, false), Some(Reason::Done));
        let once = Options { once: true, ..Options::default() };
        assert_eq!(end(&shown, &once, second, false), Some(Reason::Done), "all sources have frames");
        Arc::make_mut(&mut shown.sources[0]).frames = 0;
        assert_eq!(end(&shown, &once, second, false), None);
        assert_eq!(end(&shown, &once, SETTLE, false), Some(Reason::Done));
        for source in &mut shown.sources {
            Arc::make_mut(source).state = SourceState::Completed;
        }
        assert_eq!(end(&shown, &options, second, false), Some(Reason::Over));
    }
}
