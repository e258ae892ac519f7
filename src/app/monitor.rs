//! Counting: on the dashboard, or without a terminal.

use std::{
    io::{self, IsTerminal},
    sync::Arc,
};

use anyhow::Context;

use super::{
    acting::Acting,
    attach, configuration,
    counting::{RunServices, STOP_TIMEOUT, engine, finish, logs, native_output, start},
    dashboard,
    ending::Ending,
    failure::{FAILED, Failure, NO_THREAD},
    native,
    notices::Notices,
    outputs::Written,
    program::ProgramHost,
    say::{complain_of_refused, print},
    serving,
    signals::StopSignal,
};
use crate::{
    api::{self, Api},
    cli::RunArgs,
    clock::{Clock as _, SystemClock},
    config::{self, Config},
    engine::EngineApi,
    headless::{self, Format, outlet::Outlet, template::Template},
    native::process,
    outputs::status::{self, Status},
};

/// What is said when nobody reads what is printed.
const READER_GONE: &str = "the reader of the standard output has closed it, so counting stopped before \
     every source was finished; let it read to the end, or write to a file";

/// Counts until the sources are over, the user quits or a signal comes.
pub fn run(args: &RunArgs) -> Result<u8, Failure> {
    let config = load(args)?;
    config.sources.iter().for_each(|source| source.source.teach(config::known()));
    let mode = Mode::of(args)?;
    if let (true, Mode::Headless(format)) =
        (args.once && args.duration.is_none() && !args.counting.fresh, &mode)
        && let Some(status) = running(&config)
    {
        return print(|out| headless::print(&status, format, out));
    }
    if let Some(socket) = api::find(&config.parallel.result_output) {
        return match (&mode, &args.config) {
            (Mode::Dashboard, Some(_)) if !args.counting.fresh => attach::beside(args, &config, &socket),
            _ => Err(Failure::Runtime(anyhow::Error::msg(attach::taken(&config.parallel.result_output)))),
        };
    }
    let stop = StopSignal::listen().context(NO_THREAD)?;
    let notices = Notices::start().context(NO_THREAD)?;
    let ending = Ending::watch(&stop, &notices).context(NO_THREAD)?;
    // After the notices, which keep the standard error as it is.
    native::take_over(&crate::progress::Progress::hidden());
    let logs = logs(&config, None)?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
        if mode.is_headless() {
            notices.say(&format!("warning: {warning}"));
        }
    }
    // The dashboard and the log say it when the model is loaded.
    if mode.is_headless() {
        complain_of_refused(&config.parallel.models);
    }
    let out = if mode.is_headless() {
        Some(Outlet::start(&io::stdout(), Arc::new(SystemClock)).context(NO_THREAD)?)
    } else {
        None
    };
    let outlet = out.as_ref().map(Outlet::state).unwrap_or_default();
    let lines = out.as_ref().filter(|_| mode.has_lines(args)).and_then(Outlet::pieces);
    let written = Written::start(args.counting.fresh, &config, lines.map(|pieces| (pieces, outlet.clone())))?;
    let parts = RunServices::new(&config, (ending, notices), outlet, logs, written)?;
    match (mode, out) {
        (Mode::Headless(format), Some(out)) => headless(args, &config, format, out, &stop, &parts),
        _ => dashboard::run(args, &config, &stop, &parts),
    }
}

/// The state of a program that counts the same sources at this moment: no camera is opened twice just to print the state.
fn running(config: &Config) -> Option<Status> {
    let output = &config.parallel.result_output;
    let asked = api::find(output).and_then(|socket| attach::status(&socket).ok());
    // One that cannot be asked may have left its state.
    let status = asked.or_else(|| status::read(output, SystemClock.wall()))?;
    let counts = |id: &str| status.sources.iter().any(|source| source.camera_id == id);
    config.sources.iter().all(|source| counts(&source.id)).then_some(status)
}

fn load(args: &RunArgs) -> Result<Config, Failure> {
    match &args.config {
        Some(path) => configuration::load(path, &args.counting.overrides()),
        None => Config::from_sources(&args.sources, &args.counting.overrides())
            .map_err(|errors| Failure::config(&errors)),
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
                    "the dashboard needs a terminal; use --headless for text, --json for one JSON object a \
                     line, or --once to print the state once"
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

fn headless(
    args: &RunArgs,
    config: &Config,
    format: Format,
    mut out: Outlet,
    stop: &StopSignal,
    parts: &RunServices,
) -> Result<u8, Failure> {
    let native = native_output(&parts.logs);
    let engine = engine(config, parts, true)?;
    let acting = Acting::new(Arc::new(engine.clone()), parts.actions.clone(), process::user(), "terminal");
    let host = ProgramHost::start(config, args.counting.overrides(), &engine, parts, &Arc::new(acting));
    let host = Arc::new(host.context(NO_THREAD)?);
    let api = serving::start_beside(config, &engine, &host, parts, |why| {
        parts.notices.say(&format!("warning: {why}"));
    });
    start(&engine, config, parts, api.as_ref().and_then(Api::socket))?;
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
        clock: Arc::new(SystemClock),
    };
    let shown: Arc<dyn EngineApi> = Arc::new(engine.clone());
    let outcome = headless::run(&shown, &options, &stop.received, &mut out)?;
    drop(options);
    let (_, mut code) = finish(&engine, parts);
    drop(api);
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
