//! Counting with either front end: the engine with what it needs, and how it ends.

use std::{
    io,
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};

use anyhow::Context as _;

use super::{
    acting::Acting,
    actions::Actions,
    ending::Ending,
    failure::{DONE, FAILED, Failure, NO_SOURCE, NO_THREAD},
    notices::Notices,
    outputs::Written,
};
use crate::{
    clock::{Clock as _, SystemClock},
    config::Config,
    engine::{Engine, EngineApi as _, EngineOptions},
    headless::outlet::OutletState,
    ledger,
    logging::{self, LogError, LogHandle, LogOptions, NativeOutput, StandardError},
    model::{EngineSnapshot, Health, SourceId, SourceState},
    outputs::webhooks::{WebhookOptions, Webhooks},
};

/// The end waits at most this long for cameras that hang in native code. What is closed after them needs the rest of
/// the two seconds that a signal gives.
pub(super) const STOP_TIMEOUT: Duration = Duration::from_millis(900);

/// What stays in place until the end. Cheap to clone.
#[derive(Clone)]
pub(super) struct RunServices {
    /// Ends the process, at the latest when its deadline comes.
    pub ending: Ending,
    /// Tells the user something while there are no screens.
    pub notices: Notices,
    /// State of the standard output, while lines are printed there.
    pub outlet: OutletState,
    /// Keeps the logs going.
    pub logs: Arc<LogHandle>,
    /// What is written.
    pub written: Written,
    /// Notes what people do.
    pub actions: Actions,
    /// Tells other servers, once counting has begun.
    pub webhooks: Arc<OnceLock<Webhooks>>,
}

impl RunServices {
    /// Puts them together for a run of `config`.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn new(
        config: &Config,
        (ending, notices): (Ending, Notices),
        outlet: OutletState,
        logs: LogHandle,
        written: Written,
    ) -> Result<Self, Failure> {
        let ledger = written.ledger.as_ref().map(|_| config.parallel.result_output.join(ledger::FILE_NAME));
        let actions = Actions::start(ledger).context(NO_THREAD)?;
        Ok(Self { ending, notices, outlet, logs: Arc::new(logs), written, actions, webhooks: Arc::default() })
    }
}

/// Starts the logs of `config`, with their lines also on `printed`.
pub(super) fn logs(config: &Config, printed: Option<StandardError>) -> Result<LogHandle, LogError> {
    let settings = &config.parallel;
    logging::init(&LogOptions {
        dir: Some(settings.log_dir.clone()),
        level: settings.log_level,
        max_bytes: settings.max_log_size,
        max_files: settings.max_log_files,
        timezone: settings.timezone.clone(),
        printed,
        ..LogOptions::default()
    })
}

/// From now on what native libraries write goes to the logs, until the result is dropped.
pub(super) fn native_output(logs: &LogHandle) -> Option<NativeOutput> {
    let begin = || {
        let mut native = logs.native_output()?;
        native.as_mut().map(NativeOutput::capture).transpose()?;
        io::Result::Ok(native)
    };
    begin().unwrap_or_else(|error| {
        tracing::warn!("The output of native libraries cannot be written to the logs: {error}");
        None
    })
}

/// An engine with the sources of `config`, which wait for [`start`]. With `tell`, what is wrong with the disk is said on
/// the standard error as well.
pub(super) fn engine(config: &Config, parts: &RunServices, tell: bool) -> Result<Engine, Failure> {
    let mut options = EngineOptions::new(config.parallel.clone());
    options.sinks.push(parts.written.list.sink());
    if let Some(ledger) = &parts.written.ledger {
        (options.restored, options.scenes) = (ledger.totals(), ledger.scenes());
        options.areas = ledger.areas();
    }
    options.evidence.clone_from(&parts.written.evidence);
    let (outputs, logs) = (parts.written.list.clone(), Arc::clone(&parts.logs));
    let evidence = parts.written.evidence.clone();
    let (outlet, teller) = (parts.outlet.clone(), tell.then(|| parts.notices.clone()));
    let warned = warnings_in_short(&config.warnings);
    let (webhooks, timezone) = (Arc::clone(&parts.webhooks), config.parallel.timezone.clone());
    options.health = Some(Arc::new(move || {
        let mut health = Health::default();
        for output in outputs.health() {
            health.problems.extend(output.problem);
            health.notices.extend(output.notices);
            health.lost += output.lost;
        }
        health.problems.extend([logs.problem(), outlet.problem()].into_iter().flatten());
        health.problems.extend(evidence.as_ref().and_then(|evidence| evidence.status().problem));
        health.notices.extend(warned.clone());
        let webhooks = webhooks.get().map(|webhooks| webhooks.notices(SystemClock.now(), &timezone));
        health.notices.extend(webhooks.unwrap_or_default());
        let unread = logs.lines_not_printed();
        if unread > 0 {
            health.notices.push(format!(
                "{unread} log lines were not printed, because nothing read the standard error; the log \
                 files have them"
            ));
        }
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

/// Begins to tell other servers out of the ledger.
fn webhooks(engine: &Engine, config: &Config, parts: &RunServices) -> io::Result<Webhooks> {
    let settings = &config.parallel;
    let Some(ledger) = &parts.written.ledger else {
        if !settings.webhooks.is_empty() {
            tracing::error!("Webhooks are told out of the ledger, and 'ledger' is false; set it to true");
        }
        return Ok(Webhooks::none());
    };
    let engine = engine.clone();
    let labels = move |source: &SourceId| {
        let config = engine.source_config(source)?;
        Some((config.alias.clone(), config.location.clone()))
    };
    let options = WebhookOptions {
        ledger: Arc::clone(ledger) as _,
        path: settings.result_output.join(ledger::FILE_NAME),
        labels: Arc::new(labels),
        webhooks: settings
            .webhooks
            .iter()
            .map(|webhook| (webhook.name.clone(), webhook.events.clone()))
            .collect(),
        clock: Arc::new(SystemClock),
    };
    Webhooks::start(&settings.webhooks, &options)
}

/// The warnings about the configuration in one line for the screen.
fn warnings_in_short(warnings: &[String]) -> Option<String> {
    let (first, others) = warnings.split_first()?;
    Some(match others.len() {
        0 => first.clone(),
        others => format!("{first} (and {others} more in the log)"),
    })
}

/// Begins to count, and to tell others, also where they can ask: at `socket`.
pub(super) fn start(
    engine: &Engine,
    config: &Config,
    parts: &RunServices,
    socket: Option<&Path>,
) -> Result<(), Failure> {
    tracing::info!("Started with {} sources", config.sources.len());
    engine.start()?;
    parts.written.add_status(config, Arc::new(engine.clone()), socket)?;
    let acting = Acting::new(Arc::new(engine.clone()), parts.actions.clone(), "mqtt".to_owned(), "mqtt");
    parts.written.add_mqtt(config, Arc::new(acting))?;
    let _ = parts.webhooks.set(webhooks(engine, config, parts).context(NO_THREAD)?);
    let (ending, engine, parts) = (&parts.ending, engine.clone(), parts.clone());
    ending.set_steps(Box::new(move || {
        finish(&engine, &parts);
        parts.logs.close(parts.ending.left(0.8));
    }));
    Ok(())
}

/// Ends the engine, writes what is left, and says how it went. Each step has its time; what it does not get done is
/// said by [`Ending::leave`].
pub(super) fn finish(engine: &Engine, parts: &RunServices) -> (EngineSnapshot, u8) {
    let ending = &parts.ending;
    ending.begin();
    engine.stop(STOP_TIMEOUT.min(ending.left(0.6)));
    parts.outlet.make_room();
    parts.written.list.close(ending.left(0.75));
    // After the counts, which matter more where time is short.
    if let Some(evidence) = &parts.written.evidence {
        evidence.close(ending.left(0.5));
    }
    // What is not written by then stands in the log.
    parts.actions.sync(ending.left(0.3));
    let snapshot = engine.snapshot();
    let (total_in, total_out, net) = snapshot.totals();
    tracing::info!("Stopped: in {total_in}, out {total_out}, net {net:+}");
    let code = exit_code(&snapshot);
    (snapshot, code)
}

/// What would be lost by ending now.
fn unkept(parts: &RunServices) -> impl Fn() -> Vec<String> + Send + Sync + use<> {
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
            sentences.push(format!(
                "{lines} lines were not printed, because nothing read the standard \
                 output{problem}"
            ));
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
