//! Counting: on the dashboard, or without a terminal.

use std::{
    io::{self, IsTerminal},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;

use super::{
    DONE, FAILED, Failure, NO_SOURCE, NO_THREAD, configuration, ending::Ending, native, notices::Notices,
    outputs::Written, signals::StopSignal,
};
use crate::{
    cli::RunArgs,
    config::{self, Config},
    engine::{Engine, EngineApi, EngineOptions},
    headless::{
        self, Format,
        outlet::{Outlet, OutletState},
        template::Template,
    },
    logging::{self, LogHandle, LogOptions, NativeOutput},
    model::{EngineSnapshot, Health, SourceState},
    outputs::status::{self, Status},
};

/// The end waits at most this long for cameras that hang in native code. What is closed after them needs the rest of
/// the two seconds that a signal gives.
const STOP_TIMEOUT: Duration = Duration::from_millis(900);

/// What is said when nobody reads what is printed.
const READER_GONE: &str = "the reader of the standard output has gone, so counting ended before every source was over; \
                           to count on, let it read to the end, or write to a file";

/// What stays in place until the end. Cheap to clone.
#[derive(Clone)]
pub(super) struct Parts {
    /// Ends the process, at the latest when its deadline comes.
    pub ending: Ending,
    /// Tells the user something while there are no screens.
    pub notices: Notices,
    /// How the standard output fares, while lines are printed there.
    pub outlet: OutletState,
    /// Keeps the logs going.
    pub logs: Arc<LogHandle>,
    /// What is written.
    pub written: Written,
}

/// Counts until the sources are over, the user quits or a signal comes.
pub fn run(args: &RunArgs) -> Result<u8, Failure> {
    let config = load(args)?;
    config.sources.iter().for_each(|source| source.source.teach(config::known()));
    let mode = Mode::of(args)?;
    if let (true, Mode::Headless(format)) = (args.once && args.duration.is_none() && !args.fresh, &mode)
        && let Some(status) = running(&config)
    {
        return super::print(|out| headless::print(&status, format, out));
    }
    let stop = StopSignal::listen().context(NO_THREAD)?;
    let notices = Notices::start().context(NO_THREAD)?;
    let ending = Ending::watch(&stop, &notices).context(NO_THREAD)?;
    // After the notices, which keep the standard error as it is.
    native::take_over(&crate::progress::Progress::hidden());
    let settings = &config.parallel;
    let logs = logging::init(&LogOptions {
        dir: Some(settings.log_dir.clone()),
        level: settings.log_level,
        max_bytes: settings.max_log_size,
        max_files: settings.max_log_files,
        timezone: settings.timezone.clone(),
        ..LogOptions::default()
    })?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
        if mode.is_headless() {
            notices.say(&format!("warning: {warning}"));
        }
    }
    // The dashboard and the log say it when the model is loaded.
    if mode.is_headless() {
        super::complain_of_refused(&settings.models);
    }
    let out = if mode.is_headless() { Some(Outlet::start(&io::stdout()).context(NO_THREAD)?) } else { None };
    let outlet = out.as_ref().map(Outlet::state).unwrap_or_default();
    let lines = out.as_ref().filter(|_| mode.has_lines(args)).and_then(Outlet::pieces);
    let written = Written::start(args, &config, lines.map(|pieces| (pieces, outlet.clone())))?;
    let parts = Parts { ending, notices, outlet, logs: Arc::new(logs), written };
    match (mode, out) {
        (Mode::Headless(format), Some(out)) => headless(args, &config, format, out, &stop, &parts),
        _ => super::dashboard::run(args, &config, &stop, &parts),
    }
}

/// The state of a program that counts the same sources at this moment: no camera is opened twice for a look.
fn running(config: &Config) -> Option<Status> {
    let status = status::read(&config.parallel.result_output)?;
    let counts = |id: &str| status.sources.iter().any(|source| source.camera_id == id);
    config.sources.iter().all(|source| counts(&source.id)).then_some(status)
}

fn load(args: &RunArgs) -> Result<Config, Failure> {
    match &args.config {
        Some(path) => configuration::load(path, &args.overrides()),
        None => {
            Config::from_sources(&args.sources, &args.overrides()).map_err(|errors| Failure::config(&errors))
        }
    }
}

/// Which front end.
enum Mode {
    Dashboard,
    Headless(Format),
}

impl Mode {
    fn of(args: &RunArgs) -> Result<Self, Failure> {
        if !args.is_headless() {
            // With a controlling terminal behind it, drawing into a pipe would succeed.
            return if io::stdout().is_terminal() && io::stdin().is_terminal() {
                Ok(Self::Dashboard)
            } else {
                Err(Failure::Usage(
                    "the dashboard needs a terminal; use --headless for text, --json for one JSON object a line, \
                     or --once for a single look"
                        .into(),
                ))
            };
        }
        Ok(Self::Headless(match (&args.format, args.json) {
            (Some(text), _) => {
                Format::Template(text.parse::<Template>().map_err(|error| Failure::Usage(error.to_string()))?)
            }
            (None, true) => Format::Json,
            (None, false) => Format::Text,
        }))
    }

    fn is_headless(&self) -> bool {
        matches!(self, Self::Headless(_))
    }

    /// Whether what happens is printed as it comes.
    fn has_lines(&self, args: &RunArgs) -> bool {
        matches!(self, Self::Headless(Format::Json)) && !args.once
    }
}

/// An engine with the sources of `config`, which wait for [`start`]. With `tell`, what is wrong with the disk is said on
/// the standard error as well.
pub(super) fn engine(config: &Config, parts: &Parts, tell: bool) -> Result<Engine, Failure> {
    let mut options = EngineOptions::new(config.parallel.clone());
    options.sinks.push(parts.written.list.sink());
    options.restored = parts.written.ledger.as_ref().map(|ledger| ledger.totals()).unwrap_or_default();
    let (outputs, logs) = (parts.written.list.clone(), Arc::clone(&parts.logs));
    let (outlet, teller) = (parts.outlet.clone(), tell.then(|| parts.notices.clone()));
    let warned = warnings_in_short(&config.warnings);
    options.health = Some(Arc::new(move || {
        let mut health = Health::default();
        for output in outputs.health() {
            health.problems.extend(output.problem);
            health.notices.extend(output.notices);
            health.lost += output.lost;
        }
        health.problems.extend([logs.problem(), outlet.problem()].into_iter().flatten());
        health.notices.extend(warned.clone());
        if let Some(teller) = &teller {
            teller.say_new(&health.problems);
        }
        health
    }));
    parts.ending.set_unkept(Box::new(unkept(parts)));
    options.log_lines_lost = Some(parts.logs.lost_counter());
    let engine = Engine::new(options)?;
    for source in &config.sources {
        // Refused only for an id that is there already, which the configuration has been checked for.
        engine.add_source(source.clone()).map_err(|error| Failure::Usage(error.to_string()))?;
    }
    parts.written.add_summary(config, Arc::new(engine.clone()))?;
    Ok(engine)
}

/// The warnings about the configuration in one line for the screen.
fn warnings_in_short(warnings: &[String]) -> Option<String> {
    let (first, others) = warnings.split_first()?;
    Some(match others.len() {
        0 => first.clone(),
        others => format!("{first} (and {others} more in the log)"),
    })
}

/// Begins to count, and to tell others.
pub(super) fn start(engine: &Engine, config: &Config, parts: &Parts) -> Result<(), Failure> {
    tracing::info!("Started with {} sources", config.sources.len());
    engine.start()?;
    parts.written.add_status(config, Arc::new(engine.clone()))?;
    let (ending, engine, parts) = (&parts.ending, engine.clone(), parts.clone());
    ending.set_steps(Box::new(move || {
        finish(&engine, &parts);
        parts.logs.close(parts.ending.left(0.8));
    }));
    Ok(())
}

/// Ends the engine, writes what is left, and says how it went. Each step has its time; what it does not get done is
/// said by [`Ending::leave`].
pub(super) fn finish(engine: &Engine, parts: &Parts) -> (EngineSnapshot, u8) {
    let ending = &parts.ending;
    ending.begin();
    engine.stop(STOP_TIMEOUT.min(ending.left(0.6)));
    parts.outlet.make_room();
    parts.written.list.close(ending.left(0.75));
    let snapshot = engine.snapshot();
    let (total_in, total_out, net) = snapshot.totals();
    tracing::info!("Stopped: in {total_in}, out {total_out}, net {net:+}");
    let code = exit_code(&snapshot);
    (snapshot, code)
}

/// What would be lost by ending now.
fn unkept(parts: &Parts) -> impl Fn() -> Vec<String> + Send + Sync + use<> {
    let (written, logs, outlet) = (parts.written.clone(), Arc::clone(&parts.logs), parts.outlet.clone());
    move || {
        let mut sentences = written.list.unkept();
        let because =
            |problem: Option<String>| problem.map(|problem| format!(" ({problem})")).unwrap_or_default();
        let log_lines = logs.lines_held() + logs.lines_lost();
        if log_lines > 0 {
            sentences.push(format!("{log_lines} lines are not in the log files{}", because(logs.problem())));
        }
        let lines = written.lines.as_ref().map_or(0, |lines| lines.health().missing());
        let lines = lines + outlet.waiting();
        if lines > 0 {
            let problem = because(outlet.problem());
            sentences.push(format!("{lines} lines were not taken from the standard output{problem}"));
        }
        sentences
    }
}

/// 69 when no source ever gave a frame, 1 when a source failed, else 0.
fn exit_code(snapshot: &EngineSnapshot) -> u8 {
    let enabled = || snapshot.sources.iter().filter(|source| source.state != SourceState::Disabled);
    if enabled().count() > 0 && enabled().all(|source| source.frames == 0 && source.last_error.is_some()) {
        NO_SOURCE
    } else if enabled().any(|source| source.state.kind().has_failed()) {
        FAILED
    } else {
        DONE
    }
}

/// From now on what native libraries write goes to the logs, until the result is dropped.
fn native_output(logs: &LogHandle) -> Option<NativeOutput> {
    let begin = || {
        let mut native = logs.native_output()?;
        native.as_mut().map(NativeOutput::capture).transpose()?;
        io::Result::Ok(native)
    };
    begin().unwrap_or_else(|error| {
        tracing::warn!("What native libraries print cannot be taken into the logs: {error}");
        None
    })
}

fn headless(
    args: &RunArgs,
    config: &Config,
    format: Format,
    mut out: Outlet,
    stop: &StopSignal,
    parts: &Parts,
) -> Result<u8, Failure> {
    let native = native_output(&parts.logs);
    let engine = engine(config, parts, true)?;
    start(&engine, config, parts)?;
    let (settling, outputs, ending) = (engine.clone(), parts.written.list.clone(), parts.ending.clone());
    let (room, settled) = (out.state(), out.state());
    let options = headless::Options {
        format,
        once: args.once,
        duration: args.duration,
        has_room: Some(Box::new(move || room.has_room())),
        // What was counted is on disk and printed before the summary.
        settle: Some(Box::new(move || {
            ending.begin();
            settled.make_room();
            settling.stop(STOP_TIMEOUT.min(ending.left(0.6)));
            outputs.sync(ending.left(0.4));
        })),
    };
    let api: Arc<dyn EngineApi> = Arc::new(engine.clone());
    let outcome = headless::run(&api, options, &stop.received, &mut out)?;
    let (_, mut code) = finish(&engine, parts);
    out.close(parts.ending.left(0.6));
    if parts.outlet.is_gone() && !outcome.is_over() {
        tracing::error!("{READER_GONE}");
        parts.notices.say_now(READER_GONE);
        code = code.max(FAILED);
    }
    drop(native);
    parts.logs.close(parts.ending.left(0.8));
    parts.ending.leave(code, false)
}
