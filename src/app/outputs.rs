//! What a run writes, and where: the list of its outputs.

use std::{io::Write, path::Path, sync::Arc, time::Duration};

use anyhow::Context;
use sha2::{Digest, Sha256};

use super::failure::{Failure, NO_THREAD};
use crate::{
    clock::{Clock, SystemClock},
    config::{Config, EvidenceChoice, EvidenceConfig, SourceConfig, WebhookEvent},
    engine::EngineApi,
    evidence::{self, Bounds, Evidence, EvidenceOptions},
    headless::outlet::OutletState,
    ledger::{Forward, LedgerOptions, ServerClock},
    model::SourceKind,
    native::disk::Disk,
    outputs::{Feed, Outputs, Running, csv, json_lines, ledger::Ledger, mqtt, status, summary},
};

/// Whether there is evidence of earlier runs is known by then, or the disk does not answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// The outputs of a run. Cheap to clone.
#[derive(Clone)]
pub(super) struct Written {
    /// All of them.
    pub list: Outputs,
    /// Results and crossings, in files of their own.
    pub csv: Arc<Running>,
    /// Crossings and totals.
    pub ledger: Option<Arc<Ledger>>,
    /// JSON lines.
    pub lines: Option<Arc<Running>>,
    /// Snapshots of crossings.
    pub evidence: Option<Evidence>,
    /// What is known of the clock of a fleet's server.
    pub server_clock: Arc<ServerClock>,
    /// Where files of the output folder are written.
    disk: Disk,
    clock: Arc<dyn Clock>,
}

impl Written {
    /// Starts what needs no engine; with `fresh`, totals begin at zero. JSON lines go to `lines`; with a ledger, events come there once they are on disk.
    ///
    /// # Errors
    /// When another program counts into the output folder, or the system refuses a thread.
    pub fn start(
        fresh: bool,
        config: &Config,
        lines: Option<(impl Write + Send + 'static, OutletState)>,
    ) -> Result<Self, Failure> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let list = Outputs::new(Arc::clone(&clock));
        let lines = lines
            .map(|(out, room)| {
                json_lines::start(out, Box::new(move || room.has_room()), Arc::clone(&clock)).map(Arc::new)
            })
            .transpose()
            .context(NO_THREAD)?;
        let server_clock = Arc::<ServerClock>::default();
        // The ledger before all files: it is what keeps a second program out of this folder.
        let ledger = config.parallel.ledger.then(|| {
            let options = ledger_options(fresh, config, lines.as_ref(), &clock);
            Ledger::start(LedgerOptions { server_clock: Arc::clone(&server_clock), ..options })
        });
        let ledger = ledger.transpose()?.map(Arc::new);
        let disk = Disk::start("disk-results").context(NO_THREAD)?;
        let csv = Arc::new(
            csv::start(&config.parallel.result_output, disk.clone(), Arc::clone(&clock))
                .context(NO_THREAD)?,
        );

        let evidence = evidence_options(config, &disk, &clock).map(Evidence::start);
        let evidence = evidence.transpose().context(NO_THREAD)?;
        if let Some(ledger) = &ledger {
            list.add(ledger.output(), Feed::Engine);
        }
        list.add(Arc::clone(&csv), Feed::Engine);
        if let Some(lines) = &lines {
            list.add(Arc::clone(lines), if ledger.is_some() { Feed::Output } else { Feed::Engine });
        }
        Ok(Self { list, csv, ledger, lines, evidence, server_clock, disk, clock })
    }

    /// Adds what is written of an engine at its end.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn add_summary(&self, config: &Config, engine: Arc<dyn EngineApi>) -> Result<(), Failure> {
        let summary = summary::start(
            &config.parallel.result_output,
            engine,
            self.disk.clone(),
            Arc::clone(&self.clock),
        );
        self.list.add(Arc::new(summary.context(NO_THREAD)?), Feed::Engine);
        Ok(())
    }

    /// Adds the MQTT broker that `config` names, if any; what is asked there is asked of `engine`.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn add_mqtt(&self, config: &Config, engine: Arc<dyn EngineApi>) -> Result<(), Failure> {
        let Some(broker) = &config.parallel.mqtt else { return Ok(()) };
        let mqtt = mqtt::start(broker, &config.parallel.result_output, engine, Arc::clone(&self.clock));
        self.list.add(Arc::new(mqtt.context(NO_THREAD)?), Feed::Engine);
        Ok(())
    }

    /// Adds what tells others of an engine while it runs, and where it can be asked.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn add_status(
        &self,
        config: &Config,
        engine: Arc<dyn EngineApi>,
        socket: Option<&Path>,
    ) -> Result<(), Failure> {
        let output = &config.parallel.result_output;
        let socket = socket.map(|path| path.display().to_string());
        let status = status::start(output, engine, socket, self.disk.clone(), Arc::clone(&self.clock));
        self.list.add(Arc::new(status.context(NO_THREAD)?), Feed::Engine);
        Ok(())
    }
}

/// How pictures are kept; `None` where none are asked for and none are left of earlier runs, which go when they are old
/// also while no more are kept.
fn evidence_options(config: &Config, disk: &Disk, clock: &Arc<dyn Clock>) -> Option<EvidenceOptions> {
    let (settings, output) = (&config.parallel, config.parallel.result_output.clone());
    let own = |source: &SourceConfig| source.evidence != EvidenceChoice::Program;
    let kept: Vec<(&SourceConfig, EvidenceConfig)> = config
        .sources
        .iter()
        .filter_map(|source| Some((source, source.evidence.resolve(settings.evidence)?)))
        .collect();
    let is_kept = settings.evidence.is_some() || !kept.is_empty();
    let folder = output.join(evidence::FOLDER);
    // A disk that does not answer holds up no start; the next one sees to what is old.
    if !is_kept && disk.run_within(PATIENCE, move || folder.exists()) != Some(true) {
        return None;
    }
    let sizes = kept.iter().map(|(_, kept)| kept.size);
    // Without a size for all, it is that of all who have one.
    let size = settings.evidence.map(|program| program.size).or_else(|| is_kept.then(|| sizes.sum()));
    let of_source = |(source, kept): &(&SourceConfig, EvidenceConfig)| {
        (source.id.clone(), (kept.keep, source.evidence.own_size()))
    };
    let sources = kept.iter().filter(|(source, _)| own(source)).map(of_source).collect();
    let bounds = Bounds { size, keep: settings.evidence.map(|program| program.keep), sources };
    Some(EvidenceOptions { output, program: settings.evidence, bounds, clock: Arc::clone(clock) })
}

fn ledger_options(
    fresh: bool,
    config: &Config,
    lines: Option<&Arc<Running>>,
    clock: &Arc<dyn Clock>,
) -> LedgerOptions {
    let settings = &config.parallel;
    let files = config.sources.iter().filter(|source| source.kind == SourceKind::Video);
    LedgerOptions {
        fingerprint: fingerprint(config),
        retention: settings.ledger_retention,
        fresh,
        reset: files.map(|source| source.id.clone()).collect(),
        clock: Arc::clone(clock),
        keeps_states: settings
            .webhooks
            .iter()
            .any(|webhook| webhook.wants(WebhookEvent::State) || webhook.wants(WebhookEvent::Threshold)),
        forward: lines.cloned().map(|lines| Arc::new(move |event: &_| lines.event(event)) as Forward),
        ..LedgerOptions::new(&settings.result_output)
    }
}

/// Changes when what is counted changes: the sources, and what is drawn or ignored in their frames.
fn fingerprint(config: &Config) -> String {
    let mut hash = Sha256::new();
    for source in &config.sources {
        let heights = (source.min_height, source.max_height);
        hash.update(format!("{} {} {:?} {heights:?}\n", source.id, source.source, source.drawn()));
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
