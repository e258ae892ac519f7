//! The dashboard: the terminal front end on a running engine.

use std::{
    io::{self, Write as _},
    sync::{Arc, atomic::Ordering},
};

use anyhow::Context as _;

use super::{
    acting::Acting,
    counting::{RunServices, engine, finish, start},
    failure::{Failure, NO_THREAD},
    program::ProgramHost,
    serving,
    signals::StopSignal,
};
use crate::{
    api::Api,
    cli::{DashboardArgs, RunArgs},
    clock::SystemClock,
    config::{Config, edit::state_folder},
    engine::EngineApi,
    headless::{self, outlet::Outlet},
    logging::NativeOutput,
    model::Action,
    native::process,
    outputs::status::Status,
    tui::{self, Exit, TuiOptions},
};

/// Shows the dashboard until the user quits or a signal comes.
pub fn run(args: &RunArgs, config: &Config, stop: &StopSignal, parts: &RunServices) -> Result<u8, Failure> {
    let engine = engine(config, parts, false)?;
    let acting = Acting::new(Arc::new(engine.clone()), parts.actions.clone(), process::user(), "dashboard");
    let acting = Arc::new(acting);
    let host =
        ProgramHost::start(config, args.counting.overrides(), &engine, parts, &acting).context(NO_THREAD)?;
    let host = Arc::new(host);
    let mut greeting = None;
    let served = serving::start_beside(config, &engine, &host, parts, |why| greeting = Some(why));
    let native = parts.logs.native_output()?;
    let options = TuiOptions {
        native_log: native.as_ref().and_then(NativeOutput::path),
        stop: Arc::clone(&stop.number),
        greeting,
        ..options(&args.dashboard, config)
    };
    let api: Arc<dyn EngineApi> = Arc::clone(&acting) as _;
    // With many sources the first screen would have to share the processor with all that they load.
    let exit = tui::run(api, host, &options, || {
        start(&engine, config, parts, served.as_ref().and_then(Api::socket))
    });
    if let Ok(Exit::Signal(signal)) = exit {
        // Ctrl-C is a key while the terminal is raw, and does not arrive as a signal.
        let _ = stop.number.compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst);
    }
    if matches!(exit, Ok(Exit::Quit | Exit::QuitKeepTable)) {
        acting.note(Action::STOPPED, None);
    }
    let (snapshot, code) = finish(&engine, parts);
    drop(served);
    if let Exit::QuitKeepTable = exit? {
        let mut out = Outlet::start(&io::stdout(), Arc::new(SystemClock))?;
        out.write_all(headless::text::dashboard(&Status::from(&snapshot)).as_bytes())?;
        out.flush()?;
        out.close(parts.ending.left(0.5));
    }
    drop(native);
    parts.logs.close(parts.ending.left(0.8));
    parts.ending.leave(code, false)
}

/// How the screens look and behave, by the command line and the configuration.
pub(super) fn options(args: &DashboardArgs, config: &Config) -> TuiOptions {
    TuiOptions {
        color: args.color,
        graphics: args.graphics,
        config: config.tui.clone(),
        ascii: args.ascii,
        read_only: args.read_only,
        tick: args.tick.unwrap_or(tui::DEFAULT_TICK),
        timezone: config.parallel.timezone.clone(),
        memory: state_folder().map(|folder| folder.join("dashboard.json")),
        ..TuiOptions::default()
    }
}
