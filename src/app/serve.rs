//! `serve`: the engine as a service, without a terminal, until it is told to stop. Nothing is printed on the standard output;
//! the standard error has the log, as systemd's journal wants it.

mod line;
mod notify;

use std::{io, sync::Arc, time::Duration};

use anyhow::Context as _;
use crossbeam_channel::{Receiver, RecvTimeoutError};

use self::notify::Notifier;
use super::{
    acting::Acting,
    attach, configuration,
    counting::{RunServices, engine, finish, logs, native_output, start},
    ending::Ending,
    failure::{DONE, Failure, NO_THREAD},
    fleet, native,
    notices::Notices,
    outputs::Written,
    program::ProgramHost,
    reload::Reloader,
    serving::{self, Stop},
    signals::StopSignal,
};
use crate::{
    api,
    cli::ServeArgs,
    config, detect,
    headless::outlet::OutletState,
    logging::{StandardError, stderr::Form},
    model::Action,
    native::process,
};

/// How often it checks whether it is told to stop.
const POLL: Duration = Duration::from_millis(100);

/// Counts until it is told to stop, by a signal or by [`StopSignal::ask`]; also when all sources are over.
pub fn run(args: &ServeArgs) -> Result<u8, Failure> {
    let overrides = args.counting.overrides();
    let config = configuration::load(&args.config, &overrides)?;
    config.sources.iter().for_each(|source| source.source.teach(config::known()));
    if api::find(&config.parallel.result_output).is_some() {
        return Err(Failure::Runtime(anyhow::Error::msg(attach::taken(&config.parallel.result_output))));
    }
    let (stop, hang_ups) = StopSignal::listen_as_service().context(NO_THREAD)?;
    // Before the filter for native output takes its place.
    let form = Form::of(io::stderr(), std::env::var("JOURNAL_STREAM").ok().as_deref());
    let printed = StandardError::start(io::stderr(), form).context(NO_THREAD)?;
    let notices = match form {
        Form::Journal => Notices::led_by("<3>"),
        Form::Dated => Notices::start(),
    };
    let notices = notices.context(NO_THREAD)?;
    let ending = Ending::watch(&stop, &notices).context(NO_THREAD)?;
    native::take_over(&crate::progress::Progress::hidden());
    let logs = logs(&config, Some(printed))?;
    config.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    for refused in detect::refused(&config.parallel.models) {
        tracing::warn!("{refused}");
    }
    let written = Written::start(args.counting.fresh, &config, None::<(io::Sink, OutletState)>)?;
    let parts = RunServices::new(&config, (ending, notices), OutletState::default(), logs, written)?;
    let native = native_output(&parts.logs);
    let engine = engine(&config, &parts, false)?;
    let acting =
        Arc::new(Acting::new(Arc::new(engine.clone()), parts.actions.clone(), process::user(), "signal"));
    let host = ProgramHost::start(&config, overrides, &engine, &parts, &acting).context(NO_THREAD)?;
    let host = Arc::new(host);
    let api = serving::start(&config, &engine, &host, &parts, Stop::AsService(stop.clone()))?;
    start(&engine, &config, &parts, api.socket())?;
    let node = match fleet::join(args, &config, &engine, &parts.written, api.door()) {
        Ok(node) => node,
        Err(refused) => {
            finish(&engine, &parts);
            return Err(refused);
        }
    };
    let notifier = Notifier::start(&engine).context(NO_THREAD)?;
    let reloader = host.follower();
    if let Some(reloader) = reloader {
        let notifier = notifier.clone();
        reloader.set_watcher(Box::new(move |begins| notifier.reloading(begins)));
    }
    let note = |sender: Option<u32>, what: &str, detail: Option<String>| {
        let who = sender.map_or_else(process::user, process::user_numbered);
        Acting::new(Arc::new(engine.clone()), parts.actions.clone(), who, "signal").note(what, detail);
    };
    wait(&stop, &hang_ups, reloader.map(Arc::as_ref), &note);
    notifier.stopping();
    if stop.code().is_some() {
        note(stop.sender(), Action::STOPPED, None);
    }
    finish(&engine, &parts);
    // What it counted is written: others may go on from here.
    if let Some(node) = node {
        node.stop(fleet::LEAVING.min(parts.ending.left(0.5)));
    }
    drop(api);
    drop(native);
    parts.logs.close(parts.ending.left(0.8));
    // A source that failed is no failure of a service that was told to stop, which must not be started again for it.
    parts.ending.leave(DONE, false)
}

/// Notes what was done by the signal of this user, and what else is to be said of it.
type Note<'a> = dyn Fn(Option<u32>, &str, Option<String>) + 'a;

/// Reads the configuration file again with every hang-up, until the end is asked for. `note` is told by which user's signal
/// what was done.
fn wait(stop: &StopSignal, hang_ups: &Receiver<Option<u32>>, reloader: Option<&Reloader>, note: &Note<'_>) {
    while !stop.is_asked() {
        match hang_ups.recv_timeout(POLL) {
            Ok(sender) => match reloader.map(Reloader::reload) {
                Some(Ok(reloaded)) => note(sender, Action::RELOADED, Some(reloaded.sentences.join("; "))),
                // It says why in the log.
                Some(Err(_)) => {}
                None => tracing::error!("Reload: there is no configuration file to reload"),
            },
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(POLL),
        }
    }
}
