//! The engine of this program, served to others.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Instant,
};

use jiff::tz::TimeZone;
use rustix::process::{Signal, getpid, kill_process};

use super::{
    acting::Acting, actions::Actions, counting::RunServices, program::ProgramHost, signals::StopSignal,
};
use crate::{
    api::{Api, LedgerState, Options, Served, Tokens, UserAndOrigin},
    clock::{Clock as _, SystemClock},
    config::Config,
    engine::{Control, Engine, EngineApi, Reply, Subscription},
    host::{Host, Settings},
    ledger::report::{Query, Report},
    model::{Action, SourceId},
    outputs::{
        ledger::Ledger,
        webhooks::{Outage, WebhookState, Webhooks},
    },
    protocol::{self, Reloaded, Version, WebhookStatus, WebhookTest},
};

/// How the program is ended from outside.
pub(super) enum Stop {
    /// In peace, as a service that goes on until it is told.
    AsService(StopSignal),
    /// As SIGTERM does.
    BySignal,
}

/// Begins to serve `engine` on the socket in its output folder, and over TCP where `config` says so. The result is to be held until the end.
///
/// # Errors
/// When it cannot listen, or tokens cannot be read, in a sentence.
pub(super) fn start(
    config: &Config,
    engine: &Engine,
    host: &Arc<ProgramHost>,
    parts: &RunServices,
    stop: Stop,
) -> io::Result<Api> {
    let (output, http) = (config.parallel.result_output.clone(), config.parallel.http.clone());
    let tcp = http.as_ref().map(|http| http.listen);
    let tokens =
        http.and_then(|http| http.token_file).map(|file: PathBuf| Tokens::read(&file)).transpose()?;
    let served = Program {
        engine: Arc::new(engine.clone()),
        host: Arc::clone(host),
        actions: parts.actions.clone(),
        ledger: parts.written.ledger.clone(),
        webhooks: Arc::clone(&parts.webhooks),
        stop,
        timezone: config.parallel.timezone.clone(),
        version: Version {
            program: env!("CARGO_PKG_VERSION").into(),
            api: protocol::VERSION,
            pid: std::process::id(),
            output: output.display().to_string(),
        },
    };
    let options = Options { output, tcp, tokens: tokens.unwrap_or_default() };
    let api = Api::start(options, Arc::new(served))?;
    if let Some(address) = api.tcp() {
        tracing::info!("Listening on http://{address}");
    }
    Ok(api)
}

/// What is told of a webhook, as of `now`.
fn webhook_status(state: WebhookState, now: Instant) -> WebhookStatus {
    let outage = state.outage.as_ref();
    let next = |outage: &Outage| outage.next.saturating_duration_since(now).as_secs();
    WebhookStatus {
        failing_since: outage.map(|outage| outage.since),
        problem: outage.map(|outage| outage.problem.clone()),
        next_attempt: outage.filter(|_| !state.is_gone).map(next),
        name: state.name,
        server: state.server,
        accepted: state.accepted,
        failed: state.failed,
        pending: state.pending,
        skipped: state.skipped,
        last_success: state.last_success,
        stopped: state.is_gone,
    }
}

/// The same for a program that has a front end of its own, which says why nobody can ask, and which SIGTERM ends: it counts all
/// the same.
pub(super) fn start_beside(
    config: &Config,
    engine: &Engine,
    host: &Arc<ProgramHost>,
    parts: &RunServices,
    say: impl FnOnce(String),
) -> Option<Api> {
    let started = start(config, engine, host, parts, Stop::BySignal);
    let started = started.inspect_err(|error| tracing::warn!("{error}"));
    started.map_err(|error| say(error.to_string())).ok()
}

/// This program.
struct Program {
    engine: Arc<Engine>,
    host: Arc<ProgramHost>,
    actions: Actions,
    ledger: Option<Arc<Ledger>>,
    webhooks: Arc<OnceLock<Webhooks>>,
    stop: Stop,
    timezone: TimeZone,
    version: Version,
}

impl Program {
    fn acting(&self, who: &UserAndOrigin) -> Acting {
        let engine: Arc<dyn EngineApi> = Arc::clone(&self.engine) as _;
        Acting::new(engine, self.actions.clone(), who.name.clone(), who.from)
    }
}

impl Served for Program {
    fn engine(&self) -> &dyn EngineApi {
        &*self.engine
    }

    fn send(&self, control: Control, who: &UserAndOrigin) -> Reply {
        if let Control::Add(source) = &control {
            self.host.hide_secrets(source);
        }
        self.acting(who).send(control)
    }

    fn host(&self) -> &dyn Host {
        &*self.host
    }

    fn ledger(&self) -> Option<LedgerState> {
        let health = self.ledger.as_ref()?.output().health();
        Some(LedgerState { pending: health.waiting, is_writable: health.problem.is_none() })
    }

    fn webhooks(&self) -> Vec<WebhookStatus> {
        let states = self.webhooks.get().map(Webhooks::states).unwrap_or_default();
        let now = SystemClock.now();
        states.into_iter().map(|state| webhook_status(state, now)).collect()
    }

    fn test_webhooks(&self, name: Option<&str>, who: &UserAndOrigin) -> Result<Vec<WebhookTest>, String> {
        let webhooks = self.webhooks.get().ok_or("the program has just started; try again")?;
        let wall = jiff::Timestamp::now().as_millisecond();
        tracing::info!("Webhooks are tested by {} ({})", who.name, who.from);
        let tested = webhooks.test(name, wall)?.into_iter().map(|(name, answer)| WebhookTest {
            name,
            accepted: answer.is_ok(),
            answer: answer.unwrap_or_else(|refusal| refusal),
        });
        Ok(tested.collect())
    }

    fn subscribe(&self) -> Subscription {
        self.engine.subscribe()
    }

    fn report(&self, query: &Query) -> Result<Report, String> {
        self.host.query(query)
    }

    fn actions(&self, since: i64, until: i64, limit: usize) -> Result<Vec<Action>, String> {
        self.host.actions(since, until, limit)
    }

    fn reload(&self, dry_run: bool, who: &UserAndOrigin) -> Result<Reloaded, String> {
        let none = "there is no configuration file to reload";
        let reloader = self.host.follower().ok_or(none)?;
        if dry_run {
            return Ok(Reloaded { done: false, changes: reloader.work_out_sentences()?, said: None });
        }
        let done = reloader.reload().map_err(|problems| problems.join("\n"))?;
        self.acting(who).note(Action::RELOADED, Some(done.sentences.join("; ")));
        match done.refused {
            Some(refused) => Err(refused),
            None => Ok(Reloaded {
                done: true,
                changes: done.sentences,
                said: Some("the configuration file is in effect".into()),
            }),
        }
    }

    fn save_settings(
        &self,
        source: &SourceId,
        before: &Settings,
        after: &Settings,
        who: &UserAndOrigin,
    ) -> Result<String, String> {
        self.host.save_settings_by(&self.acting(who), source, before, after)
    }

    fn stop(&self, who: &UserAndOrigin) {
        self.acting(who).note(Action::STOPPED, None);
        match &self.stop {
            Stop::AsService(stop) => stop.ask(),
            Stop::BySignal => {
                if let Err(error) = kill_process(getpid(), Signal::TERM) {
                    tracing::error!("The program cannot be stopped: {error}");
                }
            }
        }
    }

    fn version(&self) -> Version {
        self.version.clone()
    }

    fn timezone(&self) -> TimeZone {
        self.timezone.clone()
    }
}
